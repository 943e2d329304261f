"""One token of the recurrence, for decoding: the step as it is written."""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import DecayOn, Read, state_dtype


def recurrence_step(
    state: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_decay: Tensor | None = None,
    *,
    decay_on: DecayOn = "key",
    erase: tuple[Tensor, Tensor] | None = None,
    read: Read = "after",
) -> tuple[Tensor, Tensor]:
    """S' = Λ∘S + Σ a (bᵀ S) + Σ k vᵀ, o = qᵀ S' (or qᵀ S with read="before").

    state [B, H, K, V] (float32); q [B, H, K]; k, v [B, H, K], [B, H, V] or with writes [B, W, H, …]; log_decay None, [H],
    [B, H], [B, H, K] (or [B, H, V] with decay_on="value"); erase a pair of [B, H, K] or [B, R, H, K].
    Gives o [B, H, V] in q's dtype and the new state, float32.
    """
    dtype = state_dtype(q)
    state = state.to(dtype)
    k, v = (writes(x, dtype) for x in (k, v))
    new = state
    if log_decay is not None:
        factor = log_decay.to(dtype).exp()
        if factor.ndim == 1:
            factor = factor.unsqueeze(0)
        if factor.ndim == 2:
            factor = factor.unsqueeze(-1)
        new = state * (factor.unsqueeze(-1) if decay_on == "key" else factor.unsqueeze(-2))
    if erase is not None:
        a, b = (writes(x, dtype) for x in erase)
        new = new + torch.einsum("brhk,brhl,bhlv->bhkv", a, b, state)
    new = new + torch.einsum("bwhk,bwhv->bhkv", k, v)
    seen = new if read == "after" else state
    return torch.einsum("bhk,bhkv->bhv", q.to(dtype), seen).to(q.dtype), new


def writes(x: Tensor, dtype: torch.dtype) -> Tensor:
    return (x.unsqueeze(1) if x.ndim == 3 else x).to(dtype)
