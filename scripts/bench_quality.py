#!/usr/bin/env python3
"""Holds the quality sheet against the truth: does a good verdict mean a good rig?

Rigs every character of the benchmark, scores the rigs with the benchmark's own scorer, and prints how the score of the
quality sheet goes with the true errors (Spearman's rank correlation), how often each verdict was right, and which reasons
were given. The plot goes beside the results. The scorer knows the artist's skeleton and weights; the sheet does not.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import rigbench

JOBS = 2
VERDICTS = ("good", "review", "poor")
# The true error of a rig, in per cent of the character's height: up to the first numbers an artist would use it as it is,
# beyond the second it has to be made again. Core joint error, deformation of what moves.
SOUND = (3.0, 2.5)
BROKEN = (6.0, 4.5)
CLASSES = ("sound", "doubtful", "broken")


@dataclass
class Rated:
    """One rigged humanoid: what the sheet says, and what is true."""

    case: str
    verdict: str
    score: float
    scores: dict[str, float]
    reasons: list[str]
    core: float
    deform: float

    @property
    def truth(self) -> str:
        if self.core > BROKEN[0] or self.deform > BROKEN[1]:
            return "broken"
        return "doubtful" if self.core > SOUND[0] or self.deform > SOUND[1] else "sound"


def rate(bench: Path, binary: Path, out: Path, only: str) -> tuple[list[Rated], list[str]]:
    """Rigs and scores the cases; those that were refused come as lines of text."""
    kept, results = out / "quality", out / "quality.json"
    shutil.rmtree(kept, ignore_errors=True)
    command = f"{shlex.quote(str(binary))} {{in}} {{out}} --report {{out}}.report.json"
    call: list[str | Path] = [sys.executable, bench / "score_all.py", bench / "dev", command, "--out", results]
    call += ["--jobs", str(JOBS), "--keep", kept, "--only", only]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    rated, refused = [], []
    for case in json.loads(results.read_text()):
        report = kept / f"{case['case']}.glb.report.json"
        if case["failed"] or not report.exists():
            refused.append(f"{case['case']} ({case['cls']})")
            continue
        quality = json.loads(report.read_text())["quality"]
        reasons = [reason["code"] for reason in quality["reasons"]]
        if not case["humanoid"]:
            words = f"{quality['verdict']} ({quality['score']:.2f}) {' '.join(reasons)}"
            print(f"- {case['case']} ({case['cls']}): CD-J2J {case['cd_j2j']:.1f} %, {words}")
            continue
        true = (case["core_joint_error_mean_pct"], case["deform_moving_pct"])
        if None not in true:
            rated.append(Rated(case["case"], quality["verdict"], quality["score"], quality["scores"], reasons, *true))
    return rated, refused


def ranks(values: list[float]) -> list[float]:
    """Ranks from 1, equal values sharing their mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for index in order[start : end + 1]:
            found[index] = (start + end) / 2 + 1
        start = end + 1
    return found


def spearman(a: list[float], b: list[float]) -> float | None:
    """Spearman's rank correlation; None when one side does not vary."""
    x, y = ranks(a), ranks(b)
    n = len(x)
    mean = (n + 1) / 2
    over = sum((p - mean) * (q - mean) for p, q in zip(x, y, strict=True))
    under = (sum((p - mean) ** 2 for p in x) * sum((q - mean) ** 2 for q in y)) ** 0.5
    return over / under if under else None


def correlations(rated: list[Rated]) -> None:
    print("\n## Spearman's rank correlation with the true error (a perfect sheet has -1)")
    print("| | core joint error | deformation of moving vertices |\n|---|---|---|")
    columns = {"score": [r.score for r in rated]}
    columns |= {name: [r.scores[name] for r in rated] for name in rated[0].scores}
    for name, values in columns.items():
        row = [spearman(values, [getattr(r, error) for r in rated]) for error in ("core", "deform")]
        print(f"| {name} | " + " | ".join("does not vary" if value is None else f"{value:+.2f}" for value in row) + " |")


