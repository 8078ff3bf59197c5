import {
  BackSide,
  BufferGeometry,
  Color,
  DynamicDrawUsage,
  Float32BufferAttribute,
  Group,
  IcosahedronGeometry,
  InstancedMesh,
  Matrix4,
  MeshBasicMaterial,
  MeshLambertMaterial,
  Quaternion,
  Vector3,
} from 'three';
import { colourOf } from '../theme';
import type { Joint } from './model';

/** Thickness of bones and balls against the length of the bone, and its bounds in the viewer's unit. */
const THICKNESS = 0.085;
const THINNEST = 0.006;
const THICKEST = 0.028;
const OUTLINE = 0.0035;

const UP = new Vector3(0, 1, 0);

/** The skeleton drawn over the model: a tapered bone to every child, a ball in every joint, sides told apart. */
export class Bones {
  readonly group = new Group();
  readonly positions: Vector3[];
  private readonly bones: InstancedMesh[];
  private readonly balls: InstancedMesh[];
  /** Child index of each drawn bone; the joint `root` stands on the ground and is not joined to the body. */
  private readonly drawn: number[];
  private picked = -1;

  constructor(private readonly joints: Joint[]) {
    this.positions = joints.map(() => new Vector3());
    this.drawn = joints.flatMap((joint, index) => {
      const parent = joints[joint.parent];
      return parent && parent.name !== 'root' ? [index] : [];
    });
    this.bones = layers(boneGeometry(), this.drawn.length);
    this.balls = layers(new IcosahedronGeometry(1, 2), joints.length);
    this.group.add(...this.bones, ...this.balls);
    this.paint();
    this.update();
  }

  /** Follows the joints to where they are now. */
  update(): void {
    this.joints.forEach((joint, index) => {
      this.positions[index]?.setFromMatrixPosition(joint.bone.matrixWorld);
    });
    const radii = this.radii();
    this.drawn.forEach((child, slot) => {
      const from = this.positions[this.joints[child]?.parent ?? -1];
      const to = this.positions[child];
      if (from && to) place(this.bones, slot, from, to, thickness(from.distanceTo(to)));
    });
    this.positions.forEach((at, index) => {
      place(this.balls, index, at, null, (radii[index] ?? THINNEST) * (index === this.picked ? 1.5 : 1));
    });
    for (const mesh of [...this.bones, ...this.balls]) mesh.instanceMatrix.needsUpdate = true;
  }

  /** Marks a joint; -1 marks none. */
  pick(index: number): void {
    this.picked = index;
    this.paint();
    this.update();
  }

  /** Takes the colours of the page's theme. */
  paint(): void {
    const picked = new Color(colourOf('--bone-picked'));
    const sides = {
      left: new Color(colourOf('--bone-left')),
      right: new Color(colourOf('--bone-right')),
      centre: new Color(colourOf('--bone-centre')),
    };
    const colourFor = (index: number) => sides[sideOf(this.joints[index]?.name ?? '')];
    this.drawn.forEach((child, slot) => {
      this.bones[1]?.setColorAt(slot, colourFor(child));
    });
    this.joints.forEach((_, index) => {
      this.balls[1]?.setColorAt(index, index === this.picked ? picked : colourFor(index));
    });
    const outline = new Color(colourOf('--bone-outline'));
    for (const mesh of [...this.bones, ...this.balls]) {
      if (mesh.material instanceof MeshBasicMaterial) mesh.material.color.copy(outline);
      if (mesh.instanceColor) mesh.instanceColor.needsUpdate = true;
    }
  }

  dispose(): void {
    this.group.removeFromParent();
    for (const mesh of [...this.bones, ...this.balls]) {
      mesh.geometry.dispose();
      mesh.dispose();
    }
  }

  /** A ball is as thick as the thinnest bone at it, so that fingers do not become grapes. */
  private radii(): number[] {
    const radii = this.joints.map(() => Number.POSITIVE_INFINITY);
    for (const child of this.drawn) {
      const parent = this.joints[child]?.parent ?? -1;
      const from = this.positions[parent];
      const to = this.positions[child];
      if (!from || !to) continue;
      const radius = thickness(from.distanceTo(to));
      radii[child] = Math.min(radii[child] ?? radius, radius);
      radii[parent] = Math.min(radii[parent] ?? radius, radius);
    }
    return radii.map((radius) => (Number.isFinite(radius) ? radius : THINNEST * 2));
  }
}

/** Which side of the character a joint belongs to, by its canonical name. */
export function sideOf(name: string): 'left' | 'right' | 'centre' {
  if (name.startsWith('left')) return 'left';
  return name.startsWith('right') ? 'right' : 'centre';
}

function thickness(length: number): number {
  return Math.min(THICKEST, Math.max(THINNEST, length * THICKNESS));
}

/** The rim first, then the body: two instanced meshes over one geometry. */
function layers(geometry: BufferGeometry, count: number): InstancedMesh[] {
  const rim = new InstancedMesh(geometry, new MeshBasicMaterial({ side: BackSide }), count);
  const body = new InstancedMesh(geometry, new MeshLambertMaterial({ flatShading: true }), count);
  for (const mesh of [rim, body]) {
    mesh.frustumCulled = false;
    mesh.instanceMatrix.setUsage(DynamicDrawUsage);
  }
  return [rim, body];
}

function place(
  meshes: InstancedMesh[],
  slot: number,
  from: Vector3,
  to: Vector3 | null,
  radius: number,
): void {
  const turn = new Quaternion();
  let length = radius;
  if (to) {
    const along = to.clone().sub(from);
    length = along.length();
    turn.setFromUnitVectors(UP, along.divideScalar(length || 1));
  }
  meshes.forEach((mesh, layer) => {
    const rim = layer === 0 ? OUTLINE : 0;
    const scale = new Vector3(radius + rim, to ? length : radius + rim, radius + rim);
    mesh.setMatrixAt(slot, new Matrix4().compose(from, turn, scale));
  });
}

/** An octahedron of height 1 that is thickest near its foot. */
function boneGeometry(): BufferGeometry {
  const foot = [0, 0, 0];
  const tip = [0, 1, 0];
  const ring = [
    [1, 0.14, 0],
    [0, 0.14, -1],
    [-1, 0.14, 0],
    [0, 0.14, 1],
  ];
  const corners: number[] = [];
  ring.forEach((here, index) => {
    const next = ring[(index + 1) % ring.length] ?? here;
    corners.push(...foot, ...next, ...here, ...here, ...next, ...tip);
  });
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new Float32BufferAttribute(corners, 3));
  geometry.computeVertexNormals();
  return geometry;
}
