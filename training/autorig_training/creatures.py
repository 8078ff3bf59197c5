"""Animals and things: what a humanoid is not. Feet on the ground, +Y up, facing +Z."""

from __future__ import annotations

import numpy as np

from .geometry import X, Y, Z, box, ellipsoid, log_uniform, loft, rotation, tube, unit

CLASSES = ("humanoid", "quadruped", "bird", "creature", "prop")
Shapes = list[tuple[np.ndarray, np.ndarray]]


def _curve(points, n: int = 12) -> np.ndarray:
    """A Catmull-Rom curve through the points, end points doubled."""
    p = np.asarray(points, float)
    p = np.vstack([p[:1], p, p[-1:]])
    out = []
    t = np.linspace(0, len(p) - 3, n)
    for u in t:
        i = min(int(u), len(p) - 4)
        f = u - i
        a, b, c, d = p[i : i + 4]
        out.append(0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3))
    return np.array(out)


def _radii(values, n: int = 12) -> np.ndarray:
    return np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(values)), values)


def _leg(rng, hip: np.ndarray, thick: float, backward: float, splay: float = 0.0) -> Shapes:
    """A leg from the hip to the ground, its knee forward or back."""
    h = hip[1]
    side = np.sign(hip[0])
    knee = hip + [side * splay * h * 0.4, -h * rng.uniform(0.35, 0.5), -backward * h]
    ankle = np.array([hip[0] + side * splay * h * 0.6, h * rng.uniform(0.12, 0.25), hip[2] + backward * h * 0.7])
    foot = np.array([ankle[0], h * 0.03, ankle[2] + h * rng.uniform(-0.05, 0.1)])
    parts = [loft(_curve([hip + [0, h * 0.1, 0], knee, ankle, foot]), _radii([thick * 1.6, thick, thick * 0.6, thick * 0.65]))]
    if rng.random() < 0.7:
        parts.append(ellipsoid(foot + [0, 0, thick * 0.5], thick * np.array([0.8, 0.4, 1.2])))
    return parts


def quadruped(rng) -> Shapes:
    """Dogs, horses, cats, bears, elephants, lizards."""
    long, high = 1.0, log_uniform(rng, 0.25, 1.1)
    girth, flat = log_uniform(rng, 0.1, 0.3), rng.uniform(0.7, 1.1)
    back, front = np.array([0, high, -long / 2]), np.array([0, high * rng.uniform(0.9, 1.15), long / 2])
    dip = np.array([0, high * rng.uniform(0.9, 1.05), 0])
    up = rng.uniform(-0.1, 1.0)
    neck = log_uniform(rng, 0.12, 0.9) * max(high, 0.4)
    head = front + neck * unit(np.array([0, up, rng.uniform(0.3, 1.0)]))
    size = girth * log_uniform(rng, 0.5, 1.1)
    parts = [loft(_curve([back - [0, 0, girth * 0.5], back, dip, front, front + [0, 0, girth * 0.5]]), _radii([0.4 * girth, girth, girth * rng.uniform(0.8, 1.2), girth, 0.5 * girth]), 1 / flat)]
    parts.append(loft(_curve([front, (front + head) / 2 + [0, 0, -0.03], head], 6), _radii([girth * 0.8, size * 0.8, size * 0.8], 6)))
    down = unit(np.array([0, rng.uniform(-0.8, 0.1), 1.0]))
    parts += [ellipsoid(head, size * rng.uniform(0.9, 1.3, 3)), tube(head, head + down * size * log_uniform(rng, 1.2, 3.0), size * 0.8, size * rng.uniform(0.3, 0.6))]
    for sign in (-1, 1):
        if rng.random() < 0.8:
            a = head + size * np.array([sign * 0.6, 0.6, 0])
            parts.append(tube(a, a + size * np.array([sign * rng.uniform(0, 1), rng.uniform(0.3, 1.8), rng.normal() * 0.2]), size * 0.3, size * 0.05, 0.4))
    if rng.random() < 0.9:
        a = back + [0, girth * 0.4, -girth * 0.5]
        droop = rng.uniform(-0.8, 0.6)
        length = log_uniform(rng, 0.1, 1.0)
        b = a + length * unit(np.array([rng.normal() * 0.1, droop, -rng.uniform(0.3, 1.0)]))
        parts.append(loft(_curve([a, (a + b) / 2 + [0, rng.normal() * 0.1 * length, 0], b], 8), _radii([girth * 0.3, girth * rng.uniform(0.15, 0.5), girth * 0.08], 8)))
    thick, splay, wide = girth * log_uniform(rng, 0.25, 0.6), rng.uniform(0, 0.15) if rng.random() < 0.8 else rng.uniform(0.3, 1.0), girth * rng.uniform(0.5, 0.9)
    bends = rng.uniform(-0.1, 0.15, 2)
    for sign in (-1, 1):
        parts += _leg(rng, back + [sign * wide, -girth * 0.2, 0], thick, -bends[0], splay)
        parts += _leg(rng, front + [sign * wide, -girth * 0.2, 0], thick, bends[1], splay)
    return parts


