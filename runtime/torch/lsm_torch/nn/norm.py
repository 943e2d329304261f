"""Root-mean-square norms, with the silu before or the gate behind them where a model has these.

On a GPU one kernel takes all of it and gives the type it was given; torch's own would give float32 under autocast.
"""

from __future__ import annotations

from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ops.choice import HAS_TRITON, chosen
from .linear import Axes, sizes

if HAS_TRITON:
    from ..kernels.norm import WIDEST, Norm


class RMSNorm(nn.Module):
    """x / sqrt(mean x^2 + 1e-6) times a gain, over the last axes; with a gate of the same shape, times silu(gate)."""

    def __init__(self, axes: Axes) -> None:
        super().__init__()
        self.axes = sizes(axes)
        self.weight = nn.Parameter(torch.empty(self.axes))

    def forward(self, x: Tensor, gate: Tensor | None = None) -> Tensor:
        width = prod(self.axes)
        if _by_kernel(x, width) and (gate is None or gate.dtype == x.dtype):
            rows = x.reshape(-1, width)
            y: Tensor = Norm.apply(
                rows, self.weight.view(-1), None if gate is None else gate.reshape(-1, width), 1e-6, 1.0, False
            )
            return y.view(x.shape)
        y = _plain(x, self.axes, self.weight, 1e-6)
        return y if gate is None else F.silu(gate) * y


def l2_norm(x: Tensor, epsilon: float = 1e-6, *, silu: bool = False, scale: float = 1.0) -> Tensor:
    """scale · a / sqrt(Σ a² + epsilon) along the last axis, where a is x, or silu(x)."""
    width = x.shape[-1]
    scale = scale * width**-0.5  # the root-mean-square norm is √D times as long
    if _by_kernel(x, width):
        y: Tensor = Norm.apply(x, None, None, epsilon / width, scale, silu)
        return y
    return _plain(F.silu(x) if silu else x, (width,), None, epsilon / width) * scale


def _by_kernel(x: Tensor, width: int) -> bool:
    compiling = torch.compiler.is_compiling()  # which fuses these by itself
    return not compiling and chosen(None, x) == "triton" and x.numel() > 0 and width <= WIDEST


def _plain(x: Tensor, axes: tuple[int, ...], weight: Tensor | None, epsilon: float) -> Tensor:
    y = F.rms_norm(x, axes, None if weight is None else weight.to(x.dtype), epsilon)
    return y.to(x.dtype)
