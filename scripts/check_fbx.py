#!/usr/bin/env python3
"""Writes samples and benchmark characters as FBX, reads them back by Blender's two importers and by three.js, and compares bones and
deformed vertices with the engine's own skinning.

Programs that are not installed are counted as skipped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import rigbench

sys.path.insert(0, str(Path(__file__).resolve().parent / "readback"))
import readback

SAMPLES = ("human", "cartoon", "robot")
READERS = ("blender_python", "blender_native", "three")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="the engine's example fbx_file")
    parser.add_argument("--bench", type=int, default=0, metavar="N", help="also the first N of the benchmark's characters, -1 for all")
    parser.add_argument("--readers", default=",".join(READERS))
    args = parser.parse_args()
    inputs = {name: f"sample:{name}" for name in SAMPLES}
    bench = rigbench.folder()
    if args.bench and bench:
        cases = sorted(c for c in (bench / "dev").iterdir() if (c / "mesh.glb").is_file())
        inputs |= {case.name: str(case / "mesh.glb") for case in (cases if args.bench < 0 else cases[: args.bench])}
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with tempfile.TemporaryDirectory() as folder:
        for name, source in inputs.items():
            for up in ("y", "z") if source.startswith("sample:human") else ("y",):
                check(name, source, up, Path(folder), args, counts)
    print(f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


def check(name: str, source: str, up: str, folder: Path, args: argparse.Namespace, counts: dict[str, int]) -> None:
    fbx, wanted = folder / f"{name}_{up}.fbx", folder / f"{name}_{up}.json"
    made = subprocess.run([args.bin, source, fbx, wanted, "--up", up], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        # A character that cannot be rigged is no matter of this check; a sample always can.
        refused = made.returncode == 3 and not source.startswith("sample:")
        counts["skipped" if refused else "failed"] += 1
        print(f"{'refused' if refused else 'FAIL'} {name}: {made.stderr.strip()}")
        return
    expected = readback.load(wanted)
    for reader in args.readers.split(","):
        out = folder / f"{name}_{up}_{reader}.json"
        try:
            verdict = readback.compare(reader, expected, see(reader, fbx, out, up))
        except readback.Missing as missing:
            counts["skipped"] += 1
            print(f"skipped: {missing}")
            continue
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            counts["failed"] += 1
            print(f"FAIL {name} {up} {reader}: {error}")
            continue
        counts["passed" if verdict.passed else "failed"] += 1
        line = f"{name} {up}-up {reader}: {verdict.bones} bones, off by {verdict.deviation:.2e} of the height"
        print(line if verdict.passed else f"FAIL {line}; {'; '.join(verdict.problems)}")


def see(reader: str, fbx: Path, out: Path, up: str) -> readback.Seen:
    if reader == "three":
        return readback.read_three(fbx, out)
    return readback.read_blender(fbx, out, reader.removeprefix("blender_"), up)


if __name__ == "__main__":
    sys.exit(main())
