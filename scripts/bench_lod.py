#!/usr/bin/env python3
"""Levels of detail against a peer's: rigs characters, lets glTF-Transform's `simplify` and the engine make levels with equal numbers of
triangles, and measures both against the original by the same program.

Distances are in per cent of the height, both ways; the weight error is the share of a point's skin that follows other bones.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import rigbench

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "scripts/lodpeer"
# Parts of the original's triangles that the peer is asked for; ours gets as many as the peer then has.
RATIOS = (0.5, 0.25, 0.1)
# Fewer triangles are no matter for levels of detail.
FEWEST = 2_000
TIME_LIMIT_S = 600


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="folder of the engine's examples rig_file, sample_file and lod_peer")
    parser.add_argument("--only", default="", help="part of a character's name")
    parser.add_argument("--out", type=Path, help="folder for the table")
    args = parser.parse_args()
    rows: list[tuple[str, float, dict[str, Any], dict[str, Any]]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, source in characters(args, Path(folder)).items():
            rig = Path(folder) / f"{name}_rig.glb"
            made = subprocess.run([args.bin / "rig_file", source, rig], capture_output=True, text=True, check=False, timeout=TIME_LIMIT_S)
            if made.returncode != 0:
                print(f"refused {name}: {made.stderr.strip()[-200:]}")
                continue
            for ratio in RATIOS:
                row = compare(args.bin, rig, ratio)
                if row is not None:
                    rows.append((name, ratio, *row))
            print(f"done {name}", flush=True)
    return finish(args, rows)


def characters(args: argparse.Namespace, folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name in ("human", "cartoon"):
        if args.only in name:
            found[name] = folder / f"{name}.glb"
            subprocess.run([args.bin / "sample_file", name, "30000", found[name]], check=True, capture_output=True, timeout=TIME_LIMIT_S)
    bench = rigbench.folder()
    for case in sorted((bench / "dev").iterdir()) if bench else []:
        truth = case / "truth.json"
        if args.only in case.name and truth.is_file() and json.loads(truth.read_text(encoding="utf-8")).get("canonical"):
            found[case.name] = case / "mesh.glb"
    return found


def compare(programs: Path, rig: Path, ratio: float) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The peer's level and ours; nothing where the character is too small or the peer did not reduce it."""
    level = rig.with_suffix(f".{ratio}.glb")
    node = ROOT / ".venv/bin/node"
    node = node if node.exists() else Path("node")
    subprocess.run([node, PEER / "simplify.mjs", rig, level, str(ratio)], check=True, capture_output=True, cwd=PEER, timeout=TIME_LIMIT_S)
    measured = subprocess.run([programs / "lod_peer", rig, level], check=True, capture_output=True, text=True, timeout=TIME_LIMIT_S)
    peer, ours = (json.loads(line) for line in measured.stdout.splitlines())
    before = ours["report"]["triangles_before"]
    if before < FEWEST or peer["triangles"] >= before:
        return None
    return peer, ours["report"]


def finish(args: argparse.Namespace, rows: list[tuple[str, float, dict[str, Any], dict[str, Any]]]) -> int:
    lines = ["| level | who | characters | mean distance % | largest % | mean weight error | largest |", "| --- | --- | ---: | ---: | ---: | ---: | ---: |"]
    worse = []
    for ratio in RATIOS:
        of_ratio = [row for row in rows if row[1] == ratio]
        if not of_ratio:
            continue
        for who, part in (("glTF-Transform", 2), ("AutoRig", 3)):
            found: list[dict[str, float]] = [row[part]["deviation"] for row in of_ratio]  # type: ignore[misc, index]
            medians = [statistics.median(d[key] for d in found) for key in ("mean", "max", "weight_mean", "weight_max")]
            cells = " | ".join(f"{value:.3f}" for value in medians)
            lines.append(f"| {ratio:.0%} of the triangles | {who} | {len(of_ratio)} | {cells} |")
        worse += [f"{name} at {ratio:.0%}" for name, _, peer, ours in of_ratio if ours["deviation"]["mean"] > 1.5 * peer["deviation"]["mean"] + 0.01]
    table = "\n".join(lines)
    print(table)
    print("medians over the characters; ours is more than half again as far off as the peer's on:", ", ".join(worse) or "none")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "lod.md").write_text(table + "\n", encoding="utf-8")
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())
