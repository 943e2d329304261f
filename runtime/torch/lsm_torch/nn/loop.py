"""Recurrences that have no parallel form, token by token."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .cache import Cache


def token_loop(
    step: Callable[..., tuple[Tensor, ...]],
    initial: tuple[Tensor, ...],
    sequences: tuple[Tensor, ...],
    positions: Tensor,
    restart: tuple[float, ...] | None = None,
    cache: Cache | None = None,
) -> tuple[Tensor, ...]:
    """Runs step(*states, *tokens) -> (*states, *outputs) over positions [B, T] and sequences [B, T, ..].

    Where a position is 0 the states are `restart` (0) before the step. Gives the outputs [B, T, ..], the final states
    [B, ..], and the states before each step [B, T, ..]; from a cache the states go on.
    """
    if cache is None:
        return _loop(step, initial, sequences, positions, restart, None)
    place = cache.place(positions)
    own = tuple(place.rows.into(x) for x in sequences)
    starts = place.rows.positions(positions)
    repeats = starts.shape[0] // positions.shape[0]
    states = place.load() or tuple(x.repeat_interleave(repeats, 0) for x in initial)
    made = _loop(step, states, own, starts, restart, place.rows.live())
    count = len(initial)
    outputs = len(made) - 2 * count
    place.store(*made[outputs : outputs + count])
    return (
        *(place.rows.back(x) for x in made[:outputs]),
        *made[outputs : outputs + count],
        *(place.rows.back(x) for x in made[outputs + count :]),
    )


def _loop(
    step: Callable[..., tuple[Tensor, ...]],
    states: tuple[Tensor, ...],
    sequences: tuple[Tensor, ...],
    positions: Tensor,
    restart: tuple[float, ...] | None,
    live: Tensor | None,  # bool [B, T]: where there is no token the states stay
) -> tuple[Tensor, ...]:
    count = len(states)
    if positions.shape[1] == 0:
        return _nothing(step, states, sequences)
    tokens = [x.unbind(1) for x in sequences]
    outputs: list[tuple[Tensor, ...]] = []
    befores: list[tuple[Tensor, ...]] = []
    for t in range(positions.shape[1]):
        start = positions[:, t] == 0
        states = tuple(
            torch.where(_along(start, state), restart[i] if restart else 0.0, state) for i, state in enumerate(states)
        )
        befores.append(states)
        made = step(*states, *(one[t] for one in tokens))
        new = made[:count]
        if live is not None:
            there = live[:, t]
            new = tuple(torch.where(_along(there, a), a, b) for a, b in zip(new, states, strict=True))
        states = new
        outputs.append(made[count:])
    stacked = [torch.stack(one, 1) for one in zip(*outputs, strict=True)]
    return (*stacked, *states, *(torch.stack(one, 1) for one in zip(*befores, strict=True)))


def _nothing(
    step: Callable[..., tuple[Tensor, ...]], states: tuple[Tensor, ...], sequences: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Of no tokens: only a step tells what shapes its outputs have."""
    made = step(*states, *(x.new_zeros(x.shape[0], *x.shape[2:]) for x in sequences))
    outputs, befores = ([x[:, None][:, :0] for x in some] for some in (made[len(states) :], states))
    return (*outputs, *states, *befores)


def _along(x: Tensor, state: Tensor) -> Tensor:
    """x [B] with dimensions of size 1 for those of a state [B, ..]."""
    return x.view(-1, *[1] * (state.dim() - 1))
