"""One token of the recurrence, for decoding: the step as it is written.

Where no gradient is asked for, a GPU takes it in one kernel, which changes a float32 state in place.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import DecayOn, Read, state_dtype
from .choice import HAS_TRITON, Kernels, chosen

if HAS_TRITON:
    from ..kernels.step import step_triton


def recurrence_step(
    state: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_decay: Tensor | None = None,
    *,
    decay_on: DecayOn = "key",
    erase: tuple[Tensor, Tensor] | None = None,
    read: Read = "after",
    positions: Tensor | None = None,
    in_place: bool = False,
    kernels: Kernels | None = None,
) -> tuple[Tensor, Tensor]:
    """S' = Λ∘S + Σ a (bᵀ S) + Σ k vᵀ, o = qᵀ S' (or qᵀ S with read="before").

    state [B, H, K, V] (float32; None: zero); q [B, H, K]; k, v [B, H, K], [B, H, V] or with writes [B, W, H, …]; log_decay None,
    [H], [B, H], [B, H, K] (or [B, H, V] with decay_on="value"); erase a pair of [B, H, K] or [B, R, H, K]; positions [B]: where
    0 the state is zero before the step. Gives o [B, H, V] in q's dtype and the new state, float32, which with in_place a kernel
    puts into the old one.
    """
    if by_kernel(kernels, state, q, k, v, log_decay, *(erase or ())):
        many = [with_rows(x) for x in (k, v, *(erase or ()))]
        heads = max(x.shape[-2] for x in (q, *many))
        q, *many = (x.expand(*x.shape[:-2], heads, x.shape[-1]) for x in (q, *many))
        decay, axis = whole_decay(log_decay, decay_on, q)
        positions = everywhere(positions, q)
        both = None if erase is None else (many[2], many[3])
        return step_triton(state, q, many[0], many[1], decay, axis, both, None, read == "before", positions, in_place)
    state = begun(state, q, v, positions)
    dtype = state_dtype(q)
    state = state.to(dtype)
    k, v = (with_rows(x).to(dtype) for x in (k, v))
    new = state
    if log_decay is not None:
        factor = log_decay.to(dtype).exp()
        if factor.ndim == 1:
            factor = factor.unsqueeze(0)
        if factor.ndim == 2:
            factor = factor.unsqueeze(-1)
        new = state * (factor.unsqueeze(-1) if decay_on == "key" else factor.unsqueeze(-2))
    if erase is not None:
        a, b = (with_rows(x).to(dtype) for x in erase)
        new = new + torch.einsum("brhk,brhl,bhlv->bhkv", a, b, state)
    new = new + torch.einsum("bwhk,bwhv->bhkv", k, v)
    seen = new if read == "after" else state
    return torch.einsum("bhk,bhkv->bhv", q.to(dtype), seen).to(q.dtype), new


def delta_step(
    state: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    log_decay: Tensor | None = None,
    *,
    erase_key: Tensor | None = None,
    positions: Tensor | None = None,
    in_place: bool = False,
    kernels: Kernels | None = None,
) -> tuple[Tensor, Tensor]:
    """S' = (I − β k pᵀ)(Λ∘S) + β k vᵀ, o = qᵀ S'; q, k, p [B, H, K], p being k unless given; beta [B, H]; else as recurrence_step."""
    p = k if erase_key is None else erase_key
    if by_kernel(kernels, state, q, k, v, beta, log_decay, p):
        heads = max(x.shape[-2] for x in (q, k, v, p))
        q, k, v, p = (x.expand(x.shape[0], heads, x.shape[-1]) for x in (q, k, v, p))
        decay, axis = whole_decay(log_decay, "key", q)
        rows = (None, p.unsqueeze(1))
        positions = everywhere(positions, q)
        beta = beta.expand(q.shape[:2])
        return step_triton(
            state, q, k.unsqueeze(1), v.unsqueeze(1), decay, axis, rows, beta, False, positions, in_place
        )
    written = beta.unsqueeze(-1) * k
    if log_decay is not None:
        p = (log_decay if log_decay.ndim == 3 else log_decay.unsqueeze(-1)).exp() * p
    erase = (-written, p)
    return recurrence_step(state, q, written, v, log_decay, erase=erase, positions=positions, kernels="reference")


def by_kernel(kernels: Kernels | None, *operands: Tensor | None) -> bool:
    """Whether a step of these runs as a kernel; the first after the state decides of the device."""
    wants = torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in operands)
    first = operands[1]
    return not wants and first is not None and chosen(kernels, first) == "triton" and first.dtype != torch.float64


def whole_decay(log_decay: Tensor | None, decay_on: DecayOn, q: Tensor) -> tuple[Tensor | None, str]:
    """The decay with a batch and every head, and its axis."""
    if log_decay is None:
        return None, "none"
    if log_decay.ndim < 3:
        return log_decay.expand(q.shape[:2]), "scalar"
    if log_decay.shape[-1] == 1:
        return log_decay[..., 0].expand(q.shape[:2]), "scalar"
    return log_decay.expand(*q.shape[:2], log_decay.shape[-1]), decay_on


def everywhere(positions: Tensor | None, q: Tensor) -> Tensor:
    if positions is None:
        return torch.ones(q.shape[0], dtype=torch.int32, device=q.device)
    return positions.expand(q.shape[0]).contiguous()


def begun(state: Tensor | None, q: Tensor, v: Tensor, positions: Tensor | None) -> Tensor:
    """The state before the step."""
    if state is None:
        heads = max(q.shape[-2], v.shape[-2])
        return q.new_zeros(q.shape[0], heads, q.shape[-1], v.shape[-1], dtype=state_dtype(q))
    return state if positions is None else torch.where((positions == 0)[:, None, None, None], 0, state)


def with_rows(x: Tensor) -> Tensor:
    """[B, H, D] or [B, W, H, D] as the latter."""
    return x.unsqueeze(1) if x.ndim == 3 else x
