"""A trained network as the engine reads it: `python -m autorig_training.export body.pt hand.pt --out ../autorig-engine`.

Half precision in safetensors, configuration as metadata; beside it, test vectors: one input of each network with its outputs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from .cloud import patches
from .network import BODY, HAND, Net

# Points, centres, neighbours of each network's input.
SIZES = {"body": (2048, 128, 32), "hand": (1024, 64, 24)}
FILES = {"body": "joint_predictor.safetensors", "hand": "hand_predictor.safetensors"}


def read(path: Path) -> dict[str, torch.Tensor]:
    """The parameters of a checkpoint or of an exported file."""
    if path.suffix == ".safetensors":
        return {key: value.float() for key, value in load_file(path).items()}
    return torch.load(path, weights_only=False)["net"]


def halved(path: Path) -> Net:
    """The network with its parameters rounded as they are shipped; an exported file may lack heads that came later."""
    if path.suffix == ".safetensors":
        net = Net(BODY if path.name == FILES["body"] else HAND)
        net.load_state_dict(read(path), strict=False)
        return net.eval()
    checkpoint = torch.load(path, weights_only=False)
    net = Net(checkpoint["config"])
    net.load_state_dict({key: value.half().float() for key, value in checkpoint["net"].items()})
    return net.eval()


def vectors(net: Net) -> dict[str, torch.Tensor]:
    """A cloud of a lumpy shape, and what the network makes of it."""
    kind = net.config.kind
    count, centres, near = SIZES[kind]
    rng = np.random.default_rng(7)
    normal = rng.normal(size=(count, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    at = normal * (1 + 0.4 * np.sin(4 * normal[:, :1])) * [0.5, 1.2, 0.4]
    points = torch.tensor(np.concatenate([at, normal], 1), dtype=torch.float32)
    chosen, neighbours = patches(points[:, :3].numpy().astype(np.float64), centres, near)
    with torch.no_grad():
        out = net(points[None], torch.tensor(chosen.astype(np.int64))[None], torch.tensor(neighbours.astype(np.int64))[None])
    found = {"points": points, "joints": out["joints"][0], "first": out["first"][0], "log_error": out["log_error"][0]}
    if kind == "body":
        found |= {"front_up": out["front_up"][0], "class": torch.softmax(out["class"][0], 0)}
    else:
        found["presence"] = torch.sigmoid(out["class"][0])
    return {f"{kind}.{key}": value.contiguous() for key, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True, help="the engine's folder")
    args = parser.parse_args()
    tested: dict[str, torch.Tensor] = {}
    for path in args.checkpoints:
        net = halved(path)
        target = args.out / "assets" / FILES[net.config.kind]
        save_file({key: value.half().contiguous() for key, value in net.state_dict().items()}, target, metadata=net.config.metadata())
        tested |= vectors(net)
        print(f"{target}: {target.stat().st_size / 1e6:.2f} MB")
    (args.out / "tests/data").mkdir(parents=True, exist_ok=True)
    save_file(tested, args.out / "tests/data/predictor_vectors.safetensors")


if __name__ == "__main__":
    main()
