"""Hands: fingers taken away, made of tubes or merged to mittens; and the crop that the hand network sees.

The crop is defined once here and once in the engine (`skeleton/hand`): a ball around the wrist without most of the forearm, turned so
that the forearm points along +X, right hands mirrored to left ones.
"""

from __future__ import annotations

import numpy as np

from .body import SIDES, Body
from .cloud import patches, sample
from .geometry import Mesh, align, box, ellipsoid, log_uniform, loft, tube, unit
from .humans import BODY_JOINTS, DIGITS, INDEX, JOINTS, NAMES

POINTS, CENTRES, NEIGHBOURS = 1024, 64, 24
# Joints of the hand network: three joints and the tip of each digit.
HAND_JOINTS = 4 * len(DIGITS)
# The radius of the crop: shares of the forearm's length and of the height of the body joints.
RADIUS = (0.9, 0.08)
# What lies further back than this share of the radius is left out.
BEHIND = 0.15
FLIP = np.array([-1.0, 1.0, 1.0])


def digit_bones(side: str, digit: str) -> list[int]:
    """The three bones of a finger."""
    return [INDEX[f"{side}{digit}{k}"] for k in (1, 2, 3)]


class Hands:
    """Where the fingers of a body are, and which of them there are."""

    def __init__(self, body: Body) -> None:
        self.present = np.ones((2, len(DIGITS)), bool)
        self.points = np.zeros((2, HAND_JOINTS, 3))
        for s, (side, _) in enumerate(SIDES):
            for d, digit in enumerate(DIGITS):
                bones = digit_bones(side, digit)
                self.points[s, 4 * d : 4 * d + 3] = body.joints[bones]
                self.points[s, 4 * d + 3] = body.tails[bones[2]]


def stylise(rng: np.random.Generator, body: Body, mesh: Mesh, hands: Hands) -> None:
    """Cartoon hands: fewer fingers, fingers of tubes or boxes, mittens with a thumb. Both hands alike."""
    u = rng.random()
    if u < 0.45:
        return
    finger_owner = body.humans.owner[body.humans.triangles].max(1)
    removed: list[int] = []
    if u < 0.65 or u > 0.9 and rng.random() < 0.4:
        removed = [(3,), (4,), (2,), (3, 4), (1, 2), (0,)][rng.choice(6, p=[0.35, 0.3, 0.1, 0.1, 0.05, 0.1])]
    for s, (side, sign) in enumerate(SIDES):
        hidden = [b for d in removed for b in digit_bones(side, DIGITS[d])]
        body.visible &= ~np.isin(finger_owner, hidden)
        hands.present[s, list(removed)] = False
        if len(removed) == 1 and removed[0] in (2, 3):
            _close_gap(body, hands, s, side, removed[0])
        if 0.65 <= u < 0.78:
            _mitten(rng, body, mesh, hands, s, side, finger_owner)
    if u >= 0.78:
        _tubes(rng, body, mesh, hands, finger_owner)


def _close_gap(body: Body, hands: Hands, s: int, side: str, gone: int) -> None:
    """Moves the fingers beyond a missing one half way into its place."""
    first = [hands.points[s, 4 * d] for d in range(len(DIGITS))]
    for d in range(gone + 1, len(DIGITS)):
        move = (first[d - 1] - first[d]) * 0.6
        hands.points[s, 4 * d : 4 * d + 4] += move
        body.vertices[np.isin(body.humans.owner, digit_bones(side, DIGITS[d]))] += move


def _mitten(rng, body: Body, mesh: Mesh, hands: Hands, s: int, side: str, finger_owner) -> None:
    """Four fingers become one shape; its middle line is taught as the index finger."""
    hidden = [b for digit in DIGITS[1:] for b in digit_bones(side, digit)]
    body.visible &= ~np.isin(finger_owner, hidden)
    line = np.stack([hands.points[s, 4 * d : 4 * d + 4] for d in (1, 2, 3, 4)]).mean(0)
    wide = np.linalg.norm(hands.points[s, 4] - hands.points[s, 16]) * rng.uniform(0.5, 0.8)
    across = unit(hands.points[s, 16] - hands.points[s, 4])
    start = line[0] - (line[1] - line[0]) * rng.uniform(0.1, 0.5)
    mesh.add(loft(np.vstack([start, line]), wide * np.array([0.9, 1.0, 1.0, 0.9, 0.5]), rng.uniform(0.3, 0.9), across), INDEX[side + "Hand"])
    hands.points[s, 4:8] = line
    hands.present[s, 2:] = False


