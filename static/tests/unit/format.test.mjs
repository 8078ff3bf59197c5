import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { formatAgo, formatBytes, formatDuration, formatLength, secondsLeft } = await load('format.ts');
const plain = (text) => text.replace(/\s/g, ' ');

test('a size is written in the largest unit that is not below one', () => {
  assert.equal(plain(formatBytes(0, 'en')), '0 bytes');
  assert.equal(plain(formatBytes(1023, 'en')), '1,023 bytes');
  assert.equal(plain(formatBytes(1024, 'en')), '1 kB');
  assert.equal(plain(formatBytes(1.5 * 1024 * 1024, 'en')), '1.5 MB');
  assert.equal(plain(formatBytes(256 * 1024 * 1024, 'en')), '256 MB');
  assert.equal(plain(formatBytes(1.5 * 1024 * 1024, 'ru')), '1,5 МБ');
});

test('a length is written in metres, centimetres or millimetres', () => {
  assert.equal(plain(formatLength(1.756, 'en')), '1.76 m');
  assert.equal(plain(formatLength(0.3, 'en')), '30 cm');
  assert.equal(plain(formatLength(0.0018, 'en')), '1.8 mm');
});

test('a duration is never less than one second', () => {
  assert.equal(plain(formatDuration(0.2, 'en')), '1 sec');
  assert.equal(plain(formatDuration(59, 'en')), '59 sec');
  assert.equal(plain(formatDuration(150, 'en')), '3 min');
});

test('an age is written in the largest whole unit, and the future is now', () => {
  const now = new Date('2026-01-02T12:00:00Z');
  assert.equal(formatAgo(new Date('2026-01-02T11:59:40Z'), now, 'en'), 'now');
  assert.equal(formatAgo(new Date('2026-01-02T12:00:09Z'), now, 'en'), 'now');
  assert.equal(formatAgo(new Date('2026-01-02T11:30:00Z'), now, 'en'), '30 min. ago');
  assert.equal(formatAgo(new Date('2026-01-01T11:00:00Z'), now, 'en'), 'yesterday');
  assert.equal(formatAgo(new Date('2026-01-02T11:30:00Z'), now, 'zh'), '30分钟前');
});

test('the time left follows from the time taken, and is not guessed at the start', () => {
  assert.equal(secondsLeft(0, 100, 10), null);
  assert.equal(secondsLeft(50, 100, 0.1), null);
  assert.equal(secondsLeft(25, 100, 10), 30);
  assert.equal(secondsLeft(100, 100, 10), 0);
});
