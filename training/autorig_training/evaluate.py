"""Real characters of the benchmark: `python -m autorig_training.evaluate body.pt [--hand hand.pt]`.

Only a quick look while training: the figures that count come from `./dev bench rig`, through the engine. None of these
characters is ever trained on. MACRO is the mean over families of their medians, as in the benchmark.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch

from .cloud import patches, sample
from .conventions import apply
from .dataset import CENTRES, NEIGHBOURS, POINTS
from .export import halved
from .hands import CENTRES as HAND_CENTRES
from .hands import NEIGHBOURS as HAND_NEIGHBOURS
from .hands import FLIP, crop
from .humans import BODY_JOINTS, INDEX, MIRROR, NAMES
from .network import Net

CORE = ["hips", "head", *[s + b for s in ("left", "right") for b in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")]]


def camel(name: str) -> str:
    """`left_upper_arm` to `leftUpperArm`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def characters(bench: Path) -> list[dict]:
    """The humanoids, turned upright and facing +Z."""
    found = []
    for folder in sorted((bench / "dev").iterdir()):
        if not (folder / "truth.json").exists():
            continue
        truth = json.loads((folder / "truth.json").read_text())
        if not truth["humanoid"]:
            continue
        mesh = np.load(folder / "weights.npz")
        left, up = np.array(truth["left"]), np.array(truth["up"])
        turn = np.stack([left, up, np.cross(left, up)])
        at = np.array([joint["pos"] for joint in truth["joints"]]) @ turn.T
        found.append({
            "name": folder.name, "family": truth["family"], "height": truth["height"], "vertices": mesh["verts"].astype(float) @ turn.T,
            "triangles": mesh["faces"].astype(np.int64), "at": at, "truth": truth,
            "joints": {camel(name): at[i] for name, i in truth["canonical"].items()},
        })
    return found


def clouds(character: dict, samplings: int) -> list[tuple]:
    """Points with centres, neighbours and what was normalised away."""
    found = []
    for seed in range(samplings):
        rng = np.random.default_rng(seed)
        points, _ = sample(np.ascontiguousarray(character["vertices"]), character["triangles"], POINTS, rng.random((POINTS, 3)))
        points = points[rng.permutation(POINTS)]
        centroid = points[:, :3].mean(0)
        scale = np.sqrt(((points[:, :3] - centroid) ** 2).sum(1).mean())
        points[:, :3] = (points[:, :3] - centroid) / scale
        chosen, near = patches(points[:, :3].copy(), CENTRES, NEIGHBOURS)
        found.append((points.astype(np.float32), chosen.astype(np.int64), near.astype(np.int64), centroid, scale))
    return found


def predict(net: Net, character: dict, samplings: int, mirror: bool = True, stage: str = "joints") -> tuple[np.ndarray, np.ndarray]:
    """Joints, mean over samplings and their mirror images, and class probabilities."""
    inputs = clouds(character, samplings)
    sides = [np.ones(6, np.float32), np.array([-1, 1, 1, -1, 1, 1], np.float32)][: 1 + mirror]
    points = np.stack([p * m for p, *_ in inputs for m in sides])
    chosen, near = (np.repeat(np.stack([i[k] for i in inputs]), len(sides), 0) for k in (1, 2))
    with torch.no_grad():
        out = net(torch.tensor(points), torch.tensor(chosen), torch.tensor(near))
    joints = out[stage].numpy().astype(float)
    if mirror:
        joints[1::2] = joints[1::2][:, MIRROR[:BODY_JOINTS]] * FLIP
    centroid, scale = (np.repeat(np.stack([np.atleast_1d(i[k]) for i in inputs]), len(sides), 0)[:, None] for k in (3, 4))
    return (joints * scale + centroid).mean(0), torch.softmax(out["class"], -1).mean(0).numpy()


def macro(values: dict[str, list[float]]) -> float:
    """Mean over families of their medians."""
    return float(np.mean([np.median(v) for v in values.values()]))


