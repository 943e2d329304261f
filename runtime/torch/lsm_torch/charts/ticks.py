"""Round numbers for axes: 1, 2 or 5 times a power of ten."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .svg import digits, fixed, number


@dataclass(frozen=True)
class Ticks:
    values: list[float]
    decimals: int  # enough to tell neighbours apart

    def label(self, value: float) -> str:
        if abs(value) >= 1e6:
            return f"{number(digits(value / 1e6, 6))}M"
        return f"{number(digits(value / 1e3, 6))}k" if abs(value) >= 1e4 else fixed(value, self.decimals)


def nice_ticks(low: float, high: float, count: int, least: float = 0) -> Ticks:
    """At most about `count` round values inside [low, high], `least` apart or more (1 on axes that count)."""
    span = high - low or abs(high) or 1
    rough = span / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(least, power * next((f for f in (1, 2, 5, 10) if f * power >= rough * 0.999), 10))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, min(12, -math.floor(math.log10(step) + 1e-9)))
    return Ticks([i * step for i in range(first, last + 1)], decimals)
