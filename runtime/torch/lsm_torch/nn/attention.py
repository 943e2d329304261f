"""Softmax attention within documents."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .cache import Cache
from .documents import Documents, known

#: What PyTorch's flash attention takes.
_WIDEST = 256


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

    A cache keeps the keys and values of the window; without one, of all tokens. Where the documents are known
    (documents.py) no mask is made: rows that are whole documents need none, and on a GPU flash attention takes the
    documents' bounds.
    """
    dtype = q.dtype if torch.is_autocast_enabled(q.device.type) else v.dtype
    if cache is None:
        found = known()
        if found is not None and found.bounds.device == q.device:
            if found.whole and window is None:
                return _dense(q, k, v, dtype, None, scale, causal)
            if q.is_cuda and dtype.itemsize == 2 and q.shape[-1] == v.shape[-1] <= _WIDEST:
                return _flash(q, k, v, dtype, found, scale, causal, window)
        return _dense(q, k, v, dtype, visible(positions, causal, window), scale, False)
    if not causal:
        raise ValueError("attention that sees later tokens cannot go on from a cache")
    place = cache.place(positions)
    into = place.rows.into
    q, k, v, starts = into(q), into(k), into(v), place.rows.positions(positions)
    k, v = place.past((k, v), None if window is None else window - 1)
    past = k.shape[1] - q.shape[1]
    return place.rows.back(_dense(q, k, v, dtype, visible(starts, causal, window, past), scale, False))


def _dense(
    q: Tensor, k: Tensor, v: Tensor, dtype: torch.dtype, mask: Tensor | None, scale: float, causal: bool
) -> Tensor:
    q, k, v = (x.transpose(1, 2).to(dtype) for x in (q, k, v))
    o = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=causal, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
    )
    return o.transpose(1, 2)


def _flash(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    dtype: torch.dtype,
    found: Documents,
    scale: float,
    causal: bool,
    window: int | None,
) -> Tensor:
    """Rows end to end, each document by itself."""
    rows = q.shape[:2]
    q, k, v = (x.flatten(0, 1).to(dtype) for x in (q, k, v))
    back = None if window is None else window - 1
    o, *_ = torch.ops.aten._flash_attention_forward(
        q, k, v, found.bounds, found.bounds, found.longest, found.longest, 0.0, causal, False,
        scale=scale, window_size_left=back, window_size_right=0 if causal and window else back,
    )  # fmt: skip
    return o.unflatten(0, rows)
