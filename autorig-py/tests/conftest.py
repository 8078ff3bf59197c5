"""One rigged sample for all tests that only look at it."""

import autorig
import pytest


@pytest.fixture(scope="session")
def human() -> bytes:
    return autorig.sample("human", triangles=6000)


@pytest.fixture(scope="session")
def rigged(human: bytes) -> autorig.Rig:
    return autorig.rig(human, name="hero.glb")
