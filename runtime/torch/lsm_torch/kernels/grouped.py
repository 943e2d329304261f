"""Products of sorted rows with their group's matrix, and of two sorted sets of rows with each other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.choice import HAS_TRITON, chosen

if HAS_TRITON:
    from .grouped_product import GroupedRows, grouped_sums

ALIGNED = 8  # bfloat16 numbers in 16 bytes: the grouped product takes rows of whole multiples only


def grouped(x: Tensor, weight: Tensor, ends: Tensor) -> Tensor:
    """x [N, D] sorted by group, group e's rows ending at ends[e] (int32); weight [E, D, F]; gives [N, F].

    Under autocast, and of bfloat16, a product of bfloat16; else of x's type.
    """
    device = x.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
    x, weight = x.to(dtype), weight.to(dtype)
    if x.is_cuda and dtype == torch.bfloat16:  # the one type that the grouped product takes
        d, f = -x.shape[1] % ALIGNED, -weight.shape[2] % ALIGNED
        y = torch._grouped_mm(_padded(x, d), _padded(weight, f, d), offs=ends)
        return y[:, : weight.shape[2]].contiguous() if f else y
    if chosen(None, x) == "triton" and dtype != torch.float64:
        z: Tensor = GroupedRows.apply(x, weight, ends)
        return z
    parts = zip(x.split(_counts(ends)), weight.unbind(0), strict=True)
    return torch.cat([rows @ matrix for rows, matrix in parts])


def grouped_outer(x: Tensor, y: Tensor, ends: Tensor, like: Tensor) -> Tensor:
    """Σ over a group's rows of x[n] y[n]ᵀ: [N, D] and [N, F] to [E, D, F], in the type of `like`."""
    if x.is_cuda and x.dtype == y.dtype == torch.bfloat16:
        d, f = -x.shape[1] % ALIGNED, -y.shape[1] % ALIGNED
        z = torch._grouped_mm(_padded(x, d).T, _padded(y, f), offs=ends)
        return z[:, : x.shape[1], : y.shape[1]].to(like.dtype)
    if chosen(None, x) == "triton" and x.dtype != torch.float64:
        return grouped_sums(x, y, ends).to(like.dtype)
    counts = _counts(ends)
    parts = zip(x.split(counts), y.split(counts), strict=True)
    return torch.stack([a.T @ b for a, b in parts]).to(like.dtype)


def _padded(x: Tensor, columns: int, rows: int = 0) -> Tensor:
    """With zeros behind its last axis and the one before it; x itself where there is nothing to add."""
    return F.pad(x, (0, columns, 0, rows)) if columns or rows else x


def _counts(ends: Tensor) -> list[int]:
    return torch.diff(ends, prepend=ends.new_zeros(1)).tolist()
