import {
  type AnimationClip,
  type Bone,
  DataTexture,
  Group,
  Loader,
  type Material,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  type Object3D,
  SkinnedMesh,
  Texture,
} from 'three';
import { type GLTF, GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';
import type { Frame } from './frame';

const CLAY = 0xb4b9bd;

/** One joint of the skin. */
export interface Joint {
  name: string;
  bone: Bone;
  /** Index of the parent joint, -1 at the top. */
  parent: number;
}

/** A loaded GLB in its wrapper. */
export class Model {
  readonly wrapper = new Group();
  readonly joints: Joint[];
  readonly clips: AnimationClip[];
  private readonly meshes: Mesh[] = [];
  private wires: Mesh[] = [];

  private constructor(gltf: GLTF) {
    this.wrapper.matrixAutoUpdate = false;
    this.wrapper.add(gltf.scene);
    gltf.scene.traverse((object) => {
      if (object instanceof Mesh) this.meshes.push(object);
    });
    for (const mesh of this.meshes) {
      prepare(mesh);
      if (!hasMaterial(gltf, mesh)) asClay(mesh);
    }
    this.joints = jointsOf(gltf, this.meshes);
    this.clips = gltf.animations;
  }

  static async load(url: string): Promise<Model> {
    return new Model(await new GLTFLoader().loadAsync(url));
  }

  /** A GLB that is at hand already; textures of a kind that no browser decodes by itself are left white. */
  static async parse(bytes: ArrayBuffer): Promise<Model> {
    const loader = new GLTFLoader().setKTX2Loader(new White() as never);
    return new Model(await loader.parseAsync(bytes, ''));
  }

  get content(): Object3D {
    return this.wrapper;
  }

  /** Puts the model into the viewer's frame, raised by `lift` so that a posed character stays on the ground. */
  place(frame: Frame, lift = 0): void {
    this.wrapper.matrix.copy(frame.viewFromFile);
    this.wrapper.matrix.elements[13] += lift;
    this.wrapper.updateMatrixWorld(true);
  }

  /** Draws the triangles' edges over the surface, or stops doing so. */
  setWireframe(on: boolean, colour: string): void {
    for (const wire of this.wires) {
      wire.removeFromParent();
      (wire.material as Material).dispose();
    }
    this.wires = on ? this.meshes.map((mesh) => wireOf(mesh, colour)) : [];
  }

  dispose(): void {
    this.setWireframe(false, '');
    this.wrapper.removeFromParent();
    for (const mesh of this.meshes) {
      mesh.geometry.dispose();
      if (mesh instanceof SkinnedMesh) mesh.skeleton.dispose();
      for (const material of materialsOf(mesh)) disposeMaterial(material);
    }
  }
}

/** Stands in for the decoder of GPU textures, which would need files of its own. */
class White extends Loader<DataTexture> {
  override load(_: string, done: (texture: DataTexture) => void): void {
    const texture = new DataTexture(new Uint8Array([255, 255, 255, 255]), 1, 1);
    texture.needsUpdate = true;
    done(texture);
  }
}

function prepare(mesh: Mesh): void {
  // Boxes of skinned meshes are those of the rest pose: a raised arm must not be culled with them.
  mesh.frustumCulled = false;
  mesh.castShadow = true;
  mesh.receiveShadow = true;
  for (const material of materialsOf(mesh)) {
    // Room for the wireframe's lines in front of the surface.
    material.polygonOffset = true;
    material.polygonOffsetFactor = 1;
    material.polygonOffsetUnits = 1;
    if (material instanceof MeshStandardMaterial && material.map) material.map.anisotropy = 4;
  }
}

/** Whether the file says what the mesh is made of. */
function hasMaterial(gltf: GLTF, mesh: Mesh): boolean {
  const place = gltf.parser.associations.get(mesh);
  const primitive = gltf.parser.json.meshes?.[place?.meshes ?? -1]?.primitives?.[place?.primitives ?? 0];
  return primitive?.material !== undefined;
}

/** glTF's default material is bare white metal, which hides the shape; clay shows it. */
function asClay(mesh: Mesh): void {
  for (const material of materialsOf(mesh)) {
    if (!(material instanceof MeshStandardMaterial)) continue;
    material.metalness = 0;
    material.roughness = 0.85;
    if (!material.vertexColors) material.color.set(CLAY);
  }
}

function materialsOf(mesh: Mesh): Material[] {
  return Array.isArray(mesh.material) ? mesh.material : [mesh.material];
}

function disposeMaterial(material: Material): void {
  for (const value of Object.values(material)) {
    if (value instanceof Texture) value.dispose();
  }
  material.dispose();
}

/** A second mesh on the same geometry and skeleton, so that the lines follow every pose. */
function wireOf(mesh: Mesh, colour: string): Mesh {
  const material = new MeshBasicMaterial({
    color: colour,
    wireframe: true,
    transparent: true,
    opacity: 0.28,
  });
  material.depthWrite = false;
  let wire: Mesh;
  if (mesh instanceof SkinnedMesh) {
    const skinned = new SkinnedMesh(mesh.geometry, material);
    skinned.bind(mesh.skeleton, mesh.bindMatrix);
    wire = skinned;
  } else {
    wire = new Mesh(mesh.geometry, material);
  }
  wire.frustumCulled = false;
  mesh.add(wire);
  return wire;
}

/** The joints of all skins, parents before children, under the names they have in the file. */
function jointsOf(gltf: GLTF, meshes: Mesh[]): Joint[] {
  const bones = new Set(meshes.flatMap((mesh) => (mesh instanceof SkinnedMesh ? mesh.skeleton.bones : [])));
  const ordered: Bone[] = [];
  gltf.scene.traverse((object) => {
    if (bones.has(object as Bone)) ordered.push(object as Bone);
  });
  const places = new Map(ordered.map((bone, index) => [bone as Object3D, index]));
  return ordered.map((bone) => {
    let above = bone.parent;
    while (above && !places.has(above)) above = above.parent;
    return { name: nameInFile(gltf, bone), bone, parent: above ? (places.get(above) ?? -1) : -1 };
  });
}

/** The loader changes names that occur twice (a mesh called `head`, say); the file's JSON has the true one. */
function nameInFile(gltf: GLTF, bone: Bone): string {
  const node = gltf.parser.associations.get(bone)?.nodes;
  const named = node === undefined ? undefined : gltf.parser.json.nodes[node]?.name;
  return typeof named === 'string' ? named : bone.name;
}
