"""The proof of the conventions: `python -m autorig_training.proof body.pt`.

Each rule of `conventions` is fitted anew without each author of the benchmark in turn and measured on that author's characters alone: a rule
that describes one file or one author would not help there.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch

from .conventions import RULES
from .evaluate import characters, predict
from .export import halved
from .humans import INDEX


def _error(seen: list[tuple], authors: Iterable[str], names: tuple[str, ...], rule: Callable[..., None] | None, constants: tuple) -> float:
    """Mean over authors of the median error of these joints in % of the height; NaN where none has them."""
    errors: dict[str, list[float]] = {}
    for joints, character in seen:
        have = [name for name in names if name in character["joints"]]
        if character["family"] in authors and have:
            moved = joints.copy()
            if rule:
                rule(moved, *constants)
            off = [np.linalg.norm(moved[INDEX[name]] - character["joints"][name]) for name in have]
            errors.setdefault(character["family"], []).append(float(np.mean(off)) / character["height"] * 100)
    return float(np.mean([np.median(e) for e in errors.values()])) if errors else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("body", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    net = halved(args.body)
    seen = [(predict(net, c, 4)[0], c) for c in characters(Path(os.environ.get("AUTORIG_RIGBENCH", "../../shared/rigbench")))]
    authors = sorted({c["family"] for _, c in seen})
    for rule, shipped, names, grid in RULES:
        choices = list(itertools.product(*grid))
        before, held_out, better, worse = [], [], 0, 0
        for author in authors:
            own = _error(seen, [author], names, None, ())
            if np.isnan(own):
                continue
            others = [a for a in authors if a != author]
            best = min(choices, key=lambda c, rule=rule, names=names, others=others: _error(seen, others, names, rule, c))
            there = _error(seen, [author], names, rule, best)
            before.append(own)
            held_out.append(there)
            better, worse = better + (there < own), worse + (there > own)
        print(
            f"{rule.__name__:10s} as seen {np.mean(before):.2f}  fitted without the author {np.mean(held_out):.2f} "
            f"(better for {better} of {len(before)}, worse for {worse})  as shipped {_error(seen, authors, names, rule, shipped):.2f}"
        )


if __name__ == "__main__":
    main()
