"""Measuring a model on held-out rows: its loss, and how right its predictions are. All ranks share the work."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..data.rows import Batch
from ..nn import documents
from .progress import duration

#: Seconds without a word while a model is measured.
_REPORT = 10.0


class Rows(Protocol):
    """What is measured on: every row once."""

    @property
    def rows(self) -> int: ...

    def batch(self, position: int, rows: int) -> Batch: ...


@dataclass(frozen=True)
class Measured:
    loss: float  # a prediction
    accuracy: float | None  # the share of right predictions; None where it was not asked for
    mse: float | None  # of forecasts: the mean squared error
    mae: float | None  # and the mean absolute error
    predictions: int  # that counted: tokens, or windows

    def figures(self) -> dict[str, float]:
        """As metrics.jsonl has them beside the loss."""
        found = {"accuracy": self.accuracy, "mse": self.mse, "mae": self.mae}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Evaluator:
    """A model as it is now, on one of several ranks."""

    model: nn.Module
    device: torch.device
    precision: Callable[[], AbstractContextManager[Any]]
    rows: int  # that are computed at once
    batch: int  # rows of one training step
    rank: int = 0
    ranks: int = 1
    say: Callable[[str], None] = print

    @torch.no_grad()
    def measure(
        self, held: Rows, wanted: Literal["loss", "accuracy", "errors"] = "loss", limit: int | None = None
    ) -> Measured | None:
        """Over the first `limit` rows; None where nothing counts."""
        count = held.rows if limit is None else min(held.rows, limit)
        places = range(0, count, self.rows)
        sums = torch.zeros(6, dtype=torch.float64, device=self.device)
        turns = -(-len(places) // self.ranks)
        began = told = time.monotonic()
        for turn in range(turns):  # as many on every rank: parted weights are gathered by all together
            now = time.monotonic()
            if turn > 0 and now - told > _REPORT:
                left = duration((now - began) / turn * (turns - turn))
                self.say(f"measuring what is held out: {turn / turns:.0%}, {left} left")
                told = now
            index = turn * self.ranks + self.rank
            at = places[min(index, len(places) - 1)]
            own = self._sums(held.batch(at, min(self.rows, count - at)), wanted)
            if index < len(places):
                sums += own
        if self.ranks > 1:
            dist.all_reduce(sums)
        loss, counted, right, squares, absolutes, values = sums.tolist()
        if counted == 0:
            return None
        return Measured(
            loss=loss / counted,
            accuracy=right / counted if wanted == "accuracy" else None,
            mse=squares / values if wanted == "errors" else None,
            mae=absolutes / values if wanted == "errors" else None,
            predictions=int(counted),
        )

    def _sums(self, batch: Batch, wanted: str) -> Tensor:
        """Of the loss, of what counts, of right predictions; of squares and absolutes of errors, and how many they are."""
        positions = batch.positions
        own = batch.to(self.device)
        with documents(positions, self.device), self.precision():
            loss, _ = self.model.losses(own.tokens, own.targets, own.weights, own.positions)  # type: ignore[operator]
            share = own.weights.sum().double()
            found = [loss.double() * share, share, *share.new_zeros(4).unbind()]
            if wanted == "accuracy":
                right = self.model(own.tokens, own.positions).argmax(-1) == own.targets
                found[2] = (right * own.weights).sum().double()
            if wanted == "errors":
                error = (self.model(own.tokens, own.positions).float() - own.targets)[own.weights > 0].double()
                found[3:] = [error.square().sum(), error.abs().sum(), share.new_tensor(error.numel())]
        return torch.stack(found)
