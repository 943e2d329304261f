"""Root-mean-square norm."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .linear import Axes, sizes


class RMSNorm(nn.Module):
    """x / sqrt(mean x^2 + 1e-6) times a gain, over the last axes."""

    def __init__(self, axes: Axes) -> None:
        super().__init__()
        self.axes = sizes(axes)
        self.weight = nn.Parameter(torch.empty(self.axes))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.axes, self.weight.to(x.dtype), 1e-6)


def l2_norm(x: Tensor, epsilon: float = 1e-6) -> Tensor:
    """x / sqrt(Σ x² + epsilon) along the last axis: the root-mean-square norm over √D."""
    width = x.shape[-1]
    return F.rms_norm(x, (width,), None, epsilon / width) * width**-0.5
