"""Recurrences that go on where a cache ends: the ops of lsm_torch.ops, with a place for the state."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..ops.arguments import DecayOn, Read, operands
from ..ops.delta_rule import delta_rule as delta_over_time
from ..ops.recurrence import recurrence as over_time
from ..ops.step import recurrence_step
from .cache import Cache


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
    positions: Tensor,
    cache: Cache | None = None,
) -> Tensor:
    """o [B, T, H, V]; shapes are those of lsm_torch.ops.recurrence. With a cache the state of the tokens before goes on."""
    if cache is None:
        return over_time(
            q,
            k,
            v,
            log_decay,
            decay_on=decay_on,
            erase=erase,
            read=read,
            initial_state=initial_state,
            positions=positions,
        )
    place = cache.place(positions)
    x = operands(q, k, v, log_decay, decay_on, erase, read, None, None, None)
    into = place.rows.into
    q, k, v = into(x.q), into(x.k), into(x.v)
    log_decay = None if x.log_decay is None else into(x.log_decay)
    erase = None if x.erase is None else (into(x.erase[0]), into(x.erase[1]))
    kept = place.load()
    state = initial_state if kept is None else kept[0]
    args: dict[str, Any] = {"decay_on": decay_on, "erase": erase, "read": read}
    starts = place.rows.positions(positions)
    if q.shape[1] == 1:
        o, state = one_token(q, k, v, log_decay, state, starts[:, 0], args)
    else:
        o, state = over_time(q, k, v, log_decay, **args, initial_state=state, positions=starts, return_state=True)
    place.store(state)
    return place.rows.back(o)


def delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    log_decay: Tensor | None = None,
    *,
    erase_key: Tensor | None = None,
    initial_state: Tensor | None = None,
    positions: Tensor,
    cache: Cache | None = None,
) -> Tensor:
    """o [B, T, H, V] of S_t = (I - beta k pᵀ)(Λ_t∘S_{t-1}) + beta k vᵀ, p being k unless given; beta [B, T, H]."""
    if cache is None:
        o = delta_over_time(
            q,
            k,
            v,
            beta,
            log_decay,
            erase_key=erase_key,
            initial_state=initial_state,
            positions=positions,
        )
        assert isinstance(o, Tensor)
        return o
    written = beta.unsqueeze(-1) * k
    p = k if erase_key is None else erase_key
    if log_decay is not None:
        p = (log_decay if log_decay.ndim == 4 else log_decay.unsqueeze(-1)).exp() * p
    return recurrence(
        q,
        written,
        v,
        log_decay,
        erase=(-written, p),
        initial_state=initial_state,
        positions=positions,
        cache=cache,
    )


def one_token(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_decay: Tensor | None,
    state: Tensor | None,
    positions: Tensor,
    args: dict[str, Any],
) -> tuple[Tensor, Tensor]:
    """The same for a single token: every operand with a time of 1; positions [B]."""
    if state is None:
        state = q.new_zeros(*q.shape[:1], *q.shape[2:], v.shape[-1], dtype=torch.float32)
    state = torch.where((positions == 0)[:, None, None, None], 0, state)
    decay = None if log_decay is None else log_decay[:, 0]
    if decay is not None and decay.shape[-1] == 1:
        decay = decay[..., 0]
    erase = args["erase"]
    own = {**args, "erase": None if erase is None else (erase[0][:, 0], erase[1][:, 0])}
    o, state = recurrence_step(state, q[:, 0], k[:, 0], v[:, 0], decay, **own)
    return o.unsqueeze(1), state