def fingers(net: Net, character: dict, joints: np.ndarray) -> tuple[float, float, float, int, int] | None:
    """Mean distance of true finger joints to the nearest predicted one and back, in % of height, share of true ones within 1 %,
    and how many digits were found and are true."""
    truth = character["truth"]
    near, back, found, true = [], [], 0, 0
    for s, side in enumerate(("left", "right")):
        hand = truth["canonical"].get(f"{side}_hand")
        if hand is None:
            continue
        below = {hand}
        for i, joint in enumerate(truth["joints"]):
            if joint["parent"] in below and joint["weighted"]:
                below.add(i)
        theirs = character["at"][sorted(below - {hand})]
        parents = [truth["joints"][i]["parent"] for i in below]
        true += sum(i not in parents for i in below if i != hand)
        rng = np.random.default_rng(3)
        seen = crop(rng, character["vertices"], character["triangles"], joints, s, np.zeros((1, 3)), 0.0)
        if seen is None:
            continue
        points, origin = seen
        chosen, neighbours = patches(points[:, :3].copy(), HAND_CENTRES, HAND_NEIGHBOURS)
        with torch.no_grad():
            out = net(torch.tensor(points, dtype=torch.float32)[None], torch.tensor(chosen.astype(np.int64))[None], torch.tensor(neighbours.astype(np.int64))[None])
        there = torch.sigmoid(out["class"][0]).numpy() > 0.5
        found += int(there.sum())
        # Turn the truth into the crop's frame instead of the prediction out of it.
        rng = np.random.default_rng(3)
        _, theirs_in = crop(rng, character["vertices"], character["triangles"], joints, s, theirs if len(theirs) else np.zeros((1, 3)), 0.0)
        unit = np.linalg.norm(crop(np.random.default_rng(3), character["vertices"], character["triangles"], joints, s, joints[[INDEX[side + "Hand"], INDEX[side + "LowerArm"]]], 0.0)[1], axis=1)[1]
        size = np.linalg.norm(joints[INDEX[side + "Hand"]] - joints[INDEX[side + "LowerArm"]]) / unit / character["height"] * 100
        ours = out["joints"][0].numpy().reshape(5, 4, 3)[there][:, :3].reshape(-1, 3)
        if len(theirs) and len(ours):
            d = np.linalg.norm(theirs_in[:, None] - ours[None], axis=2) * size
            near += list(d.min(1))
            back += list(d.min(0))
    if not near:
        return (np.nan, np.nan, np.nan, found, true)
    return float(np.mean(near)), float(np.mean(back)), float(np.mean(np.array(near) < 1)), found, true


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("body", type=Path)
    parser.add_argument("--hand", type=Path)
    parser.add_argument("--samplings", type=int, default=4)
    parser.add_argument("--no-mirror", action="store_true")
    parser.add_argument("--first-stage", action="store_true")
    parser.add_argument("--as-seen", action="store_true", help="the network's joints without the conventions")
    args = parser.parse_args()
    bench = Path(os.environ.get("AUTORIG_RIGBENCH", "../../shared/rigbench"))
    net, core, single = halved(args.body), {}, {}
    hand = halved(args.hand) if args.hand else None
    torch.set_num_threads(1)
    for character in characters(bench):
        joints, kind = predict(net, character, args.samplings, not args.no_mirror, "first" if args.first_stage else "joints")
        if not args.as_seen:
            joints = apply(joints)
        error = {k: np.linalg.norm(joints[INDEX[k]] - p) / character["height"] * 100 for k, p in character["joints"].items()}
        mean = float(np.mean([error[k] for k in CORE if k in error]))
        core.setdefault(character["family"], []).append(mean)
        for k, e in error.items():
            single.setdefault(k.replace("left", "").replace("right", "").lower(), {}).setdefault(character["family"], []).append(e)
        line = f"{character['name']:24s} core {mean:5.2f} humanoid {kind[0]:.2f}"
        if hand:
            line += "  fingers near %.2f back %.2f within 1 %% %.2f digits %d of %d" % fingers(hand, character, joints)
        print(line)
    print("MACRO", round(macro(core), 3), "without makehuman", round(macro({k: v for k, v in core.items() if k != "makehuman"}), 3))
    print("per joint", {name: round(macro(v), 2) for name, v in single.items()})


if __name__ == "__main__":
    main()
