"""Where the benchmark of real characters is, and how the binary is run over files: shared by the tools beside this file."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REFUSED = {3: "refused", 4: "limit"}
TIME_LIMIT_S = 300

# One object of a JSON file that others write.
Case = dict[str, Any]


def folder() -> Path | None:
    """The benchmark's folder: AUTORIG_RIGBENCH, or beside the repository; None when it is not there."""
    path = Path(os.environ.get("AUTORIG_RIGBENCH", ROOT.parent / "shared" / "rigbench"))
    return path if (path / "dev").is_dir() else None


@dataclass
class Run:
    """One run of the binary."""

    exit_code: int | str  # "timeout" when it was killed for time
    seconds: float
    peak_mb: float
    envelope: dict[str, Any] = field(default_factory=dict)
    stderr: str = ""

    @property
    def error(self) -> str:
        """Code and message of a refusal, or the end of stderr."""
        error = self.envelope.get("error") or {}
        if error:
            return f"{error.get('code')}: {error.get('message')}"
        return self.stderr.strip()[-300:] or f"exit code {self.exit_code}"


def run(*command: str | Path, time_limit_s: float = TIME_LIMIT_S) -> Run:
    """Runs a command, measuring its time and its own peak memory (which only `wait4` tells)."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        timer = threading.Timer(time_limit_s, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        timer.cancel()
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read(), err.read().decode("utf-8", "replace")
    try:
        envelope = json.loads(stdout)
    except ValueError:
        envelope = {}
    code = "timeout" if seconds >= time_limit_s else process.returncode
    return Run(code, seconds, usage.ru_maxrss / 1024, envelope if isinstance(envelope, dict) else {}, stderr)


def validate(files: list[Path]) -> dict[str, Case]:
    """Counts of the Khronos validator by file name."""
    if not files:
        return {}
    node = ROOT / ".venv/bin/node"
    script = ROOT / "scripts/validator/validate.mjs"
    done = subprocess.run([node, script, "--json", *files], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the validator did not run: {done.stderr.strip()}")
    return {Path(result["file"]).name: result for result in json.loads(done.stdout)}
