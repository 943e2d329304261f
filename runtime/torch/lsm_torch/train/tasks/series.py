"""Forecasting a series: its errors beside those of the last value and of a linear map; at the end a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ...charts import Baseline, ChannelForecast, forecast_chart
from ...charts.svg import digits, number
from ...data.series import OpenedSeries, Windows
from ...data.series.baselines import Errors, errors_of
from ...data.series.windows import MeasuringWindows, TrainingWindows, Values
from ..measure import Evaluator, Measured
from .task import Row, Task

#: Batches of the validation's windows that are measured on the way, evenly spaced.
_BATCHES = 16
_MOST_LINES = 8


def series_task(data: OpenedSeries, seed: int) -> Task:
    final = data.test or data.validation
    part = "test" if data.test else "validation"
    named = [] if final is None else _compared(data, final)
    judged = named if data.validation is None else _compared(data, data.validation)
    about: list[Row] = [("data", data.summary)]
    if named:
        compared = "; ".join(f"{name} {errors.text()}" for name, errors in named)
        about.append(("baselines", f"{compared} ({part}, of standardised values)"))

    def baselines(measured: Measured | None) -> list[Baseline]:
        kind = None if measured is None else _loss_kind(measured)
        return [] if kind is None else [Baseline(name, getattr(errors, kind)) for name, errors in judged]

    def measure(evaluator: Evaluator, on_the_way: bool) -> Measured | None:
        windows = data.validation if on_the_way else final
        if windows is None:
            return None
        spacing = max(1, -(-windows.count // (_BATCHES * evaluator.batch))) if on_the_way else 1
        return evaluator.measure(MeasuringWindows(windows, spacing), "errors")

    def ending(training: float, measured: Measured | None) -> list[Row]:
        own = [] if measured is None else [(part, _errors(measured).text())]
        return [("loss", f"training {training:.4f}"), *own, *((name, errors.text()) for name, errors in named)]

    def finish(evaluator: Evaluator, folder: Path, title: str) -> tuple[list[str], list[Row]]:
        if final is None:
            return [], []
        forecasts = last_forecasts(data, final, evaluator)
        if evaluator.rank == 0:
            (folder / "forecast.svg").write_text(forecast_chart(title, forecasts), encoding="utf-8")
        return ["forecast.svg"], [("forecast", _line(one)) for one in forecasts[:_MOST_LINES]]

    scales = [{"mean": own.mean, "deviation": own.deviation} for own in data.scales]
    return Task(
        train=TrainingWindows(data.train, seed),
        tokenizer=None,
        fingerprint=data.fingerprint,
        vocabulary=0,
        tokens_per_row=data.train.tokens,
        about=about,
        unit="of standardised values",
        baselines=baselines,
        measure=measure,
        note=lambda measured: f"validation {_errors(measured).text()}",
        ending=ending,
        finish=finish,
        notes={"series": {"columns": data.series.titles, "scales": scales}},
    )


def _compared(data: OpenedSeries, windows: Windows) -> list[tuple[str, Errors]]:
    own = data.baselines
    return [("linear map", errors_of(windows, own.linear)), ("last value", errors_of(windows, own.repeat))]


def _errors(measured: Measured) -> Errors:
    assert measured.mse is not None and measured.mae is not None
    return Errors(measured.mse, measured.mae)


def _loss_kind(measured: Measured) -> str | None:
    """Which of the two errors a model's loss is, if any."""
    errors = _errors(measured)
    near = [kind for kind in ("mse", "mae") if abs(getattr(errors, kind) - measured.loss) <= 1e-3 * abs(measured.loss)]
    return near[0] if near else None


@torch.no_grad()
def last_forecasts(data: OpenedSeries, windows: Windows, evaluator: Evaluator) -> list[ChannelForecast]:
    """The last window whose future is known, with what is forecast of it, in the data's own units. All ranks compute it."""
    count = len(windows.channels)
    last = np.arange(windows.count - (count if windows.separate else 1), windows.count)
    batch = windows.batch(last).to(evaluator.device)
    with evaluator.precision():
        made: Values = evaluator.model(batch.tokens, batch.positions).float().cpu().numpy()
    own = made if windows.separate else np.moveaxis(made[0], -1, 0)  # [channels, horizon]
    alone = windows.alone()
    past, future = alone.read(np.arange(alone.count - count, alone.count))
    linear = data.baselines.linear(past)
    found = []
    for c, (title, scale) in enumerate(zip(data.series.titles, data.scales, strict=True)):
        values = (past[c], future[c], own[c], linear[c])
        restored = [[float(x) * scale.deviation + scale.mean for x in one] for one in values]
        found.append(ChannelForecast(title, *restored))
    return found


def _line(one: ChannelForecast) -> str:
    def error(values: list[float]) -> str:
        pairs = zip(values, one.truth, strict=True)
        return number(digits(sum(abs(value - true) for value, true in pairs) / len(values), 4))

    own = f"mean error {error(one.forecast)}, of the linear map {error(one.linear)}"
    return f"{one.title}, the last window: {own} (in its own units)"
