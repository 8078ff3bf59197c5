import type { Task } from '../api';
import { t } from '../i18n';

/** What the visitor knows the task by. */
export function taskName(task: Pick<Task, 'title'>): string {
  return task.title || t('history.unnamed');
}

/** Seconds a finished task took, by the server's clock. */
export function secondsTaken(task: Pick<Task, 'started_at' | 'finished_at'>): number | null {
  if (!task.started_at || !task.finished_at) return null;
  return (Date.parse(task.finished_at) - Date.parse(task.started_at)) / 1000;
}
