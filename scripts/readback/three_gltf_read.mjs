// What three.js sees in a GLB or VRM: bones with their parents, and the corners of every mesh's triangles in the first frames of the
// first clip. In a VRM also the humanoid's bones as @pixiv/three-vrm finds them. See readback.py for the format.
//
//     node three_gltf_read.mjs NODE_MODULES FILE OUT.json FRAMES
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { posed } from "./posed.mjs";

const [modules, file, out, frames] = process.argv.slice(2);
const from = (...parts) => import(pathToFileURL(path.join(modules, ...parts)));

globalThis.self = globalThis;
const THREE = await from("three", "build", "three.module.js");
const { GLTFLoader } = await from("three", "examples", "jsm", "loaders", "GLTFLoader.js");

const loader = new GLTFLoader();
const isVrm = file.endsWith(".vrm");
if (isVrm) {
    const { VRMLoaderPlugin } = await from("@pixiv", "three-vrm", "lib", "three-vrm.module.js");
    loader.register((parser) => new VRMLoaderPlugin(parser));
}
const gltf = await loader.parseAsync(withoutLooks(await readFile(file)), "");
const root = gltf.scene;
const mixer = new THREE.AnimationMixer(root);
if (gltf.animations[0]) {
    const action = mixer.clipAction(gltf.animations[0]);
    action.setLoop(THREE.LoopOnce, 1).clampWhenFinished = true;
    action.play();
}

const bones = [];
const meshes = new Map();
root.traverse((node) => {
    if (node.isBone) bones.push({ name: original(node), parent: node.parent?.isBone ? original(node.parent) : null });
    if (node.isMesh) part(node);
});
for (let frame = 0; frame < Number(frames); frame++) {
    mixer.setTime(frame / 30);
    root.updateMatrixWorld(true);
    root.traverse((node) => node.isSkinnedMesh && node.skeleton.update());
    for (const entry of meshes.values()) {
        const corners = Buffer.concat(entry.parts.map((mesh) => Buffer.from(posed(mesh, THREE.Vector3).buffer)));
        entry.frames.push(corners.toString("base64"));
    }
}
const human = gltf.userData.vrm?.humanoid;
await writeFile(
    out,
    JSON.stringify({
        bones,
        meshes: [...meshes.values()].map(({ name, frames }) => ({ name, frames })),
        human_bones: human ? Object.keys(human.humanBones).filter((name) => human.getRawBoneNode(name)) : null,
    }),
);

// The primitives of one node in order.
function part(mesh) {
    const place = gltf.parser.associations.get(mesh);
    const key = place.meshes;
    const node = gltf.parser.json.nodes.find((n) => n.mesh === key);
    if (!meshes.has(key)) meshes.set(key, { name: node.name ?? "", parts: [], frames: [] });
    meshes.get(key).parts[place.primitives ?? 0] = mesh;
}

// three.js strips characters from names that its property paths use and keeps the given one beside.
function original(node) {
    return node.userData.name ?? node.name;
}

// Pictures need a browser, and nothing here looks at them.
function withoutLooks(bytes) {
    const length = bytes.readUInt32LE(12);
    const json = JSON.parse(bytes.subarray(20, 20 + length).toString("utf8"));
    for (const key of ["images", "textures", "samplers", "materials"]) delete json[key];
    for (const primitive of (json.meshes ?? []).flatMap((m) => m.primitives)) {
        delete primitive.material;
        delete primitive.extensions;
    }
    if (json.extensions?.VRM) json.extensions.VRM.materialProperties = [];
    delete json.extensionsRequired;
    let text = Buffer.from(JSON.stringify(json), "utf8");
    text = Buffer.concat([text, Buffer.alloc((4 - (text.length % 4)) % 4, " ")]);
    const rest = bytes.subarray(20 + length);
    const head = Buffer.alloc(20);
    head.write("glTF");
    head.writeUInt32LE(2, 4);
    head.writeUInt32LE(20 + text.length + rest.length, 8);
    head.writeUInt32LE(text.length, 12);
    head.write("JSON", 16);
    const all = Buffer.concat([head, text, rest]);
    return all.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength);
}
