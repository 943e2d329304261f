"""Series of numbers over time: tables, windows of them, and what a forecast has to beat."""

from .open import OpenedSeries, open_series
from .windows import Windows

__all__ = ["OpenedSeries", "Windows", "open_series"]
