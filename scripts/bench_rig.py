#!/usr/bin/env python3
"""Scores the rigs of real characters with the benchmark's own scorer and prints what a reader needs to judge them.

The scorer's table first (its MACRO row is the headline), then every failure, every left/right swap, the worst five,
the validator's word on each GLB, and the time and memory of a 30k-triangle character.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import rigbench
from rigbench import Case

JOBS = 2
SIZED = 30_000
REPEATS = 3
MOST_UNRIGGED_HUMANOIDS = 2
MOST_CORE_ERROR_PCT = 4.0
MOST_SECONDS = 3.0
MOST_PEAK_MB = 500.0
COMPARED = ("cd_j2j", "joint_iou", "core_joint_error_mean_pct", "weight_l1_coarse", "deform_moving_pct", "seconds")


def score(bench: Path, binary: Path, out: Path, name: str, only: str, before: Path | None = None) -> list[Case]:
    """Runs the scorer over every case; its table goes to stdout, its results stay in `out`."""
    results = out / f"{name}.json"
    shutil.rmtree(out / name, ignore_errors=True)
    command = f"{shlex.quote(str(binary))} rig {{in}} -o {{out}} --force --quiet"
    call: list[str | Path] = [sys.executable, bench / "score_all.py", bench / "dev", command]
    call += ["--out", results, "--jobs", str(JOBS), "--keep", out / name, "--only", only]
    if before:
        call += ["--against", before]
    subprocess.run(call, check=True)
    floor = json.loads((bench / "floor.json").read_text())
    scored: list[Case] = json.loads(results.read_text())
    for case in scored:
        if case["failed"]:
            case.update(floor.get(case["case"], {}))
    return scored


def failures(results: list[Case]) -> None:
    refused = [case for case in results if case["failed"]]
    print(f"\n## Not rigged: {len(refused)}")
    for case in refused:
        why = " ".join((case.get("stderr") or case.get("error") or "").split())
        print(f"- {case['case']} ({case['cls']}): exit {case.get('exit')}: {why}")
    swapped = [case["case"] for case in results if case.get("lr_swapped")]
    print(f"\n## Left and right swapped: {len(swapped)} {' '.join(swapped)}")
    invalid = [case["case"] for case in results if not case["failed"] and not case["ok"]]
    print(f"\n## Rigs the scorer calls invalid: {len(invalid)} {' '.join(invalid)}")


def worst(results: list[Case]) -> None:
    print("\n## Worst five by core joint error (% of height)")
    scored = [case for case in results if case["humanoid"] and case.get("core_joint_error_mean_pct") is not None]
    for case in sorted(scored, key=lambda case: -case["core_joint_error_mean_pct"])[:5]:
        print(f"- {case['case']} ({case['cls']}): {case['core_joint_error_mean_pct']:.2f}")


def validator(folder: Path) -> int:
    counts = rigbench.validate(sorted(folder.glob("*.glb")))
    bad = {name: found for name, found in counts.items() if found["errors"]}
    print(f"\n## glTF validator: {len(counts)} files, {len(bad)} with errors")
    for name, found in counts.items():
        if found["errors"] or found["warnings"]:
            print(f"- {name}: {found['errors']} errors, {found['warnings']} warnings {found['codes']}")
    return len(bad)


def cost(binary: Path, out: Path) -> dict[str, float]:
    """Wall time and peak memory of the whole command on a sample of a known size: the median of some runs."""
    sample = out / f"human_{SIZED}.glb"
    made = rigbench.run(binary, "sample", "human", "--triangles", str(SIZED), "-o", sample, "--force", "--json")
    if made.exit_code != 0:
        raise SystemExit(f"the sized sample could not be made: {made.error}")
    runs = [rigbench.run(binary, "rig", sample, "-o", out / "sized_rigged.glb", "--force", "--json") for _ in range(REPEATS)]
    for run in runs:
        if run.exit_code != 0:
            raise SystemExit(f"the sized sample could not be rigged: {run.error}")
    seconds = sorted(run.seconds for run in runs)[REPEATS // 2]
    peak = max(run.peak_mb for run in runs)
    print(f"\n## {SIZED} triangles, whole command: {seconds:.2f} s (median of {REPEATS}), peak {peak:.0f} MB")
    return {"seconds": seconds, "peak_mb": peak}


def macro(results: list[Case], metric: str) -> float | None:
    """The mean over the families of their medians, as in the scorer's MACRO row."""
    families: dict[str, list[float]] = {}
    for case in results:
        if case["humanoid"] and case.get(metric) is not None:
            families.setdefault(str(case.get("family", case["case"])), []).append(case[metric])
    medians = [sorted_median(values) for values in families.values()]
    return sum(medians) / len(medians) if medians else None


def sorted_median(values: list[float]) -> float:
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def compare(now: list[Case], before: list[Case], name: str) -> None:
    print(f"\n## Against {name} (MACRO over humanoids: now, then, difference)")
    for metric in COMPARED:
        a, b = macro(now, metric), macro(before, metric)
        if a is not None and b is not None:
            print(f"- {metric}: {a:.3f}  {b:.3f}  {a - b:+.3f}")
    states = {case["case"]: case["failed"] for case in before}
    for case in now:
        if states.get(case["case"], case["failed"]) != case["failed"]:
            print(f"- {case['case']}: {'no longer rigged' if case['failed'] else 'rigged now'}")


def verdict(results: list[Case], validator_errors: int, measured: dict[str, float]) -> bool:
    """The promises of this version, each kept or broken."""
    humanoids = [case for case in results if case["humanoid"]]
    core = macro(results, "core_joint_error_mean_pct")
    promises = [
        ("humanoids not rigged", sum(case["failed"] for case in humanoids), MOST_UNRIGGED_HUMANOIDS),
        ("neither a file nor a refusal", sum(case["failed"] and case.get("exit") not in rigbench.REFUSED for case in results), 0),
        ("left/right swaps", sum(bool(case.get("lr_swapped")) for case in humanoids), 0),
        ("MACRO core joint error, % of height", 0.0 if core is None else core, MOST_CORE_ERROR_PCT),
        ("files with validator errors", validator_errors, 0),
        (f"seconds for {SIZED} triangles", measured["seconds"], MOST_SECONDS),
        (f"peak MB for {SIZED} triangles", measured["peak_mb"], MOST_PEAK_MB),
    ]
    print("\n## Promises")
    for name, value, most in promises:
        print(f"- {'kept  ' if value <= most else 'BROKEN'} {name}: {value:.3g} (at most {most:g})")
    return all(value <= most for _, value, most in promises)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--against-bin", type=Path)
    parser.add_argument("--against-name", default="before")
    args = parser.parse_args()
    bench = rigbench.folder()
    if not bench:
        print("the benchmark is not here: put it at ../shared/rigbench or name its folder in AUTORIG_RIGBENCH", file=sys.stderr)
        return 2

    before = None
    if args.against_bin:
        before = score(bench, args.against_bin, args.out, "before", args.only)
    results = score(bench, args.bin, args.out, "now", args.only, args.out / "before.json" if before else None)
    failures(results)
    worst(results)
    errors = validator(args.out / "now")
    measured = cost(args.bin, args.out)
    if before:
        compare(results, before, args.against_name)
    return 0 if verdict(results, errors, measured) else 1


if __name__ == "__main__":
    sys.exit(main())
