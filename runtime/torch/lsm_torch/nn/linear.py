"""Linear layers between axes, with weights [inputs.., outputs..] as checkpoints hold them."""

from __future__ import annotations

from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .route import grouped_dot

Axes = int | tuple[int, ...]


def sizes(axes: Axes) -> tuple[int, ...]:
    return axes if isinstance(axes, tuple) else (axes,)


class Linear(nn.Module):
    """y = x W + offset, contracting the last axes of x: [.., *inner] to [.., *outer]."""

    def __init__(self, inner: Axes, outer: Axes, bias: bool = False) -> None:
        super().__init__()
        self.inner, self.outer = sizes(inner), sizes(outer)
        self.weight = nn.Parameter(torch.empty(*self.inner, *self.outer))
        self.offset = nn.Parameter(torch.empty(self.outer)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        before = x.shape[: x.dim() - len(self.inner)]
        weight = self.weight.view(prod(self.inner), prod(self.outer))
        offset = None if self.offset is None else self.offset.view(-1)
        return F.linear(x.reshape(*before, weight.shape[0]), weight.T, offset).view(*before, *self.outer)

    def extra_repr(self) -> str:
        return f"{self.inner} -> {self.outer}, bias={self.offset is not None}"


class ExpertLinear(nn.Module):
    """Each expert's own linear layer: x [B, S, *inner] and each slot's expert ids [B, S] to [B, S, *outer]."""

    def __init__(self, experts: int, inner: Axes, outer: Axes) -> None:
        super().__init__()
        self.experts, self.inner, self.outer = experts, sizes(inner), sizes(outer)
        self.weight = nn.Parameter(torch.empty(experts, *self.inner, *self.outer))

    def forward(self, x: Tensor, ids: Tensor) -> Tensor:
        before = x.shape[: x.dim() - len(self.inner)]
        weight = self.weight.view(self.experts, prod(self.inner), prod(self.outer))
        return grouped_dot(x.reshape(*before, weight.shape[1]), weight, ids).view(*before, *self.outer)

    def extra_repr(self) -> str:
        return f"{self.experts} experts, {self.inner} -> {self.outer}"
