#!/usr/bin/env python3
"""Writes characters in every export profile, reads each file back by other programs, and compares bones and deformed vertices with the
engine's own skinning of that profile.

Readers: the engine itself (`engine`: ufbx and its own glTF reader), Blender's two FBX importers and its glTF importer, three.js' loaders
(with @pixiv/three-vrm for VRM), and the Khronos validator for GLB and VRM. Programs that are not installed are counted as skipped.
Characters are the samples and every humanoid of the benchmark that is at hand.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rigbench

sys.path.insert(0, str(Path(__file__).resolve().parent / "readback"))
import readback

SAMPLES = ("human", "cartoon", "robot")
PROFILES = ("glb", "unity", "unreal", "mixamo", "vrm", "vrm0", "blender", "godot", "roblox", "maya")
READERS = ("engine", "blender_python", "blender_native", "blender_gltf", "three", "validator")
FRAMES = 4
# Profiles whose cut bones give a vertex more than the four influences that three.js reads.
MANY_INFLUENCES = {"unreal"}
# The name of VRM 0.x' extension is older than the rule for such names.
ALLOWED = {"vrm0": {"INVALID_EXTENSION_NAME_FORMAT": 1}}
RUN_LIMIT_S = 600


@dataclass
class Cell:
    """One profile in one reader, over all characters."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    worst: float = 0.0
    reasons: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="the engine's example export_file")
    parser.add_argument("--only", default="", help="part of a character's name")
    parser.add_argument("--profiles", default=",".join(PROFILES))
    parser.add_argument("--readers", default=",".join(READERS))
    parser.add_argument("--samples-only", action="store_true")
    parser.add_argument("--out", type=Path, help="folder for the table")
    args = parser.parse_args()
    cells: dict[tuple[str, str], Cell] = defaultdict(Cell)
    refused = 0
    for name, source in characters(args).items():
        with tempfile.TemporaryDirectory() as folder:
            made = subprocess.run(
                [args.bin, source, folder, ",".join(p for p in args.profiles.split(",") if p != "vrm0")],
                capture_output=True, text=True, check=False, timeout=RUN_LIMIT_S,
            )  # fmt: skip
            if made.returncode != 0:
                if made.returncode == 3 and not source.startswith("sample:"):
                    refused += 1
                    print(f"refused {name}: {made.stderr.strip()}")
                else:
                    cells["all", "written"].failed += 1
                    cells["all", "written"].reasons.append(f"{name}: {made.stderr.strip()[-300:]}")
                continue
            for profile in args.profiles.split(","):
                one(name, profile, Path(folder), args, cells)
        print(f"done {name}", flush=True)
    return finish(args, cells, refused)


def characters(args: argparse.Namespace) -> dict[str, str]:
    found = {name: f"sample:{name}" for name in SAMPLES}
    bench = rigbench.folder()
    if bench and not args.samples_only:
        for case in sorted((bench / "dev").iterdir()):
            truth = case / "truth.json"
            if truth.is_file() and json.loads(truth.read_text(encoding="utf-8")).get("canonical"):
                found[case.name] = str(case / "mesh.glb")
    return {name: source for name, source in found.items() if args.only in name}


def one(name: str, profile: str, folder: Path, args: argparse.Namespace, cells: dict[tuple[str, str], Cell]) -> None:
    files = [f for f in folder.glob(f"{profile}.*") if f.suffix != ".json"]
    wanted = folder / ("vrm.json" if profile == "vrm0" else f"{profile}.json")
    if not files or not wanted.is_file():
        return
    expected = readback.load(wanted)
    if profile == "vrm0":
        turn_round(expected)
    rules = cells[profile, "rules"]
    if expected.get("findings"):
        rules.failed += 1
        rules.reasons += [f"{name}: {f['rule']} {f['message']}" for f in expected["findings"]]
    else:
        rules.passed += 1
    for reader in args.readers.split(","):
        if not reads(reader, files[0].suffix):
            continue
        cell = cells[profile, reader]
        try:
            problems, deviation = see(reader, files[0], expected, folder, args)
        except readback.Missing as missing:
            cell.skipped += 1
            cell.reasons.append(f"skipped: {missing}")
            continue
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            problems, deviation = [str(error)[-300:]], 0.0
        cell.worst = max(cell.worst, deviation)
        cell.passed += not problems
        cell.failed += bool(problems)
        cell.reasons += [f"{name}: {problem}" for problem in problems]


def turn_round(expected: readback.Seen) -> None:
    """VRM 0.x faces the other way."""
    for mesh in expected["meshes"]:
        turned = [readback.corners(f) * (-1.0, 1.0, -1.0) for f in mesh["frames"]]
        mesh["frames"] = [base64.b64encode(t.astype("<f4").tobytes()).decode() for t in turned]


