import { html, type TemplateResult } from 'lit';
import { t } from '../i18n';

const STORED = 'autorig.shortcuts';

/** What single keys do in the viewer. */
export const KEYS = {
  b: 'skeleton',
  w: 'wireframe',
  p: 'pose',
  f: 'fit',
  s: 'screenshot',
  x: 'fullscreen',
  '?': 'shortcuts',
} as const;
export type Action = (typeof KEYS)[keyof typeof KEYS];

/** The action of a key press, unless the visitor is typing, holds a modifier, or has switched the keys off. */
export function actionOf(event: KeyboardEvent): Action | null {
  if (event.ctrlKey || event.metaKey || event.altKey || !shortcutsOn()) return null;
  const target = event.target as HTMLElement;
  if (target.closest('input:not([type="range"], [type="checkbox"]), select, textarea, dialog')) return null;
  return KEYS[event.key.toLowerCase() as keyof typeof KEYS] ?? null;
}

/** The list of keys, and the switch that turns them off (they can get in the way of speech input). */
export function shortcutsDialog(changed: () => void): TemplateResult {
  const flip = (event: Event) => {
    setShortcuts((event.target as HTMLInputElement).checked);
    changed();
  };
  return html`<dialog class="shortcuts" aria-labelledby="shortcuts-title">
    <h2 id="shortcuts-title">${t('viewer.shortcuts')}</h2>
    <dl>
      ${Object.entries(KEYS).map(
        ([key, action]) =>
          html`<div>
            <dt><kbd>${key.toUpperCase()}</kbd></dt>
            <dd>${t(`viewer.${action}`)}</dd>
          </div>`,
      )}
      <div>
        <dt><kbd>←</kbd><kbd>→</kbd><kbd>↑</kbd><kbd>↓</kbd></dt>
        <dd>${t('shortcuts.turn')}</dd>
      </div>
      <div>
        <dt><kbd>+</kbd><kbd>−</kbd></dt>
        <dd>${t('shortcuts.zoom')}</dd>
      </div>
    </dl>
    <label class="switch">
      <input type="checkbox" .checked=${shortcutsOn()} @change=${flip} />${t('shortcuts.on')}
    </label>
    <form method="dialog"><button class="plain">${t('shortcuts.close')}</button></form>
  </dialog>`;
}

function shortcutsOn(): boolean {
  try {
    return localStorage.getItem(STORED) !== 'off';
  } catch {
    return true;
  }
}

function setShortcuts(on: boolean): void {
  try {
    localStorage.setItem(STORED, on ? 'on' : 'off');
  } catch {
    // Without storage they stay on.
  }
}
