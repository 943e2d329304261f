"""Buffers that a training step itself updates, such as a router's selection bias."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

#: By buffer: one value for each part of the batch.
_pending = WeakTensorKeyDictionary()


def after_step(buffer: Tensor, value: Tensor) -> None:
    """Notes the buffer's value after this step; of several parts of a batch it will be the mean."""
    if torch.is_grad_enabled():
        _pending.setdefault(buffer, []).append(value.detach())


@torch.no_grad()
def apply_updates(model: nn.Module, shares: Sequence[float | Tensor] | None = None) -> list[Tensor]:
    """Gives every buffer its noted value, and these buffers; `shares` weigh the parts of the batch, equally by default.

    Blocks that are recomputed note a part's value twice, one after the other.
    """
    updated = []
    for buffer in model.buffers():
        values = _pending.pop(buffer, None)
        if values:
            own = shares or [1 / len(values)] * len(values)
            once = values[:: len(values) // len(own)]
            buffer.copy_(sum((v * s for v, s in zip(once, own, strict=True)), torch.zeros_like(buffer)))
            updated.append(buffer)
    return updated
