import { html, nothing, type TemplateResult } from 'lit';
import { formatBytes } from '../format';
import { language, t, textForCode } from '../i18n';
import { UPLOAD_LIMIT_BYTES } from '../limits';
import { icon } from './icon';

/** What any failure brings: the server's problem, a task's error, or one found on the page. */
export interface Failure {
  code: string;
  /** What happened to which thing, in English, as the server says it. */
  detail: string;
  remedy: string;
}

/** A failure: what is wrong, what to do, and the exact words for whoever reports it. */
export function problemCard(
  failure: Failure,
  action: TemplateResult | typeof nothing = nothing,
): TemplateResult {
  const detail = failure.detail && failure.detail !== failure.code ? sentence(failure.detail) : '';
  return html`<section class="problem" role="alert" data-test="problem" data-code=${failure.code}>
    ${icon('alert')}
    <div class="problem-text">
      <h2>${textForCode('error.title', failure.code) ?? t('error.title.http')}</h2>
      <p data-test="remedy">${remedyText(failure)}</p>
      <p class="problem-detail">
        ${detail ? html`<span lang="en">${detail}</span>` : nothing}
        <span>${t('problem.code', { code: failure.code })}</span>
      </p>
      ${action}
    </div>
  </section>`;
}

/** The server's advice is the more exact one; other languages have the usual advice for the code. */
export function remedyText(failure: Failure): string {
  const known = textForCode('error.remedy', failure.code)?.replace(
    '{size}',
    formatBytes(UPLOAD_LIMIT_BYTES, language()),
  );
  const own = failure.remedy ? sentence(failure.remedy) : null;
  return (language() === 'en' ? (own ?? known) : (known ?? own)) ?? t('error.remedy.http');
}

/** Messages of the server are lower case without a full stop; on the page they are sentences. */
export function sentence(message: string): string {
  const first = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
