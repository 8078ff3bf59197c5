import { html, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { LANGUAGES, type Language, language, setLanguage, t } from '../i18n';
import { onTheme, setTheme, THEMES, type Theme, theme } from '../theme';
import { PageElement } from './element';
import { type IconName, icon } from './icon';

const THEME_ICONS: Record<Theme, IconName> = { system: 'system', light: 'sun', dark: 'moon' };

/** Brand, language and theme. */
@customElement('site-header')
export class SiteHeader extends PageElement {
  @state() private chosen: Theme = theme();
  private stopTheme: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopTheme = onTheme(() => {
      this.chosen = theme();
    });
  }

  override disconnectedCallback(): void {
    this.stopTheme?.();
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    return html`
      <a class="skip" href="#content">${t('header.skip')}</a>
      <header class="bar">
        <a class="brand" href="/" aria-label=${t('header.home')}>
          <img src="/favicon.svg" alt="" width="28" height="28" /><span>AutoRig</span>
        </a>
        <nav class="bar-tools">
          <a class="quiet bar-link" href="/docs">${t('header.api')}</a>
          ${this.languages()} ${this.themes()}
        </nav>
      </header>`;
  }

  private languages(): TemplateResult {
    const change = (event: Event) => setLanguage((event.target as HTMLSelectElement).value as Language);
    return html`<label class="pick">
      <span class="unseen">${t('header.language')}</span>
      <select data-test="language" @change=${change}>
        ${Object.entries(LANGUAGES).map(
          ([tag, name]) =>
            html`<option value=${tag} lang=${tag} ?selected=${tag === language()}>${name}</option>`,
        )}
      </select>
    </label>`;
  }

  private themes(): TemplateResult {
    const next = THEMES[(THEMES.indexOf(this.chosen) + 1) % THEMES.length] ?? 'system';
    const label = `${t('header.theme')}: ${t(`header.theme.${this.chosen}`)}`;
    return html`<button
      class="quiet icon-only"
      data-test="theme"
      aria-label=${label}
      title=${label}
      @click=${() => setTheme(next)}
    >
      ${icon(THEME_ICONS[this.chosen])}
    </button>`;
  }
}
