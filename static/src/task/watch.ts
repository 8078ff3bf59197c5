import { getTask, Problem, type Task, taskEventsUrl } from '../api';
import { applyEvent, EVENT_NAMES, isFinal } from './events';

const RETRY_MS = 3000;

/** What the watch tells: a new picture of the task, how the connection is, or why there is no task. */
export interface Watcher {
  task(task: Task): void;
  connected(connected: boolean): void;
  failed(problem: Problem): void;
}

/** Follows one task: its state once, then its events until it is over, through lost connections. */
export class TaskWatch {
  private task: Task | null = null;
  private events: EventSource | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(
    private readonly id: string,
    private readonly watcher: Watcher,
  ) {}

  start(): void {
    void this.refresh();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
    this.events?.close();
  }

  /** Reads the task anew, and listens on if it is not over. */
  async refresh(): Promise<void> {
    try {
      const task = await getTask(this.id);
      if (this.stopped) return;
      this.take(task);
      this.watcher.connected(true);
      if (!isFinal(task)) this.listen();
    } catch (cause) {
      if (this.stopped) return;
      const problem = Problem.from(cause);
      const lost = problem.code === 'network' || problem.status >= 500;
      if (this.task && lost) this.later();
      else this.watcher.failed(problem);
    }
  }

  private listen(): void {
    if (this.events) return;
    const events = new EventSource(taskEventsUrl(this.id));
    this.events = events;
    events.onopen = () => this.watcher.connected(true);
    for (const name of EVENT_NAMES) {
      events.addEventListener(name, (event) => {
        // A failed connection is also called `error`; only the server's own events carry data.
        if (event instanceof MessageEvent) this.hear(name, event.data);
        else this.lose();
      });
    }
  }

  private hear(name: (typeof EVENT_NAMES)[number], data: string): void {
    if (!this.task) return;
    const next = applyEvent(this.task, name, JSON.parse(data) as Record<string, unknown>);
    this.take(next);
    if (isFinal(next)) {
      this.unlisten();
      // The events tell what happened; the task itself has the times and all files.
      void this.refresh();
    }
  }

  /** The browser connects again by itself, unless it has given up. */
  private lose(): void {
    this.watcher.connected(false);
    if (this.events?.readyState === EventSource.CLOSED) {
      this.unlisten();
      this.later();
    }
  }

  private later(): void {
    this.watcher.connected(false);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.refresh(), RETRY_MS);
  }

  private unlisten(): void {
    this.events?.close();
    this.events = null;
  }

  private take(task: Task): void {
    this.task = task;
    this.watcher.task(task);
  }
}
