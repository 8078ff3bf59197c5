"""Things in the hands: staffs, swords, axes, hammers, shields, guns, bows. They belong to the hand and say nothing of where it is."""

from __future__ import annotations

import numpy as np

from .body import SIDES, Body
from .frame import Frame
from .geometry import Mesh, align, box, ellipsoid, log_uniform, loft, tube, unit
from .humans import INDEX

Y = np.array([0.0, 1.0, 0.0])


def held(rng, body: Body, mesh: Mesh, f: Frame) -> None:
    """Something in one hand or in both, each hand its own."""
    sides = [side for side, _ in SIDES]
    for side in sides if rng.random() < 0.3 else [sides[rng.integers(2)]]:
        hand, elbow = INDEX[side + "Hand"], body.joints[INDEX[side + "LowerArm"]]
        reach = body.tails[INDEX[side + "Middle1"]] - body.joints[hand]
        if rng.random() < 0.25:
            _shield(rng, mesh, hand, body.joints[hand] + (elbow - body.joints[hand]) * rng.uniform(-0.1, 0.5), unit(reach), body.height)
            continue
        grip = body.joints[hand] + reach * rng.uniform(0.6, 1.0)
        ahead = unit(np.cross(unit(reach), rng.normal(size=3))) if rng.random() < 0.35 else unit(f.front - unit(reach) * (f.front @ unit(reach)) * 0.9)
        along = unit(ahead + 0.15 * rng.normal(size=3))
        if rng.random() < 0.15:
            along = unit(reach)
        [_staff, _blade, _axe, _gun, _bow][rng.choice(5, p=[0.3, 0.3, 0.2, 0.1, 0.1])](rng, mesh, hand, grip, along, body.height)


def _across(rng, along: np.ndarray) -> np.ndarray:
    return unit(np.cross(along, rng.normal(size=3)))


def _shield(rng, mesh: Mesh, hand: int, at: np.ndarray, along: np.ndarray, height: float) -> None:
    """A disc or a board along the forearm."""
    normal, size = _across(rng, along), height * log_uniform(rng, 0.08, 0.3)
    at = at + normal * height * rng.uniform(0.02, 0.07)
    if rng.random() < 0.5:
        mesh.add(tube(at, at + normal * size * rng.uniform(0.05, 0.3), size, size * rng.uniform(0.5, 1.0)), hand)
    else:
        mesh.add(box(at, size * np.array([rng.uniform(0.5, 1.0), 0.08, rng.uniform(0.5, 1.3)]), align(Y, normal)), hand)


def _staff(rng, mesh: Mesh, hand: int, grip: np.ndarray, along: np.ndarray, height: float) -> None:
    long, thick = height * log_uniform(rng, 0.25, 1.1), height * log_uniform(rng, 0.006, 0.025)
    back = rng.uniform(0.1, 0.6)
    end = grip + along * long * (1 - back)
    mesh.add(tube(grip - along * long * back, end, thick, thick * rng.uniform(0.7, 1.5)), hand)
    if rng.random() < 0.6:
        solid = ellipsoid if rng.random() < 0.6 else box
        mesh.add(solid(end, height * log_uniform(rng, 0.02, 0.12) * rng.uniform(0.6, 1.4, 3), align(Y, along)), hand)


def _blade(rng, mesh: Mesh, hand: int, grip: np.ndarray, along: np.ndarray, height: float) -> None:
    long = height * log_uniform(rng, 0.15, 0.8)
    wide, turn = long * log_uniform(rng, 0.04, 0.2), align(Y, along)
    mesh.add(box(grip + along * long * 0.5, np.array([wide, long * 0.5, wide * rng.uniform(0.1, 0.4)]), turn), hand)
    if rng.random() < 0.7:
        mesh.add(box(grip + along * long * 0.05, np.array([wide * rng.uniform(1.5, 3.0), wide * 0.3, wide * 0.5]), turn), hand)
    mesh.add(tube(grip - along * long * rng.uniform(0.1, 0.25), grip, wide * 0.4, wide * 0.4), hand)


def _axe(rng, mesh: Mesh, hand: int, grip: np.ndarray, along: np.ndarray, height: float) -> None:
    long, thick = height * log_uniform(rng, 0.2, 0.7), height * log_uniform(rng, 0.007, 0.02)
    end = grip + along * long * rng.uniform(0.6, 0.9)
    mesh.add(tube(grip - along * long * rng.uniform(0.05, 0.4), end, thick, thick), hand)
    size, across = height * log_uniform(rng, 0.04, 0.16), _across(rng, along)
    frame = np.stack([across, along, np.cross(across, along)], 1)
    flat = rng.uniform(0.15, 1.0)
    for sign in (1, -1) if rng.random() < 0.4 else (1,):
        solid = ellipsoid if rng.random() < 0.5 else box
        mesh.add(solid(end + across * sign * size * 0.7, size * np.array([0.8, rng.uniform(0.5, 1.2), flat * 0.6]), frame), hand)


def _gun(rng, mesh: Mesh, hand: int, grip: np.ndarray, along: np.ndarray, height: float) -> None:
    long = height * log_uniform(rng, 0.1, 0.5)
    wide, turn = long * rng.uniform(0.04, 0.12), align(Y, along)
    mesh.add(box(grip + along * long * rng.uniform(0.1, 0.4), np.array([wide, long * 0.5, wide * rng.uniform(1.0, 2.5)]), turn), hand)
    if rng.random() < 0.5:
        mesh.add(tube(grip + along * long * 0.4, grip + along * long * rng.uniform(0.7, 1.1), wide * 0.6, wide * 0.6), hand)


def _bow(rng, mesh: Mesh, hand: int, grip: np.ndarray, along: np.ndarray, height: float) -> None:
    half, across = height * log_uniform(rng, 0.12, 0.4), _across(rng, along)
    t = np.linspace(-1, 1, 9)[:, None]
    line = grip + across * t * half - along * (t**2) * half * rng.uniform(0.2, 0.5)
    mesh.add(loft(line, height * rng.uniform(0.006, 0.015)), hand)
