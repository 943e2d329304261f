"""What looks a few tokens back within a document."""

from __future__ import annotations

import torch
from torch import Tensor

from ..ops.choice import HAS_TRITON, chosen
from .cache import Cache

if HAS_TRITON:
    from ..kernels.conv import CausalConv


def delay(x: Tensor, by: int, positions: Tensor, cache: Cache | None = None) -> Tensor:
    """x [B, T, ..] of `by` tokens ago, zero before its document has that many; positions [B, T]."""
    if by == 0:
        return x
    if cache is None:
        return lagged(x, by, positions)
    place = cache.place(positions)
    own, starts = place.rows.into(x), place.rows.positions(positions)
    (joined,) = place.past((own,), by)
    return place.rows.back(within_document(joined[:, : own.shape[1]], by, starts))


def causal_conv(x: Tensor, weight: Tensor, positions: Tensor, cache: Cache | None = None) -> Tensor:
    """Depthwise convolution within documents: y[t] = Σ_j w[j] x[t-j] while j <= positions[t].

    x [B, T, ..], weight [taps, ..], positions [B, T].
    """
    taps = weight.shape[0]
    if cache is None and taps > 1 and chosen(None, x) == "triton" and not torch.compiler.is_compiling():
        flat = CausalConv.apply(x.flatten(2), weight.flatten(1), positions.to(torch.int32))
        return flat.view(x.shape)
    weight = weight.to(x.dtype)
    if cache is None or taps == 1:
        y = x * weight[0]
        for j in range(1, taps):
            y = y + lagged(x, j, positions) * weight[j]
        return y
    place = cache.place(positions)
    own, starts = place.rows.into(x), place.rows.positions(positions)
    (joined,) = place.past((own,), taps - 1)
    y = own * weight[0]
    for j in range(1, taps):
        before = joined[:, taps - 1 - j : taps - 1 - j + own.shape[1]]
        y = y + within_document(before, j, starts) * weight[j]
    return place.rows.back(y)


def lagged(x: Tensor, by: int, positions: Tensor) -> Tensor:
    """x of `by` tokens ago, of this row alone."""
    length = x.shape[1]
    past = torch.cat((torch.zeros_like(x[:, :by]), x[:, : max(length - by, 0)]), 1)[:, :length]
    return within_document(past, by, positions)


def within_document(past: Tensor, by: int, positions: Tensor) -> Tensor:
    """What was `by` tokens ago, zero where the document had not begun."""
    inside = positions >= by
    return torch.where(inside.view(*inside.shape, *[1] * (past.dim() - 2)), past, 0)
