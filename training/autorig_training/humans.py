"""The CC0 bodies of the MakeHuman community: shape targets, joints and weights of one topology.

Everything is in metres, +Y up, facing +Z, the person's left at +X.
"""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# The joints of the body network, in the order the engine knows them, and where they come from.
BODY = [
    ("hips", "Hips"), ("spine", "Spine"), ("chest", "Spine1"), ("upperChest", "Spine2"), ("neck", "Neck"), ("head", "Head"),
    *[
        (f"{side}{ours}", f"{side.capitalize()}{theirs}")
        for side in ("left", "right")
        for ours, theirs in (
            ("Shoulder", "Shoulder"), ("UpperArm", "Arm"), ("LowerArm", "ForeArm"), ("Hand", "Hand"),
            ("UpperLeg", "UpLeg"), ("LowerLeg", "Leg"), ("Foot", "Foot"), ("Toes", "ToeBase"),
        )
    ],
]
DIGITS = ("Thumb", "Index", "Middle", "Ring", "Little")
_THEIR_DIGITS = ("Thumb", "Index", "Middle", "Ring", "Pinky")
FINGERS = [
    (f"{side}{ours}{k}", f"{side.capitalize()}Hand{theirs}{k}")
    for side in ("left", "right")
    for ours, theirs in zip(DIGITS, _THEIR_DIGITS, strict=True)
    for k in (1, 2, 3)
]
NAMES = [ours for ours, _ in BODY + FINGERS]
INDEX = {name: i for i, name in enumerate(NAMES)}
BODY_JOINTS = len(BODY)
JOINTS = len(NAMES)
_PREFIX = "mixamorig:"
# Targets that move only the face have no bearing on joints.
_SKIPPED_TARGETS = ("expression", "asym", "eyes", "eyebrows")


def mirrored(name: str) -> str:
    """The same joint on the other side."""
    return name.replace("left", "@").replace("right", "left").replace("@", "right")


MIRROR = np.array([INDEX[mirrored(name)] for name in NAMES])


@dataclass
class Humans:
    """One topology; `joints` are the heads of the bones, then their tails."""

    vertices: np.ndarray  # V×3
    triangles: np.ndarray  # T×3
    joints: np.ndarray  # 104×3
    parents: np.ndarray  # 52
    influences: np.ndarray  # V×4 joint indices
    weights: np.ndarray  # V×4
    target_names: list[str]
    target_vertices: np.ndarray  # n×V×3, half precision
    target_joints: np.ndarray  # n×104×3

    @property
    def owner(self) -> np.ndarray:
        """The joint with the largest weight at each vertex."""
        return self.influences[np.arange(len(self.vertices)), self.weights.argmax(1)]


def folder() -> Path:
    """Where the bodies lie."""
    return Path(os.environ.get("AUTORIG_HUMANS", "../../shared/humans"))


def _base(root: Path) -> tuple[np.ndarray, np.ndarray, dict[str, list[int]]]:
    vertices, quads, groups, group = [], [], {}, ""
    for line in (root / "3dobjs/base.obj").read_text().splitlines():
        word = line.split()
        if not word:
            continue
        if word[0] == "v":
            vertices.append([float(x) for x in word[1:4]])
        elif word[0] == "g":
            group = word[1]
        elif word[0] == "f":
            face = [int(corner.split("/")[0]) - 1 for corner in word[1:]]
            groups.setdefault(group, set()).update(face)
            if group == "body":
                quads.append(face)
    triangles = [t for q in quads for t in ([q[:3], [q[0], q[2], q[3]]] if len(q) == 4 else [q[:3]])]
    return np.array(vertices) * 0.1, np.array(triangles), {k: sorted(v) for k, v in groups.items()}


def _regressor(rig: dict, groups: dict[str, list[int]], count: int) -> np.ndarray:
    """Rows that give heads and tails as means of vertices."""
    matrix = np.zeros((2 * JOINTS, count), np.float32)
    for i, (_, theirs) in enumerate(BODY + FINGERS):
        bone = rig[_PREFIX + theirs]
        for end, place in enumerate((bone["head"], bone["tail"])):
            which = {
                "CUBE": lambda p: groups[p["cube_name"]],
                "MEAN": lambda p: p["vertex_indices"],
                "VERTEX": lambda p: [p["vertex_index"]],
            }[place["strategy"]](place)
            matrix[i + end * JOINTS, which] += 1.0 / len(which)
    # The source's right clavicle is not the mirror of its left; ours is.
    partner = np.arange(count)
    for line in (folder() / "mesh_metadata/hm08.mirror").read_text().splitlines():
        vertex, other = line.split()[:2]
        partner[int(vertex)] = int(other)
    left, right = INDEX["leftShoulder"], INDEX["rightShoulder"]
    matrix[right] = 0
    np.add.at(matrix[right], partner, matrix[left])
    return matrix


