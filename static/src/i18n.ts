/** Texts of the pages. English is built in and types the keys; the other catalogues are fetched when chosen. */

import en from '../i18n/en.json';

/** The name of a text in the catalogues. */
export type TextKey = keyof typeof en;
type Texts = Record<string, string>;
type Values = Record<string, string | number>;

/** The languages, each under its own name. */
export const LANGUAGES = { en: 'English', ru: 'Русский', zh: '中文', hi: 'हिन्दी' } as const;
export type Language = keyof typeof LANGUAGES;

const STORED = 'autorig.language';
const loaders = import.meta.glob<{ default: Texts }>('../i18n/{ru,zh,hi}.json');

let current: Language = 'en';
let texts: Texts = en;
let plurals = new Intl.PluralRules('en');
const listeners = new Set<() => void>();

/** The language in use. */
export function language(): Language {
  return current;
}

/** Calls back after every change of language; returns the way to stop. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Loads the visitor's language: the stored choice, else the first of the browser's that there is. */
export async function startLanguage(): Promise<void> {
  await use(pickLanguage(stored(), navigator.languages));
}

/** Changes the language and remembers it. */
export async function setLanguage(next: Language): Promise<void> {
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Without storage the choice lasts for this page.
  }
  await use(next);
}

/** The stored choice if there is one, else the first preference that has a catalogue, else English. */
export function pickLanguage(choice: string | null, preferences: readonly string[]): Language {
  const wanted = [choice ?? '', ...preferences].map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  return wanted.find((tag): tag is Language => tag in LANGUAGES) ?? 'en';
}

/**
 * A text, with `{name}` replaced by the value of that name. A text of the form
 * `{count, plural, one {# joint} other {# joints}}` gives the form that `count` has in the language.
 */
export function t(key: TextKey, values: Values = {}): string {
  const text = texts[key] ?? key;
  return text.startsWith('{count, plural,') ? inflect(text, Number(values.count)) : fill(text, values);
}

/** A text whose key is made from a code of the server, or `null` where the catalogue has none. */
export function textForCode(
  prefix: 'error.title' | 'error.remedy' | 'warning' | 'quality.reason',
  code: string,
): string | null {
  return texts[`${prefix}.${code}`] ?? null;
}

async function use(next: Language): Promise<void> {
  const loader = loaders[`../i18n/${next}.json`];
  try {
    texts = loader ? (await loader()).default : en;
    current = next;
  } catch {
    // A catalogue that does not arrive must not take the page down: English is built in.
    texts = en;
    current = 'en';
  }
  plurals = new Intl.PluralRules(current);
  document.documentElement.lang = current;
  for (const listener of listeners) listener();
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

function inflect(text: string, count: number): string {
  const found = text.matchAll(/(\w+) \{([^}]*)\}/g);
  const forms: Texts = Object.fromEntries(Array.from(found, ([, form, words]) => [form, words]));
  const words = forms[plurals.select(count)] ?? forms.other ?? text;
  return words.replace('#', new Intl.NumberFormat(current).format(count));
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
