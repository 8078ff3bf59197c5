import { html, type TemplateResult } from 'lit';
import { icon } from '../components/icon';
import { t } from '../i18n';
import type { Dial, Pose, Preset, Viewer } from '../viewer/viewer';

type ViewerModule = Pick<typeof import('../viewer/viewer'), 'PRESETS' | 'RANGES'>;

interface PosePanel {
  module: ViewerModule;
  dials: Viewer['dials'];
  pose: Pose;
  /** A new pose; `gently` when it is far from the present one. */
  change: (pose: Pose, gently: boolean) => void;
  close: () => void;
}

/** Presets and dials that bend the limbs. */
export function posePanel({ module, dials, pose, change, close }: PosePanel): TemplateResult {
  const presets = Object.keys(module.PRESETS) as Preset[];
  const dial = (name: Dial): TemplateResult => {
    const [min, max] = module.RANGES[name];
    const turn = (event: Event) =>
      change({ ...pose, [name]: Number((event.target as HTMLInputElement).value) }, false);
    return html`<label class="dial">
      <span>${t(`pose.${name}`)}</span>
      <input type="range" data-dial=${name} min=${min} max=${max} .value=${String(pose[name])} @input=${turn} />
    </label>`;
  };
  return html`<section class="pose" aria-labelledby="pose-title" data-test="pose">
    <header>
      <h2 id="pose-title">${t('viewer.pose')}</h2>
      <button class="quiet icon-only" aria-label=${t('pose.close')} title=${t('pose.close')} @click=${close}>
        ${icon('close')}
      </button>
    </header>
    ${
      dials.length === 0
        ? html`<p class="hint">${t('pose.missing')}</p>`
        : html`<p class="hint pose-hint">${t('pose.hint')}</p>
          <div class="presets">
            ${presets.map(
              (preset) =>
                html`<button class="plain" data-preset=${preset} @click=${() => change(module.PRESETS[preset], true)}>
                  ${t(`pose.${preset}`)}
                </button>`,
            )}
          </div>
          <div class="dials">${dials.map(dial)}</div>`
    }
  </section>`;
}
