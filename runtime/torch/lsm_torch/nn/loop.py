"""Recurrences that have no parallel form, token by token."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def token_loop(
    step: Callable[..., tuple[Tensor, ...]],
    initial: tuple[Tensor, ...],
    sequences: tuple[tuple[Tensor, ...], ...],
    positions: Tensor,
    restart: tuple[float, ...] | None = None,
) -> tuple[Tensor, ...]:
    """Runs step(*states, *tokens) -> (*states, *outputs) over positions [B, T].

    `sequences` hold one tensor a token. Where a position is 0 the states are `restart` (0) before the step. Gives the
    outputs [B, T, ..], the final states [B, ..], and the states before each step [B, T, ..].
    """
    count = len(initial)
    states = tuple(initial)
    outputs: list[tuple[Tensor, ...]] = []
    befores: list[tuple[Tensor, ...]] = []
    for t in range(positions.shape[1]):
        start = positions[:, t] == 0
        states = tuple(
            torch.where(
                start.view(-1, *[1] * (state.dim() - 1)), restart[i] if restart else 0.0, state
            )
            for i, state in enumerate(states)
        )
        befores.append(states)
        made = step(*states, *(sequence[t] for sequence in sequences))
        states = made[:count]
        outputs.append(made[count:])
    stacked = [torch.stack(one, 1) for one in zip(*outputs, strict=True)]
    return (*stacked, *states, *(torch.stack(one, 1) for one in zip(*befores, strict=True)))