def _tubes(rng, body: Body, mesh: Mesh, hands: Hands, finger_owner) -> None:
    """Fingers as tubes or chains of boxes on the body's palm or on a ball or box."""
    thick, boxes, palm, long = log_uniform(rng, 0.8, 2.2), rng.random() < 0.3, rng.random(), rng.uniform(0.7, 1.2)
    gap = rng.uniform(0, 0.1)
    for s, (side, _) in enumerate(SIDES):
        hand = INDEX[side + "Hand"]
        body.visible &= ~np.isin(finger_owner, [b for digit in DIGITS for b in digit_bones(side, digit)])
        if palm < 0.5:
            body.hide(hand)
            knuckles = hands.points[s, 4::4].mean(0)
            a = knuckles - body.joints[hand]
            wide = np.linalg.norm(hands.points[s, 4] - hands.points[s, 16]) * rng.uniform(0.55, 0.9)
            across = unit(hands.points[s, 16] - hands.points[s, 4])
            along = unit(a)
            frame = np.stack([unit(across - along * (across @ along)), along, np.cross(across, along)], 1)
            solid = ellipsoid if palm < 0.25 else box
            mesh.add(solid(body.joints[hand] + a * 0.5, np.array([wide, np.linalg.norm(a) * 0.6, wide * rng.uniform(0.3, 1.0)]), frame), hand)
        for d in range(len(DIGITS)):
            if hands.present[s, d]:
                _tube_finger(body, mesh, hands, s, d, hand, thick, long, boxes, gap)


def _tube_finger(body, mesh, hands, s, d, hand, thick, long, boxes, gap) -> None:
    line = hands.points[s, 4 * d : 4 * d + 4]
    line[1:] = line[0] + (line[1:] - line[0]) * long
    radius = 0.12 * np.linalg.norm(np.diff(line, axis=0), axis=1).sum() * thick
    start = line[0] - (line[1] - line[0]) * 0.3
    if boxes:
        for a, b in zip(line[:-1], line[1:], strict=True):
            half = (b - a) * (0.5 - gap)
            mesh.add(box((a + b) / 2, np.array([radius, np.linalg.norm(half), radius]), align(np.array([0, 1.0, 0]), b - a)), hand)
    else:
        mesh.add(loft(np.vstack([start, line]), radius * np.array([1, 1, 0.95, 0.85, 0.5]), around=7), hand)
        mesh.add(ellipsoid(line[3] - unit(line[3] - line[2]) * radius * 0.4, np.full(3, radius * 0.8)), hand)


def crop(rng: np.random.Generator, vertices: np.ndarray, triangles: np.ndarray, joints: np.ndarray, s: int, points: np.ndarray,
         noise: float) -> tuple[np.ndarray, np.ndarray] | None:
    """What the network sees of hand `s` (0 left, 1 right) and its joints there; `None` where there is too little.

    `joints` are the 22 of the body; they are moved by `noise` (in units of their height) as predictions are.
    """
    side = SIDES[s][0]
    flip = FLIP if s else np.ones(3)
    extent = float(np.ptp(joints[:BODY_JOINTS, 1]))
    wrist = joints[INDEX[side + "Hand"]] + rng.normal(size=3) * noise * extent
    elbow = joints[INDEX[side + "LowerArm"]] + rng.normal(size=3) * noise * extent
    forearm = wrist - elbow
    radius = RADIUS[0] * np.linalg.norm(forearm) + RADIUS[1] * extent
    corners = vertices[triangles]
    centre = corners.mean(1)
    reach = np.linalg.norm(corners - centre[:, None], axis=2).max(1)
    near = triangles[np.linalg.norm(centre - wrist, axis=1) < radius + reach]
    if len(near) == 0:
        return None
    cloud, _ = sample(vertices, near.astype(np.int64), 4 * POINTS, rng.random((4 * POINTS, 3)))
    offset = cloud[:, :3] - wrist
    cloud = cloud[(np.linalg.norm(offset, axis=1) < radius) & (offset @ unit(forearm) > -BEHIND * radius)]
    if len(cloud) < 64:
        return None
    cloud = cloud[rng.permutation(len(cloud))]
    cloud = np.resize(cloud, (POINTS, 6))
    turn = align(forearm * flip, np.array([1.0, 0, 0]))
    at = ((cloud[:, :3] - wrist) * flip) @ turn.T * 2 / radius
    normals = (cloud[:, 3:] * flip) @ turn.T
    return np.concatenate([at, normals], 1), ((points - wrist) * flip) @ turn.T * 2 / radius


def hand_samples(rng: np.random.Generator, vertices, triangles, joints, hands: Hands) -> list[dict]:
    """Training samples of both hands."""
    found = []
    for s in (0, 1):
        seen = crop(rng, vertices, triangles, joints, s, hands.points[s], noise=abs(rng.normal()) * 0.012)
        if seen is None:
            continue
        cloud, points = seen
        centres, near = patches(cloud[:, :3].copy(), CENTRES, NEIGHBOURS)
        found.append({"points": cloud.astype(np.float16), "joints": points.astype(np.float32), "present": hands.present[s], "centres": centres, "near": near})
    return found
