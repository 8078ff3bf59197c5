import { html, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { PageElement } from '../components/element';
import { figure } from '../components/figure';
import { icon } from '../components/icon';
import { t } from '../i18n';
import { ACCEPTED } from '../limits';

/**
 * Takes a model by drop (anywhere on the page), by the file picker, or as a link.
 * Events: `file` with a `File`, `link` with a string.
 */
@customElement('drop-zone')
export class DropZone extends PageElement {
  @state() private hovering = false;
  private leaving: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('dragover', this.onDragOver);
    window.addEventListener('drop', this.onDrop);
    window.addEventListener('paste', this.onPaste);
  }

  override disconnectedCallback(): void {
    window.removeEventListener('dragover', this.onDragOver);
    window.removeEventListener('drop', this.onDrop);
    window.removeEventListener('paste', this.onPaste);
    clearTimeout(this.leaving);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    return html`<section class="drop" ?data-hovering=${this.hovering} data-test="drop">
      <div class="drop-figure">${figure()}</div>
      <div class="drop-body">
        <p class="drop-title">${this.hovering ? t('home.drop_now') : t('home.drop')}</p>
        <label class="button primary">
          ${icon('upload')}${t('home.choose')}
          <input class="unseen" type="file" accept=${ACCEPTED} data-test="picker" @change=${this.onPick} />
        </label>
        <form class="link-form" @submit=${this.onLink}>
          <label for="link">${t('home.link_label')}</label>
          <div class="link-row">
            <input
              id="link"
              name="link"
              type="url"
              inputmode="url"
              required
              pattern="https?://.+"
              autocomplete="off"
              spellcheck="false"
              placeholder=${t('home.link_placeholder')}
            />
            <button class="plain" type="submit">${t('home.link_go')}</button>
          </div>
        </form>
      </div>
    </section>`;
  }

  private onPick(event: Event): void {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    // Emptied, so that picking the same file again is a change again.
    if (file) this.hand('file', file);
    input.value = '';
  }

  private onLink(event: SubmitEvent): void {
    event.preventDefault();
    const link = new FormData(event.target as HTMLFormElement).get('link');
    if (typeof link === 'string') this.hand('link', link.trim());
  }

  private onDragOver = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    this.hovering = true;
    // `dragleave` fires on every child; the end of the `dragover` stream is the honest sign.
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => {
      this.hovering = false;
    }, 160);
  };

  private onDrop = (event: DragEvent): void => {
    event.preventDefault();
    this.hovering = false;
    const file = event.dataTransfer?.files[0];
    if (file) this.hand('file', file);
  };

  private onPaste = (event: ClipboardEvent): void => {
    const file = event.clipboardData?.files[0];
    if (file) this.hand('file', file);
  };

  private hand(name: 'file' | 'link', detail: File | string): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
