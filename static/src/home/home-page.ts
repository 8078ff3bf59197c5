import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { type Created, createFromFile, createFromLink, Problem, type RigChoices } from '../api';
import { PageElement } from '../components/element';
import { icon } from '../components/icon';
import { type Failure, problemCard } from '../components/problem-card';
import { formatBytes, formatCount } from '../format';
import { language, t } from '../i18n';
import { TRIANGLE_LIMIT, UPLOAD_LIMIT_BYTES } from '../limits';
import './drop-zone';
import './history-list';
import './queue-line';
import './rig-options';
import { type Upload, uploadCard } from './upload-card';

const SAMPLE_COMMAND = 'autorig sample human -o human.glb';

/** The start page: hand over a model, see those handed over before. */
@customElement('home-page')
export class HomePage extends PageElement {
  @state() private upload: Upload | null = null;
  @state() private failure: Failure | null = null;
  @state() private copied = false;
  @state() private choices: RigChoices = {};
  private abort: AbortController | undefined;

  override render(): TemplateResult {
    document.title = t('home.page_title');
    return html`<main id="content" class="home" tabindex="-1">
      <div class="intro">
        <h1>${t('home.title')}</h1>
        <p class="lead">${t('home.lead')}</p>
      </div>
      ${this.failure ? problemCard(this.failure) : nothing}
      ${this.upload ? uploadCard(this.upload, () => this.abort?.abort()) : this.dropZone()}
      <div class="facts">
        <p>
          <strong>${t('home.formats')}</strong> ·
          ${t('home.limits', {
            size: formatBytes(UPLOAD_LIMIT_BYTES, language()),
            triangles: formatCount(TRIANGLE_LIMIT, language()),
          })}
        </p>
        <queue-line></queue-line>
      </div>
      ${this.sampleHint()}
      <history-list></history-list>
    </main>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (this.failure) this.querySelector('.problem')?.scrollIntoView({ block: 'nearest' });
  }

  private dropZone(): TemplateResult {
    return html`<drop-zone
        @file=${(event: CustomEvent<File>) => this.sendFile(event.detail)}
        @link=${(event: CustomEvent<string>) => this.sendLink(event.detail)}
      ></drop-zone>
      <rig-options
        .choices=${this.choices}
        @choices=${(event: CustomEvent<RigChoices>) => {
          this.choices = event.detail;
        }}
      ></rig-options>`;
  }

  private sampleHint(): TemplateResult {
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(SAMPLE_COMMAND);
        this.copied = true;
      } catch {
        // The browser keeps its clipboard shut (plain http, or the visitor said no): the command can be selected.
      }
    };
    return html`<p class="sample">
      <span>${t('home.sample_hint')}</span>
      <span class="command">
        <code>${SAMPLE_COMMAND}</code>
        <button class="quiet icon-only" aria-label=${t('home.copy')} title=${t('home.copy')} @click=${copy}>
          ${icon(this.copied ? 'check' : 'copy')}
        </button>
      </span>
      <span class="unseen" role="status">${this.copied ? t('home.copied') : ''}</span>
    </p>`;
  }

  private sendFile(file: File): void {
    const code = file.size === 0 ? 'empty_file' : file.size > UPLOAD_LIMIT_BYTES ? 'limit_file_size' : null;
    if (code) {
      this.failure = { code, detail: '', remedy: '' };
      return;
    }
    const started = performance.now();
    const upload: Upload = { name: file.name, sent: 0, total: file.size, elapsedSeconds: 0, kind: 'file' };
    void this.run(upload, (signal) =>
      createFromFile(
        file,
        this.choices,
        (sent, total) => {
          const elapsedSeconds = (performance.now() - started) / 1000;
          this.upload = { ...upload, sent, total, elapsedSeconds };
        },
        signal,
      ),
    );
  }

  private sendLink(link: string): void {
    const upload: Upload = { name: link, sent: 0, total: 0, elapsedSeconds: 0, kind: 'link' };
    void this.run(upload, (signal) => createFromLink(link, this.choices, signal));
  }

  private async run(upload: Upload, create: (signal: AbortSignal) => Promise<Created>): Promise<void> {
    this.abort = new AbortController();
    this.failure = null;
    this.upload = upload;
    try {
      const created = await create(this.abort.signal);
      location.assign(created.urls.page);
    } catch (cause) {
      this.upload = null;
      if (this.abort.signal.aborted) return;
      const { code, detail, remedy } = Problem.from(cause);
      this.failure = { code, detail, remedy };
    }
  }
}
