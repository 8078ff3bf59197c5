import { html, nothing, type TemplateResult } from 'lit';
import { icon } from '../components/icon';
import { formatBytes, formatDuration, formatPercent, secondsLeft } from '../format';
import { language, t } from '../i18n';

/** A transfer under way. */
export interface Upload {
  kind: 'file' | 'link';
  name: string;
  sent: number;
  total: number;
  elapsedSeconds: number;
}

/** How far the transfer is, how long it still takes, and the way to stop it. */
export function uploadCard(upload: Upload, cancel: () => void): TemplateResult {
  const whole = upload.kind === 'file' && upload.sent >= upload.total;
  const title =
    upload.kind === 'link'
      ? t('upload.fetching')
      : whole
        ? t('upload.checking')
        : t('upload.sending', { name: upload.name });
  const share = upload.total > 0 ? upload.sent / upload.total : 0;
  const counted = upload.kind === 'file' && !whole;
  return html`<section class="card upload" data-test="upload">
    <h2 class="upload-title" role="status">${title}</h2>
    <progress
      max="1"
      value=${counted ? share : nothing}
      ?data-busy=${!counted}
      aria-label=${title}
    ></progress>
    <div class="upload-foot">
      <span class="numbers">${counted ? progressText(upload, share) : upload.kind === 'link' ? upload.name : ''}</span>
      <button class="plain" @click=${cancel}>${icon('close')}${t('upload.cancel')}</button>
    </div>
  </section>`;
}

function progressText(upload: Upload, share: number): string {
  const tag = language();
  const left = secondsLeft(upload.sent, upload.total, upload.elapsedSeconds);
  const parts = [
    formatPercent(share, tag),
    t('upload.sent', { sent: formatBytes(upload.sent, tag), total: formatBytes(upload.total, tag) }),
  ];
  if (left !== null) parts.push(t('upload.left', { time: formatDuration(left, tag) }));
  return parts.join(' · ');
}
