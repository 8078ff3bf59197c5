/** The viewer as one file: a model, a script and styles in a page that opens from disk. */

import '../styles/tokens.css';
import './standalone.css';
import { onLanguage, startLanguage, type TextKey, t } from '../i18n';
import { onTheme, setTheme, theme } from '../theme';
import { Showcase } from './showcase';

/** What the page knows of the model besides its bytes. */
interface Facts {
  title: string;
  /** Directions of the character in the file's frame; absent where they are glTF's own. */
  orientation?: { up: number[]; forward: number[]; left: number[] };
}

const THEME_ORDER = ['system', 'light', 'dark'] as const;
const TURN = Math.PI / 24;

const canvas = find('canvas', HTMLCanvasElement);
const status = find('[role=status]', HTMLParagraphElement);
const clips = find('select', HTMLSelectElement);
const scrub = find('input', HTMLInputElement);
const time = find('output', HTMLOutputElement);
const button = (action: string) => find(`[data-action=${action}]`, HTMLButtonElement);

void start();

async function start(): Promise<void> {
  await startLanguage();
  const facts = readFacts();
  const bytes = readModel();
  if (!facts || !bytes) return say('standalone.empty');
  find('h1', HTMLHeadingElement).textContent = facts.title;
  let showcase: Showcase;
  try {
    showcase = new Showcase(canvas);
  } catch {
    return say('viewer.no_webgl');
  }
  say('viewer.loading');
  try {
    await showcase.show(bytes, facts.orientation);
  } catch {
    return say('viewer.no_model');
  }
  status.textContent = '';
  connect(showcase);
  document.documentElement.dataset.ready = 'true';
}

function connect(showcase: Showcase): void {
  const write = () => writeTexts(showcase);
  clips.append(...['', ...showcase.clipNames].map((name, index) => new Option(name, String(index - 1))));
  find('.motion', HTMLElement).hidden = showcase.clipNames.length === 0;
  button('skeleton').hidden = !showcase.hasSkeleton;
  find('.bar', HTMLElement).hidden = false;
  clips.addEventListener('change', () => {
    showcase.choose(Number(clips.value));
    showcase.playing = Number(clips.value) >= 0;
    write();
  });
  scrub.addEventListener('input', () => {
    showcase.playing = false;
    showcase.seek(Number(scrub.value));
    write();
  });
  showcase.onTime = (at, length) => {
    scrub.value = String(length > 0 ? at / length : 0);
    time.textContent = `${at.toFixed(2)} / ${length.toFixed(2)} s`;
  };
  for (const action of ['play', 'skeleton', 'wireframe', 'fit', 'theme'])
    button(action).addEventListener('click', () => act(showcase, action));
  document.addEventListener('keydown', (event) => onKey(showcase, event));
  onTheme(() => showcase.applyTheme());
  onLanguage(write);
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (showcase.clipNames.length > 0) {
    clips.value = '0';
    showcase.choose(0);
    showcase.playing = !calm;
  }
  write();
}

function act(showcase: Showcase, action: string): void {
  if (action === 'play') {
    if (!showcase.playing && Number(clips.value) < 0) {
      clips.value = '0';
      showcase.choose(0);
    }
    showcase.playing = !showcase.playing;
  } else if (action === 'skeleton') showcase.skeleton = !showcase.skeleton;
  else if (action === 'wireframe') showcase.wireframe = !showcase.wireframe;
  else if (action === 'fit') showcase.fit();
  else setTheme(THEME_ORDER[(THEME_ORDER.indexOf(theme()) + 1) % THEME_ORDER.length] ?? 'system');
  writeTexts(showcase);
}

function onKey(showcase: Showcase, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inControl = event.target instanceof HTMLElement && event.target.matches('select, input, button');
  const turns: Record<string, [number, number]> = {
    ArrowLeft: [-TURN, 0],
    ArrowRight: [TURN, 0],
    ArrowUp: [0, TURN],
    ArrowDown: [0, -TURN],
  };
  const letters: Record<string, string> = {
    s: 'skeleton',
    w: 'wireframe',
    f: 'fit',
    t: 'theme',
    ' ': 'play',
  };
  const turn = turns[event.key];
  const action = letters[event.key.toLowerCase()];
  const takesIt =
    inControl && (turn !== undefined || event.key === ' ' || event.target instanceof HTMLSelectElement);
  if (takesIt) return;
  if (turn) showcase.turn(...turn);
  else if (event.key === '+' || event.key === '=') showcase.zoom(0.9);
  else if (event.key === '-') showcase.zoom(1 / 0.9);
  else if (action && !button(action).closest('[hidden]')) act(showcase, action);
  else return;
  event.preventDefault();
}

function writeTexts(showcase: Showcase): void {
  const title = find('h1', HTMLHeadingElement).textContent ?? '';
  canvas.setAttribute('role', 'application');
  canvas.setAttribute('aria-label', t('viewer.label', { name: title }));
  canvas.title = t('standalone.keys');
  find('[data-text=clip]', HTMLElement).textContent = t('standalone.clip');
  find('[data-text=time]', HTMLElement).textContent = t('standalone.time');
  const rest = clips.options[0];
  if (rest) rest.textContent = t('standalone.rest');
  find('.bar', HTMLElement).setAttribute('aria-label', t('viewer.tools'));
  label('play', showcase.playing ? 'standalone.pause' : 'standalone.play', showcase.playing);
  label('skeleton', 'viewer.skeleton', showcase.skeleton);
  label('wireframe', 'viewer.wireframe', showcase.wireframe);
  label('fit', 'viewer.fit');
  const themes = {
    system: 'header.theme.system',
    light: 'header.theme.light',
    dark: 'header.theme.dark',
  } as const;
  button('theme').textContent = `${t('header.theme')}: ${t(themes[theme()])}`;
}

function label(action: string, text: TextKey, pressed?: boolean): void {
  button(action).textContent = t(text);
  if (pressed !== undefined) button(action).setAttribute('aria-pressed', String(pressed));
}

function say(key: TextKey): void {
  status.textContent = t(key);
}

function readFacts(): Facts | null {
  try {
    return JSON.parse(document.getElementById('facts')?.textContent ?? '') as Facts;
  } catch {
    return null;
  }
}

/** The model's bytes, or `null` in the bare template. */
function readModel(): ArrayBuffer | null {
  const holder = document.getElementById('model');
  try {
    const text = atob(holder?.textContent?.trim() ?? '');
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    return bytes.length > 0 ? bytes.buffer : null;
  } catch {
    return null;
  } finally {
    // The text of a large model need not stay beside its bytes.
    holder?.remove();
  }
}

function find<T extends Element>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${selector}`);
  return found;
}
