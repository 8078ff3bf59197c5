"""What the scores of many cases say together: families, classes, the targets, and the difference to another revision.

A headline figure is MACRO: the mean over the families of their medians, because a few base bodies make up a third of the
cases. A case that was not rigged scores as the floor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from rigbench import Case

# Family of the bodies that the training data is made from.
HOME_FAMILY = "makehuman"

# Name in a table, key in the scorer's results, whether more is better.
METRICS = (
    ("CD-J2J %", "cd_j2j", False),
    ("joint IoU", "joint_iou", True),
    ("core error %", "core_joint_error_mean_pct", False),
    ("within 5 %", "core_joints_within_5pct", True),
    ("weight L1", "weight_l1", False),
    ("coarse L1", "weight_l1_coarse", False),
    ("moving %", "deform_moving_pct", False),
    ("seconds", "seconds", False),
)
KEYS = {name: key for name, key, _ in METRICS}
CORE = "core_joint_error_mean_pct"


def values(results: Iterable[Case], metric: str) -> list[float]:
    return [float(case[metric]) for case in results if case.get(metric) is not None]


def macro(results: Iterable[Case], metric: str) -> float | None:
    """The mean over the families of their medians, as in the scorer's MACRO row."""
    families: dict[str, list[float]] = {}
    for case in results:
        if case.get(metric) is not None:
            families.setdefault(family(case), []).append(float(case[metric]))
    medians = [median(found) for found in families.values()]
    return sum(medians) / len(medians) if medians else None


def middle(results: Iterable[Case], metric: str) -> float | None:
    found = values(results, metric)
    return median(found) if found else None


def family(case: Case) -> str:
    return str(case.get("family") or case["case"])


def humanoid(results: Iterable[Case]) -> list[Case]:
    return [case for case in results if case["humanoid"]]


def strangers(results: Iterable[Case]) -> list[Case]:
    """Without the family of the training bodies."""
    return [case for case in results if family(case) != HOME_FAMILY]


def no_home(results: Iterable[Case]) -> list[Case]:
    return strangers(humanoid(results))


def animals(results: Iterable[Case]) -> list[Case]:
    return [case for case in results if not case["humanoid"]]


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    head = list(head)
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def summary(whole: list[Case], skin: list[Case]) -> None:
    """Every metric, end to end and with the true joints given."""

    def row(name: str, results: list[Case], how: Callable[[list[Case], str], float | None]) -> list[str]:
        return [name, str(len(results)), *(number(how(results, key)) for _, key, _ in METRICS)]

    others = animals(whole)
    rows = []
    for name, results in (("end to end", humanoid(whole)), ("skin alone (true joints)", skin)):
        rows.append(row(f"{name}, MACRO", results, macro))
        rows.append(row(f"{name}, MACRO without {HOME_FAMILY}", strangers(results), macro))
        rows.append(row(f"{name}, median", results, middle))
    rows.append(row("non-humanoids, MACRO", others, macro))
    rows.append(row("non-humanoids, median", others, middle))
    print("\n## Together")
    table(["", "n", *(name for name, _, _ in METRICS)], rows)


def classes(whole: list[Case], skin: list[Case]) -> None:
    """The median of each class, its worst case, and its skin with the true joints."""
    rows = []
    for name in sorted({str(case["cls"]) for case in whole}):
        results = [case for case in whole if case["cls"] == name]
        ranked = sorted(results, key=lambda case: -float(case.get(CORE) or case.get("cd_j2j") or 0.0))
        given = [case for case in skin if case["cls"] == name]
        row = [name, str(len(results)), *(number(middle(results, key)) for _, key, _ in METRICS[:7])]
        row += [number(middle(given, KEYS["coarse L1"])), number(middle(given, KEYS["moving %"])), str(ranked[0]["case"])]
        rows.append(row)
    print("\n## Each class (medians)")
    table(["class", "n", *(name for name, _, _ in METRICS[:7]), "skin alone: coarse", "moving", "worst case"], rows)


def worst(results: list[Case], count: int = 5) -> list[Case]:
    scored = [case for case in humanoid(results) if case.get(CORE) is not None]
    return sorted(scored, key=lambda case: (-float(case[CORE]), str(case["case"])))[:count]


def worst_class(results: list[Case]) -> float | None:
    found = [middle([c for c in humanoid(results) if c["cls"] == name], CORE) for name in {c["cls"] for c in humanoid(results)}]
    return max((value for value in found if value is not None), default=None)


@dataclass
class Target:
    """A figure and the bound it has to keep."""

    name: str
    value: float | None
    bound: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def line(self) -> str:
        sign = "at least" if self.at_least else "at most"
        word = "kept  " if self.kept else "BROKEN"
        return f"- {word} {self.name}: {'not measured' if self.value is None else f'{self.value:.4g}'} ({sign} {self.bound:g})"


