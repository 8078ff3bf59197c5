"""Points on a surface and their patches, as the engine makes them (`analyse/surface.rs`, `skeleton/predictor`)."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def sample(vertices, triangles, count, u):
    """Area-stratified samples: positions with normals, and the index of the nearest corner.

    `u` is count×3 in [0, 1). Triangles of no area are never hit.
    """
    faces = triangles.shape[0]
    cumulative = np.empty(faces)
    normals = np.empty((faces, 3))
    total = 0.0
    for i in range(faces):
        a, b, c = triangles[i]
        e = vertices[b] - vertices[a]
        f = vertices[c] - vertices[a]
        n = np.array([e[1] * f[2] - e[2] * f[1], e[2] * f[0] - e[0] * f[2], e[0] * f[1] - e[1] * f[0]])
        length = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
        total += length
        cumulative[i] = total
        normals[i] = n / max(length, 1e-20)
    points = np.empty((count, 6))
    corner = np.empty(count, np.int64)
    t = 0
    for j in range(count):
        x = (j + u[j, 0]) * total / count
        while t < faces - 1 and cumulative[t] < x:
            t += 1
        r = np.sqrt(u[j, 1])
        w0, w1, w2 = 1 - r, r * (1 - u[j, 2]), r * u[j, 2]
        a, b, c = triangles[t]
        points[j, :3] = w0 * vertices[a] + w1 * vertices[b] + w2 * vertices[c]
        points[j, 3:] = normals[t]
        corner[j] = a if (w0 >= w1 and w0 >= w2) else (b if w1 >= w2 else c)
    return points, corner


@numba.njit(cache=True, fastmath=True)
def patches(points, centres, neighbours):
    """Farthest-point centres from point 0, and the nearest points of each (Qi et al. 2017, PointNet++)."""
    n = points.shape[0]
    closest = np.full(n, 1e30)
    chosen = np.empty(centres, np.uint16)
    near = np.empty((centres, neighbours), np.uint16)
    distance = np.empty(n)
    current = 0
    for m in range(centres):
        chosen[m] = current
        best = -1.0
        farthest = 0
        for i in range(n):
            x = points[i, 0] - points[current, 0]
            y = points[i, 1] - points[current, 1]
            z = points[i, 2] - points[current, 2]
            d = x * x + y * y + z * z
            distance[i] = d
            if d < closest[i]:
                closest[i] = d
            if closest[i] > best:
                best = closest[i]
                farthest = i
        kept = np.full(neighbours, 1e30)
        index = np.zeros(neighbours, np.int64)
        for i in range(n):
            d = distance[i]
            if d < kept[neighbours - 1]:
                j = neighbours - 1
                while j > 0 and kept[j - 1] > d:
                    kept[j] = kept[j - 1]
                    index[j] = index[j - 1]
                    j -= 1
                kept[j] = d
                index[j] = i
        for j in range(neighbours):
            near[m, j] = index[j]
        current = farthest
    return chosen, near
