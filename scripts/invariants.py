#!/usr/bin/env python3
"""Checks the invariants of the architecture that sources alone can show.

Each is one test: it prints `ok` or `FAIL` with the places, and the last line counts them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 800
GENERATED = re.compile(r"(^|/)(Cargo\.lock|package-lock\.json|[^/]+\.snap|api\.gen\.ts)$|^openapi/")
TESTS = re.compile(r"(^|/)(tests?|__snapshots__)(/|\.rs$)|(_test|_tests|\.test)\.[a-z]+$")
SOURCE = re.compile(r"\.(rs|ts|mjs|js|css|html|py|pyi|sh|sql|toml|ya?ml)$|(^|/)(dev|run)$")

CHECKS: list[tuple[str, Callable[[], Iterator[str]]]] = []


def check(sentence: str) -> Callable[[Callable[[], Iterator[str]]], Callable[[], Iterator[str]]]:
    """Registers a function that yields one line for each place that breaks the rule."""

    def register(function: Callable[[], Iterator[str]]) -> Callable[[], Iterator[str]]:
        CHECKS.append((sentence, function))
        return function

    return register


def run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def files(*patterns: str) -> list[str]:
    """Files under version control or about to be, and still there."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns).splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def lines(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines()


def search(pattern: str, names: list[str]) -> Iterator[str]:
    found = re.compile(pattern)
    for name in names:
        for number, line in enumerate(lines(name), 1):
            if found.search(line):
                yield f"{name}:{number}: {line.strip()[:120]}"


def code(names: list[str]) -> list[str]:
    return [name for name in names if name.endswith((".rs", "Cargo.toml"))]


def packages_under(crate: str) -> set[str]:
    tree = run("cargo", "tree", "--locked", "-p", crate, "-e", "normal,build", "--target", "all", "--prefix", "none")
    return {line.split()[0] for line in tree.splitlines() if line.strip()}


@check("the engine builds without a runtime, a network, a database or a server")
def engine_is_pure() -> Iterator[str]:
    banned = {"tokio", "async-std", "reqwest", "hyper", "sqlx", "sqlx-core", "rusqlite", "poem", "poem-openapi", "chrono", "uuid", "rand"}
    for name in sorted(packages_under("autorig-engine") & banned):
        yield f"autorig-engine depends on {name} (cargo tree -p autorig-engine -i {name})"


@check("the core knows no HTTP server and no Python")
def core_is_no_door() -> Iterator[str]:
    for name in sorted(packages_under("autorig-core") & {"poem", "poem-openapi", "axum", "pyo3", "clap"}):
        yield f"autorig-core depends on {name}"


@check("the Python module carries no server and no database")
def wheel_is_thin() -> Iterator[str]:
    for name in sorted(packages_under("autorig-py") & {"poem", "sqlx", "sqlx-core", "autorig-core", "autorig-server"}):
        yield f"autorig-py depends on {name}"


@check("arrows point down: engine < core and client < doors")
def layers() -> Iterator[str]:
    allowed = {
        "autorig-engine": set(),
        "autorig-core": {"autorig-engine"},
        "autorig-client": set(),
        "autorig-server": {"autorig-core", "autorig-engine"},
        "autorig-py": {"autorig-engine", "autorig-client"},
    }
    for crate, below in allowed.items():
        manifest = tomllib.loads((ROOT / crate / "Cargo.toml").read_text())
        ours = {name for name in manifest.get("dependencies", {}) if name.startswith("autorig-")}
        for name in sorted(ours - below):
            yield f"{crate}/Cargo.toml: {name}"


@check("only core's store/ names sqlx")
def sqlx_has_one_home() -> Iterator[str]:
    homes = ("autorig-core/src/store/", "autorig-core/tests/")
    yield from search(r"\bsqlx::|\buse sqlx\b", [n for n in files("*.rs") if not n.startswith(homes)])
    yield from search(r"^sqlx\b", [n for n in files("*/Cargo.toml") if not n.startswith("autorig-core/")])


