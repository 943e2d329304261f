"""Recurrences that go on where a cache ends: the ops of lsm_torch.ops, with a place for the state."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..ops.arguments import DecayOn, Read
from ..ops.delta_rule import delta_rule as delta_over_time
from ..ops.recurrence import recurrence as over_time
from ..ops.step import delta_step, recurrence_step
from .cache import Cache, Place


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
    q, k, v, log_decay, *both = _into(place, positions, q, k, v, log_decay, *(erase or ()))
    starts = place.rows.positions(positions)
    kept = place.load()
    state = initial_state if kept is None else kept[0]
    args: dict[str, Any] = {"decay_on": decay_on, "read": read}
    if q.shape[1] == 1:
        q, k, v, log_decay, *both = _token(q, k, v, log_decay, *both)
        args |= {"erase": tuple(both) or None, "positions": starts[:, 0], "in_place": kept is not None}
        o, state = recurrence_step(state, q, k, v, log_decay, **args)
        o = o.unsqueeze(1)
    else:
        args |= {"erase": tuple(both) or None, "positions": starts, "initial_state": state}
        o, state = over_time(q, k, v, log_decay, **args, return_state=True)
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
    place = cache.place(positions)
    q, k, v, beta, log_decay, erase_key = _into(place, positions, q, k, v, beta, log_decay, erase_key)
    starts = place.rows.positions(positions)
    kept = place.load()
    state = initial_state if kept is None else kept[0]
    if q.shape[1] == 1:
        q, k, v, beta, log_decay, erase_key = _token(q, k, v, beta, log_decay, erase_key)
        how: dict[str, Any] = {"positions": starts[:, 0], "in_place": kept is not None}
        o, state = delta_step(state, q, k, v, beta, log_decay, erase_key=erase_key, **how)
        o = o.unsqueeze(1)
    else:
        how = {"initial_state": state, "positions": starts, "return_state": True}
        o, state = delta_over_time(q, k, v, beta, log_decay, erase_key=erase_key, **how)
    place.store(state)
    return place.rows.back(o)


def _into(place: Place, positions: Tensor, *xs: Any) -> list[Any]:
    """Each of [B, T, ..] as rows of its own. A decay [H] stays, but where rows end: there it is one of every token."""
    ends = place.rows.live() is not None

    def into(x: Tensor | None) -> Tensor | None:
        if x is None or (x.ndim == 1 and not ends):
            return x
        own = x.shape if x.ndim == 1 else x.shape[2:]
        return place.rows.into(x.expand(*positions.shape, *own))

    return [into(x) for x in xs]


def _token(*xs: Any) -> list[Any]:
    """The one token of each [B, 1, ..]."""
    return [x if x is None or x.ndim == 1 else x[:, 0] for x in xs]
