"""Opens the series of a `data` block from its file, and parts it in the order of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import RunError
from ..sources import files_of, read_text
from .baselines import SeriesBaselines, fit_baselines
from .table import Scale, Series, read_series, scales_of, standardised
from .windows import Values, Windows

_MOST_NAMES = 8


@dataclass(frozen=True)
class OpenedSeries:
    series: Series
    scales: list[Scale]
    train: Windows
    validation: Windows | None  # to choose by; None where its share of the rows is less than a horizon
    test: Windows | None
    baselines: SeriesBaselines
    fingerprint: str
    summary: str


def open_series(spec: dict[str, Any], base: Path) -> OpenedSeries:
    """`spec` as `lsm build` writes it; its path starts from `base`."""
    files = files_of(spec["csv"], base)
    if len(files) != 1:
        what = f"{len(files)} files match, and a series is one table"
        raise RunError("series-several-files", what, f"csv {spec['csv']!r}", "name one file")
    series = read_series(read_text(files[0]), spec["columns"], str(files[0]))
    _check(series, spec)
    lookback, horizon, length = spec["lookback"], spec["horizon"], series.length
    first, second = spec["split"]
    learnt, chosen = _round(length * first), _round(length * (first + second))
    scales = scales_of(series, learnt)
    channels = standardised(series, scales)

    def part(start: int, end: int) -> Windows:
        """Windows whose horizons lie between two points in time."""
        separate = spec["channels"] is None
        return Windows(channels, max(start, lookback), end - horizon + 1, lookback, horizon, separate, spec["tokens"])

    train = part(0, learnt)
    validation, test = (own if own.count > 0 else None for own in (part(learnt, chosen), part(chosen, length)))
    facts = (length, len(channels), lookback, horizon, learnt, _fingerprint(channels))
    counts = [f"{0 if own is None else own.count:,}" for own in (train, validation, test)]
    skipped = f", without {_listed(series.skipped)}" if series.skipped else ""
    windows = f"windows: {counts[0]} to learn, {counts[1]} to validate, {counts[2]} to test"
    return OpenedSeries(
        series=series,
        scales=scales,
        train=train,
        validation=validation,
        test=test,
        baselines=fit_baselines(train, validation or train),
        fingerprint=f"series-{'-'.join(map(str, facts))}",
        summary=f"{length:,} rows of {_listed(series.titles)}{skipped}; {windows}",
    )


def _check(series: Series, spec: dict[str, Any]) -> None:
    where, expected, found = f"csv {spec['csv']!r}", spec["channels"], len(series.titles)
    if expected is not None and expected != found:
        what = f"the series has {found} channels ({', '.join(series.titles)}), and the model reads {expected}"
        help = "choose as many with `columns [a, b]`, or give the model another number of `channels`"
        raise RunError("series-channels", what, where, help)
    lookback, horizon = spec["lookback"], spec["horizon"]
    learnt = _round(series.length * spec["split"][0])
    if learnt < lookback + horizon:
        what = (
            f"of {series.length} rows {learnt} are to learn from, and one window takes {lookback + horizon}: "
            f"{lookback} to look back on and {horizon} to forecast"
        )
        help = "give a longer series, a larger first share of the `split`, or a shorter look-back and horizon"
        raise RunError("data-too-short", what, where, help)


def _round(value: float) -> int:
    return math.floor(value + 0.5)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown


def _fingerprint(channels: Values) -> str:
    """FNV-1a (32 bits) over the values' bits."""
    value = 0x811C9DC5
    for bits in channels.view(np.uint32).ravel().tolist():
        value = ((value ^ bits) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"
