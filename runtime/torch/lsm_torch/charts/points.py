"""Series of points as a chart needs them: smoothed, and no finer than can be drawn."""

from __future__ import annotations

import math

#: Step and value.
Point = tuple[int, float]


def smooth(points: list[Point], window: float) -> list[Point]:
    """An exponential average over about `window` points; over fewer at the start (a fifth of those seen), where a loss
    falls so fast that a wide average would trail far behind it."""
    average = 0.0
    found = []
    for i, (step, value) in enumerate(points):
        span = max(1, min(window, 1 + i / 5))
        average += ((value - average) * 2) / (span + 1)
        found.append((step, average))
    return found


def thin(points: list[Point], count: int) -> list[Point]:
    """At most about `count` points that keep the extremes: the lowest and highest of every stretch, in order."""
    if len(points) <= count:
        return points
    stretch = math.ceil(2 * len(points) / count)
    kept: list[Point] = []
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        low, high = min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])
        kept += [low] if low is high else sorted((low, high), key=lambda point: point[0])
    return kept
