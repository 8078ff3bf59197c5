"""Training: `python -m autorig_training.learn body|hand --data DIR --out FILE.pt --minutes N [--init FILE]`.

Shards are taken up as they appear, so that generation may go on beside. What is kept is the exponential moving average.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .hands import HAND_JOINTS
from .humans import BODY_JOINTS, MIRROR
from .network import BODY, HAND, Config, Net

QUERIES = 192
CLASSES_WITH_A_FRONT = 3  # humanoid, quadruped, bird


class Shards:
    """All samples on disk, drawn at random."""

    def __init__(self, folder: Path, kind: str, rng: np.random.Generator, limit: int) -> None:
        self.folder, self.kind, self.rng, self.limit, self.seen, self.shards = folder, kind, rng, limit, set(), []
        self.refresh()

    def refresh(self) -> int:
        for path in sorted(self.folder.glob(f"{self.kind}_*.npz")):
            if path not in self.seen and ".partial" not in path.name and len(self) < self.limit:
                self.seen.add(path)
                data = np.load(path)
                self.shards.append({key: data[key] for key in data.files})
        return len(self)

    def __len__(self) -> int:
        return sum(len(s["points"]) for s in self.shards)

    def batch(self, count: int) -> dict[str, Tensor]:
        sizes = np.array([len(s["points"]) for s in self.shards], float)
        parts = []
        for _ in range(4):
            shard = self.shards[self.rng.choice(len(sizes), p=sizes / sizes.sum())]
            rows = np.sort(self.rng.integers(0, len(shard["points"]), count // 4))
            parts.append({key: value[rows] for key, value in shard.items()})
        whole = {"centres", "near", "influences", "class"}
        return {
            key: torch.from_numpy(np.concatenate([p[key] for p in parts]).astype(np.int64 if key in whole else np.float32))
            for key in parts[0]
        }


def turns(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """Rotations, roll first, angles in radians."""
    def about(axis: int, t: Tensor) -> Tensor:
        c, s, o, i = torch.cos(t), torch.sin(t), torch.zeros_like(t), torch.ones_like(t)
        rows = {0: [i, o, o, o, c, -s, o, s, c], 1: [c, o, s, o, i, o, -s, o, c], 2: [c, -s, o, s, c, o, o, o, i]}[axis]
        return torch.stack(rows, -1).view(-1, 3, 3)

    return about(1, yaw) @ about(0, pitch) @ about(2, roll)


def _normals(points: Tensor) -> Tensor:
    """Some models have no normals, some have them inside out."""
    points[..., 3:] = F.normalize(points[..., 3:], dim=-1)
    u = torch.rand(len(points))
    points[u < 0.06, :, 3:] = 0
    points[u > 0.95, :, 3:] *= -1
    return points


def augment_body(z: dict[str, Tensor], turned_share: float) -> dict[str, Tensor]:
    """Mirror, stretch, renormalise, turn, jitter. Joints are learnt from nearly upright samples alone (`upright`)."""
    points, joints, height, n = z["points"].clone(), z["joints"].clone(), z["height"], len(z["height"])
    mirror = torch.from_numpy(MIRROR[:BODY_JOINTS])
    m = torch.rand(n) < 0.5
    points[m, :, 0] *= -1
    points[m, :, 3] *= -1
    joints[m] = joints[m][:, mirror] * torch.tensor([-1.0, 1, 1])
    influences = torch.where(m[:, None, None], mirror[z["influences"]], z["influences"])
    stretch = torch.exp(torch.randn(n, 1, 3) * 0.08)
    points[..., :3] *= stretch
    points[..., 3:] /= stretch
    joints, height = joints * stretch, height * stretch[:, 0, 1]
    centre = points[..., :3].mean(1, keepdim=True)
    points[..., :3] -= centre
    scale = points[..., :3].pow(2).sum(-1).mean(1).sqrt()[:, None, None]
    points[..., :3] /= scale
    joints, height = (joints - centre) / scale, height / scale[:, 0, 0]
    wide = math.pi / 180
    turn = turns(torch.randn(n) * 8 * wide, torch.randn(n) * 3 * wide, torch.randn(n) * 3 * wide)
    turned, cube = torch.rand(n) < turned_share, torch.rand(n) < 0.5
    quarter = [torch.where(cube, torch.randint(0, 4, (n,)) * (math.pi / 2), torch.zeros(n)) for _ in range(2)]
    yaw = torch.where(cube, torch.randint(0, 4, (n,)) * (math.pi / 2), torch.rand(n) * 2 * math.pi)
    tilt = torch.where(cube, torch.zeros(n), torch.randn(n) * 12 * wide)
    turn = torch.where(turned[:, None, None], turns(yaw, quarter[0] + tilt, quarter[1]) @ turn, turn)
    points[..., :3], points[..., 3:] = points[..., :3] @ turn.mT, points[..., 3:] @ turn.mT
    joints = joints @ turn.mT
    points[..., :3] += torch.randn_like(points[..., :3]) * (torch.rand(n, 1, 1) * 0.006)
    size, shift = torch.exp(torch.randn(n, 1, 1) * 0.03), torch.randn(n, 1, 3) * 0.03
    points[..., :3] = points[..., :3] * size + shift
    return {
        "points": _normals(points), "joints": joints * size + shift, "height": height * size[:, 0, 0], "influences": influences,
        "weights": z["weights"], "upright": ~turned & (z["class"] == 0), "front": turn[:, :, 2], "up": turn[:, :, 1],
        "class": z["class"], "centres": z["centres"], "near": z["near"],
    }


def body_loss(net: Net, z: dict[str, Tensor]) -> dict[str, Tensor]:
    """Errors of both stages in heights; cross-entropy of skin and class; orientation; the logarithm of the error."""
    n = len(z["height"])
    chosen = torch.randint(0, z["points"].shape[1], (QUERIES,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(z["points"], z["centres"], z["near"], z["points"][:, chosen])
    upright = z["upright"].float()
    share = 1 / upright.sum().clamp(min=1)
    first, second = ((out[key] - z["joints"]).norm(dim=-1) / z["height"][:, None] for key in ("first", "joints"))
    truth = torch.zeros(n, QUERIES, BODY_JOINTS).scatter_add_(2, z["influences"][:, chosen], z["weights"][:, chosen] / 255)
    truth = truth / truth.sum(2, keepdim=True).clamp(min=1e-6)
    skin = -(truth * F.log_softmax(out["skin"], -1)).sum(-1).mean(1)
    faces = (z["class"] < CLASSES_WITH_A_FRONT).float()
    facing = 2 - F.cosine_similarity(out["front_up"][:, :3], z["front"]) - F.cosine_similarity(out["front_up"][:, 3:], z["up"])
    doubt = (out["log_error"] - torch.log((out["joints"].detach() - z["joints"]).norm(dim=-1) + 1e-3)).abs().mean(1)
    losses = {
        "first": (first.mean(1) * upright).sum() * share, "second": (second.mean(1) * upright).sum() * share,
        "skin": (skin * upright).sum() * share, "facing": (facing * faces).sum() / faces.sum().clamp(min=1),
        "class": F.cross_entropy(out["class"], z["class"]), "doubt": (doubt * upright).sum() * share,
    }
    losses["loss"] = 10 * (losses["first"] + losses["second"]) + 0.3 * (losses["skin"] + losses["facing"] + losses["class"] + losses["doubt"])
    return losses


def augment_hand(z: dict[str, Tensor], _: float) -> dict[str, Tensor]:
    """Small turns and stretches; hands are never mirrored, the crop has made them all left."""
    n, wide = len(z["points"]), math.pi / 180
    turn = turns(torch.randn(n) * 5 * wide, torch.randn(n) * 20 * wide, torch.randn(n) * 5 * wide)
    stretch = torch.exp(torch.randn(n, 1, 3) * 0.08)
    points = z["points"].clone()
    points[..., :3] = (points[..., :3] * stretch) @ turn.mT
    points[..., 3:] = (points[..., 3:] / stretch) @ turn.mT
    points[..., :3] += torch.randn_like(points[..., :3]) * (torch.rand(n, 1, 1) * 0.006)
    return {"points": _normals(points), "joints": (z["joints"] * stretch) @ turn.mT, "present": z["present"], "centres": z["centres"], "near": z["near"]}


def hand_loss(net: Net, z: dict[str, Tensor]) -> dict[str, Tensor]:
    """Errors of the fingers there are, in units of the crop; which there are."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(z["points"], z["centres"], z["near"])
    there = z["present"].repeat_interleave(HAND_JOINTS // z["present"].shape[1], dim=1)
    share = 1 / there.sum().clamp(min=1)
    first, second = ((out[key] - z["joints"]).norm(dim=-1) for key in ("first", "joints"))
    doubt = (out["log_error"] - torch.log(second.detach() + 1e-3)).abs()
    losses = {
        "first": (first * there).sum() * share, "second": (second * there).sum() * share,
        "class": F.binary_cross_entropy_with_logits(out["class"], z["present"]), "doubt": (doubt * there).sum() * share,
    }
    losses["loss"] = 4 * (losses["first"] + losses["second"]) + losses["class"] + 0.1 * losses["doubt"]
    return losses


def save(path: Path, net: Net, step: int, seconds: float) -> None:
    torch.save({"net": net.state_dict(), "config": net.config, "step": step, "seconds": seconds}, path)


def start(config: Config, init: Path | None) -> Net:
    """A new network, or one that takes what fits from an earlier one (a checkpoint, or a file the engine ships)."""
    net = Net(config)
    if init:
        from .export import read

        missing = net.load_state_dict(read(init), strict=False).missing_keys
        print(f"from {init.name}; new: {' '.join(missing) or 'nothing'}", flush=True)
    return net


def learn(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    config, augment, loss_of = {"body": (BODY, augment_body, body_loss), "hand": (HAND, augment_hand, hand_loss)}[args.kind]
    data = Shards(args.data, args.kind, np.random.default_rng(args.seed), args.limit)
    net = start(config, args.init)
    kept = copy.deepcopy(net)
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {len(data)} samples", flush=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=0.02, betas=(0.9, 0.98))
    began, step, history, saved = time.monotonic(), 0, [], 0.0
    while True:
        minutes = (time.monotonic() - began) / 60
        done = step / args.steps if args.steps else minutes / args.minutes
        if done >= 1:
            break
        rate = args.rate * min(1, (step + 1) / args.warm_up) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        losses = loss_of(net, augment(data.batch(args.batch), args.turned))
        optimiser.zero_grad()
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        with torch.no_grad():
            for k, p in zip(kept.parameters(), net.parameters(), strict=True):
                k.lerp_(p, 1 - min(0.998, 1 - 1 / (step + 1) ** 0.8))
        history.append({key: value.item() for key, value in losses.items()})
        if step % 100 == 0:
            means = {key: round(float(np.mean([h[key] for h in history])), 4) for key in history[0]}
            print(json.dumps({"step": step, "minutes": round(minutes, 1), "data": data.refresh(), "rate": round(rate, 6), **means}), flush=True)
            history = []
        if minutes - saved > 4:
            saved = minutes
            save(args.out, kept, step, minutes * 60)
    save(args.out, kept, step, time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["body", "hand"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--steps", type=int, default=0, help="instead of --minutes")
    parser.add_argument("--init", type=Path)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--warm-up", type=int, default=300)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--turned", type=float, default=0.3, help="share of samples turned any way")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, default=200_000, help="most samples kept in memory")
    parser.add_argument("--seed", type=int, default=0)
    learn(parser.parse_args())


if __name__ == "__main__":
    main()
