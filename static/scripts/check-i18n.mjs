// Checks the catalogues: the same keys, places for the same values and the plural forms of each language;
// every text that the code asks for is there, and none lies there unused.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = resolve(fileURLToPath(import.meta.url), '../..');
const REFERENCE = 'en';

/** Reads `i18n/*.json` by language. */
export function readCatalogues(root = ROOT) {
  const folder = join(root, 'i18n');
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(
    files.map((name) => [name.replace('.json', ''), JSON.parse(readFileSync(join(folder, name), 'utf8'))]),
  );
}

/** All TypeScript of the pages as one text. */
export function readSources(root = ROOT) {
  const folder = join(root, 'src');
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

/** What is wrong between catalogues, one line each. */
export function catalogueProblems(catalogues) {
  const reference = catalogues[REFERENCE];
  return Object.entries(catalogues).flatMap(([language, texts]) => [
    ...Object.keys(reference)
      .filter((key) => !(key in texts))
      .map((key) => `${language}: ${key} is missing`),
    ...Object.entries(texts).flatMap(([key, text]) => textProblems(language, key, text, reference[key])),
  ]);
}

/** What is wrong between the code and the reference catalogue, one line each. */
export function usageProblems(sources, texts) {
  const asked = [...sources.matchAll(/\bt\(\s*'([^']+)'/g)].map((match) => match[1]);
  const literals = new Set([...sources.matchAll(/'([\w.]+)'/g)].map((match) => match[1]));
  const patterns = [...sources.matchAll(/`([\w.]+\.\$\{[^`]*)`/g)].map((match) => pattern(match[1]));
  const byCode = [...literals].filter((text) =>
    /^(error\.(title|remedy)|warning|quality\.reason)$/.test(text),
  );
  const isUsed = (key) =>
    literals.has(key) ||
    patterns.some((known) => known.test(key)) ||
    byCode.some((prefix) => key.startsWith(`${prefix}.`));
  return [
    ...asked.filter((key) => !(key in texts)).map((key) => `code: ${key} is in no catalogue`),
    ...Object.keys(texts)
      .filter((key) => !isUsed(key))
      .map((key) => `${REFERENCE}: ${key} is used nowhere`),
  ];
}

function textProblems(language, key, text, reference) {
  if (reference === undefined) return [`${language}: ${key} is not in ${REFERENCE}`];
  if (text.trim() === '') return [`${language}: ${key} is empty`];
  if (isPlural(text) !== isPlural(reference)) return [`${language}: ${key} is plural here or there only`];
  if (isPlural(text)) return pluralProblems(language, key, text);
  const [has, wanted] = [places(text), places(reference)];
  return has === wanted ? [] : [`${language}: ${key} has places ${has}, not ${wanted}`];
}

function pluralProblems(language, key, text) {
  const forms = [...text.matchAll(/(\w+) \{([^}]*)\}/g)];
  const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const given = forms.map(([, form]) => form);
  return [
    ...wanted
      .filter((form) => !given.includes(form))
      .map((form) => `${language}: ${key} lacks the form ${form}`),
    ...given
      .filter((form) => !wanted.includes(form))
      .map((form) => `${language}: ${key} has no use for ${form}`),
    ...forms
      .filter(([, , words]) => !words.includes('#'))
      .map(([, form]) => `${language}: ${key} ${form} lacks #`),
  ];
}

function isPlural(text) {
  return text.startsWith('{count, plural,');
}

function places(text) {
  return [...text.matchAll(/\{\w+\}/g)]
    .map((match) => match[0])
    .sort()
    .join(' ');
}

function pattern(template) {
  const parts = template.split(/\$\{[^}]*\}/).map((part) => part.replaceAll('.', '\\.'));
  return new RegExp(`^${parts.join('\\w+')}$`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const catalogues = readCatalogues();
  const problems = [...catalogueProblems(catalogues), ...usageProblems(readSources(), catalogues[REFERENCE])];
  for (const problem of problems) console.error(problem);
  console.log(`${Object.keys(catalogues).length} catalogues, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
