"""What makes a naked human a game character: clothes, hair, hats, armour, gear; bodies that are eggs. Each function adds shapes to a mesh
and may hide parts of the body. Figures of separate pieces are in `segmented`, things in the hands in `held`."""

from __future__ import annotations

import numpy as np

from .body import CHEST, HEAD, HIPS, NECK, SIDES, TRUNK, Body
from .frame import MIDDLE, SPINE, Frame, both
from .geometry import X, Y, Mesh, align, box, clustered, ellipsoid, log_uniform, loft, rotation, tube, unit, vertex_normals
from .held import held
from .humans import INDEX
from .segmented import floating, robot, skeleton


def clothes(rng, body: Body, mesh: Mesh, influences, weights) -> None:
    """Inflated regions of the body, or shells cut from it."""
    regions = [
        [HIPS, *both("UpperLeg", "LowerLeg")], [0, 1, 2, 3, *both("Shoulder", "UpperArm", "LowerArm")], [0, 1, 2, 3, NECK],
        both("Foot", "Toes"), both("LowerLeg", "Foot", "Toes"), both("Hand"), both("LowerArm", "Hand"), [HIPS, *both("UpperLeg")],
        [2, 3, *both("Shoulder", "UpperArm")], both("LowerArm"), both("LowerLeg"),
    ]
    height = body.height
    normals = vertex_normals(body.vertices, body.humans.triangles)
    for _ in range(rng.integers(1, 4)):
        region = regions[rng.integers(len(regions))]
        inside = (weights * np.isin(influences, region)).sum(1)
        mask = np.clip((inside - 0.3) / 0.4, 0, 1) if rng.random() < 0.5 else (inside > rng.uniform(0.3, 0.7)).astype(float)
        thickness = log_uniform(rng, 0.004, 0.03) * height
        if rng.random() < 0.5:
            body.vertices = body.vertices + normals * (mask * thickness)[:, None]
            continue
        cut = mask[body.humans.triangles].min(1) > 0.4
        if cut.any():
            kept, inverse = np.unique(body.humans.triangles[cut], return_inverse=True)
            mesh.add((body.vertices[kept] + normals[kept] * thickness, inverse.reshape(-1, 3)), influences[kept], weights[kept])
            if rng.random() < 0.6:
                body.visible &= ~cut


