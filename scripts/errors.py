#!/usr/bin/env python3
"""Writes the table of error codes in docs/errors.md from the declarations in the sources; `--check` only compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/errors.md"
START, END = "<!-- engine codes: written by scripts/errors.py -->", "<!-- end -->"
DECLARATION = re.compile(
    r"///\s*(?P<doc>[^\n]+)\n\s*(?P<name>\w+)\s*=>\s*\"(?P<code>[a-z0-9_]+)\",\s*(?P<kind>\w+),\s*\"(?P<remedy>[^\"]+)\";"
)
KINDS = {
    "Input": ("The file cannot be rigged", 3),
    "Limit": ("A limit was passed", 4),
    "Usage": ("The call was wrong", 2),
    "Cancelled": ("The caller stopped it", 130),
    "Internal": ("Our fault, or the machine's", 1),
}


def table() -> str:
    source = (ROOT / "autorig-engine/src/error.rs").read_text(encoding="utf-8")
    declared = [match.groupdict() for match in DECLARATION.finditer(source)]
    arrows = len(re.findall(r"^\s*\w+\s*=>\s*\"[a-z0-9_]+\",", source, re.MULTILINE))
    if not declared or len(declared) != arrows:
        sys.exit(f"autorig-engine/src/error.rs: {arrows} codes declared, {len(declared)} understood")
    parts = []
    for kind, (title, exit_code) in KINDS.items():
        rows = [code for code in declared if code["kind"] == kind]
        if rows:
            parts.append(f"### {title} (exit code {exit_code})\n\n| code | what happened | what to do |\n| --- | --- | --- |")
            parts.append("\n".join(f"| `{row['code']}` | {row['doc']} | {row['remedy']} |" for row in rows) + "\n")
    unknown = {row["kind"] for row in declared} - KINDS.keys()
    if unknown:
        sys.exit(f"scripts/errors.py does not know the kinds {sorted(unknown)}")
    return "\n".join(parts)


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(START)
    _, tail = rest.split(END)
    made = f"{head}{START}\n{table()}{END}{tail}"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if made != page:
        print("docs/errors.md is stale: run python3 scripts/errors.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