def targets(whole: list[Case], skin: list[Case]) -> list[Target]:
    """The targets that the scores decide, over all humanoids and without the family of the training bodies."""
    people, others = humanoid(whole), animals(whole)
    found = [
        Target("humanoids not rigged, or not validly", sum(case["failed"] or not case["ok"] for case in people), 0),
        Target("left/right swaps", sum(bool(case.get("lr_swapped")) for case in people), 0),
        Target("results that moved", sum(not (case.get("frame") or {}).get("preserved", True) for case in whole), 0),
    ]
    for name, chosen in (("", people), (f", without {HOME_FAMILY}", strangers(people))):
        found += [
            Target(f"MACRO CD-J2J %{name}", macro(chosen, "cd_j2j"), 2.5),
            Target(f"MACRO joint IoU{name}", macro(chosen, "joint_iou"), 0.62, at_least=True),
            Target(f"MACRO core joint error, % of height{name}", macro(chosen, CORE), 2.2),
            Target(f"MACRO core joints within 5 %{name}", macro(chosen, "core_joints_within_5pct"), 0.93, at_least=True),
            Target(f"MACRO coarse weight L1{name}", macro(chosen, "weight_l1_coarse"), 0.22),
            Target(f"MACRO deformation of moving vertices, %{name}", macro(chosen, "deform_moving_pct"), 1.4),
        ]
    for name, chosen in (("", skin), (f", without {HOME_FAMILY}", strangers(skin))):
        found += [
            Target(f"skin alone: MACRO weight L1{name}", macro(chosen, "weight_l1"), 0.24),
            Target(f"skin alone: MACRO coarse L1{name}", macro(chosen, "weight_l1_coarse"), 0.14),
            Target(f"skin alone: MACRO moving deformation, %{name}", macro(chosen, "deform_moving_pct"), 0.22),
        ]
    bare = sum((case.get("validity") or {}).get("unweighted_vertices", 0) for case in [*whole, *skin])
    single = max(values(people, CORE), default=None)
    return found + [
        Target("unweighted vertices", bare, 0),
        Target("worst class, core joint error %", worst_class(whole), 3.5),
        Target("worst single case, core joint error %", single, 6.0),
        Target("non-humanoids not rigged, or not validly", sum(case["failed"] or not case["ok"] for case in others), 0),
        Target("non-humanoids: MACRO CD-J2J %", macro(others, "cd_j2j"), 5.0),
    ]


def compare(now: list[Case], before: list[Case], title: str) -> None:
    """Differences of each metric, then of each case, regressions first."""
    print(f"\n## {title} (now, then, difference; MACRO)")
    rows = []
    for name, key, more in METRICS:
        for who, chosen in (("", humanoid), (f", without {HOME_FAMILY}", no_home), (", non-humanoids", animals)):
            a, b = macro(chosen(now), key), macro(chosen(before), key)
            if a is not None and b is not None:
                word = "" if abs(a - b) < 5e-4 else "better" if (a > b) == more else "WORSE"
                rows.append([name + who, number(a), number(b), f"{a - b:+.3f}", word])
    table(["metric", "now", "then", "difference", ""], rows)
    print(f"\n### {title}: each case, regressions first")
    old = {case["case"]: case for case in before}
    table(["case", "class", *(name for name, _, _ in METRICS[:7]), ""], case_rows(now, old))


def case_rows(now: list[Case], old: dict[str, Case]) -> list[list[str]]:
    ranked = []
    for case in now:
        then = old.get(str(case["case"]))
        if not then:
            continue
        cells = []
        for _, key, _ in METRICS[:7]:
            a, b = case.get(key), then.get(key)
            cells.append("-" if a is None or b is None else f"{a - b:+.3f}")
        main = CORE if case.get(CORE) is not None else "cd_j2j"
        if case.get("weight_l1") is not None and abs(float(case.get(CORE) or 0) - float(then.get(CORE) or 0)) < 1e-6:
            main = "weight_l1"  # the same joints: what can differ is the skin
        loss = float(case.get(main) or 0) - float(then.get(main) or 0)
        word = ""
        if case["failed"] != then["failed"]:
            word, loss = ("no longer rigged", 1e3) if case["failed"] else ("rigged now", -1e3)
        if loss != 0 or any(cell not in ("-", "+0.000", "-0.000") for cell in cells):
            ranked.append((-loss, [str(case["case"]), str(case["cls"]), *cells, word]))
    return [row for _, row in sorted(ranked, key=lambda pair: (pair[0], pair[1]))]
