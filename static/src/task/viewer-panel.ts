import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Report } from '../api';
import { PageElement } from '../components/element';
import { figure } from '../components/figure';
import { type IconName, icon } from '../components/icon';
import { type TextKey, t } from '../i18n';
import type { JointMark, Pose, Viewer } from '../viewer/viewer';
import { posePanel } from './pose-panel';
import { type Action, actionOf, shortcutsDialog } from './shortcuts';

/** How far the view is; the last three are its ways to fail. */
type Phase = 'waiting' | 'loading' | 'ready' | 'no_model' | 'no_webgl' | 'no_code';
type ViewerModule = typeof import('../viewer/viewer');

const TURN_STEP = Math.PI / 12;
const ZOOM_STEP = 1.2;
const ICONS: Record<Action, IconName> = {
  skeleton: 'skeleton',
  wireframe: 'wireframe',
  pose: 'pose',
  fit: 'fit',
  screenshot: 'camera',
  fullscreen: 'fullscreen',
  shortcuts: 'keyboard',
};

/** The character and the tools around it. Event: `joint` when one is picked in the picture. */
@customElement('viewer-panel')
export class ViewerPanel extends PageElement {
  @property({ attribute: false }) name = '';
  /** The GLB to show, `null` until there is one. */
  @property({ attribute: false }) url: string | null = null;
  @property({ attribute: false }) rigged = false;
  /** The task ended without a model: nothing more will come. */
  @property({ attribute: false }) over = false;
  @property({ attribute: false }) report: Report | null = null;
  @property({ attribute: false }) joint: string | null = null;

