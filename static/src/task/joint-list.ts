import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { JointReport } from '../api';
import { PageElement } from '../components/element';
import { formatPercent } from '../format';
import { language, t } from '../i18n';
import { UNSURE } from './report-panel';

/** The joints by name; choosing one marks it in the picture, and the other way round. Event: `joint`. */
@customElement('joint-list')
export class JointList extends PageElement {
  @property({ attribute: false }) joints: JointReport[] = [];
  @property({ attribute: false }) picked: string | null = null;
  @query('details') private details!: HTMLDetailsElement;

  override render(): TemplateResult {
    const depths = depthsOf(this.joints);
    return html`<details class="joints" data-test="joints">
      <summary>${t('joints.title', { count: this.joints.length })}</summary>
      <ul>
        ${this.joints.map((joint, index) => this.row(joint, depths[index] ?? 0))}
      </ul>
    </details>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (!changed.has('picked') || !this.picked || !this.details.open) return;
    this.querySelector('[aria-pressed="true"]')?.scrollIntoView({ block: 'nearest' });
  }

  private row(joint: JointReport, depth: number): TemplateResult {
    const on = joint.name === this.picked;
    const choose = () => this.dispatchEvent(new CustomEvent('joint', { detail: on ? null : joint.name }));
    const percent = formatPercent(joint.confidence, language());
    return html`<li>
      <button
        class="joint"
        aria-pressed=${on}
        data-depth=${Math.min(depth, 8)}
        title=${t('joints.sure', { percent })}
        @click=${choose}
      >
        <span class="joint-name">${joint.name}</span>
        ${joint.confidence < UNSURE ? html`<span class="chip joint-check">${t('joints.check')}</span>` : nothing}
        <span class="numbers hint">${percent}</span>
      </button>
    </li>`;
  }
}

/** How deep each joint is under the top; parents come before children. */
function depthsOf(joints: JointReport[]): number[] {
  const depths = new Map<string, number>();
  return joints.map((joint) => {
    const depth = joint.parent === null ? 0 : (depths.get(joint.parent) ?? 0) + 1;
    depths.set(joint.name, depth);
    return depth;
  });
}
