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
            count = len(self.axes)
            own = None if gate is None else _rows(gate, count)
            y: Tensor = Norm.apply(_rows(x, count), self.weight.view(-1), own, 1e-6, 1.0, False)
            return y.view(x.shape)
        y = _plain(x, self.axes, self.weight, 1e-6)
        return y if gate is None else F.silu(gate) * y


def l2_norm(x: Tensor, epsilon: float = 1e-6, *, silu: bool = False, scale: float = 1.0) -> Tensor:
    """scale · a / sqrt(Σ a² + epsilon) along the last axis, where a is x, or silu(x)."""
    width = x.shape[-1]
    scale = scale * width**-0.5  # the root-mean-square norm is √D times as long
    if _by_kernel(x, width):
        y: Tensor = Norm.apply(_rows(x, 1), None, None, epsilon / width, scale, silu)
        return y.view(x.shape)
    return _plain(F.silu(x) if silu else x, (width,), None, epsilon / width) * scale


def _by_kernel(x: Tensor, width: int) -> bool:
    compiling = torch.compiler.is_compiling()  # which fuses these by itself
    return not compiling and chosen(None, x) == "triton" and x.numel() > 0 and width <= WIDEST


def _rows(x: Tensor, axes: int) -> Tensor:
    """x as [N, H, D]: D its last `axes`, H the one before (or 1). Heads of a part of a wider tensor stay where they are."""
    x = x.flatten(-axes) if axes > 1 else x
    return x.reshape(-1, 1, x.shape[-1]) if x.dim() < 4 else x.flatten(0, -3)


def _plain(x: Tensor, axes: tuple[int, ...], weight: Tensor | None, epsilon: float) -> Tensor:
    y = F.rms_norm(x, axes, None if weight is None else weight.to(x.dtype), epsilon)
    return y.to(x.dtype)
