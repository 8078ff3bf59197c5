// Levels of detail by glTF-Transform's `simplify` (meshoptimizer as well), for `examples/lod_peer.rs` to compare with ours.
//
//   npm install --prefix FOLDER @gltf-transform/core @gltf-transform/extensions @gltf-transform/functions meshoptimizer
//   NODE_PATH=FOLDER/node_modules node scripts/bench_lod.mjs IN.glb OUT.glb RATIO

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = process.env.NODE_PATH;
if (!folder || process.argv.length !== 5) {
  console.error('usage: NODE_PATH=FOLDER/node_modules node scripts/bench_lod.mjs IN.glb OUT.glb RATIO');
  process.exit(2);
}
const require = createRequire(join(folder, 'here.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { NodeIO } = await load('@gltf-transform/core');
const { ALL_EXTENSIONS } = await load('@gltf-transform/extensions');
const { simplify, weld } = await load('@gltf-transform/functions');
const { MeshoptSimplifier } = await load('meshoptimizer');

const [input, output, ratio] = process.argv.slice(2);
const io = new NodeIO().registerExtensions(ALL_EXTENSIONS);
const document = await io.read(input);
// As its command line does: weld first; the error is opened wide so that the ratio decides, as our budget does.
await document.transform(weld(), simplify({ simplifier: MeshoptSimplifier, ratio: Number(ratio), error: 1 }));
await io.write(output, document);
