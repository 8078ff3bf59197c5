#!/usr/bin/env python3
"""Rigs every sample and every benchmark character with the real binary, then runs the Khronos validator over what came out.

A character passes when its GLB has no validator error, or when it was refused with a code and a message. Samples may
not be refused.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rigbench

SAMPLES = ("human", "cartoon", "robot", "quadruped")
JOBS = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for old in args.out.glob("*.glb"):
        old.unlink()

    failures: dict[str, str] = {}
    inputs: dict[str, Path] = {}
    for name in SAMPLES:
        path = args.out / f"sample_{name}.glb"
        made = rigbench.run(args.bin, "sample", name, "-o", path, "--force", "--json")
        if made.exit_code != 0:
            failures[f"sample_{name}"] = made.error
        else:
            inputs[f"sample_{name}"] = path
    bench = rigbench.folder()
    skipped = 0
    if bench:
        inputs |= {case.name: case / "mesh.glb" for case in sorted((bench / "dev").iterdir()) if (case / "mesh.glb").is_file()}
    else:
        skipped = 1
        print("skipped: the benchmark's characters (not beside the repository; AUTORIG_RIGBENCH names their folder)")

    def rig(item: tuple[str, Path]) -> tuple[str, rigbench.Run, Path]:
        name, path = item
        out = args.out / f"{name}_rigged.glb"
        return name, rigbench.run(args.bin, "rig", path, "-o", out, "--force", "--json", "--threads", "1"), out

    with ThreadPoolExecutor(JOBS) as pool:
        results = list(pool.map(rig, inputs.items()))
    written = [path for path in (args.out / f"sample_{name}.glb" for name in SAMPLES) if path.is_file()]
    written += [out for _, run, out in results if run.exit_code == 0 and out.is_file()]
    counts = rigbench.validate(written)

    passed = 0
    for path in written:
        found = counts.get(path.name, {"errors": 1, "warnings": 0, "codes": {"NOT_VALIDATED": 1}})
        if found["errors"]:
            failures[path.name] = f"{found['errors']} validator errors: {found['codes']}"
        else:
            passed += 1
    for name, run, out in results:
        sample = name.startswith("sample_")
        if run.exit_code in rigbench.REFUSED and run.envelope.get("error", {}).get("code") and not sample:
            passed += 1
            print(f"refused {name}: {run.error}")
            if out.exists():
                failures[f"{name} left a file"] = str(out)
        elif run.exit_code != 0:
            failures[name] = f"exit {run.exit_code}: {run.error}"
        elif not out.is_file():
            failures[name] = "exit 0 without a file"
    for name, reason in failures.items():
        print(f"FAIL {name}: {reason}")
    print(f"\n{passed} passed, {len(failures)} failed, {skipped} skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
