#!/usr/bin/env python3
"""What a rig costs against the triangle count: a table, the targets, and a plot of time and memory as SVG.

One process a run, bytes to bytes, on the engine's own human in growing detail. Ends with 1 when a target is broken.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from bench_figures import Target, table

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 1_700_000)
# Fewer runs where one takes long.
REPEATS = {1_000_000: 2, 1_700_000: 1}
STAGES = ("read", "analyse", "skeleton", "skin", "export")
# Size: seconds, MB, as the product promises them.
BOUNDS = {30_000: (1.0, 300.0), 1_700_000: (6.0, 1500.0)}
MOVE_SIZE, MOVE_BOUND_S = 30_000, 0.5
# From here on the cost follows the triangles; at most so steeply: time ~ triangles^exponent.
LINEAR_FROM, STEEPEST = 30_000, 1.1

Run = dict[str, Any]


def measure(cost: Path, what: str, sample: Path) -> Run:
    done = subprocess.run([cost, what, sample], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{sample.name}: {done.stderr.strip()}")
    found: Run = json.loads(done.stdout)
    return found


def sample_of(programs: Path, triangles: int, out: Path) -> Path:
    path = out / f"human_{triangles}.glb"
    if not path.exists():
        subprocess.run([programs / "examples" / "sample_file", "human", str(triangles), path], check=True)
    return path


def median_run(runs: list[Run]) -> Run:
    return {
        "triangles": runs[0]["triangles"],
        "seconds": median(run["seconds"] for run in runs),
        "cpu_seconds": median(run["cpu_seconds"] for run in runs),
        "stages": {stage: median(run["stages"].get(stage, 0.0) for run in runs) for stage in STAGES},
        "peak_mb": max(run["peak_mb"] for run in runs),
    }


def exponents(runs: dict[int, Run]) -> list[tuple[int, int, float]]:
    """The slope of time over triangles in the logarithm, between neighbours."""
    sizes = sorted(size for size in runs if size >= LINEAR_FROM)
    found = []
    for small, large in zip(sizes, sizes[1:], strict=False):
        rise = math.log(runs[large]["seconds"] / runs[small]["seconds"])
        found.append((small, large, rise / math.log(runs[large]["triangles"] / runs[small]["triangles"])))
    return found


def targets(runs: dict[int, Run], moved: float | None) -> list[Target]:
    found = []
    for size, (seconds, megabytes) in BOUNDS.items():
        if size in runs:
            found.append(Target(f"{size} triangles, seconds", runs[size]["seconds"], seconds))
            found.append(Target(f"{size} triangles, peak MB", runs[size]["peak_mb"], megabytes))
    found.append(Target(f"{MOVE_SIZE} triangles, one joint moved, seconds", moved, MOVE_BOUND_S))
    steepest = max((slope for _, _, slope in exponents(runs)), default=None)
    found.append(Target(f"steepest exponent of time from {LINEAR_FROM} triangles on", steepest, STEEPEST))
    return found


class Plot:
    """Lines over a logarithmic axis of triangles, as SVG."""

    COLOURS = ("#4878a8", "#d08030", "#7a9e3d", "#b84a62", "#7d65a8", "#222222")
    WIDTH, HEIGHT, LEFT, TOP = 420, 300, 64, 34

    def __init__(self, offset: int, title: str, unit: str, low: float, high: float) -> None:
        self.offset, self.low, self.high = offset, math.log10(low), math.log10(high)
        self.parts = [self.text(self.offset + self.LEFT, 20, title, "start", 14)]
        self.axes(unit)

    def x(self, triangles: float) -> float:
        first, last = math.log10(SIZES[0]), math.log10(2_000_000)
        return self.offset + self.LEFT + (math.log10(triangles) - first) / (last - first) * self.WIDTH

    def y(self, value: float) -> float:
        share = (math.log10(max(value, 10**self.low)) - self.low) / (self.high - self.low)
        return self.TOP + self.HEIGHT * (1 - share)

    @staticmethod
    def text(x: float, y: float, words: str, anchor: str, size: int = 11) -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{words}</text>'

    def axes(self, unit: str) -> None:
        left, right = self.x(SIZES[0]), self.x(2_000_000)
        for power in range(math.ceil(self.low), math.floor(self.high) + 1):
            height = self.y(10.0**power)
            self.parts.append(f'<path d="M{left:.1f} {height:.1f}H{right:.1f}" stroke="#dddddd"/>')
            self.parts.append(self.text(left - 6, height + 4, f"{10.0**power:g} {unit}", "end"))
        for size, words in ((1_000, "1k"), (10_000, "10k"), (100_000, "100k"), (1_000_000, "1M")):
            self.parts.append(f'<path d="M{self.x(size):.1f} {self.TOP}V{self.TOP + self.HEIGHT}" stroke="#eeeeee"/>')
            self.parts.append(self.text(self.x(size), self.TOP + self.HEIGHT + 18, words, "middle"))
        self.parts.append(self.text((left + right) / 2, self.TOP + self.HEIGHT + 36, "triangles", "middle"))

    def line(self, name: str, points: Iterable[tuple[float, float]], index: int, row: int) -> None:
        colour, width = self.COLOURS[index], 2.5 if index == len(self.COLOURS) - 1 else 1.5
        placed = [(self.x(a), self.y(b)) for a, b in points]
        path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in placed)
        self.parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        self.parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5" fill="{colour}"/>' for a, b in placed]
        key = self.TOP + 12 + row * 15
        self.parts.append(f'<path d="M{self.x(1_200):.1f} {key - 4}h16" stroke="{colour}" stroke-width="{width}"/>')
        self.parts.append(self.text(self.x(1_200) + 22, key, name, "start"))


def plot(runs: dict[int, Run], path: Path) -> None:
    ordered = [runs[size] for size in sorted(runs)]
    seconds = Plot(0, "Time of a rig, bytes to bytes", "s", 1e-4, 10)
    names = [*STAGES, "whole"]
    for index, name in enumerate(names):
        values = [run["seconds"] if name == "whole" else run["stages"][name] for run in ordered]
        seconds.line(name, [(run["triangles"], value) for run, value in zip(ordered, values, strict=True)], index, index)
    memory = Plot(520, "Peak memory of the process", "MB", 10, 10_000)
    memory.line("peak", [(run["triangles"], run["peak_mb"]) for run in ordered], len(names) - 1, 0)
    body = "\n".join([*seconds.parts, *memory.parts])
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="1030" height="390" font-family="sans-serif">\n'
        f'<rect width="1030" height="390" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def report(runs: dict[int, Run]) -> None:
    rows = []
    for size in sorted(runs):
        run = runs[size]
        stages = [f"{run['stages'][stage] * 1000:.0f}" for stage in STAGES]
        whole = [f"{run['seconds'] * 1000:.0f}", f"{run['cpu_seconds'] * 1000:.0f}", f"{run['peak_mb']:.0f}"]
        rows.append([str(run["triangles"]), *stages, *whole])
    table(["triangles", *(f"{stage} ms" for stage in STAGES), "whole ms", "processor ms", "peak MB"], rows)
    for small, large, slope in exponents(runs):
        print(f"from {small} to {large} triangles: time ~ triangles^{slope:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="the folder of the release build")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest size, in triangles")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    cost = args.programs / "cost"
    runs: dict[int, Run] = {}
    for size in (size for size in SIZES if size <= args.most):
        sample = sample_of(args.programs, size, args.out)
        runs[size] = median_run([measure(cost, "rig", sample) for _ in range(REPEATS.get(size, 3))])
    moved = None
    if args.most >= MOVE_SIZE:
        moved = float(measure(cost, "move", sample_of(args.programs, MOVE_SIZE, args.out))["seconds"])
    report(runs)
    picture = args.out / "cost.svg"
    plot(runs, picture)
    print(f"\n{picture}\n\n## Targets")
    found = [target for target in targets(runs, moved) if target.value is not None]
    for target in found:
        print(target.line())
    return 0 if all(target.kept for target in found) else 1


if __name__ == "__main__":
    sys.exit(main())
