"""What can be said of the generator without the bodies and without training."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from autorig_training import cloud, conventions, creatures, geometry, hands, humans, segmented


def volume(shape: tuple[np.ndarray, np.ndarray]) -> float:
    vertices, triangles = shape
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("axis", [*np.eye(3), *-np.eye(3), np.ones(3)])
def test_primitives_are_closed_and_face_outward(axis: np.ndarray) -> None:
    tube = geometry.tube(np.zeros(3), axis, 0.1, 0.1)
    assert volume(tube) == pytest.approx(np.pi * 0.01 * np.linalg.norm(axis), rel=0.1)
    for shape in (tube, geometry.SPHERE, geometry.box(axis, np.ones(3)), geometry.ellipsoid(axis, np.ones(3))):
        # A pole is many vertices at one place.
        _, same = np.unique(shape[0].round(9), axis=0, return_inverse=True)
        triangles = same.reshape(-1)[shape[1]]
        edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        directed = {tuple(e) for e in edges.tolist() if e[0] != e[1]}
        assert volume(shape) > 0
        assert all((b, a) in directed for a, b in directed)


def test_the_smallest_rotation_takes_one_direction_to_the_other() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = rng.normal(size=(2, 3))
        turn = geometry.align(a, b)
        assert np.allclose(turn @ geometry.unit(a), geometry.unit(b))
        assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.allclose(geometry.align(geometry.X, -geometry.X) @ geometry.X, -geometry.X, atol=1e-6)


def test_every_point_of_a_sampling_lies_on_the_surface_and_patches_hold_their_centre() -> None:
    rng = np.random.default_rng(1)
    vertices, triangles = geometry.box(np.zeros(3), np.array([1.0, 2.0, 3.0]))
    points, corner = cloud.sample(vertices, triangles, 600, rng.random((600, 3)))
    assert np.allclose(np.abs(points[:, :3] / [1, 2, 3]).max(1), 1)
    assert (np.abs(points[:, 3:]).max(1) == 1).all() and corner.max() < 8
    centres, near = cloud.patches(points[:, :3].copy(), 32, 8)
    assert len(set(centres.tolist())) == 32
    assert (near[:, 0] == centres).all()


def test_animals_and_things_are_finite_and_of_every_class() -> None:
    rng = np.random.default_rng(2)
    classes = set()
    for _ in range(120):
        vertices, triangles, kind = creatures.make(rng)
        assert np.isfinite(vertices).all() and triangles.max() < len(vertices)
        classes.add(creatures.CLASSES[kind])
    assert classes == set(creatures.CLASSES) - {"humanoid"}


def test_joints_mirror_in_pairs_and_our_convention_keeps_that() -> None:
    assert (humans.MIRROR[humans.MIRROR] == np.arange(humans.JOINTS)).all()
    rng = np.random.default_rng(3)
    joints = rng.normal(size=(humans.BODY_JOINTS, 3))
    mirror = humans.MIRROR[: humans.BODY_JOINTS]
    symmetrical = (joints + joints[mirror] * hands.FLIP) / 2
    ours = humans.conventional(symmetrical)
    assert np.allclose(ours, ours[mirror] * hands.FLIP)


def test_a_mirrored_character_shows_the_hand_network_the_same_hand() -> None:
    vertices, triangles = geometry.tube(np.array([0.2, 1.4, 0]), np.array([0.9, 1.4, 0.1]), 0.05, 0.03)
    joints = np.zeros((humans.BODY_JOINTS, 3))
    joints[humans.INDEX["head"], 1] = 1.7
    joints[humans.INDEX["leftLowerArm"]], joints[humans.INDEX["leftHand"]] = [0.4, 1.4, 0.02], [0.65, 1.4, 0.05]
    left = hands.crop(np.random.default_rng(5), vertices, triangles, joints, 0, vertices[:4], 0.0)
    other = joints[humans.MIRROR[: humans.BODY_JOINTS]] * hands.FLIP
    right = hands.crop(np.random.default_rng(5), vertices * hands.FLIP, triangles[:, ::-1], other, 1, vertices[:4] * hands.FLIP, 0.0)
    assert left is not None and right is not None
    assert np.allclose(left[1], right[1])
    assert np.linalg.norm(left[0][:, :3], axis=1).max() <= 2 + 1e-9
    assert left[0][:, 0].min() >= -2 * hands.BEHIND - 1e-9


def figure(knee: float, forward: float) -> np.ndarray:
    """Joints of a figure of height 2 with the knees at this height and this far ahead."""
    joints = np.zeros((humans.BODY_JOINTS, 3))
    joints[:, 1] = 1.2
    joints[humans.INDEX["neck"], 1] = 1.6
    for side, sign in (("left", 1), ("right", -1)):
        for name, at in (("UpperArm", [0.2, 1.5, 0]), ("UpperLeg", [0.1, 1, 0]), ("LowerLeg", [0.1, knee, forward]), ("Foot", [0.1, 0, 0])):
            joints[humans.INDEX[side + name]] = np.array(at) * [sign, 1, 1]
    return joints


def test_conventions_halve_straight_legs_leave_bent_ones_and_keep_mirror_images() -> None:
    knee = humans.INDEX["leftLowerLeg"]
    for height in (0.35, 0.65):
        assert conventions.apply(figure(height, 0.0))[knee, 1] == pytest.approx(0.52, abs=0.04)
    assert np.allclose(conventions.apply(figure(0.4, 0.5))[knee], [0.1, 0.4, 0.5])
    moved = conventions.apply(figure(0.6, 0.1))
    assert np.allclose(moved, moved[humans.MIRROR[: humans.BODY_JOINTS]] * hands.FLIP)


def test_a_limbs_pieces_lie_along_its_bone_and_leave_at_least_half_of_it() -> None:
    rng = np.random.default_rng(4)
    a, b = np.zeros(3), np.array([0, 2.0, 0])
    for _ in range(100):
        start, end = segmented.Cuts.draw(rng).of(a, b)
        assert start[0] == end[2] == 0
        assert -0.31 < start[1] < end[1] <= 2.07 and end[1] - start[1] > 1.0
