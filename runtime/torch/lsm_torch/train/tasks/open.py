"""The task that a program's data makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...data import open_data
from ...data.series import open_series
from .series import series_task
from .task import Task
from .tokens import tokens_task


def open_task(spec: dict[str, Any], base: Path, seed: int) -> Task:
    if spec["kind"] == "series":
        return series_task(open_series(spec, base), seed)
    return tokens_task(open_data(spec, base, seed), spec["seq"])
