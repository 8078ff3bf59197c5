"""Progress, stopping, threads, and the same bytes everywhere."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import autorig
import pytest

STAGES = ["read", "analyse", "skeleton", "skin", "export"]


def test_progress_goes_through_the_stages_and_never_back(human: bytes) -> None:
    seen: list[tuple[str, float]] = []
    autorig.rig(human, progress=lambda stage, fraction: seen.append((stage, fraction)))
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions) and 0 <= fractions[0] and fractions[-1] <= 1
    order = list(dict.fromkeys(stage for stage, _ in seen))
    assert order == [stage for stage in STAGES if stage in order]
    assert {"skeleton", "skin"} <= set(order)


@pytest.mark.parametrize("raised", [LookupError("enough"), KeyboardInterrupt()])
def test_what_progress_raises_stops_the_rig_and_comes_out(human: bytes, raised: BaseException) -> None:
    seen: list[str] = []

    def stop(stage: str, fraction: float) -> None:
        seen.append(stage)
        raise raised

    with pytest.raises(type(raised)) as caught:
        autorig.rig(human, progress=stop)
    assert caught.value is raised
    assert len(seen) == 1, "it is not called again"


def test_progress_that_cannot_be_called_is_a_type_error(human: bytes) -> None:
    with pytest.raises(TypeError):
        autorig.rig(human, progress=7)  # type: ignore[arg-type]


@pytest.fixture
def no_forced_switching() -> Iterator[None]:
    """Lets another thread have the interpreter only when it is given up."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(600)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("no_forced_switching")
def test_other_threads_run_while_a_rig_is_made(human: bytes) -> None:
    begun, answered = threading.Event(), threading.Event()

    def answer() -> None:
        begun.wait()
        answered.set()

    other = threading.Thread(target=answer)
    other.start()
    answers: list[bool] = []

    def progress(stage: str, fraction: float) -> None:
        answers.append(answered.is_set())
        begun.set()

    autorig.rig(human, progress=progress)
    answers.append(answered.is_set())
    other.join()
    assert answers[0] is False
    assert answers[-1] is True, "the interpreter was never given up during the work"


def test_rigs_in_several_threads_are_the_same(human: bytes, rigged: autorig.Rig) -> None:
    results: list[bytes] = []
    workers = [threading.Thread(target=lambda: results.append(autorig.rig(human).to_glb())) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == [rigged.to_glb()] * 3


def test_the_number_of_threads_does_not_show(human: bytes, rigged: autorig.Rig) -> None:
    for threads in (1, 2):
        assert autorig.rig(human, threads=threads).to_glb() == rigged.to_glb()


@pytest.mark.skipif("AUTORIG_BIN" not in os.environ, reason="AUTORIG_BIN names no autorig binary")
def test_the_command_line_writes_the_same_bytes(human: bytes, rigged: autorig.Rig) -> None:
    binary = os.environ["AUTORIG_BIN"]

    def run(*arguments: str, stdin: bytes = b"") -> bytes:
        return subprocess.run([binary, *arguments], input=stdin, capture_output=True, check=True).stdout

    assert run("sample", "human", "--triangles", "6000", "-o", "-") == human
    assert run("rig", "-", "-o", "-", stdin=human) == rigged.to_glb()
