"""What other programs see in a file we wrote, compared with what the engine says they must see.

Both sides are JSON: `{"bones": [{"name", "parent"}], "meshes": [{"name", "frames": [base64]}]}`; a frame holds the corners of the mesh's
triangles in order, three little-endian single-precision numbers each, in the file's own space. Corners, because importers join and split
vertices as they like, but keep polygons and their order.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
NODE_MODULES = ROOT / "static" / "node_modules"
TIME_LIMIT_S = 600
# The most a deformed vertex may be off, as a part of the character's height.
TOLERANCE = 1e-3

Seen = dict[str, Any]


class Missing(Exception):
    """A program that is not installed."""


@dataclass
class Verdict:
    """One file in one reader."""

    reader: str
    bones: int
    deviation: float  # the largest of all frames, as a part of the height
    problems: list[str]

    @property
    def passed(self) -> bool:
        return not self.problems


@cache
def blender_python() -> Path | None:
    """A Python with `bpy`: AUTORIG_BPY_PYTHON, or the one that `./dev test` installs."""
    python = Path(os.environ.get("AUTORIG_BPY_PYTHON", ROOT / ".tools/blender/bin/python"))
    if not python.exists() or subprocess.run([python, "-c", "import bpy"], capture_output=True, check=False).returncode:
        return None
    return python


def read_blender(file: Path, out: Path, importer: str, up: str = "y", unit: float = 0.01, frames: int = 4) -> Seen:
    """What Blender's importer `python`, `native` or `gltf` sees; `up` and `unit` (metres) are the file's."""
    python = blender_python()
    if python is None:
        raise Missing("bpy (./dev test installs it; AUTORIG_BPY_PYTHON names another Python that has it)")
    script = HERE / "blender_read.py"
    options = ["--importer", importer, "--up", up, "--unit", str(unit), "--frames", str(frames)]
    return run([python, script, file, out, *options], out)


def read_three(file: Path, out: Path, frames: int = 4) -> Seen:
    """What three.js' FBXLoader sees."""
    node = ROOT / ".venv/bin/node"
    node = node if node.exists() else Path("node")
    modules = Path(os.environ.get("AUTORIG_NODE_MODULES", NODE_MODULES))
    if not (modules / "three").exists():
        raise Missing("three (npm packages of static/)")
    return run([node, HERE / "three_read.mjs", modules, file, out, str(frames)], out)


def run(command: list[Any], out: Path) -> Seen:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=TIME_LIMIT_S)
    if done.returncode != 0 or not out.exists():
        raise RuntimeError(f"{Path(str(command[1])).name} failed: {(done.stderr or done.stdout).strip()[-500:]}")
    return load(out)


def load(path: Path) -> Seen:
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def corners(frame: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(frame), "<f4").reshape(-1, 3).astype(np.float64)


def spanned(points: np.ndarray) -> np.ndarray:
    """Which triangles have three corners in different places."""
    a, b, c = points.reshape(-1, 3, 3).transpose(1, 0, 2)
    result: np.ndarray = (a != b).any(axis=1) & (b != c).any(axis=1) & (c != a).any(axis=1)
    return result


def compare(reader: str, expected: Seen, seen: Seen) -> Verdict:
    """Bones by name and parent, and every corner of every frame."""
    problems = []
    want = {b["name"]: b["parent"] for b in expected["bones"]}
    have = {b["name"]: b["parent"] for b in seen["bones"]}
    if len(have) != len(seen["bones"]):
        problems.append("two bones have one name")
    if want.keys() != have.keys():
        problems.append(f"bones: {sorted(want.keys() ^ have.keys())[:6]} differ")
    elif want != have:
        problems.append(f"parents: {[name for name in want if want[name] != have[name]][:6]} differ")
    height = max(float(np.ptp(corners(m["frames"][0]), axis=0).max()) for m in expected["meshes"])
    by_name = {m["name"]: m for m in seen["meshes"]}
    worst = 0.0
    for mesh in expected["meshes"]:
        # A mesh never has the name of a bone.
        other = by_name.get(mesh["name"] + "_mesh" if mesh["name"] in want else mesh["name"])
        if other is None:
            problems.append(f"mesh {mesh['name']!r} is not there, but {sorted(by_name)[:4]}")
            continue
        real = spanned(corners(mesh["frames"][0]))
        for number, (frame, found) in enumerate(zip(mesh["frames"], other["frames"], strict=True)):
            a, b = corners(frame), corners(found)
            if len(b) == 3 * real.sum():
                # Blender leaves out triangles of which two corners are one.
                a = a.reshape(-1, 3, 3)[real].reshape(-1, 3)
            if a.shape != b.shape:
                problems.append(f"mesh {mesh['name']!r} has {len(b)} corners, not {len(a)}")
                break
            deviation = float(np.linalg.norm(a - b, axis=1).max()) / height
            worst = max(worst, deviation)
            if not deviation <= TOLERANCE:
                problems.append(f"mesh {mesh['name']!r} is off by {deviation:.2%} of the height in frame {number}")
    return Verdict(reader, len(have), worst, problems)
