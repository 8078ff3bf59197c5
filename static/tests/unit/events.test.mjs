import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { applyEvent } = await load('task/events.ts');
const created = { id: '1', title: 'hero', status: 'created', progress: 0, files: [], created_at: '' };

const after = (...events) => events.reduce((task, [name, data]) => applyEvent(task, name, data), created);

test('a task waits, works stage by stage, and is done', () => {
  assert.equal(after(['queued', { position: 3 }]).queue.position, 3);
  const working = after(['queued', { position: 1 }], ['stage', { stage: 'read', progress: 0 }]);
  assert.deepEqual([working.status, working.stage, working.queue], ['processing', 'read', null]);
  const done = after(['progress', { stage: 'export', progress: 96 }], ['done', { status: 'done' }]);
  assert.deepEqual([done.status, done.progress], ['done', 100]);
});

test('progress told again after a new connection does not go back', () => {
  const task = after(
    ['progress', { stage: 'skin', progress: 60 }],
    ['stage', { stage: 'read', progress: 0 }],
  );
  assert.deepEqual([task.stage, task.progress], ['skin', 60]);
});

test('a file told twice is listed once', () => {
  const file = { key: 'prepared_glb', name: 'a.glb', size: 1, url: '/a' };
  assert.deepEqual(after(['file', file], ['file', file]).files, [file]);
});

test('after the end nothing changes any more', () => {
  const failed = after(['error', { code: 'no_geometry', message: 'm', remedy: 'r' }], ['done', {}]);
  assert.deepEqual([failed.status, failed.error.code], ['error', 'no_geometry']);
  assert.equal(
    after(['cancelled', { status: 'cancelled' }], ['stage', { stage: 'read' }]).status,
    'cancelled',
  );
});
