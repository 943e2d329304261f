"""What a model keeps of the tokens it has seen, so that it can go on with the next ones.

A cache holds one entry for each place of `forward` that looks back (a recurrence, a convolution, attention), in the order in
which `forward` meets them: states, the last inputs of convolutions, keys and values. It does not grow with the text, but
where attention has no window. Tokens may come in pieces of any length.

Where a document begins is said by `positions`, as in training: a token at position 0 sees nothing before it. So a row that is
padded on its left is a row whose documents are the paddings, and then the text.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .rows import ExpertRows, TimeRows


class Cache:
    """Of B sequences that go on together; empty before their first tokens."""

    def __init__(self) -> None:
        self.entries: list[tuple[Tensor, ...]] = []  # [B, ..], or [B, E, ..] behind a route of E experts
        self.at = 0
        self.routes: list[tuple[Tensor, ExpertRows]] = []

    def rewind(self) -> None:
        """Before the next tokens: the first place that looks back comes next."""
        self.at = 0
        self.routes.clear()

    def place(self, positions: Tensor) -> Place:
        """The next place that looks back, which steps along the tokens or slots that have these positions."""
        index = self.at
        self.at += 1
        rows = next((rows for own, rows in self.routes if own is positions), None)
        return Place(self, index, rows or TimeRows(positions.shape[1]))

    def route(self, positions: Tensor, rows: ExpertRows) -> None:
        """From here on, what has these positions steps along the slots of a route."""
        self.routes.append((positions, rows))

    def select(self, rows: Tensor) -> None:
        """Keeps these sequences, in this order; one may be taken several times, as beams are."""
        self.entries = [tuple(x.index_select(0, rows) for x in entry) for entry in self.entries]

    def bytes(self) -> int:
        """What the cache holds, in bytes."""
        return sum(x.numel() * x.element_size() for entry in self.entries for x in entry)


class Place:
    """One place that looks back: what was kept there, and where the new is put."""

    def __init__(self, cache: Cache, index: int, rows: TimeRows | ExpertRows) -> None:
        self.cache, self.index, self.rows = cache, index, rows

    def load(self) -> tuple[Tensor, ...] | None:
        """What the rows at hand kept, [R, ..] each; None before the first tokens."""
        if self.index >= len(self.cache.entries):
            return None
        return tuple(self.rows.load(x) for x in self.cache.entries[self.index])

    def store(self, *kept: Tensor) -> None:
        entries = self.cache.entries
        if self.index == len(entries):
            entries.append(tuple(self.rows.store(None, x) for x in kept))
        else:
            old = entries[self.index]
            entries[self.index] = tuple(self.rows.store(a, b) for a, b in zip(old, kept, strict=True))

    def past(self, xs: tuple[Tensor, ...], length: int | None) -> tuple[Tensor, ...]:
        """Each of xs [R, T, ..] behind its last `length` values before (None: all), zero where there were none."""
        kept = self.load()
        if kept is None:
            kept = tuple(x.new_zeros(x.shape[0], length or 0, *x.shape[2:]) for x in xs)
        joined = tuple(torch.cat((a.to(b.dtype), b), 1) for a, b in zip(kept, xs, strict=True))
        own = (x.shape[1] if length is None else length for x in joined)
        self.store(*(self.rows.last(x, n) for x, n in zip(joined, own, strict=True)))
        return joined
