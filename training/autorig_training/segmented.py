"""Figures of separate pieces: robots of tubes, boxes and balls, floating balls, bare bones.

Where the pieces of a limb meet is drawn once for a figure: rigs of such figures turn a piece about the end nearer to the trunk, so the joint
lies at the beginning of the child's piece and the parent's piece often ends well before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import CHEST, HEAD, HIPS, NECK, SIDES, TRUNK, Body
from .frame import MIDDLE, SPINE, Frame, both
from .geometry import X, Y, Mesh, align, box, ellipsoid, log_uniform, loft, tube, unit
from .humans import INDEX

LIMBS = ("UpperArm", "LowerArm", "UpperLeg", "LowerLeg")


@dataclass
class Cuts:
    """Where a limb's pieces begin and end, as shares of the bone, measured inwards from its two joints."""

    begin: float
    end: float

    @classmethod
    def draw(cls, rng) -> Cuts:
        if rng.random() < 0.45:
            gap = rng.uniform(-0.03, 0.15)
            return cls(gap, gap)
        return cls(rng.uniform(-0.15, 0.06), rng.uniform(0.0, 0.32))

    def of(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the piece between two joints."""
        return a + (b - a) * self.begin, b - (b - a) * self.end


def robot(rng, body: Body, mesh: Mesh, f: Frame, whole: bool) -> None:
    """Limbs of tubes, boxes and balls with gaps; the trunk as boxes."""
    j = body.joints
    kinds = {name: rng.integers(5) for name in ("UpperArm", "LowerArm", "UpperLeg", "LowerLeg", "Hand", "Foot")}
    thick = {name: log_uniform(rng, 0.8, 1.25) for name in kinds}
    if rng.random() < 0.35:
        thick["UpperArm"] *= rng.uniform(0.3, 0.8)
        thick["UpperLeg"] *= rng.uniform(0.3, 0.8)
    size, cuts, ball, flat = log_uniform(rng, 0.5, 1.4), Cuts.draw(rng), rng.random() < 0.4, rng.uniform(0.7, 1.2)
    swollen = {"LowerArm": rng.random() < 0.3, "LowerLeg": rng.random() < 0.3}
    start, swell, beyond = rng.uniform(0, 0.55), log_uniform(rng, 1.3, 3.0), rng.uniform(0.1, 1.0)
    for side, _ in SIDES:
        for name in LIMBS if whole else LIMBS[:2]:
            i = INDEX[side + name]
            (a, b), radius = cuts.of(j[i], j[i + 1]), body.radius(side + name) * size * thick[name]
            body.hide(i)
            if swollen.get(name):
                _swollen(rng, body, mesh, side, name, radius, (start, swell, beyond))
            else:
                mesh.add(_segment(rng, kinds[name], a, b, radius, flat), i)
            if ball:
                mesh.add(ellipsoid(j[i], np.full(3, radius * 1.05)), i)
        if whole:
            _robot_ends(rng, body, mesh, side, kinds, swollen["LowerArm"])
    if whole and rng.random() < 0.75:
        _robot_trunk(rng, body, mesh, f)


def _segment(rng, kind: int, a, b, radius: float, flat: float):
    if kind < 2:
        return tube(a, b, radius * rng.uniform(0.7, 1.1), radius * rng.uniform(0.7, 1.4), flat)
    half = np.linalg.norm(b - a) / 2
    solid = box if kind == 2 else ellipsoid
    return solid((a + b) / 2, np.array([radius, half * (1.0 if kind == 2 else 1.05), radius * flat]), align(Y, b - a))


def _swollen(rng, body: Body, mesh: Mesh, side: str, name: str, radius: float, form: tuple[float, float, float]) -> None:
    """A gauntlet with the hand in it, or a boot leg: a thin piece, then one several times as thick."""
    i, (start, swell, beyond) = INDEX[side + name], form
    a, b = body.joints[i], body.joints[i + 1]
    wide, c = radius * swell, a + (b - a) * start
    if start > 0.1:
        mesh.add(tube(a, c, radius * 0.6, radius * 0.6), i)
    end = b
    if name == "LowerArm":
        body.hide(i + 1)
        reach = body.tails[INDEX[side + "Middle1"]] - b
        end = b + reach * beyond
        for k in range(rng.integers(0, 4)):
            at = end + np.cross(unit(reach), Y) * wide * (k - 1) * 0.6
            mesh.add(tube(at, at + reach * rng.uniform(0.3, 0.8), wide * 0.25, wide * 0.2), i + 1)
    line = c + (end - c) * np.linspace(0, 1, 5)[:, None]
    flare = np.linspace(rng.uniform(0.5, 1.2), rng.uniform(0.7, 1.2), 5)
    mesh.add(loft(line, wide * flare, rng.uniform(0.7, 1.1), around=8 if rng.random() < 0.5 else 4), i)


def _robot_ends(rng, body: Body, mesh: Mesh, side: str, kinds, gauntlet: bool) -> None:
    j, hand, foot = body.joints, INDEX[side + "Hand"], INDEX[side + "Foot"]
    if not gauntlet and rng.random() < 0.6:
        a = body.tails[INDEX[side + "Middle1"]] - j[hand]
        radius = body.radius(side + "LowerArm") * log_uniform(rng, 0.9, 1.8)
        body.hide(hand)
        solid = ellipsoid if kinds["Hand"] < 3 else box
        mesh.add(solid(j[hand] + a * 0.5, np.array([radius, np.linalg.norm(a) * 0.6, radius * 0.8]), align(Y, a)), hand)
    if kinds["Foot"] < 3:
        q = body.of([foot, foot + 1])
        body.hide([foot, foot + 1])
        solid = box if kinds["Foot"] < 2 else ellipsoid
        low, high = q.min(0), q.max(0)
        high[1] = min(high[1], j[foot, 1] + rng.uniform(-0.2, 0.5) * (j[foot, 1] - low[1]))
        vertices, triangles = solid((low + high) / 2, (high - low) / 2 * np.array([rng.uniform(0.9, 1.6), 1.0, 1.05]))
        mesh.add((vertices, triangles), np.where(vertices[:, 2] > j[foot + 1, 2], foot + 1, foot))


def _robot_trunk(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    j, k = body.joints, log_uniform(rng, 0.75, 1.25)
    body.hide(TRUNK)
    if rng.random() < 0.25:
        _barrel(rng, body, mesh, f, k)
        return
    solid, split = ellipsoid if rng.random() < 0.3 else box, rng.random() < 0.6
    top, middle = j[NECK], j[MIDDLE] if split else j[HIPS]
    centre = (top + middle) / 2 + [0, 0, (f.chest_back + f.chest_front) / 4]
    radii = np.array([f.half_width * k, np.linalg.norm(top - middle) * 0.52, (f.chest_front - f.chest_back) / 2 * k])
    mesh.add(solid(centre, radii, body.turns[MIDDLE]), CHEST if split else MIDDLE)
    if split:
        if rng.random() < 0.7:
            mesh.add(tube(j[HIPS], j[MIDDLE], f.half_width * k * 0.5, f.half_width * k * 0.5), SPINE)
        mesh.add(solid(j[HIPS], np.array([f.hip_width * k, f.hip_width * 0.45, f.hip_depth * 0.9])), HIPS)
    if rng.random() < 0.6:
        mesh.add(tube(j[NECK], j[HEAD], f.head_radii[0] * 0.3, f.head_radii[0] * 0.3), NECK)


def _barrel(rng, body: Body, mesh: Mesh, f: Frame, k: float) -> None:
    """One round trunk from the hips to the neck, as wide as one likes, with a rim at times."""
    j = body.joints
    low, high = j[HIPS] - [0, f.hip_width * rng.uniform(-0.1, 0.4), 0], j[NECK]
    line = low + (high - low) * np.linspace(0, 1, 6)[:, None]
    wide = max(f.half_width * k, f.hip_width * rng.uniform(0.6, 1.0))
    profile = np.interp(np.linspace(0, 1, 6), [0, 0.5, 1], rng.uniform(0.6, 1.15, 3))
    vertices, triangles = loft(line, wide * profile, rng.uniform(0.7, 1.1), around=rng.integers(6, 13))
    mesh.add((vertices, triangles), np.abs(vertices[:, 1:2] - j[None, :5, 1]).argmin(1))
    if rng.random() < 0.4:
        mesh.add(tube(low, low + (high - low) * 0.1, wide * rng.uniform(1.05, 1.4), wide * rng.uniform(0.9, 1.2)), HIPS)


def floating(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    """A figure of separate balls and boxes, one or more at the joints, nothing between."""
    j = body.joints
    solid = ellipsoid if rng.random() < 0.7 else box
    body.visible[:] = False
    mesh.add((ellipsoid if rng.random() < 0.7 else box)(f.head_centre, f.head_radii * rng.uniform(0.8, 1.3), f.head_turn), HEAD)
    top, bottom = j[NECK] + [0, f.half_width * rng.uniform(-0.3, 0.1), 0], j[HIPS] - [0, f.hip_width * rng.uniform(-0.1, 0.5), 0]
    radii = np.array([f.half_width * rng.uniform(0.7, 1.2), abs(top[1] - bottom[1]) / 2, f.hip_depth * rng.uniform(0.8, 1.5)])
    mesh.add((box if rng.random() < 0.7 else ellipsoid)((top + bottom) / 2, radii), MIDDLE)
    if rng.random() < 0.5:
        mesh.add(ellipsoid(j[NECK], np.full(3, f.head_radii[0] * rng.uniform(0.25, 0.6))), NECK)
    size = log_uniform(rng, 0.8, 2.2)
    present = {name: rng.random() < p for name, p in (("UpperArm", 0.35), ("LowerArm", 0.9), ("Hand", 1), ("UpperLeg", 0.3), ("LowerLeg", 0.9), ("Foot", 1))}
    along = 0.0 if rng.random() < 0.6 else rng.uniform(0, 0.5)
    for side, _ in SIDES:
        for name, shown in present.items():
            if shown:
                i = INDEX[side + name]
                radius = body.radius(side + name.replace("Foot", "LowerLeg").replace("Hand", "LowerArm")) * size
                ahead = np.array([0, 0, radius * 0.7]) if name == "Foot" and rng.random() < 0.5 else np.zeros(3)
                stretch = np.array([1, 1, rng.uniform(1, 1.8)]) if name == "Foot" else np.ones(3)
                mesh.add(solid(j[i] + (body.tails[i] - j[i]) * along + ahead, radius * stretch), i)


def skeleton(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    """Bare bones: vertebrae, ribs, a pelvis, thin limbs with knobs."""
    j = body.joints
    body.hide(TRUNK)
    radius = f.half_width * rng.uniform(0.1, 0.24)
    for i in range(5):
        a, b = j[i], j[i + 1]
        for q in range(2):
            solid = ellipsoid if rng.random() < 0.5 else box
            mesh.add(solid(a + (b - a) * (q + 0.5) / 2 + f.front * f.chest_back * 0.4, np.array([radius, np.linalg.norm(b - a) * 0.27, radius]), body.turns[i]), i)
    _ribs(rng, body, mesh, f)
    cuts = Cuts.draw(rng)
    if rng.random() < 0.9:
        # Where limbs begin at their joints, the pelvis ends above those of the legs.
        above = rng.uniform(0.5, 1.0) if cuts.end > cuts.begin + 0.05 else 0.5
        centre = j[HIPS] * above + (1 - above) * j[both("UpperLeg")].mean(0)
        tall = f.hip_width * rng.uniform(0.2, 0.5)
        centre = centre + f.up * tall * (2 * above - 1)
        mesh.add((box if rng.random() < 0.5 else ellipsoid)(centre, np.array([f.hip_width * rng.uniform(0.7, 1.1), tall, f.hip_depth * rng.uniform(0.4, 0.9)]), body.turns[0]), HIPS)
    for side, _ in SIDES:
        if rng.random() < 0.6:
            mesh.add(tube(j[INDEX[side + "Shoulder"]], j[INDEX[side + "UpperArm"]], radius * 0.6, radius * 0.6), INDEX[side + "Shoulder"])
    thin, knob, solid = rng.uniform(0.25, 0.9), rng.uniform(1.1, 1.9), ellipsoid if rng.random() < 0.7 else box
    for side, _ in SIDES:
        for name in LIMBS:
            i = INDEX[side + name]
            body.hide(i)
            (a, b), r = cuts.of(j[i], j[i + 1]), body.radius(side + name) * thin
            mesh.add(tube(a, b, r, r), i)
            for end in (a + (b - a) * 0.06, b - (b - a) * 0.06):
                mesh.add(solid(end, r * knob * np.array([1.0, rng.uniform(0.5, 1.2), 1.0]), align(Y, b - a)), i)


def _ribs(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    j, ribs, wide = body.joints, rng.integers(2, 6), rng.uniform(0.6, 1.1)
    for q in range(ribs):
        y = j[MIDDLE] + (j[NECK] - j[MIDDLE]) * (q + 0.3) / ribs
        w = f.half_width * wide * rng.uniform(0.85, 1.05)
        tall = f.up * f.half_width * rng.uniform(0.08, 0.2)
        mesh.add(tube(y, y + tall, w, w, (f.chest_front - f.chest_back) / 2 / f.half_width, side=X), CHEST if q >= ribs // 2 else MIDDLE)
