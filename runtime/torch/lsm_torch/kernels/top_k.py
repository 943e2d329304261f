"""The k largest of short rows, one after the other: a router's choice, which sorting all of its experts takes longer for."""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from .schedule import power_of_two

#: Elements of a tile, and the widest row and most picks that this is faster for.
TILE = 2048
WIDEST, MOST = 1024, 32


@triton.jit
def top_k_kernel(x, out, count, K, N: tl.constexpr, BN: tl.constexpr, R: tl.constexpr):
    r = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    n = tl.arange(0, BN)
    a = tl.load(x + r[:, None] * N + n[None, :], mask=(r < count)[:, None] & (n < N)[None, :], other=0.0).to(tl.float32)
    # what is no number comes first, as in a sort, so that every place found is one of the row
    a = tl.where(a == a, a, float("inf"))  # noqa: PLR0124
    free = (n < N)[None, :] & (r[:, None] >= 0)
    for k in range(K):
        top = tl.max(tl.where(free, a, float("-inf")), 1)
        place = tl.min(tl.where(free & (a == top[:, None]), n[None, :], BN), 1)
        tl.store(out + r * K + k, place.to(tl.int64), mask=r < count)
        free = free & (n[None, :] != place[:, None])


def largest(x: Tensor, k: int) -> Tensor:
    """Places of the k largest of the last axis, largest first, ties by place: x [.., N] to int64 [.., k]."""
    x = x.contiguous()
    width = x.shape[-1]
    out = torch.empty(*x.shape[:-1], k, device=x.device, dtype=torch.int64)
    count = x.numel() // width
    wide = power_of_two(width)
    rows = max(1, TILE // wide)
    top_k_kernel[(triton.cdiv(count, rows),)](x, out, count, k, N=width, BN=wide, R=rows, num_warps=4)
    return out
