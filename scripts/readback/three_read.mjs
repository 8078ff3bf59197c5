// What three.js sees in an FBX: bones with their parents, and the corners of every mesh's triangles in the first frames of the
// first clip, in the file's own space. See readback.py for the format.
//
//     node three_read.mjs NODE_MODULES FILE.fbx OUT.json FRAMES
import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import path from "node:path";
import { posed } from "./posed.mjs";

const [modules, file, out, frames] = process.argv.slice(2);
const three = (name) => import(pathToFileURL(path.join(modules, "three", name)));

// The loader makes image elements for textures, which nothing here looks at.
globalThis.window = globalThis;
globalThis.document = { createElementNS: () => ({ addEventListener() {}, removeEventListener() {}, set src(_) {} }) };
globalThis.URL.createObjectURL ??= () => "blob:none";

const THREE = await three("build/three.module.js");
const { FBXLoader } = await three("examples/jsm/loaders/FBXLoader.js");

const bytes = await readFile(file);
const root = new FBXLoader().parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength), "");
const mixer = new THREE.AnimationMixer(root);
const clip = root.animations[0];
if (clip) mixer.clipAction(clip).setLoop(THREE.LoopOnce, 1).clampWhenFinished = true;
if (clip) mixer.clipAction(clip).play();

const bones = [];
const meshes = new Map();
root.traverse((node) => {
    // A bone of several skins has a child of its own name for each further one.
    const isCopy = node.isBone && node.parent?.isBone && original(node) === original(node.parent);
    if (node.isBone && !isCopy) bones.push({ name: original(node), parent: node.parent?.isBone ? original(node.parent) : null });
    if (node.isMesh) meshes.set(node, { name: original(node), frames: [] });
});
for (let frame = 0; frame < Number(frames); frame++) {
    mixer.setTime(frame / 30);
    // The loader turns the whole of a Z-up file.
    root.rotation.set(0, 0, 0);
    root.updateMatrixWorld(true);
    root.traverse((node) => node.isSkinnedMesh && node.skeleton.update());
    for (const [mesh, entry] of meshes) entry.frames.push(Buffer.from(posed(mesh, THREE.Vector3).buffer).toString("base64"));
}
await writeFile(out, JSON.stringify({ bones, meshes: [...meshes.values()] }));

// three.js strips characters from names that its property paths use and keeps the given one beside.
function original(node) {
    return node.userData.originalName ?? node.name;
}
