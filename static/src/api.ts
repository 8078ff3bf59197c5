/** The server's API, typed. Every failure becomes a `Problem`, which says what to do about it. */

export const STAGES = [
  'convert',
  'read',
  'analyse',
  'skeleton',
  'skin',
  'export',
  'lod',
  'animate',
  'render',
  'pack',
] as const;
export type Stage = (typeof STAGES)[number];
export type Status = 'created' | 'processing' | 'done' | 'error' | 'cancelled';

export interface TaskFile {
  index?: number;
  key: string;
  name: string;
  size: number;
  url: string;
}

export interface TaskError {
  class?: string;
  code: string;
  message: string;
  remedy: string;
}

export interface Queue {
  position: number;
  estimated_wait_seconds?: number | null;
}

export interface Task {
  id: string;
  status: Status;
  /** What to show people as its name. */
  title: string;
  stage?: string | null;
  progress: number;
  queue?: Queue | null;
  files: TaskFile[];
  /** Turning FBX into GLB, where a converter machine needs it. */
  pre_step?: { status: Status; output_url?: string | null; error?: TaskError | null } | null;
  error?: TaskError | null;
  /** Moments are RFC 3339. */
  created_at: string;
  started_at?: string | null;
  finished_at?: string | null;
}

/** A line of the history. */
export type TaskSummary = Pick<Task, 'id' | 'title' | 'status' | 'created_at'>;

export interface History {
  items: TaskSummary[];
  next?: string | null;
}

export interface QueueStatus {
  queued: number;
  processing: number;
  workers_online: number;
  workers_free: number;
  workers_total: number;
  estimated_wait_seconds?: number | null;
}

export interface Created {
  task_id: string;
  status: Status;
  urls: { self: string; events: string; cancel: string; page: string };
}

export type Vector = [number, number, number];

export interface JointReport {
  name: string;
  parent: string | null;
  position: Vector;
  confidence: number;
}

export type Verdict = 'good' | 'review' | 'poor';

/** `<name>_report.json`, as the engine writes it. */
export interface Report {
  schema_version: number;
  engine_version: string;
  input: {
    format: string;
    vertices: number;
    triangles: number;
    meshes: number;
    materials: number;
    textures: number;
    parts: number;
    bounds_min: Vector;
    bounds_max: Vector;
    was_rigged: boolean;
    /** Absent in reports of older engines. */
    existing?: { treatment: 're_rig' | 're_skin' | 'keep' } | null;
  };
  orientation: {
    up: Vector;
    forward: Vector;
    left: Vector;
    height: number;
    metres_per_unit: number;
    unit_confidence: number;
    confidence: number;
  };
  class: string;
  class_confidence: number;
  confidence: number;
  joints: JointReport[];
  /** Absent in reports of older engines. */
  quality?: {
    verdict: Verdict;
    score: number;
    reasons: { code: string; severity: Verdict; value: number; joints: string[] }[];
  };
  rest_pose?: { turned: { joint: string; degrees: number }[]; clip: string | null } | null;
  skin: { max_influences: number; rigid_parts: number; filled_vertices: number };
  warnings: { code: string; message: string }[];
}

/** What went wrong, in the shape of the server's `problem+json`. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly remedy: string,
    readonly status = 0,
  ) {
    super(detail);
    this.name = 'Problem';
  }

  /** From any thrown value; what is no `Problem` means that the server was not reached. */
  static from(cause: unknown): Problem {
    return cause instanceof Problem ? cause : new Problem('network', '', '');
  }

  /** From an answer's body, which a proxy in between may have replaced by anything. */
  static fromBody(status: number, body: string): Problem {
    const text = (value: unknown) => (typeof value === 'string' ? value : '');
    try {
      const problem = JSON.parse(body) as Record<string, unknown>;
      const detail = text(problem.detail) || text(problem.title);
      return new Problem(
        text(problem.code) || 'http',
        detail || `HTTP ${status}`,
        text(problem.remedy),
        status,
      );
    } catch {
      return new Problem(status === 413 ? 'limit_file_size' : 'http', `HTTP ${status}`, '', status);
    }
  }
}

const taskUrl = (id: string, rest = '') => `/api/task/${encodeURIComponent(id)}${rest}`;

export const taskPageUrl = (id: string) => `/task?id=${encodeURIComponent(id)}`;
export const taskEventsUrl = (id: string) => taskUrl(id, '/events');
export const preparedUrl = (id: string) => taskUrl(id, '/prepared.glb');
export const modelUrl = (id: string) => taskUrl(id, '/model.glb');

export const getTask = (id: string) => getJson<Task>(taskUrl(id));
export const getReport = (id: string) => getJson<Report>(taskUrl(id, '/files/report_json'));
export const getQueueStatus = () => getJson<QueueStatus>('/api/queue/status');

export function getHistory(cursor: string | null, limit = 10): Promise<History> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor) query.set('cursor', cursor);
  return getJson<History>(`/api/history?${query}`);
}

export async function cancelTask(id: string): Promise<void> {
  await request(taskUrl(id, '/cancel'), { method: 'POST' });
}

/** Options a visitor has chosen; what is absent is the server's default. */
export type RigChoices = Partial<Record<'class' | 'rest_pose' | 'fingers' | 'symmetry', string>>;

export async function createFromLink(
  link: string,
  choices: RigChoices,
  signal: AbortSignal,
): Promise<Created> {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': newKey() };
  const body = JSON.stringify({ link, ...choices });
  const answer = await request('/api/task/create', { method: 'POST', headers, body, signal });
  return (await answer.json()) as Created;
}

/** Uploads by XMLHttpRequest, because `fetch` does not tell how much has been sent. */
export function createFromFile(
  file: File,
  choices: RigChoices,
  onSent: (sent: number, total: number) => void,
  signal: AbortSignal,
): Promise<Created> {
  return new Promise((resolve, reject) => {
    const upload = new XMLHttpRequest();
    upload.open('POST', '/api/task/create');
    upload.setRequestHeader('Accept', 'application/json');
    upload.setRequestHeader('Idempotency-Key', newKey());
    upload.upload.onprogress = (event) => onSent(event.loaded, event.total);
    upload.onload = () => {
      if (upload.status < 200 || upload.status > 299) {
        reject(Problem.fromBody(upload.status, upload.responseText));
      } else {
        resolve(JSON.parse(upload.responseText) as Created);
      }
    };
    upload.onerror = () => reject(new Problem('network', '', ''));
    upload.onabort = () => reject(new DOMException('upload cancelled', 'AbortError'));
    signal.addEventListener('abort', () => upload.abort(), { once: true });
    const body = new FormData();
    for (const [name, value] of Object.entries(choices)) body.append(name, value);
    body.append('file', file, file.name);
    upload.send(body);
  });
}

async function getJson<T>(url: string): Promise<T> {
  return (await (await request(url, {})).json()) as T;
}

async function request(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, { ...init, headers: { Accept: 'application/json', ...init.headers } });
  if (!answer.ok) throw Problem.fromBody(answer.status, await answer.text());
  return answer;
}

/** A key that makes a repeated create the same create; `randomUUID` is missing on plain http. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
