/** What the server takes by default; said before an upload, and checked before sending what it would refuse. */

export const UPLOAD_LIMIT_BYTES = 256 * 1024 * 1024;
export const TRIANGLE_LIMIT = 5_000_000;
export const ACCEPTED =
  '.glb,.gltf,.fbx,.obj,.vrm,.stl,.ply,.zip,model/gltf-binary,model/gltf+json,model/obj,model/stl,application/zip';