def bird(rng) -> Shapes:
    """Birds standing or flying, and dinosaurs on two legs."""
    girth, dinosaur = log_uniform(rng, 0.12, 0.3), rng.random() < 0.35
    tilt = rng.uniform(-0.1, 0.9)
    axis = unit(np.array([0, tilt, 1.0]))
    legs = log_uniform(rng, 0.15, 0.7)
    centre = np.array([0, legs + girth, 0])
    tail_end, chest = centre - axis * rng.uniform(0.3, 0.9), centre + axis * 0.3
    parts = [loft(_curve([tail_end, centre, chest, chest + axis * girth * 0.4]), _radii([girth * 0.15, girth, girth * 0.8, girth * 0.3]), rng.uniform(0.8, 1.2))]
    head = chest + log_uniform(rng, 0.1, 0.6) * unit(np.array([0, rng.uniform(0.2, 1.2), 0.7]))
    size = girth * log_uniform(rng, 0.35, 0.9)
    parts += [loft(_curve([chest, head], 5), _radii([girth * 0.5, size * 0.8], 5)), ellipsoid(head, size * rng.uniform(0.8, 1.2, 3))]
    parts.append(tube(head, head + size * np.array([0, rng.uniform(-0.6, 0.1), rng.uniform(1.2, 3.0)]), size * (0.8 if dinosaur else 0.4), size * 0.1))
    span = log_uniform(rng, 0.3, 1.3)
    spread = rng.random() < 0.5
    for sign in (-1, 1):
        root = centre + axis * 0.15 + [sign * girth * 0.7, girth * 0.3, 0]
        if dinosaur:
            parts.append(tube(root, root + np.array([sign * 0.05, -0.15, 0.15]), girth * 0.15, girth * 0.06))
        elif spread:
            tip = root + span * np.array([sign, rng.uniform(-0.2, 0.5), rng.uniform(-0.4, 0.1)])
            parts.append(loft(_curve([root, (root + tip) / 2 + [0, 0.05, 0.05], tip], 8), _radii([0.2, 0.22, 0.04], 8), 0.1, Z))
        else:
            parts.append(loft(_curve([root, tail_end + [sign * girth * 0.5, 0, 0]], 6), _radii([girth * 0.5, girth * 0.15], 6), 0.3, Y))
        hip = centre + [sign * girth * 0.5, -girth * 0.4, 0]
        parts += _leg(rng, hip, girth * (0.35 if dinosaur else 0.12), rng.uniform(-0.2, 0.2))
    if not dinosaur:
        parts.append(loft([tail_end, tail_end - axis * 0.25], [girth * 0.3, girth * 0.6], 0.15))
    return parts


