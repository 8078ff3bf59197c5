// A GLB made on the spot: a bar of eight rings that two bones bend, with a clip.

const RINGS = 8;

/** The file's bytes. */
export function wavingArm() {
  const buffer = new Writer();
  const positions = [];
  const joints = [];
  const weights = [];
  const indices = [];
  for (let ring = 0; ring <= RINGS; ring++) {
    const y = (ring / RINGS) * 2;
    const share = Math.min(1, Math.max(0, y - 0.5));
    for (const [x, z] of [
      [-0.2, 0.2],
      [0.2, 0.2],
      [0.2, -0.2],
      [-0.2, -0.2],
    ]) {
      positions.push(x, y, z);
      joints.push(0, 1, 0, 0);
      weights.push(1 - share, share, 0, 0);
    }
  }
  for (let ring = 0; ring < RINGS; ring++) {
    for (let side = 0; side < 4; side++) {
      const [a, b] = [ring * 4 + side, ring * 4 + ((side + 1) % 4)];
      indices.push(a, b, b + 4, a, b + 4, a + 4);
    }
  }
  const top = RINGS * 4;
  indices.push(0, 2, 1, 0, 3, 2, top, top + 1, top + 2, top, top + 2, top + 3);
  const quarter = [0, 0, Math.sin(0.5), Math.cos(0.5)];
  const inverse = (y) => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, -y, 0, 1];
  const json = {
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: [0, 1] }],
    nodes: [
      { mesh: 0, skin: 0 },
      { name: 'leftUpperArm', children: [2] },
      { name: 'leftLowerArm', translation: [0, 1, 0] },
    ],
    meshes: [
      {
        primitives: [
          {
            attributes: {
              POSITION: buffer.floats(positions, 'VEC3', true),
              JOINTS_0: buffer.bytes(joints, 'VEC4'),
              WEIGHTS_0: buffer.floats(weights, 'VEC4'),
            },
            indices: buffer.shorts(indices),
            material: 0,
          },
        ],
      },
    ],
    materials: [{ pbrMetallicRoughness: { baseColorFactor: [0.8, 0.3, 0.1, 1], metallicFactor: 0 } }],
    skins: [{ joints: [1, 2], inverseBindMatrices: buffer.floats([...inverse(0), ...inverse(1)], 'MAT4') }],
    animations: [
      {
        name: 'wave',
        channels: [{ sampler: 0, target: { node: 2, path: 'rotation' } }],
        samplers: [
          {
            input: buffer.floats([0, 0.5, 1], 'SCALAR', true),
            output: buffer.floats([0, 0, 0, 1, ...quarter, 0, 0, 0, 1], 'VEC4'),
          },
        ],
      },
    ],
  };
  return buffer.glb(json);
}

/** Collects accessors over one buffer. */
class Writer {
  accessors = [];
  views = [];
  parts = [];
  length = 0;

  floats(values, type, bounded = false) {
    const width = { SCALAR: 1, VEC3: 3, VEC4: 4, MAT4: 16 }[type];
    const column = (index) => values.filter((_, at) => at % width === index);
    const bounds = (pick) => Array.from({ length: width }, (_, index) => pick(...column(index)));
    const extra = bounded ? { min: bounds(Math.min), max: bounds(Math.max) } : {};
    return this.add(new Float32Array(values), {
      componentType: 5126,
      count: values.length / width,
      type,
      ...extra,
    });
  }

  bytes(values, type) {
    return this.add(new Uint8Array(values), { componentType: 5121, count: values.length / 4, type });
  }

  shorts(values) {
    return this.add(new Uint16Array(values), { componentType: 5123, count: values.length, type: 'SCALAR' });
  }

  add(array, accessor) {
    const bytes = Buffer.from(array.buffer);
    this.views.push({ buffer: 0, byteOffset: this.length, byteLength: bytes.length });
    const padding = Buffer.alloc((4 - (bytes.length % 4)) % 4);
    this.parts.push(bytes, padding);
    this.length += bytes.length + padding.length;
    return this.accessors.push({ bufferView: this.views.length - 1, ...accessor }) - 1;
  }

  glb(json) {
    const text = JSON.stringify({
      ...json,
      accessors: this.accessors,
      bufferViews: this.views,
      buffers: [{ byteLength: this.length }],
    });
    const head = Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4));
    const chunk = (type, bytes) => {
      const start = Buffer.alloc(8);
      start.writeUInt32LE(bytes.length, 0);
      start.write(type, 4, 'latin1');
      return Buffer.concat([start, bytes]);
    };
    const body = Buffer.concat([chunk('JSON', head), chunk('BIN\0', Buffer.concat(this.parts))]);
    const file = Buffer.alloc(12);
    file.write('glTF', 0, 'latin1');
    file.writeUInt32LE(2, 4);
    file.writeUInt32LE(12 + body.length, 8);
    return Buffer.concat([file, body]);
  }
}
