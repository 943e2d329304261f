"""Scans over time without a matrix form, in plain torch: doubling steps (Hillis and Steele 1986), log2 T of them.

A token's window reaches back 2^i tokens after step i and never past the beginning of its document.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import state_dtype


def linear_scan(a_log: Tensor, b: Tensor, initial: Tensor | None = None, positions: Tensor | None = None) -> Tensor:
    """h_t = exp(a_t)∘h_{t-1} + b_t over axis 1: all states, float32.

    a_log and b are [B, T, …] of one shape after broadcasting; initial [B, …]; positions [B, T], where 0 begins a document.
    """
    dtype = state_dtype(b)
    a, h = torch.broadcast_tensors(a_log.to(dtype), b.to(dtype))
    first = first_tokens(positions, a.shape[1], a.device)
    if initial is not None:
        h = torch.cat([h[:, :1] + carried(first, a) * a[:, :1].exp() * initial.to(dtype).unsqueeze(1), h[:, 1:]], 1)
    shift = 1
    while shift < a.shape[1]:
        inside = reaches(first, shift, a)
        h = torch.cat([h[:, :shift], h[:, shift:] + inside * a[:, shift:].exp() * h[:, :-shift]], 1)
        a = torch.cat([a[:, :shift], a[:, shift:] + a[:, :-shift]], 1)
        shift *= 2
    return h


def maxplus_scan(f: Tensor, i: Tensor, initial: Tensor | None = None, positions: Tensor | None = None) -> Tensor:
    """m_t = max(f_t + m_{t-1}, i_t) over axis 1: all states, float32. Without `initial` m_0 = i_0."""
    dtype = state_dtype(i)
    f, m = torch.broadcast_tensors(f.to(dtype), i.to(dtype))
    first = first_tokens(positions, f.shape[1], f.device)
    lowest = torch.finfo(dtype).min / 4
    if initial is not None:
        from_initial = torch.where(carried(first, f) > 0, f[:, :1] + initial.to(dtype).unsqueeze(1), lowest)
        m = torch.cat([torch.maximum(from_initial, m[:, :1]), m[:, 1:]], 1)
    shift = 1
    while shift < f.shape[1]:
        inside = reaches(first, shift, f) > 0
        earlier = torch.where(inside, f[:, shift:] + m[:, :-shift], lowest)
        m = torch.cat([m[:, :shift], torch.maximum(earlier, m[:, shift:])], 1)
        f = torch.cat([f[:, :shift], f[:, shift:] + f[:, :-shift]], 1)
        shift *= 2
    return m


def selective_scan(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    step: Tensor,
    rate: Tensor,
    initial: Tensor | None = None,
    positions: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """S_t = exp(step_t ∘ rate)∘S_{t-1} + k_t v_tᵀ, o_t = q_tᵀ S_t: Mamba-1 and S4D, whose decay has no matrix form.

    q, k [B, T, H, K]; v, step [B, T, H, V]; rate [H, K, V] (at most 0); initial [B, H, K, V].
    Gives o [B, T, H, V] in q's dtype and the final state, float32.
    """
    dtype = state_dtype(q)
    a = step.to(dtype).unsqueeze(-2) * rate.to(dtype)
    states = linear_scan(a, k.to(dtype).unsqueeze(-1) * v.to(dtype).unsqueeze(-2), initial, positions)
    return torch.einsum("bthk,bthkv->bthv", q.to(dtype), states).to(q.dtype), states[:, -1]


def first_tokens(positions: Tensor | None, time: int, device: torch.device) -> Tensor | None:
    """[B, T]: the index of the first token of each token's document, negative where it began before this row."""
    if positions is None:
        return None
    return torch.arange(time, device=device) - positions


def carried(first: Tensor | None, like: Tensor) -> Tensor:
    """1 where the first token continues the initial state's document, [B, 1, …]."""
    if first is None:
        return like.new_ones(())
    return spread(first[:, :1] < 0, like)


def reaches(first: Tensor | None, shift: int, like: Tensor) -> Tensor:
    """1 where the token `shift` before is of the same document, [B, T - shift, …]."""
    if first is None:
        return like.new_ones(())
    index = torch.arange(shift, first.shape[1], device=first.device)
    return spread(index - shift >= first[:, shift:], like)


def spread(mask: Tensor, like: Tensor) -> Tensor:
    return mask.to(like.dtype).reshape(*mask.shape, *[1] * (like.ndim - 2))
