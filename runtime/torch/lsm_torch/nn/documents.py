"""What is known of the documents of a batch before it reaches the device: attention need not look for it there.

Models take `positions` and work from those alone. A trainer, which has the batch in the processor's memory first, may say
more, without which a mask [T, T] is made:

    with documents(positions, device):
        loss = model.losses(..)
        loss.backward()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Documents:
    """Of rows laid end to end: document d is tokens bounds[d] to bounds[d + 1]."""

    bounds: Tensor  # int32 [N + 1], on the device
    longest: int
    whole: bool  # every row is one document

    def to(self, device: torch.device) -> Documents:
        if device.type != "cuda":
            return replace(self, bounds=self.bounds.to(device))
        return replace(self, bounds=self.bounds.pin_memory().to(device, non_blocking=True))

    def padded(self, count: int, longest: int) -> Documents:
        """With documents of no tokens behind the last, `count` in all, and `longest` for the longest: of one shape with others."""
        end = self.bounds[-1:].expand(count + 1 - len(self.bounds))
        return Documents(torch.cat((self.bounds, end)), longest, self.whole)


#: Not a context variable: backward passes run in threads of their own, and recomputed blocks ask there.
_known: Documents | None = None
_asked = False


def known() -> Documents | None:
    global _asked
    _asked = True
    return _known


def asked() -> bool:
    """Whether anyone has wanted to know: a model without attention does not."""
    return _asked


def documents(positions: Tensor, device: torch.device) -> AbstractContextManager[None]:
    """For what runs inside: positions [B, T], integers in the processor's memory, 0 where a document begins."""
    return told(describe(positions).to(device))


@contextmanager
def told(found: Documents) -> Iterator[None]:
    """The same of documents that are described already."""
    global _known
    before = _known
    _known = found
    try:
        yield
    finally:
        _known = before


def describe(positions: Tensor) -> Documents:
    """In the processor's memory."""
    rows, length = positions.shape
    starts = positions == 0
    starts[:, 0] = True
    found = starts.flatten().nonzero()[:, 0]
    bounds = torch.cat((found, torch.tensor([rows * length]))).to(torch.int32)
    return Documents(bounds, int(bounds.diff().max()), len(found) == rows)
