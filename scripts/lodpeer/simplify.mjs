// Levels of detail by glTF-Transform's `simplify` (meshoptimizer as well), for the example `lod_peer` to compare with ours.
//
//   node simplify.mjs IN.glb OUT.glb RATIO

import { NodeIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { simplify, weld } from '@gltf-transform/functions';
import { MeshoptSimplifier } from 'meshoptimizer';

const [input, output, ratio] = process.argv.slice(2);
if (!ratio) {
  console.error('usage: node simplify.mjs IN.glb OUT.glb RATIO');
  process.exit(2);
}
await MeshoptSimplifier.ready;
const io = new NodeIO().registerExtensions(ALL_EXTENSIONS);
const document = await io.read(input);
// As its command line does: weld first; the error is opened wide so that the ratio decides, as our budget does.
await document.transform(weld(), simplify({ simplifier: MeshoptSimplifier, ratio: Number(ratio), error: 1 }));
await io.write(output, document);
