"""The linear-sequence recurrence, for training and prefill: one op for every family.

    S_t = Λ_t∘S_{t-1} + Σ_r a_r (b_rᵀ S_{t-1}) + Σ_w k_w v_wᵀ
    o_t = q_tᵀ S_t        (or q_tᵀ S_{t-1} with read="before")

Per head S is [K, V]. Which parts are given makes the family: no decay (linear attention), one per head (RetNet, Mamba-2),
one per key (GLA, RWKV-6) or per value, with an erase (DeltaNet, KDA, RWKV-7). `LSM_KERNELS=reference|triton` forces an
implementation; without it CUDA tensors take the Triton kernels and all others the reference.
"""

from __future__ import annotations

from typing import Literal, overload

import torch
from torch import Tensor

from .arguments import DecayOn, Read, operands
from .choice import HAS_TRITON, Kernels, chosen
from .heard import hear
from .reference import recurrence_reference

if HAS_TRITON:  # here, not at the first call, so that its operators are registered for whoever counts them
    from ..kernels.recurrence import recurrence_triton


@overload
def recurrence(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_decay: Tensor | None = None,
    *,
    decay_on: DecayOn = "key",
    erase: tuple[Tensor, Tensor] | None = None,
    read: Read = "after",
    initial_state: Tensor | None = None,
    positions: Tensor | None = None,
    cu_seqlens: Tensor | None = None,
    return_state: Literal[False] = False,
    kernels: Kernels | None = None,
) -> Tensor: ...


@overload
def recurrence(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_decay: Tensor | None = None,
    *,
    decay_on: DecayOn = "key",
    erase: tuple[Tensor, Tensor] | None = None,
    read: Read = "after",
    initial_state: Tensor | None = None,
    positions: Tensor | None = None,
    cu_seqlens: Tensor | None = None,
    return_state: Literal[True],
    kernels: Kernels | None = None,
) -> tuple[Tensor, Tensor]: ...


def recurrence(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_decay: Tensor | None = None,
    *,
    decay_on: DecayOn = "key",
    erase: tuple[Tensor, Tensor] | None = None,
    read: Read = "after",
    initial_state: Tensor | None = None,
    positions: Tensor | None = None,
    cu_seqlens: Tensor | None = None,
    return_state: bool = False,
    kernels: Kernels | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Gives o [B, T, H, V] in q's dtype; with return_state also the final state [B or N, H, K, V], float32.

    q [B, T, H, K] (H = 1 is shared by all heads); k [B, T, H, K] or [B, T, W, H, K] with W writes a token; v likewise with V;
    log_decay None, [H], [B, T, H], [B, T, H, K], or [B, T, H, V] with decay_on="value", natural logarithm, at most 0;
    erase a pair (a, b), each [B, T, H, K] or [B, T, R, H, K]; initial_state [B, H, K, V], or [N, H, K, V] with cu_seqlens;
    positions integer [B, T]: each token's place in its document, where 0 resets the state to zero before the step;
    cu_seqlens integer [N + 1] with B = 1: where the documents begin and end. Under autocast all but log_decay are cast.
    """
    if kernels is None:
        hear(
            recurrence,
            q=q,
            k=k,
            v=v,
            log_decay=log_decay,
            decay_on=decay_on,
            erase=erase,
            read=read,
            initial_state=initial_state,
            positions=positions,
            cu_seqlens=cu_seqlens,
        )
    if torch.is_autocast_enabled(q.device.type):  # as matrix products do; decays keep their precision
        dtype = torch.get_autocast_dtype(q.device.type)
        q, k, v = q.to(dtype), k.to(dtype), v.to(dtype)
        erase = None if erase is None else (erase[0].to(dtype), erase[1].to(dtype))
    x = operands(q, k, v, log_decay, decay_on, erase, read, initial_state, positions, cu_seqlens)
    if chosen(kernels, x.q) == "triton":
        o, state = recurrence_triton(x, return_state)
    else:
        o, state = recurrence_reference(x)
    return (o, state) if return_state else o
