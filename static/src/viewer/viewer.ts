/** The 3D view as the page uses it. This module and three.js are loaded only when there is a model to show. */

import { Vector3 } from 'three';
import type { Report } from '../api';
import { colourOf, onTheme } from '../theme';
import { Bones } from './bones';
import { type Frame, frameOfObject, frameOfReport, sameFrame } from './frame';
import { Model } from './model';
import { type Dial, mixPoses, type Pose, Poser, REST } from './pose';
import { Stage } from './stage';

export { DIALS, type Dial, type Pose, PRESETS, type Preset, RANGES, REST } from './pose';

const POSE_MS = 320;
const PICK_RADIUS_PX = 18;
/** A press that moves farther than this turns the model and picks nothing. */
const CLICK_SLACK_PX = 5;

/** A joint on the screen, for its label. */
export interface JointMark {
  name: string;
  x: number;
  y: number;
}

export class Viewer {
  /** Called after each picture with the joint to label, if one is picked or pointed at. */
  onMark: (mark: JointMark | null) => void = () => {};
  /** Called when the visitor picks a joint in the picture. */
  onPick: (name: string | null) => void = () => {};

  private readonly stage: Stage;
  private readonly stopTheme: () => void;
  private model: Model | null = null;
  private frame: Frame | null = null;
  private bones: Bones | null = null;
  private poser: Poser | null = null;
  private skeletonOn = false;
  private wireframeOn = false;
  private picked = -1;
  private hovered = -1;
  private pose: Pose = REST;
  private change: { from: Pose; to: Pose; start: number } | null = null;
  private loading = 0;
  private pressedAt = { x: 0, y: 0 };

  /** Throws where the browser has no WebGL 2. */
  constructor(private readonly canvas: HTMLCanvasElement) {
    this.stage = new Stage(canvas);
    this.stage.beforeDraw = (now) => this.continuePose(now);
    this.stage.afterDraw = () => this.onMark(this.mark());
    this.stopTheme = onTheme(() => this.applyTheme());
    canvas.addEventListener('pointerdown', this.onPointerDown);
    canvas.addEventListener('pointermove', this.onPointerMove);
    canvas.addEventListener('pointerleave', this.onPointerLeave);
    canvas.addEventListener('click', this.onClick);
  }

  /** Loads a GLB and shows it in place of the present one; the camera stays unless the model stands elsewhere. */
  async show(url: string, report: Report | null): Promise<void> {
    const turn = ++this.loading;
    const model = await Model.load(url);
    if (turn !== this.loading) return model.dispose();
    const frame = report ? frameOfReport(report) : frameOfObject(model.content);
    model.place(frame);
    this.clear();
    this.model = model;
    this.stage.scene.add(model.wrapper);
    if (model.joints.length > 0) {
      this.bones = new Bones(model.joints);
      this.poser = new Poser(model.joints);
    }
    if (!this.frame || !sameFrame(this.frame, frame)) this.stage.fit(frame.box);
    this.frame = frame;
    this.setSkeleton(this.skeletonOn);
    this.setWireframe(this.wireframeOn);
    this.stage.invalidate(true);
  }

  get jointNames(): string[] {
    return this.model?.joints.map((joint) => joint.name) ?? [];
  }

  /** The dials that this model's skeleton can follow. */
  get dials(): Dial[] {
    return this.poser?.usable ? this.poser.dials : [];
  }

  setSkeleton(on: boolean): void {
    this.skeletonOn = on;
    if (this.bones) {
      if (on) this.stage.overlay.add(this.bones.group);
      else this.bones.group.removeFromParent();
    }
    this.stage.invalidate();
  }

  setWireframe(on: boolean): void {
    this.wireframeOn = on;
    this.model?.setWireframe(on, colourOf('--text'));
    this.stage.invalidate();
  }

  /** Takes a pose: at once, or as a movement where movement is welcome. */
  setPose(pose: Pose, gently: boolean): void {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (gently && !still) {
      this.change = { from: this.pose, to: pose, start: performance.now() };
    } else {
      this.change = null;
      this.applyPose(pose);
    }
    this.stage.invalidate(true);
  }

