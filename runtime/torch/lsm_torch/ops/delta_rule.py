"""The delta rule, the erase that most layers mean: what the key recalls is taken away, what is new is written.

    S_t = (I - β_t k_t p_tᵀ)(Λ_t∘S_{t-1}) + β_t k_t v_tᵀ,     o_t = q_tᵀ S_t

with p = k unless an erase key is given (Comba). DeltaNet has no decay, Gated DeltaNet one a head, KDA one a key. It is
`recurrence` with erase = (-β k, Λ∘p), in half the rows: erase and write share their key.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import operands, rows
from .choice import HAS_TRITON, Kernels, chosen
from .heard import hear
from .reference import recurrence_reference

if HAS_TRITON:  # here, not at the first call, so that its operators are registered for whoever counts them
    from ..kernels.recurrence import delta_rule_triton


def delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    log_decay: Tensor | None = None,
    *,
    erase_key: Tensor | None = None,
    initial_state: Tensor | None = None,
    positions: Tensor | None = None,
    cu_seqlens: Tensor | None = None,
    return_state: bool = False,
    kernels: Kernels | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """q, k, erase_key [B, T, H, K]; v [B, T, H, V]; beta [B, T, H]; the rest, and what it gives, as in `recurrence`."""
    if kernels is None:
        hear(
            delta_rule,
            q=q,
            k=k,
            v=v,
            beta=beta,
            log_decay=log_decay,
            erase_key=erase_key,
            initial_state=initial_state,
            positions=positions,
            cu_seqlens=cu_seqlens,
        )
    if torch.is_autocast_enabled(q.device.type):  # as matrix products do; decays and strengths keep their precision
        dtype = torch.get_autocast_dtype(q.device.type)
        q, k, v = q.to(dtype), k.to(dtype), v.to(dtype)
        erase_key = None if erase_key is None else erase_key.to(dtype)
    beta = rows(beta, "beta", (*q.shape[:2], max(q.shape[2], k.shape[2], v.shape[2])))
    p = k if erase_key is None else erase_key
    x = operands(q, k, v, log_decay, "key", (k, p), "after", initial_state, positions, cu_seqlens)
    if chosen(kernels, x.q) == "triton":
        o, state = delta_rule_triton(x, beta, return_state)
    else:
        o, state = recurrence_reference(x.as_delta_rule(beta))
    return (o, state) if return_state else o