def _weights(root: Path, body: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    theirs = {t: i for i, (_, t) in enumerate(BODY + FINGERS)}
    dense = np.zeros((count, JOINTS))
    for bone, rows in json.loads((root / "rigs/standard/weights.mixamo.json").read_text())["weights"].items():
        column = theirs[bone.removeprefix(_PREFIX)]
        for vertex, weight in rows:
            dense[vertex, column] += weight
    dense = dense[body]
    order = np.argsort(-dense, 1, kind="stable")[:, :4]
    four = np.take_along_axis(dense, order, 1)
    return order.astype(np.int32), (four / four.sum(1, keepdims=True)).astype(np.float32)


def _targets(root: Path, body: np.ndarray, regressor: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    names, on_vertices, on_joints = [], [], []
    for path in sorted((root / "targets").rglob("*.target.gz")):
        name = path.relative_to(root / "targets").as_posix().removesuffix(".target.gz")
        if name.split("/")[0] in _SKIPPED_TARGETS:
            continue
        delta = np.zeros((regressor.shape[1], 3), np.float32)
        with gzip.open(path, "rt") as lines:
            for line in lines:
                word = line.split()
                if word and not line.startswith("#"):
                    delta[int(word[0])] = [float(x) * 0.1 for x in word[1:4]]
        names.append(name)
        on_vertices.append(delta[body].astype(np.float16))
        on_joints.append(regressor @ delta)
    return names, np.stack(on_vertices), np.stack(on_joints).astype(np.float32)


def load(cache: Path) -> Humans:
    """Reads the bodies, or the cache made the first time."""
    if not cache.exists():
        root = folder()
        if not root.exists():
            raise SystemExit(f"{root} is not there: set AUTORIG_HUMANS to the folder with 3dobjs, targets and rigs")
        vertices, triangles, groups = _base(root)
        body = np.array(groups["body"])
        inverse = np.full(len(vertices), -1)
        inverse[body] = np.arange(len(body))
        rig = json.loads((root / "rigs/standard/rig.mixamo.json").read_text())["bones"]
        regressor = _regressor(rig, groups, len(vertices))
        theirs = {t: i for i, (_, t) in enumerate(BODY + FINGERS)}
        parents = [theirs.get(rig[_PREFIX + t]["parent"].removeprefix(_PREFIX), -1) for _, t in BODY + FINGERS]
        influences, weights = _weights(root, body, len(vertices))
        names, on_vertices, on_joints = _targets(root, body, regressor)
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            cache, vertices=vertices[body], triangles=inverse[triangles], joints=regressor @ vertices, parents=parents,
            influences=influences, weights=weights, target_names=names, target_vertices=on_vertices, target_joints=on_joints,
        )
    data = np.load(cache)
    fields = {key: data[key] for key in data.files}
    fields["target_names"] = [str(name) for name in fields["target_names"]]
    return Humans(**fields)


# Where we place the joints on which rigs disagree: joint, the joints it moves towards, how far.
CONVENTION = (
    ("hips", ("leftUpperLeg", "rightUpperLeg"), 0.7),
    ("leftShoulder", ("upperChest",), 0.35),
    ("rightShoulder", ("upperChest",), 0.35),
    ("spine", ("hips",), 0.25),
    ("upperChest", ("chest",), 0.35),
)


def conventional(joints: np.ndarray) -> np.ndarray:
    """Our joints from the source's, 22 or more positions.

    Professional rigs put the hips anywhere from the height of the legs' joints to the belly, clavicles anywhere from the breastbone
    to the chest joint, and divide the spine as they like. We choose near the middle of the rigs we have seen, where all users are
    served best. The rows of `CONVENTION` are applied in their order.
    """
    result = joints.copy()
    for name, towards, share in CONVENTION:
        i = INDEX[name]
        result[i] += share * (result[[INDEX[t] for t in towards]].mean(0) - result[i])
    return result
