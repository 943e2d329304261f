"""Matrices near the closest orthogonal ones, by Newton-Schulz (Jordan et al., 2024): of X = U Σ Vᵀ about U Vᵀ.

    X₀ = X / (‖X‖ + ε)        A = Xᵢ Xᵢᵀ        Xᵢ₊₁ = a Xᵢ + (b A + c A²) Xᵢ

Weights are stored as [batch.., rows.., columns..] in some order of their axes; here they are [N, R, C].
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

COEFFICIENTS = (3.4445, -4.775, 2.0315)
EPSILON = 1e-7


def orthogonalise(u: Tensor, iterations: int) -> Tensor:
    """u [N, R, C], in whose type it is computed."""
    a, b, c = COEFFICIENTS
    norm = torch.linalg.vector_norm(u, dim=(1, 2), keepdim=True, dtype=torch.float32)
    x = u * (1 / (norm + EPSILON)).to(u.dtype)
    wide = x.shape[1] <= x.shape[2]
    for _ in range(iterations):
        square = x @ x.mT if wide else x.mT @ x
        quadratic = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x = torch.baddbmm(x, quadratic, x, beta=a) if wide else torch.baddbmm(x, x, quadratic, beta=a)
    return x


def orthogonalise_shared(u: Tensor, iterations: int) -> Tensor:
    """The same where all ranks have the same u: each computes its share of the matrices, and gets the others'."""
    ranks = dist.get_world_size() if dist.is_initialized() else 1
    if ranks == 1:
        return orthogonalise(u, iterations)
    size = -(-len(u) // ranks)
    mine = u[dist.get_rank() * size :][:size]
    share = u.new_zeros(size, *u.shape[1:])
    share[: len(mine)] = orthogonalise(mine, iterations)
    found = u.new_empty(ranks * size, *u.shape[1:])
    dist.all_gather_into_tensor(found, share)
    return found[: len(u)]


@dataclass(frozen=True)
class Layout:
    """How a weight's axes make matrices."""

    shape: tuple[int, ...]  # as stored
    order: tuple[int, ...]  # axes of the batch, of one side, of the other
    batch: int  # how many of `order` are the batch's
    first: int  # and how many of the side behind them

    @staticmethod
    def of(spec: dict[str, Any]) -> Layout:
        names = [axis["name"] for axis in spec["axes"]]
        batch, *sides = ([names.index(name) for name in spec["matrix"][part]] for part in ("batch", "rows", "columns"))
        # which side comes first does not matter: the one that lies so makes a view
        first, second = sorted((sorted(side) for side in sides), key=lambda side: side[0])
        order = (*sorted(batch), *first, *second)
        return Layout(tuple(axis["size"] for axis in spec["axes"]), order, len(batch), len(first))

    @property
    def matrices(self) -> tuple[int, int, int]:
        """N, R, C"""
        sizes = [self.shape[axis] for axis in self.order]
        end = self.batch + self.first
        return prod(sizes[: self.batch]), prod(sizes[self.batch : end]), prod(sizes[end:])

    @property
    def parts_whole(self) -> bool:
        """Whether a part of the first stored axis is of whole matrices."""
        return self.batch > 0 and self.order[0] == 0

    def arranged(self, x: Tensor) -> Tensor:
        """x as stored, or parts of its first axis, to [N, R, C]; a view where the order allows it."""
        _, rows, columns = self.matrices
        return x.permute(self.order).reshape(-1, rows, columns)

    def stored(self, x: Tensor) -> Tensor:
        """Back, with as many parts of the first axis as there are."""
        sizes = [self.shape[axis] for axis in self.order]
        if self.parts_whole:
            sizes[0] = -1
        back = sorted(range(len(self.order)), key=self.order.__getitem__)
        return x.reshape(sizes).permute(back)


def orthogonalise_parted(us: list[Tensor], layout: Layout, iterations: int, group: dist.ProcessGroup) -> list[Tensor]:
    """The same for weights of one layout whose first axis is parted over the ranks as FSDP2 parts it; `us` are this rank's parts.

    Each weight goes to one rank as a whole, which computes with it, and back."""
    ranks, own = dist.get_world_size(group), dist.get_rank(group)
    inner = prod(layout.shape[1:])
    size = -(-layout.shape[0] // ranks)
    counts = [inner * max(0, min(size, layout.shape[0] - rank * size)) for rank in range(ranks)]
    found = []
    for start in range(0, len(us), ranks):
        some = us[start : start + ranks]
        there = [counts[own] if rank < len(some) else 0 for rank in range(ranks)]
        here = counts if own < len(some) else [0] * ranks
        x = some[0].new_empty(sum(here))
        dist.all_to_all_single(x, torch.cat([u.reshape(-1) for u in some]), here, there, group=group)
        if own < len(some):
            x = layout.stored(orthogonalise(layout.arranged(x.view(layout.shape)), iterations)).reshape(-1)
        back = some[0].new_empty(sum(there))
        dist.all_to_all_single(back, x, there, here, group=group)
        found += [
            part.view_as(u) for part, u in zip(back.split(counts[own]) if counts[own] else some, some, strict=True)
        ]
    return found
