"""Rows of a corpus: for training in a new order every epoch, for measuring every token once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import RunError
from ..random import RandomStream
from .corpus import Corpus


@dataclass(frozen=True)
class Batch:
    """[rows, seq] each; positions count from 0 where a row or a document begins.

    Of a series a row is a window: `tokens` are its values [rows, lookback, ..], `targets` those behind it [rows, horizon, ..],
    both float32, and `weights` [rows]; positions are those of the tokens that the model makes of it.
    """

    tokens: Tensor  # int64
    targets: Tensor  # int64
    weights: Tensor  # float32, 0 where a prediction does not count
    positions: Tensor  # int64

    def to(self, device: torch.device) -> Batch:
        def move(x: Tensor) -> Tensor:
            if device.type == "cuda":
                return x.pin_memory().to(device, non_blocking=True)
            return x.to(device)

        return Batch(*(move(x) for x in (self.tokens, self.targets, self.weights, self.positions)))


class Line:
    """Documents end to end in some order; a document's last token predicts nothing."""

    def __init__(self, corpus: Corpus, order: NDArray[np.int64]) -> None:
        self.corpus, self.order = corpus, order
        lengths = corpus.starts[order + 1] - corpus.starts[order]
        self.begins = np.concatenate(([0], np.cumsum(lengths)))

    def row(self, start: int, seq: int) -> tuple[NDArray[np.int64], ...]:
        """(tokens, targets, weights, positions) from a place of the line on; what lies past its end is 0."""
        tokens, targets, weights, positions = (np.zeros(seq, np.int64) for _ in range(4))
        t = 0
        at = int(np.searchsorted(self.begins, start, side="right")) - 1
        while t < seq and at < len(self.order):
            document = self.order[at]
            first = int(self.corpus.starts[document] + start + t - self.begins[at])
            end = int(self.corpus.starts[document + 1])
            count = min(seq - t, end - first)
            predicted = min(count, end - 1 - first)
            tokens[t : t + count] = self.corpus.tokens[first : first + count]
            targets[t : t + predicted] = self.corpus.tokens[first + 1 : first + 1 + predicted]
            weights[t : t + predicted] = 1
            positions[t : t + count] = np.arange(count)
            t += count
            at += 1
        return tokens, targets, weights, positions


class TrainingRows:
    """Row number `index` depends on the seed and on nothing drawn before (stream data/epoch/<number>)."""

    def __init__(self, corpus: Corpus, seq: int, seed: int) -> None:
        self.corpus, self.seq, self.seed = corpus, seq, seed
        self.usable = usable(corpus)
        self.rows = self.usable // seq
        if self.rows < 1:
            what = f"the data has {len(corpus.tokens)} tokens, and one sequence takes {seq + 1}"
            raise RunError("data-too-short", what, f"seq {seq}", "give more text, or a smaller `seq`")
        self._epochs: dict[int, tuple[Line, int, NDArray[np.int64]]] = {}

    def _epoch(self, number: int) -> tuple[Line, int, NDArray[np.int64]]:
        if number not in self._epochs:
            random = RandomStream(self.seed, f"data/epoch/{number}")
            line = Line(self.corpus, random.permutation(self.corpus.documents))
            phase = random.integer(self.usable - self.rows * self.seq + 1)
            self._epochs = {n: e for n, e in self._epochs.items() if n == number - 1}
            self._epochs[number] = (line, phase, random.permutation(self.rows))
        return self._epochs[number]

    def batch(self, position: int, rows: int) -> Batch:
        """Rows position, position + 1, … of all epochs."""
        found = []
        for index in range(position, position + rows):
            line, phase, order = self._epoch(index // self.rows)
            found.append(line.row(phase + int(order[index % self.rows]) * self.seq, self.seq))
        return stacked(found)


class MeasuringRows:
    """Every position of the held-out text once, in order; what fills up the last batch has weight 0."""

    def __init__(self, corpus: Corpus, seq: int) -> None:
        self.line, self.seq = Line(corpus, np.arange(corpus.documents)), seq
        self.rows = -(-usable(corpus) // seq)

    def batch(self, position: int, rows: int) -> Batch:
        end = len(self.line.corpus.tokens)
        return stacked([self.line.row(min(i * self.seq, end), self.seq) for i in range(position, position + rows)])


def usable(corpus: Corpus) -> int:
    """Positions that can stand in a row: without boundaries, the last token is only ever a target."""
    return len(corpus.tokens) - (0 if corpus.documents > 1 else 1)


def stacked(rows: list[tuple[NDArray[np.int64], ...]]) -> Batch:
    tokens, targets, weights, positions = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
    return Batch(tokens, targets, weights.float(), positions)
