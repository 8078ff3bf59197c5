import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bone, Box3, Group, Quaternion, Vector3 } from 'three';
import { load } from './load.mjs';

const { frameOf, sameFrame, SIZE } = await load('viewer/frame.ts');
const { PRESETS, Poser, REST } = await load('viewer/pose.ts');

/** A T-pose in metres: name, parent, left, up, forward. */
const HUMAN = [
  ['root', null, 0, 0, 0],
  ['hips', 'root', 0, 0.95, 0],
  ['spine', 'hips', 0, 1.1, 0],
  ['chest', 'spine', 0, 1.25, 0],
  ['neck', 'chest', 0, 1.5, 0],
  ['head', 'neck', 0, 1.6, 0],
  ...['left', 'right'].flatMap((side) => {
    const out = side === 'left' ? 1 : -1;
    return [
      [`${side}UpperArm`, 'chest', 0.18 * out, 1.45, 0],
      [`${side}LowerArm`, `${side}UpperArm`, 0.45 * out, 1.45, 0],
      [`${side}Hand`, `${side}LowerArm`, 0.7 * out, 1.45, 0],
      [`${side}UpperLeg`, 'hips', 0.1 * out, 0.9, 0],
      [`${side}LowerLeg`, `${side}UpperLeg`, 0.1 * out, 0.5, 0],
      [`${side}Foot`, `${side}LowerLeg`, 0.1 * out, 0.08, 0],
    ];
  }),
];

/** The human in a file whose axes, unit and joint orientations are the given ones. */
function human({ up, forward, left, unit, offset, roll }) {
  const inFile = ([, , x, y, z]) =>
    new Vector3()
      .addScaledVector(left, x)
      .addScaledVector(up, y)
      .addScaledVector(forward, z)
      .multiplyScalar(unit)
      .add(offset);
  const bones = new Map();
  const joints = HUMAN.map((row) => {
    const bone = new Bone();
    const parent = bones.get(row[1]);
    const wanted = inFile(row);
    if (parent) {
      parent.add(bone);
      bone.position.copy(parent.worldToLocal(wanted.clone()));
    } else {
      bone.position.copy(wanted);
    }
    bone.quaternion.copy(roll(row[0]));
    bone.updateWorldMatrix(true, false);
    bones.set(row[0], bone);
    return { name: row[0], bone, parent: HUMAN.findIndex(([name]) => name === row[1]) };
  });
  const box = new Box3().setFromPoints(HUMAN.map(inFile));
  const frame = frameOf(box, { up, forward, left });
  const wrapper = new Group();
  wrapper.matrixAutoUpdate = false;
  wrapper.add(joints[0].bone);
  wrapper.matrix.copy(frame.viewFromFile);
  wrapper.updateMatrixWorld(true);
  const at = (name) => new Vector3().setFromMatrixPosition(bones.get(name).matrixWorld);
  return { poser: new Poser(joints), at, frame };
}

const X = new Vector3(1, 0, 0);
const Y = new Vector3(0, 1, 0);
const Z = new Vector3(0, 0, 1);
const straight = () => new Quaternion();
const FILES = {
  'as glTF has it': { up: Y, forward: Z, left: X, unit: 1, offset: new Vector3(), roll: straight },
  'Z up, facing -Y, in centimetres, off the origin': {
    up: Z,
    forward: Y.clone().negate(),
    left: X,
    unit: 100,
    offset: new Vector3(500, -300, 40),
    roll: straight,
  },
  'facing -Z, tiny, with turned joints': {
    up: Y,
    forward: Z.clone().negate(),
    left: X.clone().negate(),
    unit: 0.001,
    offset: new Vector3(0.01, 0, 0),
    roll: (name) => new Quaternion().setFromAxisAngle(new Vector3(1, 2, 3).normalize(), name.length),
  },
};

for (const [name, file] of Object.entries(FILES)) {
  test(`${name}: the model stands on the ground, at one size, with its left on +X`, () => {
    const { at, frame } = human(file);
    const size = frame.box.getSize(new Vector3());
    assert.ok(Math.abs(Math.max(size.x, size.y, size.z) - SIZE) < 1e-6);
    assert.ok(Math.abs(frame.box.min.y) < 1e-6);
    assert.ok(at('leftHand').x > 0.5 && at('rightHand').x < -0.5);
    assert.ok(at('head').y > 1.5);
  });

  test(`${name}: raised arms go up, bent elbows bring the hands forward, sitting brings the knees forward`, () => {
    const { poser, at } = human(file);
    poser.apply({ ...REST, arms: 90 });
    for (const side of ['left', 'right'])
      assert.ok(at(`${side}Hand`).y > at('head').y, `${side} hand is overhead`);
    poser.apply({ ...REST, arms: -100 });
    for (const side of ['left', 'right'])
      assert.ok(at(`${side}Hand`).y < at('spine').y, `${side} hand hangs`);
    poser.apply({ ...REST, elbows: 90 });
    for (const side of ['left', 'right']) assert.ok(at(`${side}Hand`).z > 0.2, `${side} hand is in front`);
    const lift = poser.apply(PRESETS.sit);
    for (const side of ['left', 'right']) {
      assert.ok(at(`${side}LowerLeg`).z > 0.3, `${side} knee is in front`);
      assert.ok(at(`${side}Foot`).y < at(`${side}LowerLeg`).y - 0.3, `${side} foot is under the knee`);
    }
    assert.ok(lift < -0.3, 'a sitting body is lower');
  });

  test(`${name}: bowing brings the head forward, a stride parts the legs, rest puts all back`, () => {
    const { poser, at } = human(file);
    const before = HUMAN.map(([joint]) => at(joint));
    poser.apply(PRESETS.bow);
    assert.ok(at('head').z > 0.2 && at('head').y < before[5].y);
    poser.apply({ ...REST, stride: 30 });
    assert.ok(at('leftFoot').z > 0.2 && at('rightFoot').z < -0.2);
    assert.ok(Math.abs(poser.apply(REST)) < 1e-6);
    for (const [index, [joint]] of HUMAN.entries())
      assert.ok(at(joint).distanceTo(before[index]) < 1e-6, joint);
  });
}

test('frames of one place and size are the same, of another are not', () => {
  const box = new Box3(new Vector3(-1, 0, -1), new Vector3(1, 2, 1));
  const near = new Box3(new Vector3(-1, 0, -1.001), new Vector3(1, 2.001, 1));
  const turned = { up: Z, forward: Y.clone().negate(), left: X };
  assert.ok(sameFrame(frameOf(box, null), frameOf(near, null)));
  assert.ok(!sameFrame(frameOf(box, null), frameOf(box, turned)));
});

test('a model without extent is shown without a division by nothing', () => {
  const frame = frameOf(new Box3(new Vector3(1, 1, 1), new Vector3(1, 1, 1)), null);
  assert.ok(frame.viewFromFile.elements.every(Number.isFinite));
});
