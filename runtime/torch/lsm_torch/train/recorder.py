"""What a run leaves behind and shows as it goes: metrics.jsonl, loss.svg and the progress line. Rank 0 alone has one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..charts import Baseline, Point, loss_chart
from .loads import router_figures, shows_loads
from .measure import Measured
from .metrics import Metrics
from .progress import Progress, State
from .report import Speed
from .step import StepResult

_REDRAW = 10  # seconds between two drawings of the chart
_RECENT = 20  # steps that "the training loss" is the mean of


class Recorder:
    def __init__(
        self,
        folder: Path,
        metrics: Metrics,
        speed: Speed,
        steps: int,
        title: str,
        unit: str,
        baselines: Callable[[Measured | None], list[Baseline]],
    ) -> None:
        self.folder, self.metrics, self.speed, self.steps = folder, metrics, speed, steps
        self.title, self.unit, self.baselines = title, unit, baselines
        self.progress = Progress(steps)
        self.drawn = time.monotonic()
        self.last: Measured | None = None

    def step(self, step: int, tokens: int, rate: float, result: StepResult) -> None:
        """A step that took in `tokens` has ended; `step` updates are made now."""
        figures = self.speed.tick(tokens)
        self.metrics.append(
            {
                "step": step,
                "loss": result.loss,
                "lr": rate,
                "grad_norm": result.gradient_norm,
                **figures,
                **router_figures(result.loads, shows_loads(step, self.steps)),
            }
        )
        left = self.speed.seconds(self.steps - step)
        self.progress.update(State(step, result.loss, rate, self.speed.rate, left))
        if time.monotonic() - self.drawn > _REDRAW:
            self.draw()

    def measured(self, step: int, measured: Measured) -> None:
        self.last = measured
        self.metrics.append({"step": step, "eval_loss": measured.loss, **measured.figures()})

    @property
    def training_loss(self) -> float:
        """The mean of the last steps; NaN before the first."""
        recent = [loss for _, loss in self._points("loss")[-_RECENT:]]
        return sum(recent) / len(recent) if recent else float("nan")

    def draw(self) -> None:
        chart = loss_chart(
            title=self.title,
            training=self._points("loss"),
            held_out=self._points("eval_loss"),
            baselines=self.baselines(self.last),
            unit=self.unit,
        )
        partial = self.folder / ".loss.svg.partial"
        partial.write_text(chart, encoding="utf-8")
        partial.replace(self.folder / "loss.svg")
        self.drawn = time.monotonic()

    def close(self) -> None:
        """Leaves the progress line standing and closes the log."""
        self.progress.done()
        self.metrics.close()

    def _points(self, name: str) -> list[Point]:
        return [(record["step"], record[name]) for record in self.metrics.records if record.get(name) is not None]
