import { html, nothing, type TemplateResult } from 'lit';
import type { Task, TaskFile } from '../api';
import { icon } from '../components/icon';
import { formatBytes } from '../format';
import { language, type TextKey, t } from '../i18n';

/** The files in the order of use: the rig first. Each has a title in the catalogue. */
const ORDER = [
  'rigged_glb',
  'unity_fbx',
  'unreal_fbx',
  'vrm',
  'blender_glb',
  'fbx_mixamo',
  'fbx_maya',
  'fbx_godot',
  'fbx_roblox',
  'vrm0',
  'animations_glb',
  'animations_fbx',
  'animations_unreal_zip',
  'unity_lods_fbx',
  'lod_100k',
  'lod_50k',
  'lod_10k',
  'all_zip',
  'viewer_html',
  'video',
  'thumbnail',
  'thumbnail_webp',
  'prepared_glb',
  'report_json',
] as const;
const TITLES: Partial<Record<string, TextKey>> = Object.fromEntries(
  ORDER.map((key) => [key, `files.${key}` as const]),
);

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
  const place = (ORDER as readonly string[]).indexOf(file.key);
  return place < 0 ? ORDER.length : place;
}
