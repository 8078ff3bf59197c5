#!/usr/bin/env python3
"""Scores the rigs of real characters with the benchmark's own scorer and prints what a reader needs to judge them.

The scorer's table first, then what failed, the figures together and by class, the skin alone (the true joints given), the
worst five with pictures, the validator's word on each GLB, what it costs, the difference to another revision, and every
target of the engine, kept or broken. Ends with 1 when one is broken.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import bench_figures
import bench_pictures
import rigbench
from bench_figures import Target
from rigbench import Case

JOBS = 2
REPEATS = 3
# Triangles of a sized character, and what its whole rig may take: seconds, MB.
SIZES = ((30_000, 1.0, 300.0), (1_700_000, 6.0, 1500.0))
MOVE_SECONDS = 0.5
# Cases whose characters were used in training, one id a line: shown, never counted.
TRAINED_ON = rigbench.ROOT / "scripts" / "bench_trained_on.txt"


class Bench:
    """One revision's program over the cases."""

    def __init__(self, folder: Path, binary: Path, out: Path, name: str, only: str) -> None:
        self.folder, self.binary, self.out, self.name, self.only = folder, binary, out, name, only
        self.trained = set(TRAINED_ON.read_text().split())

    def whole(self, before: Path | None = None) -> list[Case]:
        """From the file alone."""
        chosen = [case for case in self.cases() if case.name not in self.trained]
        return self.score(chosen, self.name, "", before)

    def skin(self, before: Path | None = None) -> list[Case]:
        """Given the true joints: humanoids only, whose joints have names that every rig knows."""
        given = self.out / "joints"
        given.mkdir(parents=True, exist_ok=True)
        chosen = []
        for case in self.cases():
            truth = json.loads((case / "truth.json").read_text())
            if truth["humanoid"] and case.name not in self.trained:
                (given / f"{case.name}.json").write_text(json.dumps({"joints": true_joints(truth)}))
                chosen.append(case)
        return self.score(chosen, f"{self.name}_skin", f"--joints {shlex.quote(str(given))}/{{id}}.json", before)

    def used_in_training(self) -> list[Case]:
        chosen = [case for case in self.cases() if case.name in self.trained]
        return self.score(chosen, f"{self.name}_trained", "") if chosen else []

    def cases(self) -> list[Path]:
        return sorted(case for case in (self.folder / "dev").iterdir() if (case / "truth.json").exists() and self.only in case.name)

    def command(self, flags: str) -> str:
        program = shlex.quote(str(self.binary))
        if self.binary.name.endswith("autorig"):  # a revision from before the engine had a runner of its own
            return f"{program} rig {{in}} -o {{out}} --force --quiet {flags}"
        return f"{program} {{in}} {{out}} --report {{out}}.json {flags}"

    def score(self, chosen: list[Path], name: str, flags: str, before: Path | None = None) -> list[Case]:
        """Runs the scorer over some cases; its table goes to stdout, its results stay in `out`."""
        results, linked = self.out / f"{name}.json", self.out / f"{name}.cases"
        for folder in (self.out / name, linked):
            shutil.rmtree(folder, ignore_errors=True)
        linked.mkdir(parents=True)
        for path in chosen:
            (linked / path.name).symlink_to(path.resolve())
        print(f"\n# {name}: {self.command(flags)}", flush=True)
        call: list[str | Path] = [sys.executable, self.folder / "score_all.py", linked, self.command(flags)]
        call += ["--out", results, "--jobs", str(JOBS), "--keep", self.out / name]
        if before:
            call += ["--against", before]
        subprocess.run(call, check=True)
        floor = json.loads((self.folder / "floor.json").read_text())
        scored: list[Case] = json.loads(results.read_text())
        for case in scored:
            if case["failed"]:
                case.update(floor.get(case["case"], {}))
        return scored


