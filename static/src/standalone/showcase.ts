/** A model on the stage, its clips and its skeleton. */

import { type AnimationAction, AnimationMixer, Box3, Vector3 } from 'three';
import { colourOf } from '../theme';
import { Bones } from '../viewer/bones';
import { type Frame, frameOf, type Orientation } from '../viewer/frame';
import { Model } from '../viewer/model';
import { Stage } from '../viewer/stage';

interface Directions {
  up: number[];
  forward: number[];
  left: number[];
}

export class Showcase {
  /** Called whenever the clip's time changes: the time and the clip's length, in seconds. */
  onTime: (at: number, length: number) => void = () => {};

  private readonly stage: Stage;
  private model: Model | null = null;
  private bones: Bones | null = null;
  private frame: Frame | null = null;
  private mixer: AnimationMixer | null = null;
  private action: AnimationAction | null = null;
  private last = 0;
  private isPlaying = false;
  private skeletonOn = false;
  private wireframeOn = false;

  /** Throws where the browser has no WebGL 2. */
  constructor(canvas: HTMLCanvasElement) {
    this.stage = new Stage(canvas);
    this.stage.beforeDraw = (now) => this.advance(now);
    // The page does not scroll: every finger turns the model.
    canvas.style.touchAction = 'none';
  }

  async show(bytes: ArrayBuffer, directions: Directions | undefined): Promise<void> {
    const model = await Model.parse(bytes);
    this.model = model;
    const orientation: Orientation | null = directions
      ? {
          up: new Vector3(...directions.up),
          forward: new Vector3(...directions.forward),
          left: new Vector3(...directions.left),
        }
      : null;
    model.content.updateMatrixWorld(true);
    this.frame = frameOf(new Box3().setFromObject(model.content, true), orientation);
    model.place(this.frame);
    this.stage.scene.add(model.wrapper);
    if (model.joints.length > 0) this.bones = new Bones(model.joints);
    this.mixer = new AnimationMixer(model.wrapper);
    this.stage.fit(this.frame.box);
    this.stage.invalidate(true);
  }

  get clipNames(): string[] {
    return this.model?.clips.map((clip, index) => clip.name || `${index + 1}`) ?? [];
  }

  get hasSkeleton(): boolean {
    return this.bones !== null;
  }

  get playing(): boolean {
    return this.isPlaying;
  }

  set playing(on: boolean) {
    this.isPlaying = on && this.action !== null;
    this.last = performance.now();
    this.stage.invalidate();
  }

  get skeleton(): boolean {
    return this.skeletonOn;
  }

  set skeleton(on: boolean) {
    this.skeletonOn = on;
    if (this.bones && on) this.stage.overlay.add(this.bones.group);
    else this.bones?.group.removeFromParent();
    this.bones?.update();
    this.stage.invalidate();
  }

  get wireframe(): boolean {
    return this.wireframeOn;
  }

  set wireframe(on: boolean) {
    this.wireframeOn = on;
    this.model?.setWireframe(on, colourOf('--text'));
    this.stage.invalidate();
  }

  /** Takes up a clip at its start; -1 is the rest pose. */
  choose(index: number): void {
    this.mixer?.stopAllAction();
    const clip = this.model?.clips[index];
    this.action = clip && this.mixer ? this.mixer.clipAction(clip).play() : null;
    if (!this.action) this.isPlaying = false;
    this.seek(0);
  }

  /** Goes to a share of the clip, 0 to 1. */
  seek(share: number): void {
    this.setTime(share * this.length);
    this.stage.invalidate(true);
  }

  fit(): void {
    if (this.frame) this.stage.fit(this.frame.box);
  }

  turn(sideways: number, upwards: number): void {
    this.stage.turn(sideways, upwards);
  }

  zoom(factor: number): void {
    this.stage.zoom(factor);
  }

  applyTheme(): void {
    this.stage.applyTheme();
    this.bones?.paint();
    if (this.wireframeOn) this.wireframe = true;
  }

  private get length(): number {
    return this.action?.getClip().duration ?? 0;
  }

  private advance(now: number): boolean {
    if (!this.isPlaying || !this.action || this.length === 0) return false;
    const at = this.action.time + Math.min(0.1, Math.max(0, (now - this.last) / 1000));
    this.last = now;
    this.setTime(at % this.length);
    this.stage.invalidate(true);
    return true;
  }

  private setTime(at: number): void {
    // The mixer wraps the very end round to the start, which a visitor who drags there does not expect.
    if (this.action) this.action.time = Math.min(at, Math.max(0, this.length - 1e-4));
    this.mixer?.update(0);
    this.model?.wrapper.updateMatrixWorld(true);
    this.bones?.update();
    this.onTime(at, this.length);
  }
}
