import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { cancelTask, getReport, modelUrl, Problem, preparedUrl, type Report, type Task } from '../api';
import { PageElement } from '../components/element';
import { type Failure, problemCard } from '../components/problem-card';
import { t } from '../i18n';
import { fileList } from './file-list';
import { taskName } from './names';
import { progressCard } from './progress-card';
import { reportPanel } from './report-panel';
import './joint-list';
import './viewer-panel';
import { TaskWatch } from './watch';

/** One task: the character in the middle, what is happening to it, and what came out. */
@customElement('task-page')
export class TaskPage extends PageElement {
  @state() private task: Task | null = null;
  @state() private report: Report | 'none' | 'failed' = 'none';
  @state() private failure: Problem | null = null;
  @state() private connected = true;
  @state() private cancelling = false;
  @state() private joint: string | null = null;
  private preparedShown = false;
  private readonly taskId = new URLSearchParams(location.search).get('id') ?? '';
  private readonly watch = new TaskWatch(this.taskId, {
    task: (task) => this.take(task),
    connected: (connected) => {
      this.connected = connected;
    },
    failed: (problem) => {
      this.failure = problem;
    },
  });

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.taskId) this.watch.start();
    else this.failure = new Problem('task_not_found', '', '', 404);
  }

  override disconnectedCallback(): void {
    this.watch.stop();
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    if (this.failure) return this.missing(this.failure);
    const task = this.task;
    if (!task)
      return html`<main id="content" class="lone"><p role="status" class="hint">${t('task.loading')}</p></main>`;
    const name = taskName(task);
    document.title = t('task.page_title', { name });
    return html`<main id="content" class="task" tabindex="-1">
      ${this.viewer(task, name)}
      <div class="side">
        <header class="side-head">
          <h1>${name}</h1>
          <span class="chip" data-status=${task.status} data-test="status">${t(`status.${task.status}`)}</span>
        </header>
        ${this.connected ? nothing : html`<p class="note" role="status">${t('task.reconnecting')}</p>`}
        ${this.outcome(task)} ${fileList(task)} ${this.findings(task)}
      </div>
    </main>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (this.task?.status === 'done' && this.report === 'none') void this.loadReport();
  }

  private viewer(task: Task, name: string): TemplateResult {
    const has = (key: string) => task.files.some((file) => file.key === key);
    const done = task.status === 'done' && has('rigged_glb');
    const rigged = done && this.report !== 'none';
    // Whoever comes when all is done is shown the rig at once, not the mesh of before.
    if (!done && has('prepared_glb')) this.preparedShown = true;
    const url = rigged ? modelUrl(task.id) : this.preparedShown ? preparedUrl(task.id) : null;
    return html`<viewer-panel
      .name=${name}
      .url=${url}
      .rigged=${rigged}
      .over=${task.status === 'error' || task.status === 'cancelled'}
      .report=${typeof this.report === 'string' ? null : this.report}
      .joint=${this.joint}
      @joint=${this.onJoint}
    ></viewer-panel>`;
  }

  private outcome(task: Task): TemplateResult {
    if (task.status === 'error') {
      const error = task.error ?? { code: 'internal', message: '', remedy: '' };
      const failure: Failure = { code: error.code, detail: error.message, remedy: error.remedy };
      return problemCard(failure, html`<a class="button primary" href="/">${t('task.try_another')}</a>`);
    }
    if (task.status === 'cancelled') {
      return html`<div class="note" role="status" data-test="cancelled">
        <p>${t('task.cancelled')}</p>
        <a class="button plain" href="/">${t('task.another')}</a>
      </div>`;
    }
    return progressCard(task, this.cancelling, () => this.cancel());
  }

  private findings(task: Task): TemplateResult | typeof nothing {
    if (task.status !== 'done') return nothing;
    if (this.report === 'failed') return html`<p class="note">${t('report.failed')}</p>`;
    if (this.report === 'none') return nothing;
    return html`${reportPanel(this.report)}
      <joint-list .joints=${this.report.joints} .picked=${this.joint} @joint=${this.onJoint}></joint-list>
      <a class="button plain another" href="/">${t('task.another')}</a>`;
  }

  private missing(problem: Problem): TemplateResult {
    const notFound = problem.status === 404 || problem.code === 'invalid_task_id';
    const home = html`<a class="button primary" href="/">${t('task.another')}</a>`;
    return html`<main id="content" class="lone" tabindex="-1">
      ${
        notFound
          ? html`<div class="missing" data-test="missing">
            <h1>${t('task.missing_title')}</h1>
            <p class="hint">${t('task.missing_text')}</p>
            ${home}
          </div>`
          : problemCard({ code: problem.code, detail: problem.detail, remedy: problem.remedy }, home)
      }
    </main>`;
  }

  private onJoint = (event: CustomEvent<string | null>): void => {
    this.joint = event.detail;
  };

  private take(task: Task): void {
    this.task = task;
    if (this.cancelling && task.status === 'cancelled') this.cancelling = false;
  }

  private async loadReport(): Promise<void> {
    try {
      this.report = await getReport(this.taskId);
    } catch {
      this.report = 'failed';
    }
  }

  private async cancel(): Promise<void> {
    this.cancelling = true;
    try {
      await cancelTask(this.taskId);
    } catch {
      // It may have ended a moment before; the task as it is now says so.
    }
    await this.watch.refresh();
    this.cancelling = false;
  }
}
