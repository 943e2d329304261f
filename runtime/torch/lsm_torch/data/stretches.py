"""Stretches of ids, of one file or of several, as if they lay end to end: they stay where they are until they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.generic]
Places = NDArray[np.int64]


class Stretches:
    """Of each of `sources` what begins and ends there: stretch i is sources[of[i]][begins[i]:ends[i]]."""

    def __init__(self, sources: Sequence[Ids | Stretches], of: Places, begins: Places, ends: Places) -> None:
        self.sources, self.of, self.begins = sources, of, begins
        self.places = np.concatenate(([0], np.cumsum(ends - begins)))

    @staticmethod
    def joined(parts: Sequence[Ids]) -> Stretches:
        lengths = np.array([len(part) for part in parts])
        return Stretches(parts, np.arange(len(parts)), np.zeros_like(lengths), lengths)

    @staticmethod
    def chosen(source: Ids | Stretches, begins: Places, ends: Places) -> Stretches:
        """Those of one source; what follows upon another there is one stretch with it."""
        new = np.concatenate(([True], begins[1:] != ends[:-1]))
        last = np.concatenate((new[1:], [True]))
        return Stretches([source], np.zeros(int(new.sum()), np.int64), begins[new], ends[last])

    def __len__(self) -> int:
        return int(self.places[-1])

    def __getitem__(self, key: slice) -> Ids:
        start, stop, _ = key.indices(len(self))
        found: list[Ids] = []
        at = int(np.searchsorted(self.places, start, side="right")) - 1
        while start < stop:
            first = int(self.begins[at]) + start - int(self.places[at])
            count = min(stop, int(self.places[at + 1])) - start
            found.append(self.sources[int(self.of[at])][first : first + count])
            start, at = start + count, at + 1
        return np.concatenate(found) if found else self.sources[0][:0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Ids:
        return np.asarray(self[:], dtype)


def part(source: Ids | Stretches, begin: int, end: int) -> Ids | Stretches:
    """One stretch, where it lies."""
    if isinstance(source, Stretches):
        return Stretches.chosen(source, np.array([begin]), np.array([end]))
    return source[begin:end]
