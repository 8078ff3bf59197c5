import { html, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { RigChoices } from '../api';
import { PageElement } from '../components/element';
import { type TextKey, t } from '../i18n';

/** Each choice with its values, the default first, and their texts. */
const CHOICES = [
  {
    name: 'class',
    label: 'options.class',
    values: {
      auto: 'options.class.auto',
      humanoid: 'report.class.humanoid',
      quadruped: 'report.class.quadruped',
      bird: 'report.class.bird',
      creature: 'report.class.creature',
      prop: 'report.class.prop',
    },
  },
  {
    name: 'rest_pose',
    label: 'options.rest_pose',
    values: { as_is: 'options.rest_pose.as_is', t_pose: 'options.rest_pose.t_pose' },
  },
  {
    name: 'fingers',
    label: 'options.fingers',
    values: { auto: 'options.fingers.auto', none: 'options.fingers.none' },
  },
  {
    name: 'symmetry',
    label: 'options.symmetry',
    values: { auto: 'options.symmetry.auto', off: 'options.symmetry.off' },
  },
] as const satisfies readonly {
  name: keyof RigChoices;
  label: TextKey;
  values: Record<string, TextKey>;
}[];

/** What a visitor may choose before a rig; folded away, because nothing has to be. Event: `choices` with `RigChoices`. */
@customElement('rig-options')
export class RigOptions extends PageElement {
  @property({ attribute: false }) choices: RigChoices = {};

  override render(): TemplateResult {
    return html`<details class="options" data-test="options">
      <summary>${t('options.title')}</summary>
      <div class="options-grid">${CHOICES.map((choice) => this.row(choice))}</div>
    </details>`;
  }

  private row({ name, label, values }: (typeof CHOICES)[number]): TemplateResult {
    const entries = Object.entries(values) as [string, TextKey][];
    const chosen = this.choices[name] ?? entries[0]?.[0];
    const choose = (event: Event) => {
      const value = (event.target as HTMLSelectElement).value;
      this.dispatchEvent(new CustomEvent('choices', { detail: { ...this.choices, [name]: value } }));
    };
    return html`<label>
      <span>${t(label)}</span>
      <select name=${name} @change=${choose}>
        ${entries.map(
          ([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${t(text)}</option>`,
        )}
      </select>
    </label>`;
  }
}