def in_file_space(seen: readback.Seen, expected: readback.Seen) -> None:
    """The engine reads FBX into metres and +Y up."""
    for mesh in seen["meshes"]:
        frames = []
        for frame in mesh["frames"]:
            x, y, z = (readback.corners(frame) / expected["metres"]).T
            turned = np.stack([x, -z, y] if expected["up"] == "z" else [x, y, z], axis=1)
            frames.append(base64.b64encode(turned.astype("<f4").tobytes()).decode())
        mesh["frames"] = frames


def reads(reader: str, suffix: str) -> bool:
    fbx = suffix == ".fbx"
    return {"blender_python": fbx, "blender_native": fbx, "blender_gltf": not fbx, "validator": not fbx}.get(reader, True)


def see(reader: str, file: Path, expected: readback.Seen, folder: Path, args: argparse.Namespace) -> tuple[list[str], float]:
    """What is wrong with a file in a reader, and how far a vertex is off, as a part of the height."""
    if reader == "validator":
        return validated(file)
    out = folder / f"{file.stem}_{reader}_seen.json"
    if reader == "engine":
        seen = readback.run([args.bin, "--read", file, out], out)
        if file.suffix == ".fbx":
            in_file_space(seen, expected)
    elif reader == "three" and file.suffix == ".fbx":
        if file.stem in MANY_INFLUENCES:
            raise readback.Missing("three.js reads four influences of a vertex, and this profile has up to eight")
        seen = readback.read_three(file, out, FRAMES)
    elif reader == "three":
        seen = three_gltf(file, out)
    else:
        # Blender turns glTF, which is Y-up and in metres whatever is in it.
        fbx = file.suffix == ".fbx"
        up, unit = (expected["up"], expected["metres"]) if fbx else ("y", 1.0)
        seen = readback.read_blender(file, out, reader.removeprefix("blender_"), up, unit, FRAMES)
    verdict = readback.compare(reader, expected, seen)
    problems = list(verdict.problems)
    if seen.get("human_bones") is not None:
        known = set(seen["human_bones"])
        lost = {b for b in expected["human_bones"] if b in HUMAN} - known
        if lost:
            problems.append(f"the VRM's humanoid lacks {sorted(lost)[:6]}")
    return problems, verdict.deviation


HUMAN = {"hips", "spine", "chest", "upperChest", "neck", "head"} | {
    f"{side}{part}"
    for side in ("left", "right")
    for part in ("UpperLeg", "LowerLeg", "Foot", "Toes", "Shoulder", "UpperArm", "LowerArm", "Hand")
}


def three_gltf(file: Path, out: Path) -> readback.Seen:
    node = readback.ROOT / ".venv/bin/node"
    node = node if node.exists() else Path("node")
    modules = Path(os.environ.get("AUTORIG_READBACK_MODULES", readback.HERE / "node_modules"))
    if not (modules / "@pixiv/three-vrm").exists():
        raise readback.Missing("three.js and three-vrm (npm packages of scripts/readback)")
    return readback.run([node, readback.HERE / "three_gltf_read.mjs", modules, file, out, str(FRAMES)], out)


def validated(file: Path) -> tuple[list[str], float]:
    counts = rigbench.validate([file]).get(file.name)
    if counts is None:
        raise readback.Missing("the glTF validator (npm package of scripts/validator)")
    warnings = counts["warnings"] - sum(ALLOWED.get(file.stem, {}).get(code, 0) for code in counts["codes"])
    wrong = counts["errors"] or warnings
    return ([f"{counts['errors']} errors, {warnings} warnings: {counts['codes']}"] if wrong else []), 0.0


def finish(args: argparse.Namespace, cells: dict[tuple[str, str], Cell], refused: int) -> int:
    lines = ["| profile | reader | passed | failed | skipped | worst vertex, % of height |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for (profile, reader), cell in sorted(cells.items()):
        lines.append(f"| {profile} | {reader} | {cell.passed} | {cell.failed} | {cell.skipped} | {100 * cell.worst:.5f} |")
    table = "\n".join(lines)
    print(table)
    for (profile, reader), cell in sorted(cells.items()):
        for reason in cell.reasons[:5]:
            print(f"{profile}, {reader}: {reason}")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "export.md").write_text(table + "\n", encoding="utf-8")
    total = [sum(getattr(c, key) for c in cells.values()) for key in ("passed", "failed", "skipped")]
    print(f"{refused} characters refused by the engine")
    print(f"\n{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
