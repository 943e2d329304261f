"""Elementwise scans in plain torch, h_t = a_t ⊗ h_{t-1} ⊕ b_t from a state of nothing.

Both (×, +) and (+, max) are associative, so log2 T steps of doubling compute all states (Hillis and Steele, 1986): after step i
an element stands for the last 2^i tokens. The gradient is the same scan from the end,

    ḣ_t = dh_t + a_{t+1} ḣ_{t+1},   da_t = ḣ_t h_{t-1},   db_t = ḣ_t,

and keeps a and h alone. In (+, max) a is 1 there where h_{t-1} was the larger side, and 0 where b_t was.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def doubled_linear(a: Tensor, b: Tensor) -> Tensor:
    """a and b [B, T, ..] of one shape."""
    h: Tensor = _LinearScan.apply(a, b)
    return h


def doubled_maxplus(a: Tensor, b: Tensor, begins: Tensor, ties_to_state: bool) -> Tensor:
    """The same in (+, max); where `begins` [B, T, ..] is true, h is b alone."""
    h: Tensor = _MaxPlusScan.apply(torch.where(begins, _LOWEST, a), b, ties_to_state)
    return h


#: Adding to it whatever a program adds leaves it below every number a program compares with.
_LOWEST = -1e30


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
