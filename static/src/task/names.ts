import type { Task, TaskSummary } from '../api';

/** The input's name as the visitor knows it: given by the server, or read off the files made from it. */
export function taskName(task: Pick<TaskSummary, 'name' | 'files'>): string | null {
  if (task.name) return task.name;
  const prepared = task.files?.find((file) => file.key === 'prepared_glb' || file.key === 'rigged_glb');
  return prepared?.name.replace(/_(model_prepared|rigged)\.glb$/, '') ?? null;
}

/** A moment of the API: RFC 3339 text, or seconds since 1970. */
export function moment(value: string | number): Date {
  return new Date(typeof value === 'number' ? value * 1000 : value);
}

/** Seconds a finished task took, by the server's clock. */
export function secondsTaken(task: Task): number | null {
  if (!task.started_at || !task.finished_at) return null;
  return (moment(task.finished_at).getTime() - moment(task.started_at).getTime()) / 1000;
}
