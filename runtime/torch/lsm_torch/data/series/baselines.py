"""What a forecast has to beat: the last value repeated, and a linear map from a window to its future, fitted in closed form on
the very windows that the model learns from. Errors are of standardised values.

    W = (XᵀX + λI)⁻¹ XᵀY, in float64

The fit is made with raw windows and with normalised ones (as `instance_norm` does), with several λ; the one that validates
better is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .windows import Values, Windows

#: Forecasts [n, horizon] of windows [n, lookback] of single channels.
Forecaster = Callable[[Values], NDArray[np.float64]]

_PENALTIES = (1e-6, 1e-3, 1e-2, 1e-1)  # λ, as shares of the number of windows

#: Multiplications that the fit may take; of more windows than that allows, evenly spaced ones are taken.
_MOST_WORK = 3e9

_AT_ONCE = 4096  # windows


@dataclass(frozen=True)
class Errors:
    mse: float  # mean squared error
    mae: float  # mean absolute error

    def text(self) -> str:
        return f"MSE {self.mse:.4f}, MAE {self.mae:.4f}"


@dataclass(frozen=True)
class SeriesBaselines:
    repeat: Forecaster
    linear: Forecaster


def fit_baselines(train: Windows, judged: Windows) -> SeriesBaselines:
    horizon = train.horizon

    def repeat(past: Values) -> NDArray[np.float64]:
        return np.repeat(past[:, -1:], horizon, 1).astype(np.float64)

    candidates = [one for normalises in (False, True) for one in _fits(train.alone(), normalises)]
    scores = [errors_of(judged, one).mse for one in candidates]
    return SeriesBaselines(repeat, candidates[int(np.argmin(scores))])


def errors_of(windows: Windows, forecast: Forecaster) -> Errors:
    """Over all windows; NaN where there are none."""
    squares, absolutes, count = 0.0, 0.0, 0
    for past, future in _pieces(windows.alone(), 1):
        difference = forecast(past) - future
        squares += float((difference**2).sum())
        absolutes += float(np.abs(difference).sum())
        count += difference.size
    return Errors(squares / count, absolutes / count) if count > 0 else Errors(math.nan, math.nan)


def _fits(windows: Windows, normalises: bool) -> list[Forecaster]:
    inputs = windows.lookback + 1
    work = windows.count * inputs * (inputs / 2 + windows.horizon)
    xx, xy = np.zeros((inputs, inputs)), np.zeros((inputs, windows.horizon))
    count = 0
    for past, future in _pieces(windows, max(1, math.ceil(work / _MOST_WORK))):
        centre, scale = _view(past, normalises)
        x = np.concatenate(((past - centre) / scale, np.ones((len(past), 1))), 1)  # the last is the bias'
        xx += x.T @ x
        xy += x.T @ ((future - centre) / scale)
        count += len(past)
    found = [np.linalg.solve(xx + penalty * count * np.eye(inputs), xy) for penalty in _PENALTIES]
    return [_forecaster(weights, normalises) for weights in found]


def _forecaster(weights: NDArray[np.floating[Any]], normalises: bool) -> Forecaster:
    def forecast(past: Values) -> NDArray[np.float64]:
        centre, scale = _view(past, normalises)
        made: NDArray[np.float64] = ((past - centre) / scale) @ weights[:-1] + weights[-1]
        return made * scale + centre

    return forecast


def _view(past: Values, normalises: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is taken away from a window, and put back into its forecast: [n, 1] each."""
    if not normalises:
        return np.zeros((len(past), 1)), np.ones((len(past), 1))
    exact = past.astype(np.float64)
    return exact.mean(1, keepdims=True), np.sqrt(exact.var(1, keepdims=True) + 1e-5)


def _pieces(windows: Windows, every: int) -> Iterator[tuple[Values, Values]]:
    index = np.arange(0, windows.count, every)
    for start in range(0, len(index), _AT_ONCE):
        yield windows.read(index[start : start + _AT_ONCE])