  @state() private phase: Phase = 'waiting';
  @state() private shown: 'prepared' | 'rigged' | null = null;
  @state() private skeleton = false;
  @state() private wireframe = false;
  @state() private posing = false;
  @state() private pose: Pose | null = null;
  @query('canvas') private canvas!: HTMLCanvasElement;
  @query('.joint-label') private label!: HTMLElement;
  @query('dialog') private dialog!: HTMLDialogElement;
  private module: ViewerModule | null = null;
  private viewer: Viewer | null = null;
  private opening: Promise<Viewer | null> | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('keydown', this.onKey);
    document.addEventListener('fullscreenchange', this.onFullscreen);
  }

  override disconnectedCallback(): void {
    window.removeEventListener('keydown', this.onKey);
    document.removeEventListener('fullscreenchange', this.onFullscreen);
    this.viewer?.dispose();
    this.viewer = null;
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    return html`<section class="stage" data-phase=${this.phase} data-shown=${this.shown ?? 'none'} ?data-posing=${this.posing} ?data-over=${this.over} data-test="viewer">
      <canvas
        tabindex="0"
        role="img"
        aria-label=${t('viewer.label', { name: this.name })}
        @keydown=${this.onCanvasKey}
      ></canvas>
      <span class="joint-label" hidden></span>
      ${this.note()}
      ${
        this.shown
          ? html`<span class="chip badge" data-status=${this.shown === 'rigged' ? 'done' : 'none'}>
            ${t(`viewer.${this.shown}`)}
          </span>`
          : nothing
      }
      ${this.phase === 'ready' ? html`${this.cameraTools()} ${this.tools()}` : nothing}
      ${this.posePanel()} ${shortcutsDialog(() => this.requestUpdate())}
    </section>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (changed.has('url') && this.url) void this.load(this.url, this.rigged);
    this.makeRoom();
    if (changed.has('joint')) {
      if (this.joint && !this.skeleton) this.setSkeleton(true);
      this.viewer?.pickJoint(this.joint);
    }
  }

  /** On a wide screen the pose panel lies over the picture: the character moves out of its way. */
  private makeRoom(): void {
    const panel = this.querySelector<HTMLElement>('.pose');
    const covers = panel && getComputedStyle(panel).position === 'absolute';
    this.viewer?.setInset(covers ? panel.offsetLeft + panel.offsetWidth : 0);
  }

  private note(): TemplateResult | typeof nothing {
    if (this.phase === 'ready') return nothing;
    return html`<div class="stage-note">
      ${figure()}
      <p role="status">${this.over && this.phase === 'waiting' ? '' : t(`viewer.${this.phase}`)}</p>
    </div>`;
  }

  private cameraTools(): TemplateResult {
    const tool = (name: IconName, label: TextKey, act: () => void) =>
      html`<button class="tool" aria-label=${t(label)} title=${t(label)} @click=${act}>${icon(name)}</button>`;
    return html`<div class="tools camera-tools" role="group" aria-label=${t('viewer.camera')}>
      ${tool('plus', 'viewer.zoom_in', () => this.viewer?.zoom(1 / ZOOM_STEP))}
      ${tool('minus', 'viewer.zoom_out', () => this.viewer?.zoom(ZOOM_STEP))}
      ${tool('turnLeft', 'viewer.turn_left', () => this.viewer?.turn(-TURN_STEP))}
      ${tool('turnRight', 'viewer.turn_right', () => this.viewer?.turn(TURN_STEP))}
    </div>`;
  }

  private tools(): TemplateResult {
    const tool = (action: Action, pressed: boolean | null = null) => {
      const label = t(`viewer.${action}`);
      return html`<button
        class="tool"
        data-action=${action}
        aria-label=${label}
        title=${label}
        aria-pressed=${pressed ?? nothing}
        @click=${() => this.act(action)}
      >
        ${icon(ICONS[action])}${pressed === null ? nothing : html`<span class="tool-text">${label}</span>`}
      </button>`;
    };
    const rigged = this.shown === 'rigged';
    return html`<div class="tools main-tools" role="group" aria-label=${t('viewer.tools')}>
      ${rigged ? tool('skeleton', this.skeleton) : nothing}
      ${rigged ? tool('pose', this.posing) : nothing}
      ${tool('wireframe', this.wireframe)} ${tool('fit')} ${tool('screenshot')}
      ${document.fullscreenEnabled ? tool('fullscreen') : nothing} ${tool('shortcuts')}
    </div>`;
  }

  private posePanel(): TemplateResult | typeof nothing {
    if (!this.posing || !this.module || !this.viewer || this.shown !== 'rigged') return nothing;
    return posePanel({
      module: this.module,
      dials: this.viewer.dials,
      pose: this.pose ?? this.module.REST,
      change: (pose, gently) => {
        this.pose = pose;
        this.viewer?.setPose(pose, gently);
      },
      close: () => {
        this.posing = false;
      },
    });
  }

  private async load(url: string, rigged: boolean): Promise<void> {
    if (!this.shown) this.phase = 'loading';
    this.opening ??= this.open();
    const viewer = await this.opening;
    // While the code was on its way another model may have come.
    if (!viewer || url !== this.url) return;
    try {
      await viewer.show(url, this.report);
    } catch {
      // The mesh of before stays in view; without one there is only the message.
      if (!this.shown && url === this.url) this.phase = 'no_model';
      return;
    }
    if (url !== this.url) return;
    this.phase = 'ready';
    this.shown = rigged ? 'rigged' : 'prepared';
    // The skeleton is what the visitor waited for: show it as soon as it is there.
    if (rigged) this.setSkeleton(true);
  }

  /** Loads the code of the view and starts it; `null` where one of them fails, and the phase says which. */
  private async open(): Promise<Viewer | null> {
    try {
      this.module = await import('../viewer/viewer');
    } catch {
      this.phase = 'no_code';
      return null;
    }
    try {
      this.viewer = this.start(this.module);
    } catch {
      this.phase = 'no_webgl';
    }
    return this.viewer;
  }

  private start(module: ViewerModule): Viewer {
    const viewer = new module.Viewer(this.canvas);
    viewer.onMark = (mark) => this.placeLabel(mark);
    viewer.onPick = (name) => this.dispatchEvent(new CustomEvent('joint', { detail: name }));
    return viewer;
  }

  private act(action: Action): void {
    if (action === 'shortcuts') this.dialog.showModal();
    if (this.phase !== 'ready') return;
    if (action === 'skeleton' && this.shown === 'rigged') this.setSkeleton(!this.skeleton);
    if (action === 'pose' && this.shown === 'rigged') this.posing = !this.posing;
    if (action === 'fit') this.viewer?.fit();
    if (action === 'screenshot') void this.savePicture();
    if (action === 'fullscreen') void this.toggleFullscreen();
    if (action === 'wireframe') {
      this.wireframe = !this.wireframe;
      this.viewer?.setWireframe(this.wireframe);
    }
  }

  private setSkeleton(on: boolean): void {
    this.skeleton = on;
    this.viewer?.setSkeleton(on);
  }

  private placeLabel(mark: JointMark | null): void {
    this.label.hidden = mark === null;
    if (!mark) return;
    this.label.textContent = mark.name;
    this.label.style.translate = `${Math.round(mark.x)}px ${Math.round(mark.y)}px`;
  }

  private async savePicture(): Promise<void> {
    const picture = await this.viewer?.capture();
    if (!picture) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(picture);
    link.download = `${this.name.replace(/\.[^.]+$/, '')}.png`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  private async toggleFullscreen(): Promise<void> {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.requestFullscreen();
  }

  private onFullscreen = (): void => this.requestUpdate();

  private onKey = (event: KeyboardEvent): void => {
    const action = actionOf(event);
    if (!action) return;
    event.preventDefault();
    this.act(action);
  };

  private onCanvasKey = (event: KeyboardEvent): void => {
    const moves: Record<string, () => void> = {
      ArrowLeft: () => this.viewer?.turn(-TURN_STEP),
      ArrowRight: () => this.viewer?.turn(TURN_STEP),
      ArrowUp: () => this.viewer?.turn(0, TURN_STEP),
      ArrowDown: () => this.viewer?.turn(0, -TURN_STEP),
      '+': () => this.viewer?.zoom(1 / ZOOM_STEP),
      '=': () => this.viewer?.zoom(1 / ZOOM_STEP),
      '-': () => this.viewer?.zoom(ZOOM_STEP),
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move();
  };
}