def new_head(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    """A ball or a box for a head, with eyes and an antenna at times."""
    body.hide(HEAD)
    radii = f.head_radii * rng.uniform(0.85, 1.25, 3)
    solid = ellipsoid if rng.random() < 0.6 else box
    sunk = f.head_turn @ (radii * [0, rng.uniform(0.2, 0.9), 0]) if rng.random() < 0.15 else np.zeros(3)
    mesh.add(solid(f.head_centre - sunk, radii, f.head_turn), HEAD)
    if rng.random() < 0.5:
        at, size = rng.uniform(-0.1, 0.4), rng.uniform(0.1, 0.3)
        for sign in (-1, 1):
            mesh.add(solid(f.on_head([sign * 0.4, at, 0.95]), radii * size, f.head_turn), HEAD)
    if rng.random() < 0.3:
        mesh.add(tube(f.on_head([0, 0.8, 0]), f.on_head([rng.normal() * 0.3, rng.uniform(1.2, 2), 0]), radii[0] * 0.06, radii[0] * 0.06), HEAD)


def egg(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    """Head and trunk in one: fruit, eggs, blobs with limbs."""
    j = body.joints
    body.hide([HEAD, *TRUNK])
    bottom = j[HIPS] - [0, f.hip_width * rng.uniform(0, 0.4), 0]
    top = f.on_head([0, 0.6, 0])
    if rng.random() < 0.6:
        top = top + (top - bottom) * rng.uniform(0, 0.7 if rng.random() < 0.5 else 1.6)
    centre, half = (top + bottom) / 2, np.linalg.norm(top - bottom) / 2 * rng.uniform(0.95, 1.1)
    width = max(half * log_uniform(rng, 0.5, 1.2), abs(j[INDEX["leftUpperArm"], 0] - j[HIPS, 0]) * rng.uniform(0.85, 1.15))
    radii = np.array([width, half, width * rng.uniform(0.7, 1.1)])
    vertices, triangles = (ellipsoid if rng.random() < 0.8 else box)(centre, radii)
    nearest = np.abs(vertices[:, 1:2] - j[None, :6, 1]).argmin(1)
    mesh.add((vertices, triangles), nearest)
    if rng.random() < 0.5:
        at, size = rng.uniform(0, 0.5), rng.uniform(0.05, 0.2)
        for sign in (-1, 1):
            mesh.add(ellipsoid(centre + radii * [sign * 0.3, at, 0.85], radii * size), HEAD)
    for _ in range(rng.integers(0, 6)):
        a = unit(np.array([rng.normal() * 0.5, 1.0, rng.normal() * 0.5]))
        mesh.add(tube(centre + radii * a * 0.9, centre + radii * a * rng.uniform(1.2, 1.7), width * 0.15, 0.01 * width), HEAD)








def hair(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    """Hair, hats, helmets, hoods."""
    crown, radii, turn, kind = f.on_head([0, 0.25, 0]), f.head_radii, f.head_turn, rng.integers(0, 11)
    if kind == 0:
        mesh.add(ellipsoid(f.on_head([0, 0.2, -0.15]), radii * [1, 0.9, 1] * rng.uniform(1.05, 1.45, 3), turn), HEAD)
    elif kind == 1:
        long = log_uniform(rng, 0.6, 3.0)
        mesh.add(tube(f.on_head([0, 0.3, -0.7]), f.on_head([0, -long, -0.9]), radii[0] * rng.uniform(0.8, 1.1), radii[0] * rng.uniform(0.3, 1.2), 0.4), HEAD)
        mesh.add(ellipsoid(crown + turn @ (radii * [0, 0, -0.15]), radii * [1.1, 0.85, 1.1], turn), HEAD)
    elif kind == 2:
        a = f.on_head([0, 0.55, -0.9])
        b = a + turn @ (radii * np.array([rng.normal() * 0.2, -rng.uniform(-0.4, 2.5), -rng.uniform(0.2, 1.5)]))
        mesh.add(tube(a, b, radii[0] * 0.3, radii[0] * 0.12), HEAD)
    elif kind == 3:
        for _ in range(rng.integers(3, 14)):
            d = unit(np.array([rng.normal() * 0.8, abs(rng.normal()) + 0.2, rng.normal() * 0.8 - 0.2]))
            mesh.add(tube(crown + turn @ (radii * d * 0.6), crown + turn @ (radii * d * rng.uniform(1.2, 1.9)), radii[0] * rng.uniform(0.15, 0.4), 0.01 * radii[0]), HEAD)
    elif kind in (4, 5, 9, 10):
        _hat(rng, mesh, f)
    elif kind == 6:
        mesh.add((ellipsoid if rng.random() < 0.6 else box)(f.on_head([0, 0.1, 0]), radii * rng.uniform(1.05, 1.3), turn), HEAD)
        if rng.random() < 0.6:
            body.hide(HEAD)
    elif kind == 7:
        mesh.add(box(crown + turn @ (radii * [0, 1.0, -0.2]), radii * np.array([0.12, rng.uniform(0.3, 1.0), rng.uniform(0.4, 1.2)]), turn), HEAD)
    else:
        mesh.add(ellipsoid(f.on_head([0, 0.05, -0.2]), radii * 1.25, turn), HEAD)
        mesh.add(ellipsoid(body.joints[NECK], np.array([f.half_width * 0.7, radii[1] * 0.4, f.hip_depth]), body.turns[CHEST]), CHEST)


def _hat(rng, mesh: Mesh, f: Frame) -> None:
    """A crown, straight or bent, with a brim that droops or rises; set askew at times."""
    radii, k, a = f.head_radii, rng.uniform(1.0, 1.25), f.on_head([0, rng.uniform(0.2, 0.5), 0])
    turn = f.head_turn @ rotation(X, rng.normal() * 0.15)
    up = turn @ (radii * [0, 1, 0])
    if rng.random() < 0.75:
        brim, droop = radii[0] * log_uniform(rng, 1.2, 3.0), rng.uniform(-0.5, 0.35)
        line = a + up * np.array([droop, droop * 0.5, 0, 0.1])[:, None]
        mesh.add(loft(line, brim * np.array([1.0, 0.8, 0.4, 0.4]), rng.uniform(0.85, 1.1), around=14), HEAD)
    tall, back = log_uniform(rng, 0.6, 2.6), turn @ (radii * np.array([rng.normal() * 0.15, 0, rng.normal() * 0.25 - 0.1]))
    t = np.linspace(0, 1, 5)[:, None]
    line = a + up * tall * t + back * t + turn @ (radii * [0, -0.3, -1.0]) * (rng.uniform(0, 0.6) if rng.random() < 0.3 else 0) * t**3
    mesh.add(loft(line, radii[0] * k * np.interp(t[:, 0], [0, 1], [1.0, rng.uniform(0.05, 1.1)])), HEAD)


def face_extras(rng, mesh: Mesh, f: Frame) -> None:
    """Ears, horns, beards, snouts."""
    radii = f.head_radii
    if rng.random() < 0.15:
        a, long = unit(np.array([rng.uniform(0.3, 1), rng.uniform(0.2, 1), rng.normal() * 0.2])), log_uniform(rng, 1.2, 2.6)
        wide = radii[0] * rng.uniform(0.1, 0.35)
        for sign in (-1, 1):
            mesh.add(tube(f.on_head(a * [sign, 1, 1] * 0.8), f.on_head(a * [sign, 1, 1] * long), wide, wide * 0.2, 0.6), HEAD)
    if rng.random() < 0.1:
        mesh.add(ellipsoid(f.on_head([0, -0.8, 0.5]), radii * [0.6, rng.uniform(0.3, 1.2), 0.4], f.head_turn), HEAD)
    if rng.random() < 0.12:
        mesh.add(tube(f.on_head([0, -0.2, 0.7]), f.on_head([0, -0.3, rng.uniform(1.2, 2.0)]), radii[0] * 0.5, radii[0] * 0.25), HEAD)


def skirt(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    """Skirts, coats, robes: a cone from the waist, open in front at times."""
    j, left, right = body.joints, INDEX["leftUpperLeg"], INDEX["rightUpperLeg"]
    leg = (j[left, 1] + j[right, 1]) / 2 - min(j[INDEX["leftFoot"], 1], j[INDEX["rightFoot"], 1])
    top, bottom = j[SPINE, 1] + rng.uniform(-0.3, 0.6) * (j[MIDDLE, 1] - j[SPINE, 1]), j[left, 1] - leg * rng.uniform(0.2, 1.0)
    flare, wide = log_uniform(rng, 1.0, 2.1), max(f.hip_width, abs(j[left, 0]) * 1.3)
    t = np.linspace(0, 1, 7)
    centre = np.stack([np.full(7, j[HIPS, 0]), top + (bottom - top) * t, np.full(7, j[HIPS, 2] + f.hip_middle)], 1)
    vertices, triangles = loft(centre, wide * (1 + (flare - 1) * t) * 1.08, f.hip_depth * 1.1 / wide, around=16, caps=False)
    share = np.clip((j[HIPS, 1] - vertices[:, 1]) / (leg + 1e-6) * 2, 0, 0.8)
    influences, weights = np.zeros((len(vertices), 4), np.int32), np.zeros((len(vertices), 4), np.float32)
    influences[:, 1] = np.where(vertices[:, 0] > j[HIPS, 0], left, right)
    weights[:, 0], weights[:, 1] = 1 - share, share
    if rng.random() < 0.3:
        angle = np.abs(np.arctan2(vertices[:, 0] - j[HIPS, 0], vertices[:, 2] - centre[0, 2]))
        triangles = triangles[angle[triangles].min(1) > rng.uniform(0.1, 1.2)]
    mesh.add((vertices, triangles), influences, weights)
    if rng.random() < 0.4:
        hidden = (body.vertices[body.humans.triangles[:, 0], 1] > bottom) & np.isin(body.triangle_owner, [HIPS, *both("UpperLeg", "LowerLeg")])
        body.visible &= ~hidden


def cape(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    """A sheet down the back."""
    j, n = body.joints, 8
    across, down = np.meshgrid(np.linspace(-1, 1, n), np.linspace(0, 1, n))
    low = j[HIPS, 1] - (j[HIPS, 1] - j[INDEX["leftFoot"], 1]) * rng.uniform(-0.3, 1.0)
    wide, flare = f.half_width * rng.uniform(0.6, 1.3), rng.uniform(0.9, 2.0)
    x = j[NECK, 0] + across * wide * (1 + (flare - 1) * down)
    y = j[NECK, 1] + (low - j[NECK, 1]) * down
    z = j[CHEST, 2] + f.chest_back * 1.15 + 0.2 * f.half_width * across**2 - down * f.half_width * rng.uniform(0, 0.8)
    k = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    triangles = np.concatenate([np.stack([k, k + 1, k + n], 1), np.stack([k + 1, k + n + 1, k + n], 1)])
    mesh.add((np.stack([x, y, z], -1).reshape(-1, 3), triangles), CHEST)


def gear(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    """Shoulder pads, backpack, belt, tail, wings."""
    j, height = body.joints, body.height
    if rng.random() < 0.15:
        k, up, follows = log_uniform(rng, 1.2, 2.2), rng.uniform(0, 0.6), rng.choice(["UpperArm", "Shoulder"])
        for side, _ in SIDES:
            r = body.radius(side + "UpperArm") * k
            mesh.add((ellipsoid if rng.random() < 0.8 else box)(j[INDEX[side + "UpperArm"]] + f.up * r * up * 0.5, r * rng.uniform(0.7, 1.2, 3), body.turns[CHEST]), INDEX[side + follows])
    if rng.random() < 0.10:
        at = j[CHEST] + f.front * f.chest_back * rng.uniform(1.2, 1.7) + f.up * f.half_width * rng.normal() * 0.2
        mesh.add((ellipsoid if rng.random() < 0.5 else box)(at, f.half_width * rng.uniform([0.4, 0.5, 0.2], [1.0, 1.4, 0.7]), body.turns[CHEST]), CHEST)
    if rng.random() < 0.12:
        mesh.add(tube(j[SPINE] - [0, f.hip_width * 0.1, 0], j[SPINE] + [0, f.hip_width * 0.15, 0], f.hip_width * 1.05, f.hip_width * 1.05, f.hip_depth / f.hip_width), HIPS)
    if rng.random() < 0.06:
        a = j[HIPS] + [0, 0, f.hip_middle - f.hip_depth]
        mesh.add(tube(a, a + np.array([rng.normal() * 0.1, rng.uniform(-0.4, 0.3), -rng.uniform(0.1, 0.6)]) * height, f.hip_width * rng.uniform(0.15, 0.5), f.hip_width * 0.05), HIPS)
    if rng.random() < 0.03:
        wide, up = rng.uniform(0.2, 0.8), rng.uniform(-0.1, 0.5)
        for sign in (-1, 1):
            a = j[CHEST] + f.front * f.chest_back
            mesh.add(tube(a, a + height * np.array([sign * wide, up, -0.15]), height * 0.02, height * 0.2, 0.05), CHEST)



def stump_hands(rng, body: Body, mesh: Mesh) -> None:
    """Mittens, balls, boxes or nothing instead of hands."""
    kind = rng.random()
    size, long, wide = log_uniform(rng, 0.9, 2.0), rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.2)
    for side, _ in SIDES:
        hand = INDEX[side + "Hand"]
        a = unit(body.tails[INDEX[side + "Middle1"]] - body.joints[hand])
        length = float(((body.of(hand) - body.joints[hand]) @ a).max()) * long
        radius = body.radius(side + "LowerArm") * size
        body.hide(hand)
        if kind < 0.85:
            solid = ellipsoid if kind < 0.6 else box
            mesh.add(solid(body.joints[hand] + a * length * 0.5, np.array([radius * wide, length * 0.55, radius]), align(Y, a)), hand)


def dress(rng: np.random.Generator, body: Body, influences: np.ndarray, weights: np.ndarray, wild: bool) -> tuple[Mesh, float]:
    """The whole character; also the cell its details are merged in, as a share of its height (0: none).

    `wild` makes more of them robots, eggs, bones and floating balls, and puts things into more hands.
    """
    mesh = Mesh()
    if rng.random() < 0.75:
        clothes(rng, body, mesh, influences, weights)
    f = Frame(body)
    u = rng.random()
    kinds = (("floating", 0.05), ("robot", 0.3), ("egg", 0.43), ("skeleton", 0.56)) if wild else (("floating", 0.035), ("robot", 0.19), ("egg", 0.27), ("skeleton", 0.35))
    kind = next((name for name, up_to in kinds if u < up_to), "plain")
    if kind == "floating":
        floating(rng, body, mesh, f)
        return mesh, 0.0
    if rng.random() < (0.7 if kind == "egg" else 0.18):
        stump_hands(rng, body, mesh)
    if kind == "egg":
        egg(rng, body, mesh, f)
    elif kind == "robot" and rng.random() < 0.85 or kind == "plain" and rng.random() < 0.1:
        new_head(rng, body, mesh, f)
    if kind == "robot" or rng.random() < 0.05:
        whole = kind == "robot" and rng.random() < 0.7
        robot(rng, body, mesh, f, whole)
    if kind == "skeleton":
        skeleton(rng, body, mesh, f)
    if kind != "egg":
        if rng.random() < (0.7 if kind != "skeleton" else 0.2):
            hair(rng, body, mesh, f)
        face_extras(rng, mesh, f)
    for chance, add in ((0.22, skirt), (0.15, cape)):
        if rng.random() < chance * (0.4 if kind in ("skeleton", "robot") else 1):
            add(rng, body, mesh, f)
    gear(rng, body, mesh, f)
    if rng.random() < (0.4 if wild else 0.2):
        held(rng, body, mesh, f)
    if rng.random() >= 0.35:
        return mesh, 0.0
    cell = log_uniform(rng, 0.008, 0.055)
    body.vertices = clustered(rng, body.vertices, body.height * cell, body.owner * (rng.random() < 0.5))
    return mesh, cell
