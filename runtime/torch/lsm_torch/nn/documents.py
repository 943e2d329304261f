"""What is known of the documents of a batch before it reaches the device: attention need not look for it there.

Models take `positions` and work from those alone. A trainer, which has the batch in the processor's memory first, may say
more, without which a mask [T, T] is made:

    with documents(positions, device):
        loss = model.losses(..)
        loss.backward()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Documents:
    """Of rows laid end to end: document d is tokens bounds[d] to bounds[d + 1]."""

    bounds: Tensor  # int32 [N + 1], on the device
    longest: int
    whole: bool  # every row is one document


#: Not a context variable: backward passes run in threads of their own, and recomputed blocks ask there.
_known: Documents | None = None


def known() -> Documents | None:
    return _known


@contextmanager
def documents(positions: Tensor, device: torch.device) -> Iterator[None]:
    """For what runs inside: positions [B, T], integers in the processor's memory, 0 where a document begins."""
    global _known
    before = _known
    _known = describe(positions, device)
    try:
        yield
    finally:
        _known = before


def describe(positions: Tensor, device: torch.device) -> Documents:
    rows, length = positions.shape
    starts = positions == 0
    starts[:, 0] = True
    found = starts.flatten().nonzero()[:, 0]
    bounds = torch.cat((found, torch.tensor([rows * length]))).to(torch.int32)
    longest = int(bounds.diff().max())
    if device.type == "cuda":
        bounds = bounds.pin_memory().to(device, non_blocking=True)
    return Documents(bounds, longest, len(found) == rows)
