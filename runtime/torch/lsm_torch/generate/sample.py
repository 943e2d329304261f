"""Choosing the next token from a model's logits, the same on every target for the same random stream (runtime/format.md)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError
from ..random import RandomStream


def sample(logits: NDArray[np.float32], temperature: float, random: RandomStream) -> int:
    """The next id, of logits [vocab]; greedy choices draw nothing, all others one word. Of equal logits the lower id is likelier."""
    best = int(logits.argmax())
    if not np.isfinite(logits[best]):
        help = "the weights are damaged or training diverged: use an earlier checkpoint, or train with a lower `lr`"
        raise RunError("bad-logits", f"the highest logit is {logits[best]}", "the model's output", help)
    if temperature == 0:
        return best
    shares = np.exp((logits.astype(np.float64) - float(logits[best])) / temperature).cumsum()
    point = float(random.uniform(1)[0]) * shares[-1]
    chosen = int(np.searchsorted(shares, point, side="right"))
    return best if chosen == len(shares) else chosen  # rounding at the upper end
