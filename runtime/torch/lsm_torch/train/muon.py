"""Muon (Jordan et al., 2024; scaled as in Moonlight, Liu et al., 2025) for the weights that the compiler says are matrices.

    M ← μ M + G        U = G + μ M        W ← W − rate · (0.2 √max(R, C) · NS(U) + decay · W)

Weights of equal matrices are made orthogonal together, in bfloat16 where the model computes in it. They lie as AdamW's do: in
float32, parted or not, or as a bfloat16 and its lower bits (split.py).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from ..ops.choice import HAS_TRITON, chosen
from ..random.stream import name_hash
from .orthogonal import Layout, orthogonalise, orthogonalise_parted, orthogonalise_shared
from .shard import local
from .split import SplitWeights, join, rounded, split

if HAS_TRITON:
    from ..kernels import muon as kernels

#: Elements that are made orthogonal at a time: a few copies of so many lie beside the weights.
MOST = 2**26


class Muon(SplitWeights):
    """`specs` are the weights' own, by their paths as `weights` has them; `apart` are those that are split, `dtype` is what updates
    are made orthogonal in, `moments` what the split weights' momentum is held in."""

    def __init__(
        self,
        weights: dict[str, Tensor],
        specs: dict[str, dict[str, Any]],
        settings: dict[str, Any],
        *,
        apart: set[str],
        dtype: torch.dtype,
        moments: torch.dtype,
    ) -> None:
        super().__init__(weights, apart)
        self.dtype = dtype
        self.momentum: float = settings["muon"]["momentum"]
        self.iterations: int = settings["muon"]["iterations"]
        self.decays = {path: settings["decay"] if specs[path]["decay"] else 0.0 for path in weights}
        self.layouts = {path: Layout.of(specs[path]) for path in weights}
        self.state = {
            path: torch.zeros_like(x, dtype=moments if path in apart else torch.float32).detach()
            for path, x in weights.items()
        }
        self.bundles = self._bundles()

    def _bundles(self) -> list[list[str]]:
        """Paths of equal matrices, as many as fit into MOST; parted ones by what is stored, for they travel."""
        alike: dict[Any, list[str]] = {}
        for path, layout in self.layouts.items():
            parted = isinstance(self.weights[path], DTensor)
            alike.setdefault((parted, layout if parted else layout.matrices[1:]), []).append(path)
        found: list[list[str]] = []
        for paths in alike.values():
            filled = MOST + 1
            for path in paths:
                filled += self.weights[path].numel()
                if filled > MOST:
                    found.append([])
                    filled = self.weights[path].numel()
                found[-1].append(path)
        return found

    @torch.no_grad()
    def step(self, now: Tensor, scale: Tensor) -> None:
        """`scale`, float32 on the device: what gradients are multiplied by; negative leaves everything as it is."""
        for bundle in self.bundles:
            grads = {path: self.sums.get(path, self.weights[path].grad) for path in bundle}
            given = {path: local(g) for path, g in grads.items() if g is not None}
            if given:
                updates = self._orthogonal({path: self._moved(path, g, now, scale) for path, g in given.items()})
                for path, x in updates.items():
                    self._apply(path, x, now, scale)

    def _moved(self, path: str, grad: Tensor, now: Tensor, scale: Tensor) -> Tensor:
        """M ← μ M + G; gives G + μ M."""
        m = local(self.state[path])
        seed = name_hash(path) % 2**30
        fused = path in self.low and chosen(None, m) == "triton"
        return (kernels.move if fused else move)(grad.contiguous(), m, scale, now, self.momentum, seed, self.dtype)

    def _orthogonal(self, us: dict[str, Tensor]) -> dict[str, Tensor]:
        layouts = [self.layouts[path] for path in us]
        weight = self.weights[next(iter(us))]
        if isinstance(weight, DTensor) and not layouts[0].parts_whole:
            group = weight.device_mesh.get_group()
            found = orthogonalise_parted(list(us.values()), layouts[0], self.iterations, group)
            return dict(zip(us, found, strict=True))
        arranged = [layout.arranged(u) for layout, u in zip(layouts, us.values(), strict=True)]
        alone = isinstance(weight, DTensor)  # with parts that are other ranks' as they are
        whole = (orthogonalise if alone else orthogonalise_shared)(torch.cat(arranged), self.iterations)
        parts = whole.split([u.shape[0] for u in arranged])
        return {path: layout.stored(x) for path, layout, x in zip(us, layouts, parts, strict=True)}

    def _apply(self, path: str, x: Tensor, now: Tensor, scale: Tensor) -> None:
        """W ← W − rate · (0.2 √max(R, C) · x + decay · W)"""
        _, rows, columns = self.layouts[path].matrices
        factor, decay = 0.2 * max(rows, columns) ** 0.5, self.decays[path]
        high, low = local(self.weights[path].data), self.low.get(path)
        if low is not None and chosen(None, high) == "triton":
            kernels.apply(high, low, x.contiguous(), scale, now, factor, decay)
        else:
            apply(high, low, x, scale, now, factor, decay)


def move(grad: Tensor, m: Tensor, scale: Tensor, now: Tensor, momentum: float, seed: int, dtype: torch.dtype) -> Tensor:
    """kernels/muon.py's in plain torch; nothing here waits for a device where m is float32."""
    g = grad.float() * scale
    new = momentum * m.float() + g
    u = (g + momentum * new).to(dtype)
    if m.dtype == torch.bfloat16:
        new = rounded(new, seed + 2 * int(now[3]))
    m.copy_(torch.where(scale < 0, m, new))
    return u


def apply(high: Tensor, low: Tensor | None, x: Tensor, scale: Tensor, now: Tensor, factor: float, decay: float) -> None:
    w = high if low is None else join(high, low)
    rate = now[0].float()
    new = torch.where(scale < 0, w, w * (1 - rate * decay) - rate * factor * x.float())
    if low is None:
        high.copy_(new)
    else:
        for target, value in zip((high, low), split(new), strict=True):
            target.copy_(value)
