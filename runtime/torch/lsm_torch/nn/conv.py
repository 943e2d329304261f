"""What looks a few tokens back within a document."""

from __future__ import annotations

import torch
from torch import Tensor


def delay(x: Tensor, by: int, positions: Tensor) -> Tensor:
    """x [B, T, ..] of `by` tokens ago, zero before its document has that many; positions [B, T]."""
    if by == 0:
        return x
    length = x.shape[1]
    past = torch.cat((torch.zeros_like(x[:, :by]), x[:, : max(length - by, 0)]), 1)[:, :length]
    inside = positions >= by
    return torch.where(inside.view(*inside.shape, *[1] * (x.dim() - 2)), past, 0)


def causal_conv(x: Tensor, weight: Tensor, positions: Tensor) -> Tensor:
    """Depthwise convolution within documents: y[t] = Σ_j w[j] x[t-j] while j <= positions[t].

    x [B, T, ..], weight [taps, ..], positions [B, T].
    """
    weight = weight.to(x.dtype)
    y = x * weight[0]
    for j in range(1, weight.shape[0]):
        y = y + delay(x, j, positions) * weight[j]
    return y