def creature(rng) -> Shapes:
    """Fish, snakes, spiders, worms, jellies, centaurs, dragons."""
    kind = rng.integers(5)
    if kind == 0:
        n, long = 10, 1.0
        girth = log_uniform(rng, 0.08, 0.3)
        z = np.linspace(-long / 2, long / 2, n)
        bend = rng.normal() * 0.15
        centres = np.stack([bend * np.sin(z * 4), np.full(n, girth * 1.5), z], 1)
        parts = [loft(centres, _radii([0.02, 0.4 * girth, girth, 0.9 * girth, 0.3 * girth], n), rng.uniform(0.8, 2.2))]
        tail = centres[0]
        parts.append(loft([tail + [0, -0.2, -0.1], tail, tail + [0, 0.22, -0.12]], [0.02, 0.06, 0.02], 0.3, Z))
        parts.append(loft([[0, girth * 2, 0.1], [0, girth * 3.2, -0.1]], [0.12, 0.02], 0.15, Z))
        for sign in (-1, 1):
            parts.append(loft([[sign * girth * 0.6, girth, 0.15], [sign * girth * 2.2, girth * 0.6, -0.05]], [0.1, 0.03], 0.2, Z))
        return parts
    if kind == 1:
        t = np.linspace(0, 1, 24)
        rise = rng.random() < 0.6
        wave, turns = rng.uniform(0.05, 0.2), rng.uniform(0.5, 3)
        y = 0.06 + (np.clip(t - 0.5, 0, 1) * 1.2 if rise else 0 * t)
        centres = np.stack([wave * np.sin(t * 2 * np.pi * turns), y, (t - 0.5) * (0.8 if rise else 1.6)], 1)
        girth = log_uniform(rng, 0.02, 0.12)
        parts = [loft(centres, _radii([0.1 * girth, 0.7 * girth, girth, girth, 0.8 * girth], 24))]
        return [*parts, ellipsoid(centres[-1] + [0, 0, girth * 0.5], girth * np.array([1.2, 0.8, 1.6]) * rng.uniform(0.9, 1.6))]
    if kind == 2:
        body = np.array([0, rng.uniform(0.2, 0.6), 0])
        radii = rng.uniform(0.12, 0.4, 3)
        parts = [ellipsoid(body, radii), ellipsoid(body + [0, 0, radii[2] * 1.2], radii * rng.uniform(0.4, 0.8))]
        pairs, reach = rng.integers(3, 6), log_uniform(rng, 0.5, 1.3)
        for k in range(pairs):
            for sign in (-1, 1):
                a = (k + 0.5) / pairs * np.pi
                d = np.array([sign * np.sin(a), 0, np.cos(a)])
                parts.append(loft(_curve([body, body + d * reach * 0.5 + [0, body[1] * 0.6, 0], (body + d * reach) * [1, 0, 1]], 8), _radii([0.05, 0.04, 0.01], 8)))
        return parts
    if kind == 3:
        parts = quadruped(rng)
        for sign in (-1, 1):
            root = np.array([sign * 0.08, np.concatenate([v for v, _ in parts])[:, 1].max() * 0.8, 0.1])
            tip = root + np.array([sign * rng.uniform(0.4, 1.0), rng.uniform(0.1, 0.9), -rng.uniform(0, 0.5)])
            parts.append(loft(_curve([root, (root + tip) / 2 + [0, 0.1, 0], tip], 8), _radii([0.1, 0.3, 0.04], 8), 0.06, Z))
        return parts
    parts = [ellipsoid(np.array([0, 0.5, 0]), rng.uniform(0.25, 0.6, 3))]
    for _ in range(rng.integers(1, 8)):
        a = rng.uniform(0, 2 * np.pi)
        d = np.array([np.cos(a), 0, np.sin(a)])
        parts.append(loft(_curve([d * 0.2 + [0, 0.35, 0], d * rng.uniform(0.3, 0.7) + [0, 0.2, 0], d * rng.uniform(0.4, 0.9) + [0, 0.03, 0]], 8), _radii([0.1, 0.07, 0.02], 8)))
    return parts


