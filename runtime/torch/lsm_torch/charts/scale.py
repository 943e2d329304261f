"""From steps and losses to places on the chart."""

from __future__ import annotations

from dataclasses import dataclass

from .points import Point
from .svg import fixed, number


@dataclass(frozen=True)
class Frame:
    """The inside of a chart, in its own units; `top` is above `bottom`, so it is the smaller number."""

    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True)
class LossScale:
    frame: Frame
    steps: tuple[float, float]  # the ends of the axes
    losses: tuple[float, float]

    def x(self, step: float) -> str:
        return _place(step / self.steps[1], self.frame.left, self.frame.right)

    def y(self, loss: float) -> str:
        bottom, top = self.losses
        return _place((loss - bottom) / (top - bottom), self.frame.bottom, self.frame.top)


def _place(share: float, start: float, end: float) -> str:
    return number(float(fixed(start + share * (end - start), 1)))


def loss_scale(frame: Frame, raw: list[Point], shown: list[Point]) -> LossScale:
    """A scale on which everything in `shown` fits, and of the raw losses all but the highest 2%: a few spikes must not
    flatten the rest. Steps begin at 0; losses begin at 0 only where they come near it."""
    ordered = sorted(loss for _, loss in raw)
    losses = [loss for _, loss in shown]
    if ordered:
        losses += [ordered[0], ordered[int(len(ordered) * 0.98)]]
    low, high = (min(losses), max(losses)) if losses else (0.0, 1.0)
    room = max(high - low or 1, abs(high) * 1e-6) * 0.05
    bottom = max(0, low - room) if low >= 0 else low
    end = max([1, *(step for step, _ in shown)])
    return LossScale(frame, (0, end), (bottom, high + room))
