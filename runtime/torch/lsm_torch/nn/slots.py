"""Places of a route's slots: how often each slot's expert was picked before in this document."""

from __future__ import annotations

import torch
from torch import Tensor

from .cache import Cache
from .route import put, take
from .rows import ExpertRows


def slot_positions(expert: Tensor, time: Tensor, positions: Tensor, experts: int, cache: Cache | None = None) -> Tensor:
    """Each slot's place among the slots of its expert and document: int [B, S].

    expert, time [B, S] are each slot's, sorted by expert and, within one, by time; positions [B, T] are the tokens'. A cache
    keeps how often each expert was picked in the document at hand, and lets what is behind the route go on by experts.
    """
    t = torch.arange(positions.shape[1], device=positions.device)
    start = t - torch.minimum(t, positions.long())  # where each token's document begins
    document = start.gather(1, time)
    slot = torch.arange(expert.shape[1], device=expert.device)
    new = torch.ones_like(expert, dtype=torch.bool)
    new[:, 1:] = (expert[:, 1:] != expert[:, :-1]) | (document[:, 1:] != document[:, :-1])
    place = slot - torch.where(new, slot, 0).cummax(1).values
    if cache is None:
        return place
    kept = cache.place(positions)
    loaded = kept.load()
    before = expert.new_zeros(expert.shape[0], experts) if loaded is None else loaded[0]
    if positions.shape[1] == 0:
        kept.store(before)
        cache.route(place, ExpertRows(expert, 0, experts))
        return place
    goes_on = positions > t  # of a document that began before these tokens
    place = place + torch.where(goes_on.gather(1, time), take(before, expert), 0)
    last = (document == start[:, -1:]).long()  # of the document that later tokens may belong to
    counts = put(expert, last, experts)
    kept.store(counts + torch.where(goes_on[:, -1:], before, 0))
    cache.route(place, ExpertRows(expert, positions.shape[1], experts))
    return place
