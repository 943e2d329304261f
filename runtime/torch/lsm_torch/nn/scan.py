"""Scans that go on where a cache ends: those of lsm_torch.ops, with a place for the state."""

from __future__ import annotations

import torch
from torch import Tensor

from ..ops.arguments import Read
from ..ops.scans import Ties, spread
from ..ops.scans import linear_scan as plain_linear_scan
from ..ops.scans import maxplus_scan as plain_maxplus_scan
from ..ops.scans import selective_scan as plain_selective_scan
from .cache import Cache, Place


def linear_scan(
    a: Tensor | float,
    b: Tensor,
    positions: Tensor,
    *,
    restart: float = 0.0,
    modulus: float | None = None,
    cache: Cache | None = None,
) -> Tensor:
    """All states h_t = a_t h_{t-1} + b_t; see lsm_torch.ops. With a cache the state of the tokens before goes on."""
    if cache is None:
        return plain_linear_scan(a, b, positions, restart=restart, modulus=modulus)
    place, a, b, starts, before = _opened(cache, a, b, positions, restart, 1.0, 0.0)
    return _closed(place, before, plain_linear_scan(a, b, starts, restart=restart, modulus=modulus, initial=before))


def maxplus_scan(
    a: Tensor | float,
    b: Tensor,
    positions: Tensor,
    *,
    restart: float = 0.0,
    ties: Ties = "state",
    cache: Cache | None = None,
) -> Tensor:
    """All states h_t = max(a_t + h_{t-1}, b_t), otherwise as linear_scan."""
    if cache is None:
        return plain_maxplus_scan(a, b, positions, restart=restart, ties=ties)
    place, a, b, starts, before = _opened(cache, a, b, positions, restart, 0.0, _LOWEST)
    return _closed(place, before, plain_maxplus_scan(a, b, starts, restart=restart, ties=ties, initial=before))


#: Adding to it whatever a program adds leaves it below every number a program compares with.
_LOWEST = -1e30


def selective_scan(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    step: Tensor | None = None,
    rate: Tensor | None = None,
    log_key: Tensor | None = None,
    log_value: Tensor | None = None,
    read: Read = "after",
    positions: Tensor,
    cache: Cache | None = None,
) -> Tensor:
    """o [B, T, H, V] of S_t = exp(step_t∘rate + ..)∘S_{t-1} + k_t v_tᵀ; shapes are those of lsm_torch.ops.selective_scan."""
    if cache is None:
        o = plain_selective_scan(
            q,
            k,
            v,
            step=step,
            rate=rate,
            log_key=log_key,
            log_value=log_value,
            read=read,
            positions=positions,
        )
        assert isinstance(o, Tensor)
        return o
    place = cache.place(positions)

    def into(x: Tensor | None) -> Tensor | None:
        """Rows that have ended take a step of 1 and a write of 0: the state stays."""
        return x if x is None or x.ndim == 3 else place.rows.into(x.expand(*positions.shape, *x.shape[2:]))

    live = place.rows.live()
    if live is not None and rate is not None and step is None:
        step = torch.ones_like(v)
    kept = place.load()
    o, state = plain_selective_scan(
        into(q),  # type: ignore[arg-type]
        into(k),  # type: ignore[arg-type]
        into(v),  # type: ignore[arg-type]
        step=into(step),
        rate=rate,
        log_key=into(log_key),
        log_value=into(log_value),
        read=read,
        initial_state=None if kept is None else kept[0],
        positions=place.rows.positions(positions),
        return_state=True,
        in_place=kept is not None,
    )
    place.store(state)
    return place.rows.back(o)


def _opened(
    cache: Cache, a: Tensor | float, b: Tensor, positions: Tensor, restart: float, one: float, zero: float
) -> tuple[Place, Tensor, Tensor, Tensor, Tensor]:
    """The operands of the rows at hand, all of one shape, and the state before them."""
    b = b if b.dtype == torch.float64 else b.float()
    a = torch.as_tensor(a, dtype=b.dtype, device=b.device).expand(b.shape)
    place = cache.place(positions)
    a, b, starts = place.rows.into(a), place.rows.into(b), place.rows.positions(positions)
    live = place.rows.live()
    if live is not None:  # where a row has ended its state stays
        there = spread(live, b)
        a, b = torch.where(there, a, one), torch.where(there, b, zero)
    kept = place.load()
    before = b.new_full((b.shape[0], *b.shape[2:]), restart) if kept is None else kept[0]
    return place, a, b, starts, before


def _closed(place: Place, before: Tensor, h: Tensor) -> Tensor:
    place.store(h[:, -1] if h.shape[1] > 0 else before)
    return place.rows.back(h)
