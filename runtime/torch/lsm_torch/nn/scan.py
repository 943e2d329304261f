"""States that are changed elementwise, h_t = a_t ⊗ h_{t-1} ⊕ b_t, for all tokens at once.

Both (×, +) and (+, max) are associative, so log2 T steps of doubling compute all states (Hillis and Steele, 1986): after step i
an element stands for the last 2^i tokens. The gradient is the same scan from the end,

    ḣ_t = dh_t + a_{t+1} ḣ_{t+1},   da_t = ḣ_t h_{t-1},   db_t = ḣ_t,

and keeps a and h alone. In (+, max) a is 1 there where h_{t-1} was the larger side, and 0 where b_t was.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from .cache import Cache, Place

Ties = Literal["state", "input"]

#: Adding to it whatever a program adds leaves it below every number a program compares with.
_LOWEST = -1e30


def linear_scan(
    a: Tensor | float,
    b: Tensor,
    positions: Tensor,
    *,
    restart: float = 0.0,
    modulus: float | None = None,
    cache: Cache | None = None,
) -> Tensor:
    """h_t = a_t h_{t-1} + b_t, float32 like b [B, T, ..]; a is broadcast to it. Gives all states.

    Where a position is 0, h_{t-1} is `restart`, and so it is before the first token, unless a cache has one. With a modulus h
    stays in [0, modulus), and a is 0 or 1; its sums are taken in float64, as long texts need.
    """
    place, b, a, starts, before = _opened(a, b, positions, restart, 1.0, 0.0, cache)
    kind = b.dtype
    if modulus is not None:
        a, b, before = a.double(), b.double(), before.double()
    start = _spread(starts == 0, b)
    b = torch.where(start, b + a * restart, b)
    a = torch.where(start, 0.0, a)
    b = torch.cat((b[:, :1] + a[:, :1] * before.unsqueeze(1), b[:, 1:]), 1)
    h: Tensor = _LinearScan.apply(a, b)
    if modulus is not None:
        h = torch.remainder(h, modulus).to(kind)
    return _closed(place, h)


def maxplus_scan(
    a: Tensor | float,
    b: Tensor,
    positions: Tensor,
    *,
    restart: float = 0.0,
    ties: Ties = "state",
    cache: Cache | None = None,
) -> Tensor:
    """h_t = max(a_t + h_{t-1}, b_t), otherwise as linear_scan; `ties` says whose gradient equal sides take."""
    place, b, a, starts, before = _opened(a, b, positions, restart, 0.0, _LOWEST, cache)
    start = _spread(starts == 0, b)
    first = torch.arange(b.shape[1], device=b.device) == 0
    first = _spread(first.expand(b.shape[:2]), b)
    previous = torch.where(start, restart, before.unsqueeze(1))
    begun = a + previous
    alone = begun >= b if ties == "state" else begun > b
    begins = start | first
    b = torch.where(begins & alone, begun, b)
    a = torch.where(begins, _LOWEST, a)
    h: Tensor = _MaxPlusScan.apply(a, b, ties == "state")
    return _closed(place, h)


def _opened(
    a: Tensor | float,
    b: Tensor,
    positions: Tensor,
    restart: float,
    one: float,
    zero: float,
    cache: Cache | None,
) -> tuple[Place | None, Tensor, Tensor, Tensor, Tensor]:
    """The operands of the rows at hand, all of one shape, and the state before them."""
    b = b if b.dtype == torch.float64 else b.float()
    a = torch.as_tensor(a, dtype=b.dtype, device=b.device).expand(b.shape)
    if cache is None:
        return None, b, a, positions, b.new_full(b[:, 0].shape, restart)
    place = cache.place(positions)
    a, b, starts = place.rows.into(a), place.rows.into(b), place.rows.positions(positions)
    live = place.rows.live()
    if live is not None:  # where a row has ended its state stays
        there = _spread(live, b)
        a, b = torch.where(there, a, one), torch.where(there, b, zero)
    kept = place.load()
    return place, b, a, starts, b.new_full(b[:, 0].shape, restart) if kept is None else kept[0]


def _closed(place: Place | None, h: Tensor) -> Tensor:
    if place is None:
        return h
    place.store(h[:, -1])
    return place.rows.back(h)


def _spread(x: Tensor, like: Tensor) -> Tensor:
    return x.view(*x.shape, *[1] * (like.dim() - 2))


def _linear(a: Tensor, b: Tensor) -> Tensor:
    """All h_t = a_t h_{t-1} + b_t with h_{-1} = 0, without a graph of it."""
    h, a = b.clone(), a.clone()
    shift = 1
    while shift < h.shape[1]:
        h[:, shift:] += a[:, shift:] * h[:, :-shift]
        a[:, shift:] = a[:, shift:] * a[:, :-shift]
        shift *= 2
    return h


def _reverse(a: Tensor, dh: Tensor) -> Tensor:
    """g_t = dh_t + a_{t+1} g_{t+1}."""
    later = torch.cat((a[:, 1:], torch.zeros_like(a[:, :1])), 1)
    return _linear(later.flip(1), dh.flip(1)).flip(1)


class _LinearScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        h = _linear(a, b)
        ctx.save_for_backward(a, h)
        return h

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor]:
        a, h = ctx.saved_tensors
        g = _reverse(a, gradients[0])
        da = torch.zeros_like(a)
        da[:, 1:] = g[:, 1:] * h[:, :-1]
        return da, g


class _MaxPlusScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, ties_to_state: bool) -> Tensor:
        h, sums = b.clone(), a.clone()
        shift = 1
        while shift < h.shape[1]:
            h[:, shift:] = torch.maximum(sums[:, shift:] + h[:, :-shift], h[:, shift:])
            sums[:, shift:] = sums[:, shift:] + sums[:, :-shift]
            shift *= 2
        moved = torch.full_like(h, -torch.inf)
        moved[:, 1:] = a[:, 1:] + h[:, :-1]
        ctx.save_for_backward(moved >= b if ties_to_state else moved > b)
        return h

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, None]:
        (of_state,) = ctx.saved_tensors
        share = of_state.to(gradients[0].dtype)
        g = _reverse(share, gradients[0])
        return g * share, g * (1 - share), None