def prop(rng) -> Shapes:
    """Furniture, weapons, vehicles, houses, trees, rocks, pots, crates, heaps."""
    kind = rng.integers(9)
    size = lambda low, high: rng.uniform(low, high, 3)  # noqa: E731
    if kind == 0:
        seat, w, d = rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.9), rng.uniform(0.2, 0.6)
        parts = [box(np.array([0, seat, 0]), np.array([w, rng.uniform(0.02, 0.1), d]))]
        for x in (-1, 1):
            for z in (-1, 1):
                parts.append(box(np.array([x * w * 0.9, seat / 2, z * d * 0.9]), np.array([0.04, seat / 2, 0.04]) * rng.uniform(0.6, 1.8)))
        if rng.random() < 0.6:
            parts.append(box(np.array([0, seat * 1.5, -d * 0.95]), np.array([w, seat * 0.5, 0.04])))
        if rng.random() < 0.3:
            parts += [box(np.array([x * w, seat * 1.25, 0]), np.array([0.04, seat * 0.25, d])) for x in (-1, 1)]
        return parts
    if kind == 1:
        long = rng.uniform(0.8, 2)
        parts = [tube(np.zeros(3), Y * long, rng.uniform(0.02, 0.06), rng.uniform(0.01, 0.05))]
        parts.append(box(Y * long * rng.uniform(0.1, 0.9), size(0.03, 0.3)))
        if rng.random() < 0.5:
            parts.append(tube(-X * 0.2 + Y * 0.2 * long, X * 0.2 + Y * 0.2 * long, 0.03, 0.03))
        return parts
    if kind == 2:
        body = size(0.2, 0.5) + [0, 0, 0.6]
        parts = [box(np.array([0, 0.3 + body[1], 0]), body), box(np.array([0, 0.3 + body[1] * 2, -0.1]), body * rng.uniform(0.4, 0.8, 3))]
        for x in (-1, 1):
            for z in (-0.7, 0.7):
                parts.append(tube(np.array([x * body[0] * 0.9, 0.25, z * body[2]]), np.array([x * body[0] * 1.15, 0.25, z * body[2]]), 0.25, 0.25, side=Y))
        return parts
    if kind == 3:
        parts = [box(np.array([0, 0.5, 0]), np.array([rng.uniform(0.3, 1), 0.5, rng.uniform(0.3, 1)]))]
        return [*parts, loft([[0, 1, 0], [0, rng.uniform(1.2, 1.8), 0]], [rng.uniform(0.6, 1.3), 0.02], around=4)]
    if kind == 4:
        parts = [loft(_curve([[0, 0, 0], [rng.normal() * 0.1, 0.5, 0], [rng.normal() * 0.15, 1.0, 0]], 8), _radii([0.12, 0.08, 0.05], 8))]
        for _ in range(rng.integers(1, 7)):
            parts.append(ellipsoid(np.array([rng.normal() * 0.25, rng.uniform(0.8, 1.5), rng.normal() * 0.25]), size(0.15, 0.5)))
        return parts
    if kind == 5:
        v, t = ellipsoid(np.array([0, 0.3, 0]), size(0.2, 0.8))
        return [(v + rng.normal(size=v.shape) * 0.05, t)]
    if kind == 6:
        n = 10
        return [loft(np.stack([np.zeros(n), np.linspace(0, rng.uniform(0.3, 1.5), n), np.zeros(n)], 1), _radii(rng.uniform(0.08, 0.5, rng.integers(3, 7)), n), around=16)]
    if kind == 7:
        return [box(np.array([rng.normal() * 0.3, rng.uniform(0.1, 1.2), rng.normal() * 0.3]), size(0.1, 0.5), rotation(rng.normal(size=3), rng.uniform(0, 1.5) * (rng.random() < 0.5))) for _ in range(rng.integers(1, 8))]
    return [(ellipsoid if rng.random() < 0.5 else box)(rng.normal(size=3) * 0.5, size(0.05, 0.4)) for _ in range(rng.integers(3, 15))]


MAKERS = {"quadruped": quadruped, "bird": bird, "creature": creature, "prop": prop}


def make(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    """Vertices, triangles, and the index of its class; sizes per axis vary, some are low in polygons."""
    name = rng.choice(list(MAKERS), p=[0.35, 0.18, 0.17, 0.30])
    shapes = MAKERS[name](rng)
    vertices = np.concatenate([v for v, _ in shapes])
    offsets = np.cumsum([0, *[len(v) for v, _ in shapes[:-1]]])
    triangles = np.concatenate([t + o for (_, t), o in zip(shapes, offsets, strict=True)])
    return vertices * np.exp(rng.normal(size=3) * 0.12), triangles, CLASSES.index(name)
