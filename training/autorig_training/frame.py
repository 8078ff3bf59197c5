"""Sizes and directions of a body that shapes are made to."""

from __future__ import annotations

import numpy as np

from .body import CHEST, HEAD, HIPS, SIDES, Body
from .geometry import X, Y, Z
from .humans import INDEX

SPINE, MIDDLE = INDEX["spine"], INDEX["chest"]


def both(*names: str) -> list[int]:
    """The joints of these names on both sides."""
    return [INDEX[side + name] for side, _ in SIDES for name in names]


class Frame:
    """Sizes and directions of a body that shapes are made to."""

    def __init__(self, body: Body) -> None:
        j = body.joints
        local = (body.of(HEAD) - j[HEAD]) @ body.turns[HEAD]
        low, high = local.min(0), local.max(0)
        self.head_turn, self.head_radii = body.turns[HEAD], (high - low) / 2
        self.head_centre = j[HEAD] + self.head_turn @ ((low + high) / 2)
        self.left, self.up, self.front = body.turns[CHEST].T
        self.left, self.up, self.front = body.turns[CHEST] @ X, body.turns[CHEST] @ Y, body.turns[CHEST] @ Z
        trunk = body.of([0, 1, 2, 3]) - j[CHEST]
        self.half_width = float(np.percentile(np.abs(trunk @ self.left), 90))
        self.chest_back, self.chest_front = np.percentile(trunk @ self.front, [3, 97])
        hip = body.of(HIPS) - j[HIPS]
        self.hip_width = float(np.percentile(np.abs(hip[:, 0]), 95)) + 1e-6
        back, front = np.percentile(hip[:, 2], [3, 97])
        self.hip_depth, self.hip_middle = (front - back) / 2, (front + back) / 2

    def on_head(self, offset) -> np.ndarray:
        """A point given in radii of the head from its centre."""
        return self.head_centre + self.head_turn @ (self.head_radii * np.asarray(offset))
