"""Pictures of a rig beside the truth: points of the surface in grey, the artist's joints in green, the engine's in red.

Front view left, side view right, one PNG a case. A pixel grid and zlib are all it takes, so nothing is installed for it.
"""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Pixels = NDArray[np.uint8]

SIDE = 560
MARGIN = 24
PAPER = (255, 255, 255)
POINTS = 40_000
SKIN = (196, 200, 206)
TRUE = (22, 140, 60)
FOUND = (206, 38, 38)
GAP = (238, 150, 40)


def png(path: Path, pixels: Pixels) -> None:
    """Writes an RGB image."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))


class View:
    """One orthographic view, `right` and `up` as the page's axes."""

    def __init__(self, points: Points, right: Points, up: Points) -> None:
        self.pixels = np.full((SIDE, SIDE, 3), PAPER, np.uint8)
        self.axes = np.stack([right, up], axis=1)
        flat = points @ self.axes
        low, high = flat.min(0), flat.max(0)
        self.middle = (low + high) / 2
        self.scale = (SIDE - 2 * MARGIN) / max(float((high - low).max()), 1e-12)

    def place(self, points: Points) -> Points:
        flat = (np.atleast_2d(points) @ self.axes - self.middle) * self.scale
        return np.stack([flat[:, 0], -flat[:, 1]], axis=1) + SIDE / 2

    def dots(self, points: Points, colour: tuple[int, int, int], radius: int) -> None:
        span = np.arange(-radius, radius + 1, dtype=float)
        dx, dy = np.meshgrid(span, span)
        disc = np.stack([dx, dy], axis=-1)[dx**2 + dy**2 <= (radius + 0.3) ** 2]
        self.fill((np.rint(self.place(points))[:, None] + disc[None]).reshape(-1, 2), colour)

    def line(self, a: Points, b: Points, colour: tuple[int, int, int]) -> None:
        start, end = self.place(np.stack([a, b]))
        steps = int(np.abs(end - start).max()) + 1
        self.fill(np.rint(start + np.linspace(0, 1, steps + 1)[:, None] * (end - start)), colour)

    def fill(self, cells: Points, colour: tuple[int, int, int]) -> None:
        cells = cells.astype(int)
        inside = ((cells >= 0) & (cells < SIDE)).all(1)
        self.pixels[cells[inside, 1], cells[inside, 0]] = colour


def joints_of_report(report: dict[str, Any]) -> tuple[list[str], Points, list[int]]:
    joints = report["joints"]
    names = [str(joint["name"]) for joint in joints]
    parents = [names.index(joint["parent"]) if joint.get("parent") in names else -1 for joint in joints]
    return names, np.array([joint["position"] for joint in joints], float), parents


def bones(view: View, places: Points, parents: list[int], colour: tuple[int, int, int], shown: list[bool]) -> None:
    for joint, parent in enumerate(parents):
        if parent >= 0 and shown[joint] and shown[parent]:
            view.line(places[joint], places[parent], colour)
    view.dots(places[np.array(shown)], colour, 3)


def surface(vertices: Points, faces: NDArray[np.int64]) -> Points:
    """Points spread evenly over the triangles: vertices alone would not show a low-poly character."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    if areas.sum() <= 0:
        return vertices
    random = np.random.default_rng(0)
    chosen = random.choice(len(faces), POINTS, p=areas / areas.sum())
    u, v = random.random((2, POINTS, 1))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    return np.asarray(a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen])


def draw(case: Path, report: Path, out: Path) -> None:
    """Draws one case: the truth beside it in `case`, the engine's joints in `report`."""
    truth = json.loads((case / "truth.json").read_text())
    stored = np.load(case / "weights.npz")
    mesh = surface(stored["verts"].astype(float), stored["faces"].astype(np.int64))
    true = np.array([joint["pos"] for joint in truth["joints"]], float)
    true_parents = [int(joint["parent"]) for joint in truth["joints"]]
    counted = set(truth["eval_joints"])
    names, found, found_parents = joints_of_report(json.loads(report.read_text()))
    left, up, forward = (np.array(truth[axis], float) for axis in ("left", "up", "forward"))
    pairs = [(true[index], found[names.index(camel(name))]) for name, index in truth["canonical"].items() if camel(name) in names]
    views = []
    # The character looks at the reader, then to the reader's right.
    for right in (left, forward):
        view = View(mesh, right, up)
        view.dots(mesh, SKIN, 0)
        for a, b in pairs:
            view.line(a, b, GAP)
        bones(view, true, true_parents, TRUE, [joint in counted for joint in range(len(true))])
        bones(view, found, found_parents, FOUND, [name != "root" for name in names])
        views.append(view.pixels)
    png(out, np.concatenate(views, axis=1))


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
