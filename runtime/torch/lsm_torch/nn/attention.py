"""Softmax attention within documents."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def visible(positions: Tensor, causal: bool, window: int | None) -> Tensor:
    """Which key j query t sees, bool [B, 1, T, T]: those of its document, inside the window, and before it if causal."""
    length = positions.shape[1]
    at = torch.arange(length, device=positions.device)
    back = at[:, None] - at[None, :]  # t - j
    seen = back <= positions[:, :, None]
    seen &= back >= 0 if causal else -back <= positions[:, None, :]
    if window is not None:
        seen &= back.abs() < window
    return seen[:, None]


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    positions: Tensor,
    *,
    scale: float,
    causal: bool = True,
    window: int | None = None,
) -> Tensor:
    """q [B, T, H, K], k [B, T, M, K], v [B, T, M, V] with H a multiple of M; positions [B, T]; gives [B, T, H, V]."""
    mask = visible(positions, causal, window)
    dtype = q.dtype if torch.is_autocast_enabled(q.device.type) else v.dtype
    q, k, v = (x.transpose(1, 2).to(dtype) for x in (q, k, v))
    o = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
    )
    return o.transpose(1, 2)
