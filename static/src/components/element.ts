import { LitElement } from 'lit';
import { onLanguage } from '../i18n';

/**
 * Base of the page's elements. They render into the page itself, not into a shadow root, so that the
 * style sheets are plain files that load before any script, and labels and headings form one document.
 */
export class PageElement extends LitElement {
  private stopLanguage: (() => void) | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopLanguage = onLanguage(() => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    this.stopLanguage?.();
    super.disconnectedCallback();
  }
}
