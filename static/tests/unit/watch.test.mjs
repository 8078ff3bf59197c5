import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { load } from './load.mjs';

const { TaskWatch } = await load('task/watch.ts');
const running = {
  id: '7',
  title: 'hero',
  status: 'processing',
  stage: 'read',
  progress: 5,
  files: [],
  created_at: '',
};

/** The browser's event source, driven by the test. */
class Source extends EventTarget {
  static CLOSED = 2;
  static made = [];
  readyState = 1;
  constructor(url) {
    super();
    this.url = url;
    Source.made.push(this);
  }
  tell(name, data) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
  break(forGood) {
    this.readyState = forGood ? Source.CLOSED : 0;
    this.dispatchEvent(new Event('error'));
  }
  close() {
    this.readyState = Source.CLOSED;
  }
}

let answers;
beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
  Source.made = [];
  globalThis.EventSource = Source;
  globalThis.fetch = async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
});

/** Starts a watch on what the server will answer, and records what it tells. */
async function watch(...given) {
  answers = given.map((answer) =>
    answer instanceof Error ? answer : Response.json(answer.body, { status: answer.status }),
  );
  const told = [];
  const watching = new TaskWatch('7', {
    task: (task) => told.push(`${task.status} ${task.progress}`),
    connected: (connected) => told.push(connected ? 'connected' : 'lost'),
    failed: (problem) => told.push(`failed ${problem.code}`),
  });
  watching.start();
  await settle();
  return { told, watching };
}

const settle = () => new Promise(setImmediate);
const ok = (body) => ({ status: 200, body });

test('a running task is followed by its events, and read once more at the end', async () => {
  const { told } = await watch(ok(running), ok({ ...running, status: 'done', progress: 100 }));
  const [source] = Source.made;
  assert.equal(source.url, '/api/task/7/events');
  source.tell('progress', { stage: 'skin', progress: 60 });
  source.tell('done', { status: 'done' });
  await settle();
  assert.deepEqual(told, ['processing 5', 'connected', 'processing 60', 'done 100', 'done 100', 'connected']);
  assert.equal(source.readyState, Source.CLOSED);
  assert.equal(Source.made.length, 1);
});

test('a lost connection is said; the browser mends it, or the watch begins anew', async () => {
  const { told } = await watch(ok(running), new TypeError('offline'), ok({ ...running, progress: 40 }));
  Source.made[0].break(false);
  assert.equal(told.at(-1), 'lost');
  Source.made[0].break(true);
  mock.timers.tick(3000);
  await settle();
  assert.equal(told.at(-1), 'lost');
  mock.timers.tick(3000);
  await settle();
  assert.deepEqual(told.slice(-2), ['processing 40', 'connected']);
  assert.equal(Source.made.length, 2);
});

test('a finished task is not listened to, and one that is not there is said to be missing', async () => {
  const finished = await watch(ok({ ...running, status: 'done' }));
  assert.deepEqual(finished.told, ['done 5', 'connected']);
  const missing = await watch({
    status: 404,
    body: { code: 'task_not_found', detail: 'no', remedy: 'check' },
  });
  assert.deepEqual(missing.told, ['failed task_not_found']);
  assert.equal(Source.made.length, 0);
});

test('after it is stopped a watch tells nothing more', async () => {
  const { told, watching } = await watch(ok(running));
  watching.stop();
  assert.equal(Source.made[0].readyState, Source.CLOSED);
  mock.timers.tick(60_000);
  await settle();
  assert.deepEqual(told, ['processing 5', 'connected']);
});
