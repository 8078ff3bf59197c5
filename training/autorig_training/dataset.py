"""Characters to shards: `python -m autorig_training.dataset --out DIR --seed N --count N [--wild]`.

A body shard holds clouds with joints, per-point influences and class; a hand shard holds crops of those characters' hands.
"""

from __future__ import annotations

import argparse
import enum
import time
from pathlib import Path

import numpy as np

from . import creatures
from .body import TO_BODY, Body, body
from .cloud import patches, sample
from .dress import dress
from .geometry import Mesh
from .hands import Hands, hand_samples, stylise
from .humans import BODY_JOINTS, INDEX, Humans, conventional, load

POINTS, CENTRES, NEIGHBOURS = 2048, 128, 32
SHARD = 1000
CREATURES = 0.14  # share of what is no humanoid
PLAIN = 0.08  # share of undressed bodies
FINEST_CELL = 0.016  # details merged in cells from this share of the height on leave no fingers to find


class Fingers(enum.Enum):
    """What dressing has left of the body's fingers."""

    ALL = enum.auto()
    NONE = enum.auto()
    UNCLEAR = enum.auto()


def _fingers(figure: Body, cell: float) -> Fingers:
    left = figure.visible[np.isin(figure.triangle_owner, [INDEX["leftHand"], INDEX["rightHand"]])].mean()
    if left == 0:
        return Fingers.NONE
    return Fingers.ALL if left == 1 and cell < FINEST_CELL else Fingers.UNCLEAR


class Generator:
    """Endless characters from one seed."""

    def __init__(self, humans: Humans, seed: int, wild: bool) -> None:
        self.humans, self.rng, self.wild = humans, np.random.default_rng(seed), wild
        dense = np.zeros((len(humans.vertices), BODY_JOINTS), np.float32)
        for k in range(4):
            np.add.at(dense, (np.arange(len(dense)), TO_BODY[humans.influences[:, k]]), humans.weights[:, k])
        self.influences = np.argsort(-dense, 1, kind="stable")[:, :4].astype(np.int32)
        self.weights = np.take_along_axis(dense, self.influences, 1)
        self.weights /= self.weights.sum(1, keepdims=True)

    def humanoid(self) -> tuple[np.ndarray, ...]:
        """Vertices, triangles, influences, weights, joints, hands, whether the fingers are whole."""
        while True:
            figure = body(self.rng, self.humans, self.wild)
            joints, hands = conventional(figure.joints), Hands(figure)
            if self.rng.random() < PLAIN:
                mesh, cell = Mesh(), 0.0
            else:
                mesh, cell = dress(self.rng, figure, self.influences, self.weights, self.wild)
            fingers = _fingers(figure, cell)
            if fingers is Fingers.ALL:
                stylise(self.rng, figure, mesh, hands)
            elif fingers is Fingers.NONE:
                hands.present[:] = False
            shown = figure.humans.triangles[figure.visible]
            if len(shown):
                mesh.add((figure.vertices, shown), self.influences, self.weights)
            vertices, triangles, influences, weights = mesh.parts()
            if np.isfinite(vertices).all() and np.isfinite(joints).all():
                return vertices, triangles, influences, weights, joints[:BODY_JOINTS], hands, fingers

    def cloud(self, vertices: np.ndarray, triangles: np.ndarray) -> dict:
        """A normalised cloud: centroid at the origin, root mean square radius 1."""
        points, corner = sample(np.ascontiguousarray(vertices), triangles.astype(np.int64), POINTS, self.rng.random((POINTS, 3)))
        order = self.rng.permutation(POINTS)
        points, corner = points[order], corner[order]
        centroid = points[:, :3].mean(0)
        scale = np.sqrt(((points[:, :3] - centroid) ** 2).sum(1).mean())
        points[:, :3] = (points[:, :3] - centroid) / scale
        centres, near = patches(points[:, :3].copy(), CENTRES, NEIGHBOURS)
        return {"points": points, "corner": corner, "centroid": centroid, "scale": scale, "centres": centres, "near": near}

    def one(self) -> tuple[dict, list[dict]]:
        """A body sample and its hand samples."""
        if self.rng.random() < CREATURES:
            vertices, triangles, kind = creatures.make(self.rng)
            cloud = self.cloud(vertices, triangles)
            joints, hands = np.zeros((BODY_JOINTS, 3), np.float32), []
            influences, weights = np.zeros((POINTS, 3), np.uint8), np.zeros((POINTS, 3), np.uint8)
        else:
            vertices, triangles, all_influences, all_weights, at, fingers, whole = self.humanoid()
            cloud, kind = self.cloud(vertices, triangles), 0
            joints = ((at - cloud["centroid"]) / cloud["scale"]).astype(np.float32)
            corner = cloud["corner"]
            influences, weights = all_influences[corner, :3].astype(np.uint8), (all_weights[corner, :3] * 255).astype(np.uint8)
            seen = whole is Fingers.ALL or whole is Fingers.NONE and self.rng.random() < 0.5
            hands = hand_samples(self.rng, vertices, triangles, at, fingers) if seen else []
        height = np.float32(np.ptp(vertices[:, 1]) / cloud["scale"])
        sample_ = {
            "points": cloud["points"].astype(np.float16), "joints": joints, "influences": influences, "weights": weights,
            "centres": cloud["centres"], "near": cloud["near"], "height": height, "class": np.int64(kind),
        }
        return sample_, hands


def write(path: Path, samples: list[dict]) -> None:
    """A shard, whole or not at all."""
    if samples:
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **{key: np.stack([s[key] for s in samples]) for key in samples[0]})
        partial.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--wild", action="store_true", help="harder chibis and odder bodies")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    generator = Generator(load(args.out / "humans.npz"), args.seed, args.wild)
    start, done = time.monotonic(), 0
    while done < args.count:
        count = min(SHARD, args.count - done)
        made = [generator.one() for _ in range(count)]
        name = f"{args.seed:04d}_{done:06d}.npz"
        write(args.out / f"body_{name}", [body for body, _ in made])
        write(args.out / f"hand_{name}", [hand for _, hands in made for hand in hands])
        done += count
        print(f"{done} characters, {done / (time.monotonic() - start):.0f}/s", flush=True)


if __name__ == "__main__":
    main()
