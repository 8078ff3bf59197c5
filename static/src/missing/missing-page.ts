import { html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { PageElement } from '../components/element';
import { t } from '../i18n';

/** What the server shows for an address that leads nowhere. */
@customElement('missing-page')
export class MissingPage extends PageElement {
  override render(): TemplateResult {
    document.title = `${t('missing.title')} · AutoRig`;
    return html`<main id="content" class="lone" tabindex="-1">
      <div class="missing" data-test="missing">
        <h1>${t('missing.title')}</h1>
        <p class="hint">${t('missing.text')}</p>
        <a class="button primary" href="/">${t('missing.home')}</a>
      </div>
    </main>`;
  }
}