def true_joints(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """The artist's skeleton as a user would give it: joints of known names, each under the next known one above it."""
    joints, names = truth["joints"], {index: name for name, index in truth["canonical"].items()}

    def parent(index: int) -> str | None:
        direct = above = int(joints[index]["parent"])
        while above >= 0 and above not in names:
            above = int(joints[above]["parent"])
        return names[above] if above >= 0 else joints[direct]["name"] if direct >= 0 else None

    return [{"name": name, "parent": parent(index), "position": joints[index]["pos"]} for index, name in names.items()]


def failures(results: list[Case], what: str) -> None:
    refused = [case for case in results if case["failed"]]
    print(f"\n## Not rigged, {what}: {len(refused)}")
    for case in refused:
        why = " ".join((case.get("stderr") or case.get("error") or "").split())
        print(f"- {case['case']} ({case['cls']}): exit {case.get('exit')}: {why}")
    swapped = [case["case"] for case in results if case.get("lr_swapped")]
    print(f"Left and right swapped: {len(swapped)} {' '.join(swapped)}")
    invalid = [case["case"] for case in results if not case["failed"] and not case["ok"]]
    print(f"Rigs the scorer calls invalid: {len(invalid)} {' '.join(invalid)}")


def worst(results: list[Case], bench: Bench) -> None:
    pictures = bench.out / "pictures"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    print("\n## Worst five by core joint error (% of height); truth green, engine red")
    for case in bench_figures.worst(results):
        name = case["case"]
        print(f"- {name} ({case['cls']}): {case[bench_figures.CORE]:.2f}", end="")
        joints = sorted((case.get("joint_error_pct") or {}).items(), key=lambda pair: -pair[1])[:4]
        print("; " + ", ".join(f"{joint} {error:.1f}" for joint, error in joints), end="")
        report = bench.out / bench.name / f"{name}.glb.json"
        if report.exists():
            bench_pictures.draw(bench.folder / "dev" / name, report, pictures / f"{name}.png")
            print(f"; {pictures / f'{name}.png'}", end="")
        print()


def validator(folder: Path) -> int:
    counts = rigbench.validate(sorted(folder.glob("*.glb")))
    bad = {name: found for name, found in counts.items() if found["errors"]}
    print(f"\n## glTF validator: {len(counts)} files, {len(bad)} with errors")
    for name, found in counts.items():
        if found["errors"] or found["warnings"]:
            print(f"- {name}: {found['errors']} errors, {found['warnings']} warnings {found['codes']}")
    return len(bad)


def cost(binary: Path, out: Path) -> list[Target]:
    """Wall time and peak memory of a whole rig, bytes to bytes, of samples of known sizes: the median of some runs."""
    found = []
    print("\n## Cost of the whole program")
    for triangles, seconds_bound, peak_bound in SIZES:
        sample = out / f"human_{triangles}.glb"
        if not sample.exists():
            subprocess.run([binary.with_name("sample_file"), "human", str(triangles), sample], check=True)
        runs = [rigbench.run(binary, sample, out / "sized_rigged.glb") for _ in range(REPEATS)]
        for run in runs:
            if run.exit_code != 0:
                raise SystemExit(f"the sample of {triangles} triangles could not be rigged: {run.error}")
        seconds = sorted(run.seconds for run in runs)[REPEATS // 2]
        peak = max(run.peak_mb for run in runs)
        print(f"- {triangles} triangles: {seconds:.2f} s (median of {REPEATS}), peak {peak:.0f} MB")
        found += [Target(f"seconds for {triangles} triangles", seconds, seconds_bound)]
        found += [Target(f"peak MB for {triangles} triangles", peak, peak_bound)]
    moved = rigbench.run(binary.parent.with_name("cost"), "move", out / f"human_{SIZES[0][0]}.glb").envelope.get("seconds")
    return [*found, Target(f"seconds for one joint moved, {SIZES[0][0]} triangles", moved, MOVE_SECONDS)]


def verdict(targets: list[Target], partial: bool) -> bool:
    """Every target, kept or broken; of a part of the cases, those that it can say anything about."""
    print("\n## Targets" + (" (of the cases run)" if partial else ""))
    targets = [target for target in targets if target.value is not None or not partial]
    for target in targets:
        print(target.line())
    kept = sum(target.kept for target in targets)
    print(f"\n{kept} kept, {len(targets) - kept} broken")
    return kept == len(targets)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="the engine's runner, `rig_file`")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="a part of a case's name; the cost is not measured then")
    parser.add_argument("--against-bin", type=Path)
    parser.add_argument("--against-name", default="before")
    args = parser.parse_args()
    folder = rigbench.folder()
    if not folder:
        print("the benchmark is not here: put it at ../shared/rigbench or name its folder in AUTORIG_RIGBENCH", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)

    then = Bench(folder, args.against_bin, args.out, "before", args.only) if args.against_bin else None
    old = (then.whole(), then.skin()) if then else None
    bench = Bench(folder, args.bin, args.out, "now", args.only)
    whole = bench.whole(args.out / "before.json" if then else None)
    skin = bench.skin(args.out / "before_skin.json" if then else None)

    failures(whole, "from the file alone")
    failures(skin, "with the true joints")
    bench_figures.summary(whole, skin)
    bench_figures.classes(whole, skin)
    trained = bench.used_in_training()
    print(f"\n## Used in training, not counted: {len(trained)} {' '.join(str(case['case']) for case in trained)}")
    worst(whole, bench)
    targets = bench_figures.targets(whole, skin)
    targets.append(Target("files with validator errors", validator(args.out / "now"), 0))
    if not args.only:
        targets += cost(args.bin, args.out)
    if old:
        bench_figures.compare(whole, old[0], f"Against {args.against_name}, end to end")
        bench_figures.compare(skin, old[1], f"Against {args.against_name}, skin alone")
    return 0 if verdict(targets, bool(args.only)) else 1


if __name__ == "__main__":
    sys.exit(main())
