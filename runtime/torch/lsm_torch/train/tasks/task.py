"""What each kind of data gives a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ...charts import Baseline
from ...data.rows import Batch
from ...data.tokenizer import Tokenizer
from ..measure import Evaluator, Measured

#: A name and what is said of it, for the start and the end of a run.
Row = tuple[str, str]


class TrainingRows(Protocol):
    def batch(self, position: int, rows: int) -> Batch: ...


@dataclass(frozen=True)
class Task:
    train: TrainingRows
    tokenizer: Tokenizer | None  # None for data that is no text, or whose tokenizer nobody knows
    fingerprint: str
    vocabulary: int  # that the data has; 0 where it is not known, or has none
    tokens_per_row: int
    about: list[Row]  # of the data and its baselines, before training
    unit: str  # what losses are counted in
    #: Losses to draw beside the run's, once it is known what the model's loss is.
    baselines: Callable[[Measured | None], list[Baseline]]
    #: A measurement on the way (True: on a part of what is held out) or at the end; None where nothing is held out.
    measure: Callable[[Evaluator, bool], Measured | None]
    note: Callable[[Measured], str]  # a measurement in one line
    ending: Callable[[float, Measured | None], list[Row]]  # of the training loss and the last measurement
    #: What else a finished run writes into its folder: the files' names, and what is said.
    finish: Callable[[Evaluator, Path, str], tuple[list[str], list[Row]]]
    opening: str | None = None  # the first words of the held-out text, to write on from
    notes: dict[str, Any] = field(default_factory=dict)  # what a checkpoint keeps, to use its model without the data
