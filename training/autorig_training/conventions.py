"""Where riggers put the joints on which a surface says little.

The engine moves the network's joints by these rules (`skeleton/convention.rs`, the same constants); `proof` shows that they hold.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .humans import INDEX

SIDES = ("left", "right")
# Share of the line from hip joint to ankle, how far the knee moves there, how far ahead of the line in lengths of the leg.
KNEE = (0.48, 0.8, 0.015)
# Cosines of the bend between which a knee goes from its visible place to that of a straight leg.
STRAIGHT = (0.85, 0.95)
# Share of the way from neck to shoulder, and shares of the trunk below the shoulder.
CLAVICLE = (0.5, 0.1)
# How far the neck moves towards the upper chest, and ahead in lengths of the trunk.
NECK = (0.12, 0.04)
HEAD = (0.04,)


def _trunk(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Left, up, front, and the length from the legs' joints to the arms'."""
    arms, legs = (joints[[INDEX[s + name] for s in SIDES]] for name in ("UpperArm", "UpperLeg"))
    spine = arms.mean(0) - legs.mean(0)
    length = float(np.linalg.norm(spine))
    up = spine / length
    across = arms[0] - arms[1] + legs[0] - legs[1]
    left = across - up * (across @ up)
    left /= np.linalg.norm(left)
    return left, up, np.cross(left, up), length


def knees(joints: np.ndarray, share: float, pull: float, ahead: float) -> None:
    """Halves straight legs; bent ones show where their knees are."""
    front = _trunk(joints)[2]
    for side in SIDES:
        hip, knee, ankle = (INDEX[side + name] for name in ("UpperLeg", "LowerLeg", "Foot"))
        thigh, shin, leg = joints[knee] - joints[hip], joints[ankle] - joints[knee], joints[ankle] - joints[hip]
        cosine = thigh @ shin / (np.linalg.norm(thigh) * np.linalg.norm(shin))
        straight = np.clip((cosine - STRAIGHT[0]) / (STRAIGHT[1] - STRAIGHT[0]), 0, 1)
        joints[knee] += straight * (leg * pull * (share - thigh @ leg / (leg @ leg)) + front * ahead * np.linalg.norm(leg))


def clavicles(joints: np.ndarray, out: float, below: float) -> None:
    """Between neck and shoulder, a little below the shoulder and no farther back."""
    left, up, _, length = _trunk(joints)
    for side in SIDES:
        shoulder = joints[INDEX[side + "UpperArm"]]
        inwards = (joints[INDEX["neck"]] - shoulder) @ left
        joints[INDEX[side + "Shoulder"]] = shoulder + left * inwards * (1 - out) - up * below * length


def neck(joints: np.ndarray, towards: float, ahead: float) -> None:
    """Lower and farther ahead than anatomy has it."""
    _, _, front, length = _trunk(joints)
    joints[INDEX["neck"]] += towards * (joints[INDEX["upperChest"]] - joints[INDEX["neck"]]) + front * ahead * length


def head(joints: np.ndarray, ahead: float) -> None:
    """Farther ahead than anatomy has it."""
    _, _, front, length = _trunk(joints)
    joints[INDEX["head"]] += front * ahead * length


# A rule, its constants, the joints it is measured on, and the constants among which the proof chooses.
RULES: tuple[tuple[Callable[..., None], tuple, tuple[str, ...], tuple], ...] = (
    (knees, KNEE, ("leftLowerLeg", "rightLowerLeg"), ((0.46, 0.47, 0.48, 0.49, 0.5), (0.0, 0.6, 0.8, 1.0), (0.0, 0.01, 0.015, 0.02))),
    (clavicles, CLAVICLE, ("leftShoulder", "rightShoulder"), ((0.3, 0.4, 0.5, 0.6), (0.0, 0.05, 0.1, 0.15))),
    (neck, NECK, ("neck",), ((0.0, 0.06, 0.12, 0.18), (0.0, 0.02, 0.04))),
    (head, HEAD, ("head",), ((0.0, 0.02, 0.04, 0.06),)),
)


def apply(joints: np.ndarray) -> np.ndarray:
    """A network's joints as the engine delivers them, 22×3."""
    joints = joints.copy()
    for rule, constants, _, _ in RULES:
        rule(joints, *constants)
    return joints
