"""What looks a few tokens back within a document."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ops.choice import HAS_TRITON, chosen
from .cache import Cache
from .linear import Axes, sizes
from .norm import l2_norm

if HAS_TRITON:
    from ..kernels.conv import MOST_TAPS, CausalConv

#: Features of a head that one program of the kernel takes.
WIDEST = 512


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


class ShortConv(nn.Module):
    """y[t] = Σ_j w[j] x[t-j] (+ offset) within documents, each element of the axes with a filter of its own."""

    def __init__(self, taps: int, axes: Axes, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(taps, *sizes(axes)))
        self.offset = nn.Parameter(torch.empty(sizes(axes))) if bias else None

    def forward(
        self, x: Tensor, positions: Tensor, cache: Cache | None = None, *, silu: bool = False, norm: float | None = None
    ) -> Tensor:
        """x [B, T, *axes]; with `silu` that of the result; with `norm` as well, l2_norm along the last axis times `norm`."""
        return causal_conv(x, self.weight, positions, cache, offset=self.offset, silu=silu, norm=norm)


def causal_conv(
    x: Tensor,
    weight: Tensor,
    positions: Tensor,
    cache: Cache | None = None,
    *,
    offset: Tensor | None = None,
    silu: bool = False,
    norm: float | None = None,
) -> Tensor:
    """Depthwise convolution within documents: y[t] = Σ_j w[j] x[t-j] while j <= positions[t]; as ShortConv has it.

    x [B, T, ..], weight [taps, ..], offset [..], positions [B, T].
    """
    kernel = cache is None and chosen(None, x) == "triton" and not torch.compiler.is_compiling() and x.numel() > 0
    kernel = kernel and weight.shape[0] <= MOST_TAPS
    width = x.shape[-1]
    if kernel and (norm is None or width <= WIDEST):
        how = None if norm is None else (width, 1e-6, norm)
        bias = None if offset is None else offset.flatten()
        flat = CausalConv.apply(x.flatten(2), weight.flatten(1), bias, positions.to(torch.int32), silu, how)
        return flat.view(x.shape)
    y = _taps(x, weight.to(x.dtype), positions, cache)
    if offset is not None:
        y = y + offset.to(x.dtype)
    y = F.silu(y) if silu else y
    return y if norm is None else l2_norm(y, scale=norm)


def _taps(x: Tensor, weight: Tensor, positions: Tensor, cache: Cache | None) -> Tensor:
    taps = weight.shape[0]
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
