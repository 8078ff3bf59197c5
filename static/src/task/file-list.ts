import { html, nothing, type TemplateResult } from 'lit';
import type { Task, TaskFile } from '../api';
import { icon } from '../components/icon';
import { formatBytes } from '../format';
import { language, type TextKey, t } from '../i18n';

/** The files in the order of use: the rig first. */
const ORDER = ['rigged_glb', 'prepared_glb', 'report_json'];
const TITLES: Record<string, TextKey> = {
  rigged_glb: 'files.rigged_glb',
  prepared_glb: 'files.prepared_glb',
  report_json: 'files.report_json',
};

/** The downloads, each with its size; they appear as they are made. */
export function fileList(task: Task): TemplateResult | typeof nothing {
  const files = [...task.files].sort((a, b) => rank(a) - rank(b));
  if (files.length === 0) return nothing;
  return html`<section class="files" aria-labelledby="files-title" data-test="files">
    <h2 id="files-title">${t('files.title')}</h2>
    <ul>
      ${files.map(fileRow)}
    </ul>
  </section>`;
}

function fileRow(file: TaskFile): TemplateResult {
  const title = TITLES[file.key];
  return html`<li>
    <a
      class="file ${file.key === 'rigged_glb' ? 'file-main' : ''}"
      href=${file.url}
      download=${file.name}
      data-key=${file.key}
    >
      ${icon('download')}
      <span class="file-text">
        <span class="file-title">${title ? t(title) : file.name}</span>
        <span class="file-name">${file.name}</span>
      </span>
      <span class="file-size numbers">${formatBytes(file.size, language())}</span>
    </a>
  </li>`;
}

function rank(file: TaskFile): number {
  const place = ORDER.indexOf(file.key);
  return place < 0 ? ORDER.length : place;
}
