"""Several linear layers of one x as one product: their weights are laid side by side for it, a few megabytes a step.

The parameters stay apart, so names, checkpoints, optimisers and shards know nothing of it. In the backward pass every product
adds to the gradient of x as it goes, where autograd would write one for each layer and add them up.
"""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor

from ..ops.choice import chosen
from .linear import Linear

#: Layers with fewer columns share their products in the backward pass.
_NARROW = 128


def linears(x: Tensor, *layers: Linear) -> tuple[Tensor, ...]:
    """layer(x) of each; x [.., *inner], which all of them contract. One product on a GPU where gradients are wanted."""
    trains = torch.is_grad_enabled() and x.numel() > 0
    if not trains or torch.compiler.is_compiling() or chosen(None, x) != "triton":
        return tuple(layer(x) for layer in layers)
    device = x.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
    inner = layers[0].inner
    before = x.shape[: x.dim() - len(inner)]
    weights = [layer.weight.view(prod(inner), -1).to(dtype) for layer in layers]
    offsets = [None if layer.offset is None else layer.offset.view(-1) for layer in layers]
    made = _Linears.apply(x.reshape(-1, prod(inner)).to(dtype), *weights, *offsets)
    return tuple(y.view(*before, *layer.outer) for y, layer in zip(made, layers, strict=True))


class _Linears(torch.autograd.Function):
    """x [N, D], then weights [D, F] and as many offsets [F] or None: views [N, F] of one tensor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *given: Tensor | None) -> tuple[Tensor, ...]:
        count = len(given) // 2
        weights: list[Tensor] = list(given[:count])  # type: ignore[arg-type]
        offsets = given[count:]
        ctx.save_for_backward(x, *weights)
        ctx.offset_types = [None if b is None else b.dtype for b in offsets]
        ctx.set_materialize_grads(False)
        with torch.autocast(x.device.type, enabled=False):
            joined = torch.cat(weights, 1)
            if any(b is not None for b in offsets):
                filled = [
                    x.new_zeros(w.shape[1]) if b is None else b.to(x.dtype)
                    for w, b in zip(weights, offsets, strict=True)
                ]
                y = torch.addmm(torch.cat(filled), x, joined)
            else:
                y = x @ joined
        return tuple(y.split([w.shape[1] for w in weights], 1))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        x, *weights = ctx.saved_tensors
        dx: Tensor | None = None
        dw: list[Tensor | None] = [None] * len(weights)
        db: list[Tensor | None] = [None] * len(weights)
        there = [i for i, dy in enumerate(gradients) if dy is not None]
        narrow = [i for i in there if weights[i].shape[1] < _NARROW]
        groups = [[i] for i in there if i not in narrow] + ([narrow] if narrow else [])
        for group in groups:
            parts: list[Tensor] = [gradients[i] for i in group]  # type: ignore[misc]
            dy = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
            weight = weights[group[0]] if len(group) == 1 else torch.cat([weights[i] for i in group], 1)
            dx = dy @ weight.T if dx is None else dx.addmm_(dy, weight.T)
            for i, own in zip(group, (x.T @ dy).split([weights[i].shape[1] for i in group], 1), strict=True):
                dw[i] = own.contiguous()
                if ctx.offset_types[i] is not None:
                    db[i] = gradients[i].sum(0, dtype=ctx.offset_types[i])  # type: ignore[union-attr]
        return dx, *dw, *db