def confusion(rated: list[Rated]) -> None:
    counts = Counter((r.verdict, r.truth) for r in rated)
    limits = f"core joint error {SOUND[0]:g} / {BROKEN[0]:g} %, deformation {SOUND[1]:g} / {BROKEN[1]:g} % of the height"
    print(f"\n## Verdict against the true error ({limits})")
    print(f"| verdict | {' | '.join(CLASSES)} | median core | median deformation |\n|---|---|---|---|---|---|")
    for verdict in VERDICTS:
        cells = [str(counts[verdict, truth]) for truth in CLASSES]
        of = [r for r in rated if r.verdict == verdict]
        for error in ("core", "deform"):
            values = sorted(getattr(r, error) for r in of)
            cells.append(f"{values[len(values) // 2]:.2f}" if values else "-")
        print(f"| {verdict} | {' | '.join(cells)} |")
    wrong = [r for r in rated if (r.verdict == "good" and r.truth == "broken") or (r.verdict == "poor" and r.truth == "sound")]
    print(f"\n## Good but broken, or poor but sound: {len(wrong)}")
    for r in wrong:
        print(f"- {r.case}: {r.verdict} ({r.score:.2f}), core {r.core:.2f}, deformation {r.deform:.2f}: {' '.join(r.reasons)}")


def reasons(rated: list[Rated]) -> None:
    print("\n## Reasons given, and the median errors where they were")
    for code, count in Counter(code for r in rated for code in r.reasons).most_common():
        of = [r for r in rated if code in r.reasons]
        core, deform = (sorted(getattr(r, error) for r in of)[count // 2] for error in ("core", "deform"))
        print(f"- {code}: {count}, core {core:.2f}, deformation {deform:.2f}")


# The plot: sizes in pixels.
WIDTH, HEIGHT, MARGIN, GAP = 900, 420, 56, 40
COLOURS = {"good": "#2b8a57", "review": "#c98a00", "poor": "#c2413b"}
NAMED = 5


def plot(rated: list[Rated]) -> str:
    """Both errors over the score as SVG; the worst few by name."""
    panel = (WIDTH - 2 * MARGIN - GAP) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for index, (error, title) in enumerate((("core", "core joint error"), ("deform", "deformation of moving vertices"))):
        parts += panel_of(rated, error, f"{title}, % of the height", MARGIN + index * (panel + GAP), panel)
    for index, verdict in enumerate(VERDICTS):
        x = MARGIN + index * 90
        parts.append(f'<circle cx="{x}" cy="16" r="5" fill="{COLOURS[verdict]}"/><text x="{x + 10}" y="20">{verdict}</text>')
    return "\n".join([*parts, "</svg>", ""])


def panel_of(rated: list[Rated], error: str, title: str, left: float, width: float) -> list[str]:
    top, bottom = MARGIN, HEIGHT - MARGIN
    most = max(1.0, *(getattr(r, error) for r in rated)) * 1.08

    def at(score: float, value: float) -> tuple[float, float]:
        return left + score * width, bottom - value / most * (bottom - top)

    parts = [f'<text x="{left:.1f}" y="{top - 14}" font-weight="600">{title}</text>']
    for step in range(6):
        x, _ = at(step / 5, 0)
        _, y = at(0, most * step / 5)
        parts.append(f'<path d="M{x:.1f} {top}V{bottom}M{left:.1f} {y:.1f}h{width:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{step / 5:.1f}</text>')
        parts.append(f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{most * step / 5:.1f}</text>')
    parts.append(f'<text x="{left + width / 2:.1f}" y="{bottom + 38}" text-anchor="middle">score of the quality sheet</text>')
    worst = {r.case for r in sorted(rated, key=lambda r: -getattr(r, error))[:NAMED]}
    for r in rated:
        x, y = at(r.score, getattr(r, error))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{COLOURS[r.verdict]}" fill-opacity="0.8"><title>{r.case}</title></circle>')
        if r.case in worst:
            side, anchor = (8, "start") if r.score < 0.6 else (-8, "end")
            parts.append(f'<text x="{x + side:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}" fill="#555555">{r.case}</text>')
    return parts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    bench = rigbench.folder()
    if not bench:
        print("the benchmark is not here: put it at ../shared/rigbench or name its folder in AUTORIG_RIGBENCH", file=sys.stderr)
        return 2
    print("## Others than humanoids")
    rated, refused = rate(bench, args.bin, args.out, args.only)
    print(f"\n## Refused: {len(refused)} {' '.join(refused)}")
    if len(rated) < 3:
        print("too few rigged humanoids to say anything", file=sys.stderr)
        return 2
    correlations(rated)
    confusion(rated)
    reasons(rated)
    picture = args.out / "quality.svg"
    picture.write_text(plot(rated))
    print(f"\nplot: {picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