@check("only core's outbound/ and autorig-client build an HTTP client")
def http_client_has_one_home() -> Iterator[str]:
    homes = ("autorig-core/src/outbound", "autorig-client/")
    names = [n for n in files("*.rs") if not n.startswith(homes) and not TESTS.search(n)]
    yield from search(r"reqwest::(blocking::)?(Client|ClientBuilder|get)\b|\bClient::builder\(\)", names)


@check("only autorig-server names poem")
def poem_has_one_home() -> Iterator[str]:
    names = [n for n in code(files()) if not n.startswith("autorig-server/") and n != "Cargo.toml"]
    yield from search(r"\bpoem(_openapi)?::|\buse poem|^poem", names)


@check("only autorig-py names pyo3")
def pyo3_has_one_home() -> Iterator[str]:
    names = [n for n in code(files()) if not n.startswith("autorig-py/") and n != "Cargo.toml"]
    yield from search(r"\bpyo3::|\buse pyo3|^(pyo3|numpy)\b", names)


@check("clock, ids and randomness are forbidden ambient in every crate's clippy rules")
def clippy_rules() -> Iterator[str]:
    rules = {rule["path"] for rule in tomllib.loads((ROOT / "clippy.toml").read_text())["disallowed-methods"]}
    for path in ("std::time::SystemTime::now", "chrono::Utc::now", "uuid::Uuid::now_v7", "reqwest::Client::new"):
        if path not in rules:
            yield f"clippy.toml lacks {path}"
    for name in files("*/clippy.toml"):
        own = {rule["path"] for rule in tomllib.loads((ROOT / name).read_text()).get("disallowed-methods", [])}
        for path in sorted(rules - own):
            yield f"{name} replaces clippy.toml and lacks {path}"
    engine = {rule["path"] for rule in tomllib.loads((ROOT / "autorig-engine/clippy.toml").read_text())["disallowed-methods"]}
    for path in ("f32::sin", "f64::sin", "f32::exp", "f64::powf"):
        if path not in engine:
            yield f"autorig-engine/clippy.toml lacks {path}"


@check("every crate takes the workspace's lints")
def workspace_lints() -> Iterator[str]:
    for name in files("*/Cargo.toml"):
        if tomllib.loads((ROOT / name).read_text()).get("lints", {}).get("workspace") is not True:
            yield f"{name}: [lints] workspace = true is missing"


@check("unwrap is denied, and the reader of outside bytes may not index unchecked")
def no_panics_from_files() -> Iterator[str]:
    lints = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["lints"]["clippy"]
    if lints.get("unwrap_used") != "deny":
        yield "Cargo.toml: workspace.lints.clippy.unwrap_used is not deny"
    declared = "\n".join(lines("autorig-engine/src/read/mod.rs") + lines("autorig-engine/src/lib.rs"))
    if not re.search(r"#!?\[(deny|forbid)\([^)]*clippy::indexing_slicing", declared):
        yield "autorig-engine/src/read/mod.rs does not deny clippy::indexing_slicing"
    yield from search(r"allow\([^)]*clippy::(unwrap_used|indexing_slicing)", [n for n in files("*.rs") if not TESTS.search(n)])


