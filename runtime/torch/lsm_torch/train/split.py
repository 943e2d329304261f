"""Float32 weights held as a bfloat16 and the 16 bits below it: the model computes with the first, AdamW with both.

    bits(w) = 2^16 bits(high) + low,   low in [-2^15, 2^15),   so that high is w rounded to bfloat16

Nothing is held twice and no step casts weights: 4 bytes a weight where autocast needs 6, and gradients are bfloat16. The
moments may be bfloat16, too: rounded stochastically, because a moment that changes by less than half a bit a step
would otherwise stand still.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from ..ops.choice import HAS_TRITON, chosen
from ..random.stream import name_hash

if HAS_TRITON:
    from ..kernels.adamw import update


def split(x: Tensor) -> tuple[Tensor, Tensor]:
    """float32 to (bfloat16, int16)."""
    bits = x.contiguous().view(torch.int32)
    high = (bits + 0x8000) >> 16
    return high.to(torch.int16).view(torch.bfloat16), (bits - (high << 16)).to(torch.int16)


def join(high: Tensor, low: Tensor) -> Tensor:
    """The float32 of (bfloat16, int16)."""
    return ((high.view(torch.int16).to(torch.int32) << 16) + low).view(torch.float32)


def now(rate: float, step: int, betas: tuple[float, float]) -> Tensor:
    """What AdamW takes of update `step` (from 1), float64: rate, 1 − β₁ᵗ, √(1 − β₂ᵗ), t. On the device, so that a recorded step
    finds the next one's."""
    return torch.tensor([rate, 1 - betas[0] ** step, (1 - betas[1] ** step) ** 0.5, step], dtype=torch.float64)


class SplitWeights:
    """Weights by their paths, those `apart` split, and what is left of their gradients."""

    def __init__(self, weights: dict[str, Tensor], apart: Iterable[str]) -> None:
        self.weights = weights
        self.low: dict[str, Tensor] = {}
        self.sums: dict[str, Tensor] = {}  # gradients of the parts so far, float32
        for path in apart:
            x = weights[path]
            x.data, self.low[path] = split(x.data.float())

    @torch.no_grad()
    def master(self, path: str) -> Tensor:
        return join(self.weights[path].data, self.low[path])

    def accumulate(self) -> None:
        for path in self.low:
            x = self.weights[path]
            if x.grad is not None:
                if path in self.sums:
                    self.sums[path] += x.grad
                else:
                    self.sums[path] = x.grad.float()
                x.grad = None


class SplitAdamW(SplitWeights):
    """AdamW over split weights; `decays` has each weight's decoupled decay, by its path as `weights` has."""

    def __init__(
        self, weights: dict[str, Tensor], decays: dict[str, float], settings: dict[str, Any], moments: torch.dtype
    ) -> None:
        super().__init__(weights, weights)
        self.decays, self.settings, self.dtype = decays, settings, moments
        self.state: dict[str, tuple[Tensor, Tensor]] = {}
        for path, x in weights.items():
            first, second = (torch.zeros_like(x, dtype=moments) for _ in range(2))
            self.state[path] = (first.detach(), second.detach())

    @torch.no_grad()
    def step(self, now: Tensor, scale: Tensor) -> None:
        """`scale`, float32 on the device: what gradients are multiplied by; negative leaves everything as it is."""
        for path, x in self.weights.items():
            grad = self.sums.get(path, x.grad)
            if grad is None:
                continue
            settings = {
                "decay": self.decays[path],
                "betas": tuple(self.settings["betas"]),
                "epsilon": self.settings["epsilon"],
                "seed": name_hash(path) % 2**30,
            }
            own = (x.data, self.low[path], grad.contiguous(), *self.state[path], scale, now)
            (update if chosen(None, x) == "triton" else update_reference)(*own, **settings)


def update_reference(
    high: Tensor, low: Tensor, grad: Tensor, exp_avg: Tensor, exp_avg_sq: Tensor, scale: Tensor, now: Tensor,
    *, decay: float, betas: tuple[float, float], epsilon: float, seed: int,
) -> None:  # fmt: skip
    """kernels/adamw.py in plain torch."""
    if float(scale) < 0:
        return
    beta1, beta2 = betas
    rate, correct1, root2 = now[:3].tolist()
    seed += 2 * int(now[3])
    g = grad.float() * scale
    m = exp_avg.float().lerp(g, 1 - beta1)
    v = beta2 * exp_avg_sq.float() + (1 - beta2) * g * g
    w = join(high, low) * (1 - rate * decay)
    w -= rate * (m / correct1) / (v.sqrt() / root2 + epsilon)
    for target, value in zip((high, low), split(w), strict=True):
        target.copy_(value)
    exp_avg.copy_(rounded(m, seed) if exp_avg.dtype == torch.bfloat16 else m)
    exp_avg_sq.copy_(rounded(v, seed + 1) if exp_avg_sq.dtype == torch.bfloat16 else v)


def rounded(x: Tensor, seed: int) -> Tensor:
    """float32 to bfloat16, up or down with the odds that keep the mean; the draws are hashes of place and seed."""
    h = (torch.arange(x.numel(), device=x.device) + seed) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    noise = ((h ^ (h >> 16)) & 0xFFFF).to(torch.int32).view(x.shape)
    return ((x.contiguous().view(torch.int32) + noise) >> 16).to(torch.int16).view(torch.bfloat16)
