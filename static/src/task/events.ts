/** What the server's events do to the page's picture of a task. Pure; the order of events is theirs. */

import type { Task, TaskError, TaskFile } from '../api';

export const EVENT_NAMES = ['queued', 'stage', 'progress', 'file', 'done', 'error', 'cancelled'] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** The task after an event. An event may be told twice, and an old one again after a new connection. */
export function applyEvent(task: Task, name: EventName, data: Record<string, unknown>): Task {
  if (isFinal(task)) return task;
  switch (name) {
    case 'queued':
      return { ...task, queue: { position: Number(data.position) || 1 } };
    case 'stage':
    case 'progress': {
      const progress = Math.max(task.progress, Number(data.progress) || 0);
      const stage = Number(data.progress) < task.progress ? task.stage : String(data.stage);
      return { ...task, status: 'processing', queue: null, stage: stage ?? null, progress };
    }
    case 'file': {
      const file = data as unknown as TaskFile;
      return { ...task, files: [...task.files.filter((known) => known.key !== file.key), file] };
    }
    case 'done':
      return { ...task, status: 'done', queue: null, progress: 100 };
    case 'error': {
      const error = data as unknown as TaskError;
      return { ...task, status: 'error', queue: null, error };
    }
    case 'cancelled':
      return { ...task, status: 'cancelled', queue: null };
  }
}

/** Nothing more will happen to this task. */
export function isFinal(task: Pick<Task, 'status'>): boolean {
  return task.status === 'done' || task.status === 'error' || task.status === 'cancelled';
}
