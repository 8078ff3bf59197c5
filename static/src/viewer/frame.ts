/**
 * The viewer's own frame: up is +Y, the character faces +Z, its left is +X, it stands on the ground at the
 * origin and its longest side is `SIZE`. Files come in any scale, place and orientation; a wrapper brings
 * them here, so that camera, lights, ground and pose axes need not care.
 */

import { Box3, Matrix4, type Object3D, Vector3 } from 'three';
import type { Report } from '../api';

/** Longest side of every model in the viewer. */
export const SIZE = 2;

/** Directions of the character in the file's frame. */
export interface Orientation {
  up: Vector3;
  forward: Vector3;
  left: Vector3;
}

/** From the file's frame to the viewer's, and the model's box there. */
export interface Frame {
  viewFromFile: Matrix4;
  box: Box3;
}

/** The frame that the report describes; the box is the one the engine measured. */
export function frameOfReport(report: Report): Frame {
  const { up, forward, left } = report.orientation;
  const orientation = {
    up: new Vector3(...up),
    forward: new Vector3(...forward),
    left: new Vector3(...left),
  };
  const box = new Box3(new Vector3(...report.input.bounds_min), new Vector3(...report.input.bounds_max));
  return frameOf(box, orientation);
}

/** The frame of a model of which nothing else is known: glTF's own directions. */
export function frameOfObject(object: Object3D): Frame {
  return frameOf(new Box3().setFromObject(object), null);
}

/** Brings a box with the given directions to the viewer's place and size. */
export function frameOf(box: Box3, orientation: Orientation | null): Frame {
  const rotation = new Matrix4();
  if (orientation) {
    const { left, up, forward } = orientation;
    rotation.makeBasis(left, up, forward).transpose();
  }
  const turned = box.clone().applyMatrix4(rotation);
  const size = turned.getSize(new Vector3());
  const longest = Math.max(size.x, size.y, size.z);
  const scale = longest > 0 && Number.isFinite(longest) ? SIZE / longest : 1;
  const centre = turned.getCenter(new Vector3());
  const viewFromFile = new Matrix4()
    .makeScale(scale, scale, scale)
    .multiply(new Matrix4().makeTranslation(-centre.x, -turned.min.y, -centre.z))
    .multiply(rotation);
  return { viewFromFile, box: box.clone().applyMatrix4(viewFromFile) };
}

/** Whether two frames look the same, so that a camera set for one fits the other. */
export function sameFrame(a: Frame, b: Frame): boolean {
  const probes = [new Vector3(0, 0, 0), new Vector3(1, 0, 0), new Vector3(0, 1, 0), new Vector3(0, 0, 1)];
  const fileFromView = a.viewFromFile.clone().invert();
  return probes.every((probe) => {
    const moved = probe.clone().applyMatrix4(fileFromView).applyMatrix4(b.viewFromFile);
    return moved.distanceTo(probe) < SIZE * 0.02;
  });
}
