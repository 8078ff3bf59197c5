"""Both networks: patches of surface points to joints, with side heads.

Patches around farthest-point centres become tokens (a small PointNet, Qi et al. 2017), transformer blocks relate them (pre-LN, Xiong et
al. 2020), each joint is a softmax-weighted mean of `centre + offset`. A second stage looks at the points nearest to each joint and
corrects it. The engine runs the same in Rust (`autorig-engine/src/skeleton/predictor`); names of parameters are the file format.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PATCH_SCALE = 6.0
REFINE_SCALE = 0.3
FREQUENCIES = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Config:
    """Size of a network."""

    kind: str
    joints: int
    features: int
    blocks: int
    heads: int
    refine_blocks: int
    refine_points: int
    classes: int
    orientation: bool
    skin: bool

    def metadata(self) -> dict[str, str]:
        """As the engine reads it."""
        return {key: str(value) for key, value in asdict(self).items()}


BODY = Config("body", 22, 128, 5, 4, 2, 48, 5, orientation=True, skin=True)
HAND = Config("hand", 20, 96, 3, 4, 1, 24, 5, orientation=False, skin=False)


class Block(nn.Module):
    """Self-attention and a feed-forward layer, both with the normalisation in front."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.n1, self.n2 = nn.LayerNorm(features), nn.LayerNorm(features)
        self.qkv, self.o = nn.Linear(features, 3 * features), nn.Linear(features, features)
        self.f1, self.f2 = nn.Linear(features, 3 * features), nn.Linear(3 * features, features)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, features = x.shape
        q, k, v = self.qkv(self.n1(x)).view(batch, tokens, 3, self.heads, features // self.heads).permute(2, 0, 3, 1, 4)
        attention = torch.softmax((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2), -1)
        x = x + self.o((attention.to(v.dtype) @ v).transpose(1, 2).reshape(batch, tokens, features))
        return x + self.f2(F.relu(self.f1(self.n2(x))))


def position_features(x: Tensor) -> Tensor:
    """`[x, sin kx, cos kx]` for each frequency."""
    return torch.cat([x] + [f(x * k) for k in FREQUENCIES for f in (torch.sin, torch.cos)], -1)


def gather(points: Tensor, index: Tensor) -> Tensor:
    """`points[b, index[b, ...]]`."""
    flat = index.reshape(len(index), -1, 1).expand(-1, -1, points.shape[-1])
    return torch.gather(points, 1, flat).view(*index.shape, points.shape[-1])


class Net(nn.Module):
    """Points (B×N×6), centres (B×M) and their neighbours (B×M×K) to joints and side outputs."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, d, j = config, config.features, config.joints
        self.p1, self.p2, self.p3, self.pos = nn.Linear(6, 64), nn.Linear(64, 128), nn.Linear(128, d), nn.Linear(27, d)
        self.blk = nn.ModuleList([Block(d, config.heads) for _ in range(config.blocks)])
        self.nf, self.head = nn.LayerNorm(d), nn.Linear(d, 4 * j)
        self.r1, self.r2, self.r3 = nn.Linear(6, 64), nn.Linear(64, 128), nn.Linear(128 + 27 + d, d)
        self.rj = nn.Parameter(torch.randn(j, d) * 0.3)
        self.rb = nn.ModuleList([Block(d, config.heads) for _ in range(config.refine_blocks)])
        self.rn, self.ro, self.rc = nn.LayerNorm(d), nn.Linear(d, 3), nn.Linear(d, 1)
        self.cls = nn.Sequential(nn.Linear(2 * d, 128), nn.ReLU(), nn.Linear(128, config.classes))
        if config.orientation:
            self.ori = nn.Sequential(nn.Linear(2 * d, 128), nn.ReLU(), nn.Linear(128, 6))
        if config.skin:
            self.d1, self.d2, self.d3 = nn.Linear(d + 6 + 4 * j, 128), nn.Linear(128, 128), nn.Linear(128, j)
        nn.init.zeros_(self.ro.weight)
        nn.init.zeros_(self.ro.bias)

    def forward(self, points: Tensor, centres: Tensor, near: Tensor, queries: Tensor | None = None) -> dict[str, Tensor]:
        at = gather(points, centres)[..., :3]
        patch = gather(points, near)
        patch = torch.cat([(patch[..., :3] - at[:, :, None]) * PATCH_SCALE, patch[..., 3:]], -1)
        x = self.p3(F.relu(self.p2(F.relu(self.p1(patch))).amax(2))) + self.pos(position_features(at))
        for block in self.blk:
            x = block(x)
        x = self.nf(x)
        head = self.head(x).float().view(*at.shape[:2], self.config.joints, 4)
        attention = torch.softmax(head[..., 0], 1)
        first = (attention[..., None] * (at[:, :, None] + head[..., 1:])).sum(1)
        summary = torch.cat([x.amax(1), x.mean(1)], -1)
        joints, log_error = self.refine(points, x, attention, first)
        out = {"first": first, "joints": joints, "log_error": log_error, "class": self.cls(summary).float()}
        if self.config.orientation:
            out["front_up"] = self.ori(summary).float()
        if queries is not None:
            out["skin"] = self.skin(x, at, joints.detach(), queries)
        return out

    def refine(self, points: Tensor, x: Tensor, attention: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """The second stage's joints, and the logarithm of the error it expects."""
        start = first.detach()
        index = torch.cdist(start.float(), points[..., :3].float()).topk(self.config.refine_points, dim=2, largest=False).indices
        patch = gather(points, index)
        patch = torch.cat([(patch[..., :3] - start[:, :, None]) * PATCH_SCALE, patch[..., 3:]], -1)
        y = F.relu(self.r2(F.relu(self.r1(patch))).amax(2))
        mixed = torch.einsum("bmj,bmd->bjd", attention.to(x.dtype), x)
        y = self.r3(torch.cat([y, position_features(start).to(y.dtype), mixed], -1)) + self.rj
        for block in self.rb:
            y = block(y)
        y = self.rn(y)
        return first + self.ro(y).float() * REFINE_SCALE, self.rc(y.detach()).float()[..., 0]

    def skin(self, x: Tensor, at: Tensor, joints: Tensor, queries: Tensor) -> Tensor:
        """How much each joint moves each query point, as logits."""
        distance, index = torch.cdist(queries[..., :3].float(), at.float()).topk(3, dim=2, largest=False)
        weight = 1 / (distance + 0.02) ** 2
        weight = weight / weight.sum(2, keepdim=True)
        feature = (gather(x, index) * weight[..., None].to(x.dtype)).sum(2).float()
        offset = queries[:, :, None, :3] - joints[:, None]
        z = torch.cat([feature, queries, offset.norm(dim=-1), offset.flatten(2)], -1)
        return self.d3(F.relu(self.d2(F.relu(self.d1(z))))).float()
