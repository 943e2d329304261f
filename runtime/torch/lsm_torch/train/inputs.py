"""All that a step reads from the processor's memory, so that a recorded step can be given the next one's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..data.rows import Batch
from ..kernels.schedule import power_of_two
from ..nn.documents import Documents, describe


@dataclass(frozen=True)
class Inputs:
    """Of one rank: its parts of the batch, one after the other."""

    pieces: tuple[Batch, ...]
    documents: tuple[Documents, ...]
    shares: Tensor  # float32 [parts]: of each part's weights in those of the whole batch
    now: Tensor  # of the optimiser

    @property
    def form(self) -> str:
        """The same for inputs that one recorded step can take."""
        shapes = [tuple(x.shape) for x in self.tensors()]
        return str((shapes, [(one.longest, one.whole) for one in self.documents]))

    def tensors(self) -> list[Tensor]:
        pieces = [getattr(piece, name) for piece in self.pieces for name in Batch.__dataclass_fields__]
        return [*pieces, *(one.bounds for one in self.documents), self.shares, self.now]

    def to(self, device: torch.device) -> Inputs:
        def move(x: Tensor) -> Tensor:
            return x.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else x.to(device)

        pieces = tuple(piece.to(device) for piece in self.pieces)
        documents = tuple(one.to(device) for one in self.documents)
        return Inputs(pieces, documents, move(self.shares), move(self.now))

    def take(self, other: Inputs) -> None:
        """The values of inputs of the same form, which lie in the processor's memory."""
        for own, new in zip(self.tensors(), other.tensors(), strict=True):
            own.copy_(new.pin_memory() if own.is_cuda else new, non_blocking=True)

    def alike(self, asked: bool) -> Inputs:
        """With documents of one shape for many batches: their number rounded up, and the longest as long as a row; where nobody
        asks for them, none at all."""
        if not asked:
            return replace(self, documents=())
        whole = all(one.whole for one in self.documents)
        most = max(len(one.bounds) - 1 for one in self.documents)
        length = self.pieces[0].positions.shape[1]
        padded = (one.padded(most if whole else power_of_two(most), length) for one in self.documents)
        return replace(self, documents=tuple(replace(one, whole=whole) for one in padded))


def inputs_of(batch: Batch, now: Tensor, parts: int, rank: int, ranks: int) -> Inputs:
    rows = batch.tokens.shape[0] // parts
    total = float(batch.weights.sum())
    pieces, shares = [], []
    for part in range(rank, parts, ranks):
        own = slice(part * rows, (part + 1) * rows)
        piece = Batch(*(getattr(batch, name)[own] for name in Batch.__dataclass_fields__))
        pieces.append(piece)
        shares.append(float(piece.weights.sum()) / total if total > 0 else 1 / parts)
    documents = tuple(describe(piece.positions) for piece in pieces)
    return Inputs(tuple(pieces), documents, torch.tensor(shares), now)
