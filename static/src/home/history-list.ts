import { html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { getHistory, type TaskSummary, taskPageUrl } from '../api';
import { PageElement } from '../components/element';
import { icon } from '../components/icon';
import { formatAgo } from '../format';
import { language, t } from '../i18n';
import { taskName } from '../task/names';

/** The visitor's tasks, newest first. */
@customElement('history-list')
export class HistoryList extends PageElement {
  @state() private items: TaskSummary[] = [];
  @state() private next: string | null = null;
  @state() private phase: 'loading' | 'ready' | 'failed' = 'loading';

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load(null);
    document.addEventListener('visibilitychange', this.onSeen);
    window.addEventListener('pageshow', this.onSeen);
  }

  override disconnectedCallback(): void {
    document.removeEventListener('visibilitychange', this.onSeen);
    window.removeEventListener('pageshow', this.onSeen);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    return html`<section class="history" aria-labelledby="history-title" data-test="history">
      <h2 id="history-title">${t('history.title')}</h2>
      ${this.items.length > 0 ? html`<ul class="rows">${this.items.map(row)}</ul>` : nothing}
      <div role="status">${this.note()}</div>
      ${
        this.phase === 'ready' && this.next
          ? html`<button class="plain more" @click=${() => this.load(this.next)}>${t('history.more')}</button>`
          : nothing
      }
    </section>`;
  }

  private note(): TemplateResult | typeof nothing {
    if (this.phase === 'loading' && this.items.length > 0) return nothing;
    if (this.phase === 'loading') return html`<p class="hint">${t('history.loading')}</p>`;
    if (this.phase === 'failed') {
      return html`<p class="hint">
        ${t('history.failed')}
        <button class="plain" @click=${() => this.load(null)}>${t('history.retry')}</button>
      </p>`;
    }
    return this.items.length === 0 ? html`<p class="hint empty">${t('history.empty')}</p>` : nothing;
  }

  /** Whoever comes back to the page, from another tab or by the browser's cache, sees the list as it is now. */
  private onSeen = (event: Event): void => {
    const returned =
      event instanceof PageTransitionEvent ? event.persisted : document.visibilityState === 'visible';
    if (returned && this.phase !== 'loading') void this.load(null);
  };

  private async load(cursor: string | null): Promise<void> {
    this.phase = 'loading';
    try {
      const page = await getHistory(cursor);
      this.items = cursor ? [...this.items, ...page.items] : page.items;
      this.next = page.next ?? null;
      this.phase = 'ready';
    } catch {
      this.phase = 'failed';
    }
  }
}

function row(task: TaskSummary): TemplateResult {
  const created = new Date(task.created_at);
  return html`<li>
    <a class="row" href=${taskPageUrl(task.id)}>
      <span class="row-name">${taskName(task)}</span>
      <time class="row-time" datetime=${created.toISOString()}>${formatAgo(created, new Date(), language())}</time>
      <span class="chip" data-status=${task.status}>${t(`status.${task.status}`)}</span>
      ${icon('chevron')}
    </a>
  </li>`;
}
