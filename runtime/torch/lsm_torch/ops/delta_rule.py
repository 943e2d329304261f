"""The delta rule, the erase that most layers mean: what the key recalls is taken away, what is new is written.

    S_t = (I - β_t k_t p_tᵀ)(Λ_t∘S_{t-1}) + β_t k_t v_tᵀ,     o_t = q_tᵀ S_t

with p = k unless an erase key is given (Comba). DeltaNet has no decay, Gated DeltaNet one a head, KDA one a key. It is
`recurrence` with erase = (-β k, Λ∘p), in half the rows: erase and write share their key.
"""

from __future__ import annotations

from torch import Tensor

from .arguments import operands, rows
from .choice import Kernels, chosen
from .reference import recurrence_reference


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
    beta = rows(beta, "beta", (*q.shape[:2], max(q.shape[2], k.shape[2], v.shape[2])))
    written = (beta.unsqueeze(-1) * k).to(k.dtype)
    reader = k if erase_key is None else erase_key
    x = operands(q, written, v, log_decay, "key", (written, reader), "after", initial_state, positions, cu_seqlens)
    assert x.erase is not None
    if chosen(kernels, x.q) == "triton":
        from ..kernels.recurrence import delta_rule_triton

        o, state = delta_rule_triton(x, return_state)
    else:
        a, p = x.erase
        p = p if x.log_decay is None else (x.log_decay.exp().unsqueeze(2) * p).to(p.dtype)
        o, state = recurrence_reference(x.with_erase(-a, p))
    return (o, state) if return_state else o
