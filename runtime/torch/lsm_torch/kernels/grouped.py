"""Products of sorted rows with their group's matrix, and of two sorted sets of rows with each other."""

from __future__ import annotations

import torch
from torch import Tensor


def grouped(x: Tensor, weight: Tensor, ends: Tensor) -> Tensor:
    """x [N, D] sorted by group, group e's rows ending at ends[e] (int32); weight [E, D, F]; gives [N, F]."""
    if x.is_cuda:
        dtype = torch.bfloat16  # the one type that the grouped product takes
        return torch._grouped_mm(x.to(dtype), weight.to(dtype), offs=ends)
    parts = zip(x.split(_counts(ends)), weight.unbind(0), strict=True)
    return torch.cat([rows @ matrix.to(x.dtype) for rows, matrix in parts])


def grouped_outer(x: Tensor, y: Tensor, ends: Tensor, like: Tensor) -> Tensor:
    """Σ over a group's rows of x[n] y[n]ᵀ: [N, D] and [N, F] to [E, D, F], in the type of `like`."""
    if x.is_cuda:
        return torch._grouped_mm(x.T, y, offs=ends).to(like.dtype)
    counts = _counts(ends)
    parts = zip(x.split(counts), y.split(counts), strict=True)
    return torch.stack([a.T @ b for a, b in parts]).to(like.dtype)


def _counts(ends: Tensor) -> list[int]:
    return torch.diff(ends, prepend=ends.new_zeros(1)).tolist()
