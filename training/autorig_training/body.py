"""A body: a shape of the CC0 humans, its bones scaled far beyond what people look like, in a pose."""

from __future__ import annotations

from dataclasses import dataclass, field

import numba
import numpy as np

from .geometry import X, Y, Z, align, log_uniform, rotation, unit
from .humans import BODY_JOINTS, DIGITS, INDEX, JOINTS, NAMES, Humans

SIDES = (("left", 1.0), ("right", -1.0))
HEAD, NECK, CHEST, HIPS = INDEX["head"], INDEX["neck"], INDEX["upperChest"], INDEX["hips"]
TRUNK = [INDEX[n] for n in ("hips", "spine", "chest", "upperChest", "neck", "leftShoulder", "rightShoulder")]
# The body joint that moves a vertex, fingers counted to the hand.
TO_BODY = np.array([i if i < BODY_JOINTS else INDEX[("left" if NAMES[i].startswith("left") else "right") + "Hand"] for i in range(JOINTS)])


@numba.njit(cache=True, fastmath=True)
def _skin(vertices, influences, weights, linear, offset, out):
    for i in range(vertices.shape[0]):
        x = 0.0
        y = 0.0
        z = 0.0
        for k in range(4):
            w = weights[i, k]
            if w > 0:
                b = influences[i, k]
                v = vertices[i]
                x += w * (linear[b, 0, 0] * v[0] + linear[b, 0, 1] * v[1] + linear[b, 0, 2] * v[2] + offset[b, 0])
                y += w * (linear[b, 1, 0] * v[0] + linear[b, 1, 1] * v[1] + linear[b, 1, 2] * v[2] + offset[b, 1])
                z += w * (linear[b, 2, 0] * v[0] + linear[b, 2, 1] * v[1] + linear[b, 2, 2] * v[2] + offset[b, 2])
        out[i, 0] = x
        out[i, 1] = y
        out[i, 2] = z


@dataclass
class Body:
    """A posed body. `turns` are the bones' rotations from the source's pose, `visible` the triangles not replaced yet."""

    humans: Humans
    vertices: np.ndarray
    joints: np.ndarray
    tails: np.ndarray
    turns: np.ndarray
    chibi: bool
    visible: np.ndarray = field(init=False)
    owner: np.ndarray = field(init=False)
    triangle_owner: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.visible = np.ones(len(self.humans.triangles), bool)
        self.owner = TO_BODY[self.humans.owner]
        self.triangle_owner = self.owner[self.humans.triangles[:, 0]]

    @property
    def height(self) -> float:
        return float(np.ptp(self.vertices[:, 1]))

    def hide(self, joints: int | list[int]) -> None:
        """Takes away what belongs to these body joints."""
        self.visible &= ~np.isin(self.triangle_owner, joints)

    def of(self, joints: int | list[int]) -> np.ndarray:
        """The vertices of these body joints."""
        return self.vertices[np.isin(self.owner, joints)]

    def radius(self, name: str) -> float:
        """Median distance of a limb's vertices from its bone."""
        i = INDEX[name]
        q = self.of(i) - self.joints[i]
        axis = unit(self.tails[i] - self.joints[i])
        return float(np.median(np.linalg.norm(q - np.outer(q @ axis, axis), axis=1)))


def shape(rng: np.random.Generator, humans: Humans) -> tuple[np.ndarray, np.ndarray]:
    """A mix of one or two people, with some details off."""
    vertices, joints = humans.vertices.astype(np.float32).copy(), humans.joints.copy()
    at = {name: i for i, name in enumerate(humans.target_names)}

    def add(name: str, weight: float) -> None:
        nonlocal vertices, joints
        if (i := at.get(name)) is not None:
            vertices = vertices + np.float32(weight) * humans.target_vertices[i]
            joints = joints + weight * humans.target_joints[i]

    mix = rng.dirichlet([1] * (2 if rng.random() < 0.6 else 1))
    for share in mix:
        sex, age = rng.choice(["male", "female"]), rng.choice(["baby", "child", "young", "young", "young", "old"])
        muscle, weight = rng.choice(["min", "average", "max"]), rng.choice(["min", "average", "average", "max"])
        build = f"{sex}-{age}-{muscle}muscle-{weight}weight"
        add(f"macrodetails/{rng.choice(['african', 'asian', 'caucasian'])}-{sex}-{age}", share)
        add(f"macrodetails/universal-{build}", share)
        if rng.random() < 0.4:
            add(f"macrodetails/height/{build}-{rng.choice(['min', 'max'])}height", share * rng.random())
        if rng.random() < 0.5:
            add(f"macrodetails/proportions/{build}-{rng.choice(['ideal', 'uncommon'])}proportions", share * rng.random())
    details = [name for name in humans.target_names if not name.startswith("macro")]
    for name in rng.choice(details, rng.integers(0, 10), replace=False):
        add(str(name), rng.uniform(0, 1))
    return vertices.astype(np.float64), joints.astype(np.float64)