  /** Marks a joint by name; `null` marks none. */
  pickJoint(name: string | null): void {
    this.picked = name === null ? -1 : this.jointNames.indexOf(name);
    this.bones?.pick(this.picked);
    this.stage.invalidate();
  }

  /** Keeps the model clear of a panel that covers so many pixels at the left. */
  setInset(pixels: number): void {
    this.stage.setInset(pixels);
  }

  fit(): void {
    if (this.frame) this.stage.fit(this.frame.box);
  }

  turn(sideways: number, upwards = 0): void {
    this.stage.turn(sideways, upwards);
  }

  zoom(factor: number): void {
    this.stage.zoom(factor);
  }

  capture(): Promise<Blob | null> {
    return this.stage.capture();
  }

  dispose(): void {
    this.loading++;
    this.stopTheme();
    this.canvas.removeEventListener('pointerdown', this.onPointerDown);
    this.canvas.removeEventListener('pointermove', this.onPointerMove);
    this.canvas.removeEventListener('pointerleave', this.onPointerLeave);
    this.canvas.removeEventListener('click', this.onClick);
    this.clear();
    this.stage.dispose();
  }

  private clear(): void {
    this.bones?.dispose();
    this.model?.dispose();
    this.bones = null;
    this.model = null;
    this.poser = null;
    this.picked = this.hovered = -1;
    this.pose = REST;
    this.change = null;
  }

  private applyTheme(): void {
    this.stage.applyTheme();
    this.bones?.paint();
    if (this.wireframeOn) this.setWireframe(true);
  }

  private continuePose(now: number): boolean {
    if (!this.change) return false;
    const { from, to, start } = this.change;
    const share = Math.min(1, Math.max(0, (now - start) / POSE_MS));
    this.applyPose(mixPoses(from, to, share * share * (3 - 2 * share)));
    if (share === 1) this.change = null;
    this.stage.invalidate(true);
    return this.change !== null;
  }

  private applyPose(pose: Pose): void {
    this.pose = pose;
    if (!this.poser || !this.frame || !this.model) return;
    this.model.place(this.frame);
    this.model.place(this.frame, this.poser.apply(pose));
    this.bones?.update();
  }

  private onPointerDown = (event: PointerEvent): void => {
    this.pressedAt = { x: event.clientX, y: event.clientY };
  };

  private onPointerMove = (event: PointerEvent): void => {
    if (event.pointerType === 'touch' || event.buttons !== 0) return;
    const hovered = this.jointAt(event);
    if (hovered === this.hovered) return;
    this.hovered = hovered;
    this.stage.invalidate();
  };

  private onPointerLeave = (): void => {
    this.hovered = -1;
    this.stage.invalidate();
  };

  private onClick = (event: MouseEvent): void => {
    const moved = Math.hypot(event.clientX - this.pressedAt.x, event.clientY - this.pressedAt.y);
    if (!this.skeletonOn || moved > CLICK_SLACK_PX) return;
    const index = this.jointAt(event);
    const name = this.jointNames[index] ?? null;
    if (index === this.picked) return;
    this.pickJoint(name);
    this.onPick(name);
  };

  /** The joint nearest to a place on the screen, or -1. */
  private jointAt(event: MouseEvent): number {
    if (!this.skeletonOn || !this.bones) return -1;
    const area = this.canvas.getBoundingClientRect();
    let best = -1;
    let nearest = PICK_RADIUS_PX;
    this.bones.positions.forEach((position, index) => {
      const { x, y } = this.onScreen(position);
      const distance = Math.hypot(x - (event.clientX - area.left), y - (event.clientY - area.top));
      if (distance < nearest) {
        nearest = distance;
        best = index;
      }
    });
    return best;
  }

  private onScreen(position: Vector3): { x: number; y: number } {
    const seen = new Vector3().copy(position).project(this.stage.camera);
    return {
      x: ((seen.x + 1) / 2) * this.canvas.clientWidth,
      y: ((1 - seen.y) / 2) * this.canvas.clientHeight,
    };
  }

  private mark(): JointMark | null {
    const index = this.hovered >= 0 ? this.hovered : this.picked;
    const position = this.bones?.positions[index];
    const name = this.jointNames[index];
    return this.skeletonOn && position && name ? { name, ...this.onScreen(position) } : null;
  }
}
