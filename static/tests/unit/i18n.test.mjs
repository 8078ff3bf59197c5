import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { catalogueProblems, readCatalogues, readSources, usageProblems } from '../../scripts/check-i18n.mjs';
import { load, ROOT } from './load.mjs';

const catalogues = readCatalogues();

test('every language has every text, with the same places and its own plural forms', () => {
  assert.deepEqual(Object.keys(catalogues).sort(), ['en', 'hi', 'ru', 'zh']);
  assert.deepEqual(catalogueProblems(catalogues), []);
});

test('every text that the code asks for exists, and none is unused', () => {
  assert.deepEqual(usageProblems(readSources(), catalogues.en), []);
});

test('the check finds a missing text, a lost place, a lost plural form, an unknown and an unused key', () => {
  const en = { 'a.b': 'to {name}', 'c.d': '{count, plural, one {# x} other {# x}}' };
  const ru = { 'a.b': 'кому', 'c.d': '{count, plural, one {# х} other {х}}' };
  assert.deepEqual(catalogueProblems({ en, ru }), [
    'ru: a.b has places , not {name}',
    'ru: c.d lacks the form few',
    'ru: c.d lacks the form many',
    'ru: c.d other lacks #',
  ]);
  assert.deepEqual(catalogueProblems({ en, zh: {} }), ['zh: a.b is missing', 'zh: c.d is missing']);
  assert.deepEqual(usageProblems("t('a.b'); t('x.y')", en), [
    'code: x.y is in no catalogue',
    'en: c.d is used nowhere',
  ]);
});

test('every error code of the engine has a title and a remedy', (context) => {
  const path = resolve(ROOT, '../autorig-engine/src/error.rs');
  if (!existsSync(path)) return context.skip('the engine is not beside the pages');
  const codes = [...readFileSync(path, 'utf8').matchAll(/=> "(\w+)", \w+, "/g)].map((match) => match[1]);
  assert.ok(codes.length > 15, 'the codes are read from the macro in error.rs');
  const missing = codes.flatMap((code) =>
    [`error.title.${code}`, `error.remedy.${code}`].filter((key) => !(key in catalogues.en)),
  );
  assert.deepEqual(missing, []);
});

test('the stored language wins, then the first preference that there is, then English', async () => {
  const { pickLanguage } = await load('i18n.ts');
  assert.equal(pickLanguage('hi', ['ru']), 'hi');
  assert.equal(pickLanguage(null, ['de-DE', 'zh-Hans-CN', 'en']), 'zh');
  assert.equal(pickLanguage('xx', ['de']), 'en');
});
