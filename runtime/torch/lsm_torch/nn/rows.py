"""The sequences that something steps along, as rows of their own: those of the batch, or each expert's share of them.

R rows of at most T tokens each. Behind a route, the S slots of a sequence lie sorted by expert, and each expert goes on where it
was: there are B * E rows, or, for single tokens, one for each slot.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .route import put, take


@dataclass(frozen=True)
class TimeRows:
    """The batch itself."""

    time: int

    def into(self, x: Tensor) -> Tensor:
        return x

    def positions(self, x: Tensor) -> Tensor:
        return x

    def back(self, x: Tensor) -> Tensor:
        return x

    def load(self, kept: Tensor) -> Tensor:
        return kept

    def store(self, kept: Tensor | None, new: Tensor) -> Tensor:
        return new

    def last(self, x: Tensor, length: int) -> Tensor:
        """The last `length` values of each row."""
        return x[:, x.shape[1] - length :]

    def live(self) -> Tensor | None:
        """Which of a row's tokens there are, bool [R, T]; None for all."""
        return None


class ExpertRows:
    """The rows of a route's experts: `ids` [B, S] are the slots' experts, in order; `time` is T."""

    def __init__(self, ids: Tensor, time: int, experts: int) -> None:
        self.ids, self.time, self.experts = ids, time, experts
        self.batch = ids.shape[0]
        self.counts = put(ids, torch.ones_like(ids), experts)  # [B, E]
        first = self.counts.cumsum(1) - self.counts
        slot = torch.arange(ids.shape[1], device=ids.device)
        self.rank = slot - take(first, ids)  # among the slots of its expert
        row = torch.arange(self.batch, device=ids.device)[:, None] * experts + ids
        self.index = (row * time + self.rank).flatten()

    def into(self, x: Tensor) -> Tensor:
        """[B, S, ..] to [R, T, ..], with zeros where a row has ended."""
        if self.time == 1:  # a token's slots are of different experts
            return x.flatten(0, 1).unsqueeze(1)
        rows = x.new_zeros(self.batch * self.experts * self.time, *x.shape[2:])
        rows = rows.index_copy(0, self.index, x.flatten(0, 1))
        return rows.unflatten(0, (self.batch * self.experts, self.time))

    def positions(self, x: Tensor) -> Tensor:
        """The slots' places [B, S] as [R, T], counted on where a row has ended: its last document goes on there."""
        rows = self.into(x)
        if self.time < 2:
            return rows
        counts = self.counts.flatten()[:, None]
        at = torch.arange(self.time, device=x.device)
        last = rows.gather(1, (counts - 1).clamp(min=0))
        behind = torch.where(counts > 0, last, 1) + (at - counts + 1)
        return torch.where(at < counts, rows, behind)

    def back(self, x: Tensor) -> Tensor:
        """[R, T, ..] to [B, S, ..]."""
        if self.time == 1:
            return x.squeeze(1).unflatten(0, tuple(self.ids.shape))
        return x.flatten(0, 1)[self.index].unflatten(0, tuple(self.ids.shape))

    def load(self, kept: Tensor) -> Tensor:
        """[B, E, ..] to [R, ..]."""
        return (take(kept, self.ids) if self.time == 1 else kept).flatten(0, 1)

    def store(self, kept: Tensor | None, new: Tensor) -> Tensor:
        """[R, ..] into [B, E, ..]."""
        if self.time != 1:
            return new.unflatten(0, (self.batch, self.experts))
        own = new.unflatten(0, tuple(self.ids.shape))
        if kept is None:
            kept = new.new_zeros(self.batch, self.experts, *new.shape[1:])
        grown = own.shape[2] - kept.shape[2] if kept.dim() > 2 else 0
        if grown > 0:  # keys and values without a window: the last ones are the latest
            kept = torch.cat((kept.new_zeros(*kept.shape[:2], grown, *kept.shape[3:]), kept), 2)
        index = self.ids.view(*self.ids.shape, *[1] * (own.dim() - 2)).expand_as(own)
        return kept.scatter(1, index, own.to(kept.dtype))

    def last(self, x: Tensor, length: int) -> Tensor:
        """The last `length` values of each row of x [R, P + T, ..], zero where it has fewer."""
        if self.time == 1:
            return x[:, x.shape[1] - length :]
        end = x.shape[1] - self.time + self.counts.flatten()
        at = end[:, None] - length + torch.arange(length, device=x.device)
        found = take(x, at.clamp(min=0))
        return torch.where((at >= 0).view(*at.shape, *[1] * (x.dim() - 2)), found, 0)

    def live(self) -> Tensor | None:
        if self.time == 1:
            return None
        return torch.arange(self.time, device=self.ids.device) < self.counts.flatten()[:, None]
