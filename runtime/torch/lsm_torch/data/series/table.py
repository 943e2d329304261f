"""A series: the values of its channels over time, as numbers; and what they are standardised by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import RunError
from .csv import Table, number_in, parse_csv


@dataclass(frozen=True)
class Series:
    titles: list[str]
    channels: NDArray[np.float64]  # [channels, length]
    skipped: list[str]  # columns that are no channel

    @property
    def length(self) -> int:
        return int(self.channels.shape[1])


@dataclass(frozen=True)
class Scale:
    """What a channel is standardised by, from the part that is learnt."""

    mean: float
    deviation: float


def read_series(text: str, columns: list[str] | None, where: str) -> Series:
    """The columns that are named, in that order, or else all whose first cell is a number. A channel has a number in every
    row: where one is missing, what should stand there is not for us to say."""
    table = parse_csv(text, where)
    chosen = columns
    if chosen is None:
        chosen = [t for t, cells in zip(table.titles, table.columns, strict=True) if number_in(cells[0]) is not None]
    if not chosen:
        help = f"name the columns to learn: `columns [{', '.join(table.titles)}]`"
        raise RunError("series-no-channel", "no column begins with a number", where, help)
    channels = np.array([_numbers(table, title, where) for title in chosen])
    return Series(chosen, channels, [title for title in table.titles if title not in chosen])


def _numbers(table: Table, title: str, where: str) -> list[float]:
    if title not in table.titles:
        names = ", ".join(f'"{one}"' for one in table.titles)
        raise RunError("series-no-column", f'there is no column "{title}"', where, f"its columns are {names}")
    found = []
    for cell, line in zip(table.columns[table.titles.index(title)], table.lines, strict=True):
        value = number_in(cell)
        if value is None:
            has = f'"{cell[:40]}"' if cell.strip() else "no value"
            what = f'line {line} has {has} in the column "{title}"'
            help = "fill gaps in before training, or choose other columns with `columns [a, b]`"
            raise RunError("series-not-a-number", what, f"{where}:{line}", help)
        found.append(value)
    return found


def scales_of(series: Series, length: int) -> list[Scale]:
    """Of the first `length` values of every channel, summed in their order; a constant channel's deviation is 1."""
    found = []
    for values in series.channels[:, :length]:
        mean = _sum(values) / length
        deviation = math.sqrt(_sum((values - mean) ** 2) / length)
        found.append(Scale(mean, deviation if deviation > 1e-12 * max(1, abs(mean)) else 1.0))
    return found


def _sum(values: NDArray[np.float64]) -> float:
    return float(np.add.accumulate(values)[-1])  # `sum` rounds in another way than the other targets do


def standardised(series: Series, scales: list[Scale]) -> NDArray[np.float32]:
    """(x − mean) / deviation, channel by channel."""
    pairs = zip(series.channels, scales, strict=True)
    return np.array([(values - own.mean) / own.deviation for values, own in pairs]).astype(np.float32)
