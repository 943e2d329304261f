"""Learning-rate schedules: pure functions of the step, so that a resumed run needs no state for them."""

from __future__ import annotations

from math import cos, pi
from typing import Any


def learning_rate(schedule: dict[str, Any], peak: float, step: int, steps: int) -> float:
    """The rate of update `step` (from 0) of `steps`."""
    warmup = schedule.get("warmup", 0)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    floor = schedule.get("floor", peak)
    match schedule["kind"]:
        case "linear":
            return float(peak + (floor - peak) * _share(step - warmup, steps - warmup))
        case "cosine":
            done = _share(step - warmup, steps - warmup)
            return float(floor + (peak - floor) * (1 + cos(pi * done)) / 2)
        case "wsd":
            decay = schedule["decay"]
            return float(peak + (floor - peak) * _share(step - (steps - decay), decay))
        case _:
            return peak


def _share(part: float, whole: float) -> float:
    return 1.0 if whole <= 0 else min(1.0, max(0.0, part / whole))