@check("no C build of TLS in the tree")
def no_openssl() -> Iterator[str]:
    locked = {package["name"] for package in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    for name in sorted(locked & {"openssl-sys", "aws-lc-sys", "native-tls"}):
        yield f"Cargo.lock: {name} (cargo tree -i {name})"


@check("migrations are numbered without gaps, alike for every database")
def migrations() -> Iterator[str]:
    numbers: dict[str, list[int]] = {}
    for name in files("*.sql"):
        if match := re.fullmatch(r"(.*migrations.*)/(\d+)_[a-z0-9_]+\.sql", name):
            numbers.setdefault(match[1], []).append(int(match[2]))
    if not numbers:
        yield "no migrations found"
    for folder, found in numbers.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            yield f"{folder}: {sorted(found)}"
    if len({tuple(sorted(found)) for found in numbers.values()}) > 1:
        yield f"different numbers: { {folder: sorted(found) for folder, found in numbers.items()} }"


@check(f"no file over {LONGEST_FILE} lines outside tests and generated code")
def short_files() -> Iterator[str]:
    for name in files():
        if SOURCE.search(name) and not GENERATED.search(name) and not TESTS.search(name):
            length = len(lines(name))
            if length > LONGEST_FILE:
                yield f"{name}: {length} lines"


@check("package versions are pinned and lock files name no download address")
def pinned() -> Iterator[str]:
    for name in files("scripts/requirements*.txt"):
        for line in lines(name):
            if line and not line.startswith(("#", "-r ")) and not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][^\s]*", line):
                yield f"{name}: {line}"
    for name in files("package.json", "*/package.json"):
        manifest = json.loads((ROOT / name).read_text())
        for group in ("dependencies", "devDependencies"):
            for package, version in manifest.get(group, {}).items():
                if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", version):
                    yield f"{name}: {package} {version}"
        lock = Path(name).with_name("package-lock.json").as_posix()
        if lock not in files(lock):
            yield f"{lock} is missing"
        elif '"resolved"' in (ROOT / lock).read_text():
            yield f"{lock} names download addresses: set omit-lockfile-registry-resolved=true in .npmrc"
    if "Cargo.lock" not in files("Cargo.lock"):
        yield "Cargo.lock is not under version control"


@check("the repository names no path of one machine and no package registry")
def no_machine() -> Iterator[str]:
    names = [n for n in files() if re.search(r"\.(rs|ts|mjs|js|css|html|py|pyi|sh|sql|toml|ya?ml|json|md|txt|cfg|npmrc)$|(^|/)(dev|run|\.npmrc)$", n)]
    names = [n for n in names if n not in ("Cargo.lock", "scripts/invariants.py")]
    yield from search(r"(?<![\w.$}/-])/(root|work|home/\w+|Users/\w+)/", names)
    yield from search(r"^\s*(registry|index-url|extra-index-url|replace-with)\s*=|--(index-url|registry)\b", names)


@check("nothing in the sources is left for later")
def no_stand_ins() -> Iterator[str]:
    names = [n for n in files() if SOURCE.search(n) and n != "scripts/invariants.py"]
    yield from search(r"\b(TODO|FIXME|XXX)\b|[(\"]being written[)\"]|not (yet )?implemented", names)


@check("every relative link of the documentation leads somewhere")
def links() -> Iterator[str]:
    for name in files("*.md"):
        for number, line in enumerate(lines(name), 1):
            for target in re.findall(r"\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"", line):
                link = (target[0] or target[1]).split("#")[0]
                if link and "://" not in link and not link.startswith("mailto:") and not (ROOT / name).parent.joinpath(link).exists():
                    yield f"{name}:{number}: {link}"


@check("docs/server.md lists every setting")
def settings_documented() -> Iterator[str]:
    struct = re.search(r"pub struct Config \{(.*?)\n\}", (ROOT / "autorig-core/src/config.rs").read_text(), re.DOTALL)
    settings = set(re.findall(r"^\s+pub (\w+):", struct[1], re.MULTILINE)) if struct else set()
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/server.md").read_text(), re.MULTILINE))
    if not settings:
        yield "autorig-core/src/config.rs: no settings found"
    for name in sorted(settings ^ documented):
        yield f"{name} is {'not described' if name in settings else 'described but does not exist'}"


@check("docs/errors.md lists every error code with its remedy")
def errors_documented() -> Iterator[str]:
    made = subprocess.run([sys.executable, ROOT / "scripts/errors.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    if made.returncode != 0:
        yield made.stdout.strip() or made.stderr.strip()


def main() -> int:
    failed = 0
    for sentence, function in CHECKS:
        try:
            places = list(function())
        except (subprocess.CalledProcessError, OSError, KeyError, ValueError) as error:
            places = [f"{type(error).__name__}: {error} {getattr(error, 'stderr', '') or ''}"]
        print(f"{'FAIL' if places else 'ok  '} {sentence}")
        for place in places[:20]:
            print(f"       {place}")
        if len(places) > 20:
            print(f"       and {len(places) - 20} more")
        failed += bool(places)
    print(f"\n{len(CHECKS) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
