"""Where a model may come from, and what is said when it is none."""

import io
import pickle
from pathlib import Path
from typing import Any

import autorig
import pytest


def test_paths_bytes_and_files_give_the_same_rig(human: bytes, rigged: autorig.Rig, tmp_path: Path) -> None:
    path = tmp_path / "hero.glb"
    path.write_bytes(human)
    expected = rigged.to_glb()
    assert autorig.rig(str(path)).to_glb() == expected
    assert autorig.rig(path).to_glb() == expected
    assert autorig.rig(bytearray(human)).to_glb() == expected
    assert autorig.rig(memoryview(human)).to_glb() == expected
    assert autorig.rig(io.BytesIO(human)).to_glb() == expected
    with path.open("rb") as file:
        assert autorig.rig(file).to_glb() == expected


def test_samples_are_glb_files_of_about_the_wanted_size() -> None:
    for name in ("human", "cartoon", "robot", "quadruped"):
        assert autorig.sample(name).startswith(b"glTF")
    assert len(autorig.sample("human", triangles=20_000)) > len(autorig.sample("human", triangles=4_000))
    with pytest.raises(autorig.UsageError, match="human, cartoon, robot, quadruped"):
        autorig.sample("dragon")
    with pytest.raises(autorig.UsageError):
        autorig.sample("human", triangles=1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "not_a_model"),
        (b"\x00\x01\x02\x03" * 16, "unknown_format"),
        (b"Kaydara FBX Binary  \x00\x1a\x00\xe8\x1c\x00\x00", "truncated_file"),
    ],
)
def test_what_is_no_model_is_an_input_error_with_a_code_and_a_remedy(data: bytes, code: str) -> None:
    with pytest.raises(autorig.InputError) as caught:
        autorig.rig(data)
    error = caught.value
    assert isinstance(error, autorig.AutoRigError)
    assert error.code == code
    assert error.message and error.remedy and error.message in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.remedy) == (type(error), error.code, error.remedy)


def test_a_cut_off_file_says_so(human: bytes) -> None:
    with pytest.raises(autorig.InputError) as caught:
        autorig.rig(human[: len(human) // 2])
    assert caught.value.code == "truncated_file"


def test_files_that_cannot_be_read_are_os_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        autorig.rig(tmp_path / "missing.glb")
    assert caught.value.filename == str(tmp_path / "missing.glb")
    with pytest.raises(IsADirectoryError):
        autorig.rig(tmp_path)


@pytest.mark.parametrize("source", [None, 7, io.StringIO("text"), object()])
def test_what_is_no_source_is_a_type_error(source: Any) -> None:
    with pytest.raises(TypeError):
        autorig.rig(source)


@pytest.mark.parametrize(
    "arguments",
    [
        {"class_": "dragon"},
        {"fingers": "five"},
        {"extra_chains": "two"},
        {"eyes": "blue"},
        {"symmetry": "on"},
        {"rest_pose": "lying"},
        {"influences": 0},
        {"influences": 9},
        {"threads": 0},
        {"threads": -1},
        {"joints": 5},
        {"joints": {"leftHand": (1, 2)}},
        {"joints": {"leftHand": (1, 2, float("nan"))}},
        {"joints": {7: (1, 2, 3)}},
        {"joints": [{"position": (1, 2, 3)}]},
        {"joints": [{"name": "leftHand"}]},
    ],
)
def test_arguments_that_make_no_sense_are_usage_errors(human: bytes, arguments: dict[str, Any]) -> None:
    with pytest.raises(autorig.UsageError) as caught:
        autorig.rig(human, **arguments)
    assert caught.value.code == "invalid_option"
    assert isinstance(caught.value, ValueError)
