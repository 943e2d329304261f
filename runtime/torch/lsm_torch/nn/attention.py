"""Softmax attention within documents."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .cache import Cache


def visible(positions: Tensor, causal: bool, window: int | None, past: int = 0) -> Tensor:
    """Which key j query t sees, bool [B, 1, T, past + T]: of its document, inside the window, and before it if causal."""
    length = positions.shape[1]
    at = torch.arange(past + length, device=positions.device)
    back = at[past:, None] - at[None, :]  # t - j
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
    cache: Cache | None = None,
) -> Tensor:
    """q [B, T, H, K], k [B, T, M, K], v [B, T, M, V] with H a multiple of M; positions [B, T]; gives [B, T, H, V].

    A cache keeps the keys and values of the window; without one, of all tokens.
    """
    if cache is None:
        return _attend(q, k, v, visible(positions, causal, window), scale)
    if not causal:
        raise ValueError("attention that sees later tokens cannot go on from a cache")
    place = cache.place(positions)
    into = place.rows.into
    q, k, v, starts = into(q), into(k), into(v), place.rows.positions(positions)
    k, v = place.past((k, v), None if window is None else window - 1)
    past = k.shape[1] - q.shape[1]
    return place.rows.back(_attend(q, k, v, visible(starts, causal, window, past), scale))


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scale: float) -> Tensor:
    dtype = q.dtype if torch.is_autocast_enabled(q.device.type) else v.dtype
    q, k, v = (x.transpose(1, 2).to(dtype) for x in (q, k, v))
    o = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
    )
    return o.transpose(1, 2)
