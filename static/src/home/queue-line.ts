import { html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { getQueueStatus, type QueueStatus } from '../api';
import { PageElement } from '../components/element';
import { formatDuration } from '../format';
import { language, t } from '../i18n';

const REFRESH_MS = 15_000;

/** One line on how busy the workers are; silent while that is not known. */
@customElement('queue-line')
export class QueueLine extends PageElement {
  @state() private queue: QueueStatus | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.refresh();
    this.timer = setInterval(() => document.visibilityState === 'visible' && this.refresh(), REFRESH_MS);
  }

  override disconnectedCallback(): void {
    clearInterval(this.timer);
    super.disconnectedCallback();
  }

  override render(): TemplateResult | typeof nothing {
    const queue = this.queue;
    if (!queue) return nothing;
    const level = queue.workers_online === 0 ? 'offline' : queue.workers_free === 0 ? 'busy' : 'free';
    const parts: string[] = [t(`queue.${level}`)];
    if (queue.processing > 0) parts.push(t('queue.processing', { count: queue.processing }));
    if (queue.queued > 0) parts.push(t('queue.queued', { count: queue.queued }));
    if (queue.estimated_wait_seconds && level !== 'free') {
      parts.push(t('queue.wait', { time: formatDuration(queue.estimated_wait_seconds, language()) }));
    }
    return html`<p class="queue" data-level=${level} data-test="queue">${parts.join(' · ')}</p>`;
  }

  private async refresh(): Promise<void> {
    try {
      this.queue = await getQueueStatus();
    } catch {
      this.queue = null;
    }
  }
}
