"""What a rig looks like from Python."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import autorig
import numpy as np
import pytest


def glb_json(glb: bytes) -> Any:
    magic, version, length, json_length, kind = struct.unpack_from("<4sIII4s", glb)
    assert (magic, version, length, kind) == (b"glTF", 2, len(glb), b"JSON")
    return json.loads(glb[20 : 20 + json_length])


def test_the_skeleton_is_a_tree_with_its_parents_first(rigged: autorig.Rig) -> None:
    count = len(rigged.joints)
    assert rigged.joints[0] == "root" and {"hips", "head", "leftHand", "rightFoot"} <= set(rigged.joints)
    assert rigged.parents.shape == (count,) and rigged.parents.dtype == np.int32
    assert rigged.parents[0] == -1
    assert all(0 <= parent < child for child, parent in enumerate(rigged.parents) if child)
    assert rigged.positions.shape == (count, 3) and rigged.positions.dtype == np.float64
    assert rigged.confidence.shape == (count,) and rigged.confidence.dtype == np.float32
    assert ((rigged.confidence >= 0) & (rigged.confidence <= 1)).all()


def test_the_left_hand_is_on_the_left_and_the_head_on_top(rigged: autorig.Rig) -> None:
    at = dict(zip(rigged.joints, rigged.positions, strict=True))
    assert at["leftHand"][0] > 0 > at["rightHand"][0]
    assert at["head"][1] > at["hips"][1] > at["leftFoot"][1]


def test_rest_matrices_put_the_joints_where_they_are(rigged: autorig.Rig) -> None:
    rest = rigged.rest_global
    assert rest.shape == (len(rigged.joints), 4, 4) and rest.dtype == np.float32
    np.testing.assert_allclose(rest[:, :3, 3], rigged.positions, rtol=1e-6)
    np.testing.assert_array_equal(rest[:, 3], np.tile(np.array([0, 0, 0, 1], np.float32), (len(rest), 1)))


def test_every_vertex_follows_joints_with_weights_that_sum_to_one(rigged: autorig.Rig) -> None:
    assert rigged.meshes
    for mesh in rigged.meshes:
        vertices = len(mesh.positions)
        assert mesh.positions.shape == (vertices, 3) and mesh.positions.dtype == np.float32
        assert mesh.indices.ndim == 2 and mesh.indices.shape[1] == 3 and mesh.indices.dtype == np.uint32
        assert mesh.indices.max() < vertices
        assert mesh.joints.shape == mesh.weights.shape == (vertices, 4)
        assert mesh.joints.dtype == np.uint16 and mesh.weights.dtype == np.float32
        assert mesh.joints.max() < len(rigged.joints)
        assert (mesh.weights >= 0).all()
        np.testing.assert_allclose(mesh.weights.sum(axis=1), 1, atol=1e-5)


def test_several_primitives_are_one_mesh(rigged: autorig.Rig) -> None:
    robot = autorig.rig(autorig.sample("robot"))
    document = glb_json(robot.to_glb())
    for mesh, written in zip(robot.meshes, document["meshes"], strict=True):
        accessors = [document["accessors"][p["attributes"]["POSITION"]] for p in written["primitives"]]
        assert len(mesh.positions) == sum(accessor["count"] for accessor in accessors)
        assert len(mesh.weights) == len(mesh.positions)


def test_influences_are_the_width_of_the_weights(human: bytes) -> None:
    rig = autorig.rig(human, influences=2)
    assert rig.meshes[0].weights.shape[1] == 2
    assert rig.report["skin"]["max_influences"] == 2


def test_a_t_pose_has_level_arms_and_says_what_was_turned(human: bytes) -> None:
    rig = autorig.rig(human, rest_pose="t_pose", fingers="none")
    shoulder, elbow = (rig.positions[rig.joints.index(name)] for name in ("leftUpperArm", "leftLowerArm"))
    assert abs(elbow[1] - shoulder[1]) < 0.05 * abs(elbow[0] - shoulder[0])
    assert "turned" in rig.report["rest_pose"]
    assert rig.report["quality"]["verdict"] in ("good", "review", "poor")


def test_arrays_are_read_only(rigged: autorig.Rig) -> None:
    mesh = rigged.meshes[0]
    for array in (rigged.parents, rigged.positions, rigged.rest_global, mesh.positions, mesh.weights):
        with pytest.raises(ValueError):
            array[0] = 0


def test_arrays_outlive_the_rig(human: bytes) -> None:
    weights = autorig.rig(human).meshes[0].weights
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_the_report_is_a_dict_with_the_same_joints(rigged: autorig.Rig) -> None:
    report = rigged.report
    assert report["class"] == "humanoid"
    assert [joint["name"] for joint in report["joints"]] == rigged.joints
    assert report["engine_version"] == autorig.__version__
    assert repr(rigged).startswith('Rig(class="humanoid"')


def test_the_glb_holds_the_skin(rigged: autorig.Rig) -> None:
    document = glb_json(rigged.to_glb())
    nodes = document["nodes"]
    assert [nodes[joint]["name"] for joint in document["skins"][0]["joints"]] == rigged.joints


def test_save_writes_the_glb_and_never_over_a_file_unasked(rigged: autorig.Rig, tmp_path: Path) -> None:
    path = tmp_path / "hero.glb"
    rigged.save(path)
    assert path.read_bytes() == rigged.to_glb()
    path.write_text("mine")
    with pytest.raises(FileExistsError) as caught:
        rigged.save(str(path))
    assert caught.value.filename == str(path)
    assert path.read_text() == "mine"
    rigged.save(path, overwrite=True)
    assert path.read_bytes() == rigged.to_glb()
    assert os.listdir(tmp_path) == ["hero.glb"]


def test_save_writes_other_formats_under_other_names(rigged: autorig.Rig, tmp_path: Path) -> None:
    rigged.save(tmp_path / "hero.fbx", preset="unity")
    assert (tmp_path / "hero.fbx").read_bytes().startswith(b"Kaydara FBX Binary")
    rigged.save(tmp_path / "hero.vrm", vrm_meta={"authors": ["Ada"]})
    meta = glb_json((tmp_path / "hero.vrm").read_bytes())["extensions"]["VRMC_vrm"]["meta"]
    assert (meta["name"], meta["authors"], meta["modification"]) == ("hero", ["Ada"], "prohibited")
    rigged.save(tmp_path / "hero.glb", names="mixamo", triangles=1_000)
    document = glb_json((tmp_path / "hero.glb").read_bytes())
    assert "mixamorig:LeftArm" in [node.get("name") for node in document["nodes"]]


def test_save_refuses_what_it_cannot_write(rigged: autorig.Rig, tmp_path: Path) -> None:
    for name, wrong in (
        ("hero.obj", {}),
        ("hero.glb", {"preset": "unity"}),
        ("hero.fbx", {"preset": "maja"}),
        ("hero.glb", {"names": "esperanto"}),
        ("hero.vrm", {"vrm_meta": {"authors": []}}),
        ("hero.vrm", {"vrm_meta": {"colour": 1}}),
    ):
        with pytest.raises(autorig.UsageError) as caught:
            rigged.save(tmp_path / name, **wrong)
        assert caught.value.remedy
    with pytest.raises(FileNotFoundError):
        rigged.save(tmp_path / "missing" / "hero.glb")
    assert os.listdir(tmp_path) == []


def test_joints_placed_by_hand_are_where_they_were_put(human: bytes, rigged: autorig.Rig) -> None:
    at = dict(zip(rigged.joints, rigged.positions, strict=True))
    wanted = at["leftHand"] + [0.01, 0.02, 0.0]
    as_mapping = autorig.rig(human, joints={"leftHand": wanted})
    as_list = autorig.rig(human, joints=[{"name": "leftHand", "position": list(wanted)}])
    for rig in (as_mapping, as_list):
        np.testing.assert_allclose(rig.positions[rig.joints.index("leftHand")], wanted, atol=1e-6)
    assert as_mapping.to_glb() == as_list.to_glb()
