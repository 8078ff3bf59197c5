import { html, type SVGTemplateResult, svg, type TemplateResult } from 'lit';

/** Drawn on a grid of 24, in strokes of the text's colour. */
const DRAWINGS = {
  upload: svg`<path d="M12 16V4m0 0L7 9m5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3"/>`,
  download: svg`<path d="M12 4v12m0 0 5-5m-5 5-5-5M4 20h16"/>`,
  close: svg`<path d="m6 6 12 12M18 6 6 18"/>`,
  check: svg`<path d="m5 12.5 4.5 4.5L19 7.5"/>`,
  copy: svg`<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M15 9V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h3"/>`,
  chevron: svg`<path d="m9 5 7 7-7 7"/>`,
  alert: svg`<path d="M12 4 2.8 19.5h18.4L12 4Zm0 6v4.5m0 2.6v.1"/>`,
  skeleton: svg`<circle cx="12" cy="5" r="2.2"/><path d="M12 7.2V14m-7-4h14m-7 4-4 6.5m4-6.5 4 6.5"/>`,
  wireframe: svg`<path d="m12 3 8 4.5v9L12 21l-8-4.5v-9L12 3Zm0 9 8-4.5M12 12v9m0-9L4 7.5"/>`,
  pose: svg`<circle cx="13" cy="4.5" r="2"/><path d="M13 6.5 11 13l5 3v5M11 13l-2 4-4 2m7.5-10L8 8 6 12m6.5-3 3 3 3.5-1"/>`,
  fit: svg`<path d="M4 9V5a1 1 0 0 1 1-1h4m6 0h4a1 1 0 0 1 1 1v4m0 6v4a1 1 0 0 1-1 1h-4m-6 0H5a1 1 0 0 1-1-1v-4"/><circle cx="12" cy="12" r="2.5"/>`,
  camera: svg`<path d="M4 8h3l2-3h6l2 3h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1Z"/><circle cx="12" cy="13" r="3.5"/>`,
  fullscreen: svg`<path d="M14 4h6v6m0-6-7 7M10 20H4v-6m0 6 7-7"/>`,
  keyboard: svg`<rect x="2.5" y="6" width="19" height="12" rx="2"/><path d="M6.5 10h.1m3.6 0h.1m3.6 0h.1m3.5 0h.1M8 14h8"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  minus: svg`<path d="M5 12h14"/>`,
  turnLeft: svg`<path d="M4 9h11a5 5 0 0 1 0 10H9M4 9l4-4M4 9l4 4"/>`,
  turnRight: svg`<path d="M20 9H9a5 5 0 0 0 0 10h6m5-10-4-4m4 4-4 4"/>`,
  file: svg`<path d="M6 3h8l5 5v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1Zm8 0v5h5"/>`,
  sun: svg`<circle cx="12" cy="12" r="4"/><path d="M12 3v1.5m0 15V21m9-9h-1.5m-15 0H3m15.400-6.400-1.100 1.100M6.700 17.300l-1.100 1.100m12.800 0-1.100-1.100M6.700 6.700 5.6 5.6"/>`,
  moon: svg`<path d="M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z"/>`,
  system: svg`<circle cx="12" cy="12" r="8"/><path d="M12 4v16a8 8 0 0 0 0-16Z" fill="currentColor"/>`,
} satisfies Record<string, SVGTemplateResult>;

export type IconName = keyof typeof DRAWINGS;

/** A decorative icon: the text beside it, or the button's label, says what it means. */
export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${DRAWINGS[name]}</svg>`;
}
