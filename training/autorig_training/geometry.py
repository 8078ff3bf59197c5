"""Rotations, primitives, and a mesh under construction. Angles in radians; triangles counter-clockwise from outside."""

from __future__ import annotations

import numpy as np

X, Y, Z = np.eye(3)


def unit(v: np.ndarray) -> np.ndarray:
    """`v` with length 1, or nearly zero if it is."""
    return v / max(float(np.linalg.norm(v)), 1e-9)


def rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rodrigues' rotation about `axis`."""
    x, y, z = unit(np.asarray(axis, float))
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def align(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation that takes direction `a` to `b`."""
    a, b = unit(a), unit(b)
    c = float(a @ b)
    if c < -0.9999:
        return rotation(np.cross(a, X) if abs(a[0]) < 0.9 else np.cross(a, Y), np.pi)
    x, y, z = np.cross(a, b)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + k + k @ k / (1 + c)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A factor whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


class Mesh:
    """Vertices, triangles and per-vertex influences of one character."""

    def __init__(self) -> None:
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        self._count = 0

    def add(self, shape: tuple[np.ndarray, np.ndarray], joint: int | np.ndarray, weights: np.ndarray | None = None) -> None:
        """Adds a shape that follows one joint, a joint per vertex, or four with weights."""
        vertices, triangles = shape
        if weights is None:
            influences = np.zeros((len(vertices), 4), np.int32)
            influences[:, 0] = joint
            weights = np.zeros((len(vertices), 4), np.float32)
            weights[:, 0] = 1
        else:
            influences = np.asarray(joint)
        self._parts.append((vertices, triangles + self._count, influences, weights))
        self._count += len(vertices)

    def parts(self) -> tuple[np.ndarray, ...]:
        """Vertices, triangles, influences, weights."""
        return tuple(np.concatenate(column) for column in zip(*self._parts, strict=True))


def _sphere(around: int = 12, along: int = 8) -> tuple[np.ndarray, np.ndarray]:
    theta, phi = np.linspace(0, np.pi, along + 1), np.linspace(0, 2 * np.pi, around, endpoint=False)
    vertices = np.array([[np.sin(t) * np.cos(p), np.cos(t), np.sin(t) * np.sin(p)] for t in theta for p in phi])
    return vertices, _grid(along, around)


def _grid(rows: int, around: int) -> np.ndarray:
    triangles = []
    for i in range(rows):
        for j in range(around):
            a, b = i * around + j, i * around + (j + 1) % around
            triangles += [[a, b, a + around], [b, b + around, a + around]]
    return np.array(triangles)


SPHERE = _sphere()
_BOX_VERTICES = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
_BOX_TRIANGLES = np.array([
    [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
    [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
])


def ellipsoid(centre: np.ndarray, radii: np.ndarray, turn: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """An ellipsoid with half axes `radii`."""
    v = SPHERE[0] * radii
    return (v if turn is None else v @ turn.T) + centre, SPHERE[1]


def box(centre: np.ndarray, radii: np.ndarray, turn: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A box with half edges `radii`."""
    v = _BOX_VERTICES * radii
    return (v if turn is None else v @ turn.T) + centre, _BOX_TRIANGLES


def loft(centres: np.ndarray, radii: np.ndarray, flat: float | np.ndarray = 1.0, side: np.ndarray = X, around: int = 10,
         caps: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """A tube along a polyline; `radii` in the direction nearest to `side`, `flat` times that across it."""
    centres = np.asarray(centres, float)
    n = len(centres)
    radii = np.broadcast_to(np.asarray(radii, float), (n,))
    flat = np.broadcast_to(np.asarray(flat, float), (n,))
    tangents = np.gradient(centres, axis=0)
    angles = np.linspace(0, 2 * np.pi, around, endpoint=False)
    rings = []
    for c, t, r, f in zip(centres, tangents, radii, flat, strict=True):
        t = unit(t)
        s = side if abs(t @ side) < 0.95 else (Y if abs(t @ Y) < 0.9 else Z)
        u = unit(s - t * (s @ t))
        w = np.cross(u, t)
        rings.append(c + r * (np.cos(angles)[:, None] * u + f * np.sin(angles)[:, None] * w))
    vertices, triangles = np.concatenate(rings), _grid(n - 1, around)[:, ::-1]
    if caps:
        vertices = np.vstack([vertices, centres[0], centres[-1]])
        first, last = len(vertices) - 2, len(vertices) - 1
        ring = np.arange(around)
        after, top = (ring + 1) % around, (n - 1) * around
        triangles = np.vstack([
            triangles,
            np.stack([np.full(around, first), ring, after], 1),
            np.stack([np.full(around, last), top + after, top + ring], 1),
        ])
    return vertices, triangles


def tube(a: np.ndarray, b: np.ndarray, ra: float, rb: float, flat: float = 1.0, side: np.ndarray = X) -> tuple[np.ndarray, np.ndarray]:
    """A straight tube from `a` to `b`."""
    t = np.linspace(0, 1, 5)[:, None]
    return loft(a + (b - a) * t, ra + (rb - ra) * t[:, 0], flat, side)


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(triangles[:, k], face[:, axis], len(vertices))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def clustered(rng: np.random.Generator, vertices: np.ndarray, cell: float, labels: np.ndarray) -> np.ndarray:
    """Vertices moved to the mean of their grid cell: the look of a model with few triangles."""
    key = np.floor((vertices + rng.uniform(0, cell, 3)) / cell).astype(np.int64)
    key -= key.min(0)
    key = ((labels.astype(np.int64) * 4096 + key[:, 0]) * 4096 + key[:, 1]) * 4096 + key[:, 2]
    _, inverse = np.unique(key, return_inverse=True)
    count = np.bincount(inverse)
    centres = np.stack([np.bincount(inverse, vertices[:, k]) / count for k in range(3)], 1)
    if rng.random() < 0.3:
        centres += rng.normal(size=centres.shape) * cell * 0.15
    return centres[inverse]
