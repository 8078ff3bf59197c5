import { html, nothing, type TemplateResult } from 'lit';
import { STAGES, type Stage, type Task } from '../api';
import { icon } from '../components/icon';
import { formatDuration, formatPercent } from '../format';
import { language, t } from '../i18n';
import { secondsTaken } from './names';

type StageState = 'todo' | 'doing' | 'done';

/** What is happening: the place in the queue, then stage by stage, then one line that it is done. */
export function progressCard(task: Task, cancelling: boolean, cancel: () => void): TemplateResult {
  if (task.status === 'done') return doneLine(task);
  const tag = language();
  const share = Math.min(1, Math.max(0, task.progress / 100));
  const current = STAGES.find((stage) => stage === task.stage);
  const title = current ? t(`task.stage.${current}`) : t('task.queued');
  return html`<section class="card progress" aria-labelledby="progress-title" data-test="progress">
    <div class="progress-head">
      <h2 id="progress-title">${title}</h2>
      <span class="numbers">${current ? formatPercent(share, tag) : ''}</span>
    </div>
    <progress
      max="1"
      value=${current ? share : nothing}
      ?data-busy=${!current}
      aria-labelledby="progress-title"
    ></progress>
    ${current ? nothing : queueLine(task)}
    <ol class="stages" aria-label=${t('task.stages')}>
      ${stagesOf(task).map((stage) => stageItem(stage, stateOf(stage, current)))}
    </ol>
    ${preStep(task)}
    <p class="unseen" role="status">${current ? t('task.announce', { stage: title, percent: coarse(share, tag) }) : ''}</p>
    <button class="plain" data-test="cancel" ?disabled=${cancelling} @click=${cancel}>
      ${cancelling ? t('task.cancelling') : t('task.cancel')}
    </button>
  </section>`;
}

function doneLine(task: Task): TemplateResult {
  const seconds = secondsTaken(task);
  const took = seconds === null ? '' : t('task.took', { time: formatDuration(seconds, language()) });
  return html`<p class="done-line" role="status" data-test="done">
    ${icon('check')}<span>${t('task.done')}</span><span class="hint">${took}</span>
  </p>`;
}

function queueLine(task: Task): TemplateResult | typeof nothing {
  if (!task.queue) return nothing;
  const wait = task.queue.estimated_wait_seconds;
  const parts = [t('task.position', { position: task.queue.position })];
  if (wait) parts.push(t('queue.wait', { time: formatDuration(wait, language()) }));
  return html`<p class="hint" role="status">${parts.join(' · ')}</p>`;
}

/** Most tasks have no pre-step, and nobody wants to read of it then. */
function stagesOf(task: Task): readonly Stage[] {
  return task.pre_step ? STAGES : STAGES.filter((stage) => stage !== 'convert');
}

function preStep(task: Task): TemplateResult | typeof nothing {
  const url = task.pre_step?.output_url;
  if (!url) return nothing;
  return html`<p class="hint" data-test="pre-step">
    ${t('task.pre_step.done')} <a href=${url} download>${t('task.pre_step.download')}</a>
  </p>`;
}

function stageItem(stage: Stage, state: StageState): TemplateResult {
  return html`<li data-state=${state} aria-current=${state === 'doing' ? 'step' : nothing}>
    <span class="stage-dot">${state === 'done' ? icon('check') : nothing}</span>
    <span>${t(`task.stage.${stage}`)}</span>
    <span class="unseen">${t(`task.state.${state}`)}</span>
  </li>`;
}

function stateOf(stage: Stage, current: Stage | undefined): StageState {
  if (stage === current) return 'doing';
  return current && STAGES.indexOf(stage) < STAGES.indexOf(current) ? 'done' : 'todo';
}

/** Quarters: a screen reader is told now and then, not at every step. */
function coarse(share: number, tag: string): string {
  return formatPercent(Math.floor(share * 4) / 4, tag);
}