def _scales(rng: np.random.Generator, heads: np.ndarray, tails: np.ndarray, wild: bool) -> tuple[np.ndarray, bool]:
    """A linear map for each bone in the source's frame."""
    scales = np.repeat(np.eye(3)[None], JOINTS, 0)
    if rng.random() < 0.1:
        return scales, False
    amount = rng.uniform(0.4, 1.2) if wild else rng.uniform(0.25, 1.0)

    def factor(low: float, high: float) -> float:
        return log_uniform(rng, low, high) ** amount

    chibi = rng.random() < (0.5 if wild else 0.35)
    trunk, arm, leg = (factor(0.65, 1.8), factor(0.6, 1.45), factor(0.65, 1.8)), [factor(0.35, 1.4), factor(0.6, 2.2)], [factor(0.3, 1.35), factor(0.6, 2.1)]
    head, hand, foot = factor(0.75, 2.0), factor(0.5, 2.3), factor(0.7, 2.3)
    if chibi:
        head = log_uniform(rng, 1.6, 2.9)
        leg[0] *= log_uniform(rng, 0.25, 0.9)
        arm[0] *= log_uniform(rng, 0.45, 0.95)
        arm[1] *= log_uniform(rng, 0.8, 1.7)
        leg[1] *= log_uniform(rng, 0.8, 1.7)
        hand *= log_uniform(rng, 0.9, 1.5)
        foot *= log_uniform(rng, 1.0, 1.5)
    if rng.random() < 0.1:
        arm[0] *= log_uniform(rng, 1.15, 1.8)
    for name in ("hips", "spine", "chest", "upperChest"):
        scales[INDEX[name]] = np.diag([trunk[0] * factor(0.8, 1.25), trunk[1] * factor(0.85, 1.15), trunk[2] * factor(0.8, 1.25)])
    thin = factor(0.6, 1.7)
    scales[NECK] = np.diag([thin, factor(0.3, 1.4), thin])
    scales[HEAD] = np.diag([head * factor(0.75, 1.35) for _ in range(3)])
    shoulder, taper, parts, squash = factor(0.8, 1.3), factor(0.7, 1.5), [factor(0.75, 1.35) for _ in range(3)], factor(0.85, 1.18)
    finger_long, finger_thick = factor(0.55, 1.35), factor(0.6, 2.0)
    foot_wide = factor(0.8, 1.2)
    for side, _ in SIDES:
        def bone(name: str, length: float, thick: float, flat: float = 1.0, side: str = side) -> None:
            i = INDEX[side + name]
            along = unit(tails[i] - heads[i])
            z = unit(Z - along * along[2])
            x = np.cross(along, z)
            scales[i] = length * np.outer(along, along) + thick * flat * np.outer(x, x) + thick / flat * np.outer(z, z)

        bone("Shoulder", trunk[0] * shoulder, np.sqrt(arm[1] * trunk[2]))
        bone("UpperArm", arm[0] * parts[0], arm[1] * taper**-0.4, squash)
        bone("LowerArm", arm[0] / parts[0], arm[1] * taper**0.6, squash)
        bone("UpperLeg", leg[0] * parts[1], leg[1] * taper**-0.3, squash)
        bone("LowerLeg", leg[0] / parts[1], leg[1] * taper**0.5, squash)
        scales[INDEX[side + "Hand"]] = hand * np.eye(3)
        for digit in DIGITS:
            for k in (1, 2, 3):
                bone(f"{digit}{k}", hand * finger_long, hand * finger_thick)
        scales[INDEX[side + "Foot"]] = scales[INDEX[side + "Toes"]] = np.diag([foot * parts[2], foot * foot_wide, foot])
    if rng.random() < 0.1:
        side = rng.choice(["left", "right"])
        uneven = rng.uniform(0.7, 1.5)
        for name in [("UpperArm", "LowerArm", "Hand"), ("LowerArm", "Hand"), ("Hand",)][rng.integers(3)]:
            scales[INDEX[side + name]] *= uneven
    return scales, chibi


