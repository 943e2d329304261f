"""The loads of routes: the share of all picks that went to each expert, noted by layers while a trainer listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

#: The noting module, the measurement's path below it, and its value.
Note = tuple[nn.Module, str, Tensor]

_notes: list[Note] | None = None


def note_load(module: nn.Module, load: Tensor, name: str = "load") -> None:
    """load [E] sums to 1. Nothing is kept where nobody listens, nor of a model that only predicts."""
    if _notes is not None and torch.is_grad_enabled():
        _notes.append((module, name, load.detach()))


@contextmanager
def noting_loads() -> Iterator[list[Note]]:
    """What is noted inside; a block that is recomputed in the backward pass, behind it, is not heard twice."""
    global _notes
    before, _notes = _notes, []
    try:
        yield _notes
    finally:
        _notes = before
