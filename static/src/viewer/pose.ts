/**
 * The pose test: a few dials that bend the joints of a humanoid, to see whether the skin follows.
 *
 * Every turn is about an axis of the viewer's frame (left +X, up +Y, forward +Z) or of the limb's own rest
 * direction, carried along by the parent's pose. So it does not matter how the file's joints are oriented.
 */

import { Quaternion, Vector3 } from 'three';
import type { Joint } from './model';

export const DIALS = ['arms', 'elbows', 'fingers', 'head', 'spine', 'legs', 'stride', 'knees'] as const;
export type Dial = (typeof DIALS)[number];
/** A value for each dial: `arms` in percent between hanging and overhead, the others in degrees. */
export type Pose = Record<Dial, number>;

export const RANGES: Record<Dial, [number, number]> = {
  arms: [-100, 100],
  elbows: [0, 130],
  fingers: [0, 85],
  head: [-70, 70],
  spine: [-25, 70],
  legs: [0, 100],
  stride: [-40, 40],
  knees: [0, 120],
};

export const REST: Pose = { arms: 0, elbows: 0, fingers: 0, head: 0, spine: 0, legs: 0, stride: 0, knees: 0 };

export const PRESETS = {
  rest: REST,
  raise: { ...REST, arms: 88, elbows: 15 },
  sit: { ...REST, arms: -60, elbows: 55, legs: 85, knees: 88, fingers: 25 },
  walk: { ...REST, arms: -92, elbows: 28, fingers: 30, stride: 30, knees: 18, head: -8 },
  bow: { ...REST, arms: -80, elbows: 8, spine: 55, head: 0 },
} satisfies Record<string, Pose>;
export type Preset = keyof typeof PRESETS;

const FORWARD = new Vector3(0, 0, 1);
const UP = new Vector3(0, 1, 0);
const LEFT = new Vector3(1, 0, 0);
/** How high the arms go and how low they hang, in degrees over the horizon. */
const ARMS_HIGHEST_DEG = 82;
const ARMS_LOWEST_DEG = -78;
const FINGERS = ['Index', 'Middle', 'Ring', 'Little'];
const SIDES = ['left', 'right'] as const;

interface Rest {
  local: Quaternion;
  world: Quaternion;
  parentFromWorld: Quaternion;
  at: Vector3;
}

/** The joints of one model and their rest, to be bent and put back. */
export class Poser {
  private readonly rest = new Map<string, Rest>();
  private readonly byName: Map<string, Joint>;
  private readonly lowestFoot: number;

  /** The model must be in its rest and in the viewer's frame. */
  constructor(joints: Joint[]) {
    this.byName = new Map(joints.map((joint) => [joint.name, joint]));
    for (const joint of joints) this.rest.set(joint.name, restOf(joint));
    this.lowestFoot = this.lowest();
  }

  /** Whether any dial has a joint to turn. */
  get usable(): boolean {
    return ['leftUpperArm', 'leftUpperLeg', 'spine', 'head'].some((name) => this.byName.has(name));
  }

  /** The dials for which this skeleton has joints. */
  get dials(): Dial[] {
    const needs: Record<Dial, string> = {
      arms: 'leftUpperArm',
      elbows: 'leftLowerArm',
      fingers: 'leftIndexProximal',
      head: 'head',
      spine: 'spine',
      legs: 'leftUpperLeg',
      stride: 'leftUpperLeg',
      knees: 'leftLowerLeg',
    };
    return DIALS.filter((dial) => this.byName.has(needs[dial]));
  }

  /** Bends the joints; returns how much to raise the model so that its feet stay on the ground. */
  apply(pose: Pose): number {
    for (const [name, rest] of this.rest) this.byName.get(name)?.bone.quaternion.copy(rest.local);
    this.bendTrunk(pose);
    for (const side of SIDES) {
      this.bendArm(side, pose);
      this.bendLeg(side, pose);
    }
    this.top()?.bone.updateMatrixWorld(true);
    return this.lowestFoot - this.lowest();
  }

  private bendTrunk(pose: Pose): void {
    const back = ['spine', 'chest', 'upperChest'].filter((name) => this.byName.has(name));
    for (const name of back) this.turn(name, [[LEFT, pose.spine / back.length]]);
    const neck = this.byName.has('neck') ? 0.4 : 0;
    this.turn('neck', [[UP, pose.head * neck]]);
    this.turn('head', [[UP, pose.head * (1 - neck)]]);
  }