def _arms_up(rng: np.random.Generator) -> float:
    """Elevation of the arms in degrees: T-pose in half the characters, else A-pose, down, or raised."""
    u = rng.random()
    if u < 0.55:
        return rng.normal() * 4
    if u < 0.75:
        return rng.uniform(-55, -12)
    return rng.uniform(-83, -50) if u < 0.93 else rng.uniform(0, 40)


def _pose(rng: np.random.Generator, heads: np.ndarray, tails: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """World rotations of the bones."""
    deg = np.pi / 180
    turns = np.repeat(np.eye(3)[None], JOINTS, 0)
    local = [np.eye(3)] * JOINTS
    if rng.random() < 0.4:
        for name, s in (("spine", 4), ("chest", 4), ("upperChest", 4), ("neck", 6), ("head", 9)):
            n = rng.normal(size=3) * s * deg
            local[INDEX[name]] = rotation(X, n[0]) @ rotation(Y, n[1]) @ rotation(Z, n[2] * 0.6)
    if rng.random() < 0.1:
        hunch = rng.uniform(3, 16) * deg
        for name, share in (("spine", 0.5), ("chest", 1.0), ("upperChest", 1.0), ("neck", -rng.uniform(0, 1)), ("head", -rng.uniform(0, 1.5))):
            local[INDEX[name]] = local[INDEX[name]] @ rotation(X, hunch * share)
    for i in range(6):
        turns[i] = (turns[parents[i]] if parents[i] >= 0 else np.eye(3)) @ local[i]
    p = {
        "up": _arms_up(rng), "forward": rng.normal() * 8 if rng.random() < 0.7 else rng.uniform(-20, 45),
        "elbow": abs(rng.normal() * 6) if rng.random() < 0.65 else rng.uniform(0, 70),
        "spread": rng.uniform(-2, 8) if rng.random() < 0.75 else rng.uniform(5, 25), "twist": rng.uniform(-60, 60),
        "shrug": rng.normal() * 4, "knee": abs(rng.normal() * 4) if rng.random() < 0.8 else rng.uniform(0, 50),
        "hips": rng.normal() * 8, "toes_out": rng.uniform(-5, 20), "tiptoe": 0 if rng.random() < 0.8 else rng.uniform(0, 45),
        "stride": rng.uniform(5, 40) if rng.random() < 0.12 else 0.0, "elbow_up": rng.uniform(-30, 60),
        "curl": rng.uniform(0, 15) if rng.random() < 0.5 else rng.uniform(0, 75), "fan": rng.normal() * 5,
    }
    straight_hand, uneven = rng.random() < 0.6, rng.random() < 0.2
    for side, sign in SIDES:
        q = dict(p)
        if uneven:
            for key, s in (("up", 20), ("forward", 20), ("elbow", 25), ("spread", 4), ("twist", 20)):
                q[key] += rng.normal() * s
        _pose_arm(rng, side, sign, q, heads, tails, turns, straight_hand)
        _pose_fingers(rng, side, q, heads, tails, parents, turns)
        _pose_leg(rng, side, sign, q, heads, tails, turns, uneven)
    return turns


def _pose_arm(rng, side, sign, q, heads, tails, turns, straight_hand) -> None:
    deg = np.pi / 180

    def direction(name: str) -> np.ndarray:
        return tails[INDEX[side + name]] - heads[INDEX[side + name]]

    up = np.clip(q["up"], -86, 60)
    shoulder, upper, lower, hand = (INDEX[side + n] for n in ("Shoulder", "UpperArm", "LowerArm", "Hand"))
    turns[shoulder] = turns[CHEST] @ rotation(Z, sign * (q["shrug"] + max(up, 0) * 0.2) * deg)
    e, f = up * deg, q["forward"] * deg
    arm = np.array([sign * np.cos(e) * np.cos(f), np.sin(e), np.cos(e) * np.sin(f)])
    if q["stride"]:
        arm = rotation(X, sign * q["stride"] * 0.8 * deg * (1 if e < -0.5 else 0.2)) @ arm
    arm = turns[CHEST] @ arm
    turns[upper] = rotation(arm, sign * q["twist"] * 0.5 * deg) @ align(turns[CHEST] @ direction("UpperArm"), arm) @ turns[CHEST]
    bend = np.cos(q["elbow_up"] * deg) * Z + np.sin(q["elbow_up"] * deg) * Y + 0.15 * rng.normal(size=3)
    bend = unit(bend - arm * (bend @ arm))
    elbow = abs(q["elbow"]) * deg
    forearm = np.cos(elbow) * arm + np.sin(elbow) * bend
    turns[lower] = rotation(forearm, sign * q["twist"] * 0.5 * deg) @ align(turns[upper] @ direction("LowerArm"), forearm) @ turns[upper]
    middle = heads[INDEX[side + "Middle1"]] - heads[hand]
    straight = align(turns[lower] @ middle, forearm) if straight_hand else np.eye(3)
    turns[hand] = straight @ turns[lower] @ rotation(rng.normal(size=3), rng.normal() * 8 * deg)


def _pose_fingers(rng, side, q, heads, tails, parents, turns) -> None:
    deg = np.pi / 180
    hand = INDEX[side + "Hand"]
    index, little, middle = (heads[INDEX[f"{side}{d}1"]] for d in ("Index", "Little", "Middle"))
    across, forward = unit(little - index), unit(middle - heads[hand])
    normal = np.cross(across, forward)
    sign = np.sign(normal @ (tails[INDEX[side + "Thumb3"]] - middle)) or 1.0
    uneven = rng.normal(size=5) * (4 if rng.random() < 0.7 else 15)
    for d, digit in enumerate(DIGITS):
        bend = (q["curl"] * (1 if d else 0.25) + uneven[d]) * deg
        fan = (d - 2) * q["fan"] * deg if d else rng.normal() * 10 * deg
        for k in (1, 2, 3):
            i = INDEX[f"{side}{digit}{k}"]
            turn = rotation(across * sign, bend * (0.7 if k == 1 else 1.0))
            if k == 1:
                turn = rotation(normal, fan) @ turn
            turns[i] = turns[parents[i]] @ turn


def _pose_leg(rng, side, sign, q, heads, tails, turns, uneven) -> None:
    deg = np.pi / 180
    upper, lower, foot, toes = (INDEX[side + n] for n in ("UpperLeg", "LowerLeg", "Foot", "Toes"))
    swing = sign * q["stride"] * deg + (rng.normal() * 8 * deg if uneven else 0)
    s = q["spread"] * deg
    leg = np.array([sign * np.sin(s), -np.cos(s) * np.cos(swing), np.cos(s) * np.sin(swing)])
    leg = turns[HIPS] @ rotation(X, -q["hips"] * 0.5 * deg) @ leg
    turns[upper] = rotation(leg, rng.normal() * 5 * deg) @ align(turns[HIPS] @ (tails[upper] - heads[upper]), leg) @ turns[HIPS]
    knee = (q["knee"] + (rng.uniform(0, 60) if q["stride"] and sign < 0 else 0)) * deg
    back = unit(-Z + leg * leg[2])
    shin = np.cos(knee) * leg + np.sin(knee) * back
    turns[lower] = align(turns[upper] @ (tails[lower] - heads[lower]), shin) @ turns[upper]
    base = rotation(Y, sign * q["toes_out"] * deg) @ rotation(X, q["tiptoe"] * deg)
    turns[foot] = base @ rotation(X, -swing * 0.6)
    turns[toes] = turns[foot] @ rotation(X, -q["tiptoe"] * 0.8 * deg)


def body(rng: np.random.Generator, humans: Humans, wild: bool) -> Body:
    """A body with stylised bones in a pose."""
    vertices, joints = shape(rng, humans)
    heads, tails = joints[:JOINTS], joints[JOINTS:]
    scales, chibi = _scales(rng, heads, tails, wild)
    turns = _pose(rng, heads, tails, humans.parents)
    linear = turns @ scales
    placed = np.zeros((JOINTS, 3))
    for i, parent in enumerate(humans.parents):
        placed[i] = heads[i] if parent < 0 else placed[parent] + linear[parent] @ (heads[i] - heads[parent])
    placed_tails = placed + np.einsum("bij,bj->bi", linear, tails - heads)
    offset = placed - np.einsum("bij,bj->bi", linear, heads)
    skinned = np.empty_like(vertices)
    _skin(vertices, humans.influences, humans.weights, linear, offset, skinned)
    return Body(humans, skinned, placed, placed_tails, turns, chibi)
