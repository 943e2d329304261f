"""Windows of a series: `lookback` points in time and the `horizon` behind them.

The part of a series that a window belongs to is the one that its horizon lies in; it may look back into the parts before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from ...random import RandomStream
from ..rows import Batch

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Windows:
    channels: Values  # standardised, [channels, length]
    start: int  # points in time at which a horizon begins: from here on
    end: int  # up to, without, here
    lookback: int
    horizon: int
    separate: bool  # whether every channel is a series of its own, a row of a batch; else a row has all side by side
    tokens: int  # that the model makes of one

    @property
    def count(self) -> int:
        """Each channel has its own where they are separate."""
        return max(0, self.end - self.start) * (len(self.channels) if self.separate else 1)

    def alone(self) -> Windows:
        """The same windows channel by channel."""
        return replace(self, separate=True)

    def read(self, index: NDArray[np.int64]) -> tuple[Values, Values]:
        """Pasts [n, lookback, ..] and futures [n, horizon, ..]; side by side, channels are the last axis."""
        time = self.start + (index // len(self.channels) if self.separate else index)
        past = time[:, None] + np.arange(-self.lookback, 0)
        future = time[:, None] + np.arange(self.horizon)
        if self.separate:
            channel = (index % len(self.channels))[:, None]
            return self.channels[channel, past], self.channels[channel, future]
        return np.moveaxis(self.channels[:, past], 0, -1), np.moveaxis(self.channels[:, future], 0, -1)

    def batch(self, index: NDArray[np.int64]) -> Batch:
        past, future = (torch.from_numpy(np.ascontiguousarray(values)) for values in self.read(index))
        positions = torch.arange(self.tokens).expand(len(index), -1).contiguous()
        return Batch(past, future, torch.ones(len(index)), positions)


@dataclass(frozen=True)
class MeasuringWindows:
    """Every window once, or every `spacing`th, in order. Channels of one point in time stand together."""

    windows: Windows
    spacing: int = 1

    @property
    def rows(self) -> int:
        return -(-self.windows.count // self.spacing)

    def batch(self, position: int, rows: int) -> Batch:
        return self.windows.batch(np.arange(position, position + rows) * self.spacing)


@dataclass(frozen=True)
class TrainingWindows:
    """Windows without end: all of them in a new order every epoch, which permutation(windows) of the stream
    `data/epoch/<number>` gives, so that row `index` depends on the seed and on nothing drawn before."""

    windows: Windows
    seed: int

    def batch(self, position: int, rows: int) -> Batch:
        count = self.windows.count
        every = range(position, position + rows)
        return self.windows.batch(np.array([self._epoch(i // count)[i % count] for i in every]))

    @cached_property
    def _orders(self) -> dict[int, NDArray[np.int64]]:
        return {}

    def _epoch(self, number: int) -> NDArray[np.int64]:
        if number not in self._orders:
            self._orders.pop(number - 2, None)
            stream = RandomStream(self.seed, f"data/epoch/{number}")
            self._orders[number] = stream.permutation(self.windows.count)
        return self._orders[number]
