import { html, nothing, type TemplateResult } from 'lit';
import type { Report, Verdict } from '../api';
import { icon } from '../components/icon';
import { sentence } from '../components/problem-card';
import { formatCount, formatLength, formatPercent } from '../format';
import { language, type TextKey, t, textForCode } from '../i18n';

/** Below this the person should look, as the engine's report has it. */
export const UNSURE = 0.5;
/** Warnings that the panel tells in words of its own. */
const SAID_ABOVE = ['low_confidence', 'was_rigged', 'rig_reskinned', 'rig_kept'];
const CLASSES: Record<string, TextKey> = {
  humanoid: 'report.class.humanoid',
  quadruped: 'report.class.quadruped',
  bird: 'report.class.bird',
  creature: 'report.class.creature',
  prop: 'report.class.prop',
};
const VERDICTS: Record<Verdict, TextKey> = {
  good: 'quality.good',
  review: 'quality.review',
  poor: 'quality.poor',
};

/** What was done with a rig that came with the file. */
const HAD_RIG = {
  re_rig: 'report.was_rigged',
  re_skin: 'report.rig_reskinned',
  keep: 'report.rig_kept',
} as const;

function hadRig(report: Report): TemplateResult | typeof nothing {
  if (!report.input.was_rigged) return nothing;
  return html`<p class="hint">${t(HAD_RIG[report.input.existing?.treatment ?? 're_rig'])}</p>`;
}

/** What the engine found and how sure it is. */
export function reportPanel(report: Report): TemplateResult {
  return html`<section class="report" aria-labelledby="report-title" data-test="report">
    <h2 id="report-title">${t('report.title')}</h2>
    ${verdict(report)} ${hadRig(report)}
    <dl class="facts-grid">
      ${facts(report).map(
        ([name, value]) => html`<div>
          <dt>${name}</dt>
          <dd class="numbers">${value}</dd>
        </div>`,
      )}
    </dl>
    ${remarks(report)}
  </section>`;
}

function verdict(report: Report): TemplateResult {
  const { quality } = report;
  const unsure = quality ? quality.verdict !== 'good' : report.confidence < UNSURE;
  const word = quality ? t(VERDICTS[quality.verdict]) : t(unsure ? 'report.unsure' : 'report.sure');
  return html`<div class="verdict" data-unsure=${unsure} data-test="confidence">
    <p class="verdict-head">
      <span>${t('report.confidence')}</span>
      <strong class="numbers">${formatPercent(report.confidence, language())}</strong>
    </p>
    <meter min="0" max="1" low=${UNSURE} .value=${report.confidence} aria-label=${t('report.confidence')}></meter>
    <p class="verdict-text">${unsure ? icon('alert') : nothing}${word}</p>
    ${reasons(report)}
  </div>`;
}

/** Why the rig is not better, and what to do about it. */
function reasons(report: Report): TemplateResult | typeof nothing {
  const found = report.quality?.reasons ?? [];
  if (found.length === 0) return nothing;
  return html`<ul class="reasons" data-test="reasons">
    ${found.map(
      ({ code, joints }) => html`<li>
        ${textForCode('quality.reason', code) ?? sentence(code.replaceAll('_', ' '))}
        ${joints.map((joint) => html`<span class="chip">${joint}</span> `)}
      </li>`,
    )}
  </ul>`;
}

function facts(report: Report): [string, string][] {
  const { input, orientation, skin } = report;
  const count = (value: number) => formatCount(value, language());
  return [
    [t('report.class'), classText(report.class)],
    [t('report.height'), formatLength(orientation.height * orientation.metres_per_unit, language())],
    [t('report.joints'), count(report.joints.length)],
    [t('report.influences'), count(skin.max_influences)],
    [t('report.triangles'), count(input.triangles)],
    [t('report.vertices'), count(input.vertices)],
    [t('report.parts'), count(input.parts)],
    [t('report.materials'), count(input.materials)],
    [t('report.textures'), count(input.textures)],
  ];
}

function classText(name: string): string {
  const key = CLASSES[name];
  return key ? t(key) : name;
}

/** The engine's warnings in its own, exact words, or in the visitor's language where the catalogue has them. */
function remarks(report: Report): TemplateResult | typeof nothing {
  const warnings = report.warnings.filter(({ code }) => !SAID_ABOVE.includes(code));
  if (warnings.length === 0) return nothing;
  return html`<details class="remarks" ?open=${warnings.length <= 3}>
    <summary>${t('report.warnings', { count: warnings.length })}</summary>
    <ul>
      ${warnings.map(({ code, message }) => {
        const known = language() === 'en' ? null : textForCode('warning', code);
        return html`<li lang=${known ? nothing : 'en'}>${known ?? sentence(message)}</li>`;
      })}
    </ul>
  </details>`;
}
