#!/usr/bin/env python3
"""Writes the table of the engine's error codes in docs/errors.md from their declarations; `--check` only compares.

The codes of the other crates are described by hand; this says which of them are missing, and which no longer exist.
"""

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
# A code in the other crates: the first text of an error's constructor, after a status, or on the right of a match.
USE = re.compile(
    r"(?:(?:Error|Self|Problem|Failure)::\w+\(\s*(?:Class::\w+,\s*Kind::\w+,\s*)?(?:StatusCode::\w+,\s*)?"
    r"|StatusCode::\w+,\s*|=>\s*|\(Exit::\w+,\s*)\"([a-z]+(?:_[a-z0-9]+)+)\""
)
CRATES = ("autorig-core", "autorig-server", "autorig-client", "autorig-cli")
# Texts of the same form that are no codes: error classes, file keys.
NO_CODES = {"user_violation", "rate_limit", "rigged_glb", "prepared_glb", "report_json", "rig_only"}
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


def codes_in_use() -> dict[str, str]:
    """Codes of the crates besides the engine, each with a file that uses it."""
    found: dict[str, str] = {}
    for path in sorted(path for crate in CRATES for path in (ROOT / crate / "src").rglob("*.rs")):
        if path.name != "tests.rs" and "tests" not in path.parts:
            source = path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
            found |= {code: str(path.relative_to(ROOT)) for code in USE.findall(source) if code not in NO_CODES}
    return found


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
    in_use = codes_in_use()
    documented = set(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)`", "".join(re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE))))
    sources = "".join(p.read_text(encoding="utf-8") for p in ROOT.glob("autorig-*/src/**/*.rs"))
    missing = [f"{code} ({path}) is not described" for code, path in sorted(in_use.items()) if code not in documented]
    gone = [f"{code} is described but no longer exists" for code in sorted(documented) if f'"{code}"' not in sources]
    print("\n".join(missing + gone), end="")
    return 1 if missing or gone else 0


if __name__ == "__main__":
    sys.exit(main())