  private bendArm(side: 'left' | 'right', pose: Pose): void {
    const outward = side === 'left' ? 1 : -1;
    const upper = this.direction(`${side}UpperArm`, `${side}LowerArm`);
    const lower = this.direction(`${side}LowerArm`, `${side}Hand`);
    const elevation = (Math.asin(Math.max(-1, Math.min(1, upper.y))) * 180) / Math.PI;
    const reach = pose.arms >= 0 ? ARMS_HIGHEST_DEG - elevation : elevation - ARMS_LOWEST_DEG;
    const raise = (pose.arms / 100) * Math.max(0, reach) * outward;
    const collar = this.byName.has(`${side}Shoulder`) && raise * outward > 0 ? 0.2 : 0;
    const swing = pose.stride * 0.8 * outward;
    this.turn(`${side}Shoulder`, [[FORWARD, raise * collar]]);
    this.turn(`${side}UpperArm`, [
      [FORWARD, raise * (1 - collar)],
      [LEFT, swing],
    ]);
    this.turn(`${side}LowerArm`, [[across(lower, FORWARD, UP), pose.elbows]]);
    const curl = FORWARD.clone().multiplyScalar(-outward);
    for (const finger of FINGERS) {
      for (const part of ['Proximal', 'Intermediate', 'Distal']) {
        this.turn(`${side}${finger}${part}`, [[curl, pose.fingers]]);
      }
    }
  }

  private bendLeg(side: 'left' | 'right', pose: Pose): void {
    const upper = this.direction(`${side}UpperLeg`, `${side}LowerLeg`);
    const lower = this.direction(`${side}LowerLeg`, `${side}Foot`);
    const stride = pose.stride * (side === 'left' ? 1 : -1);
    this.turn(`${side}UpperLeg`, [[across(upper, FORWARD, UP), pose.legs + stride]]);
    this.turn(`${side}LowerLeg`, [[across(lower, FORWARD, UP).negate(), pose.knees]]);
  }

  /** Turns a joint from its rest, each turn about an axis of the viewer's frame, the first one first. */
  private turn(name: string, turns: [Vector3, number][]): void {
    const joint = this.byName.get(name);
    const rest = this.rest.get(name);
    if (!joint || !rest) return;
    const turned = rest.world.clone();
    for (const [axis, degrees] of turns) {
      turned.premultiply(new Quaternion().setFromAxisAngle(axis, (degrees * Math.PI) / 180));
    }
    joint.bone.quaternion.copy(rest.parentFromWorld).multiply(turned);
  }

  private direction(from: string, to: string): Vector3 {
    const a = this.rest.get(from)?.at;
    const b = this.rest.get(to)?.at;
    return a && b ? b.clone().sub(a).normalize() : new Vector3(0, -1, 0);
  }

  private lowest(): number {
    const names = SIDES.flatMap((side) => [`${side}Foot`, `${side}Toes`]);
    const heights = names.flatMap((name) => {
      const bone = this.byName.get(name)?.bone;
      return bone ? [new Vector3().setFromMatrixPosition(bone.matrixWorld).y] : [];
    });
    return heights.length > 0 ? Math.min(...heights) : 0;
  }

  private top(): Joint | undefined {
    return [...this.byName.values()].find((joint) => joint.parent < 0);
  }
}

/** Between two poses, for a change that can be followed with the eye. */
export function mixPoses(from: Pose, to: Pose, share: number): Pose {
  const mixed = { ...to };
  for (const dial of DIALS) mixed[dial] = from[dial] + (to[dial] - from[dial]) * share;
  return mixed;
}

function restOf(joint: Joint): Rest {
  const { bone } = joint;
  return {
    local: bone.quaternion.clone(),
    world: bone.getWorldQuaternion(new Quaternion()),
    parentFromWorld: (bone.parent?.getWorldQuaternion(new Quaternion()) ?? new Quaternion()).invert(),
    at: new Vector3().setFromMatrixPosition(bone.matrixWorld),
  };
}

/** The axis that brings `limb` towards `aim`, or towards `other` where the limb already points at it. */
function across(limb: Vector3, aim: Vector3, other: Vector3): Vector3 {
  const axis = limb.clone().cross(aim);
  return (axis.lengthSq() > 0.01 ? axis : limb.clone().cross(other)).normalize();
}
