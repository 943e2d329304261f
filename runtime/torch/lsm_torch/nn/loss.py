"""Cross entropy that never holds the logits of all tokens in float32."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

#: Logits computed at a time: 2**24 float32 numbers are 64 MiB.
CHUNK_ELEMENTS = 2**24


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """-log softmax(logits)[target], in nats: [.., Z] and int [..] to float32 [..]."""
    flat = logits.flatten(0, -2)
    loss = torch.nn.functional.cross_entropy(flat.float(), targets.flatten(), reduction="none")
    return loss.view(targets.shape)


def linear_cross_entropy(x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """The cross entropy of x W, chunk by chunk: x [.., *D], weight [*D, Z], int targets [..] to float32 [..]."""
    matrix = weight.reshape(-1, weight.shape[-1])
    rows = x.reshape(-1, matrix.shape[0])
    loss: Tensor = _LinearCrossEntropy.apply(rows, matrix, targets.reshape(-1))
    return loss.view(targets.shape)


class _LinearCrossEntropy(torch.autograd.Function):
    """The backward pass computes each chunk's logits once more: one matrix product, and nothing of them is kept."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        device = x.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        own = weight.to(dtype)
        total, picked = [], []
        with torch.autocast(device, enabled=False):
            for rows, ids in _chunks(x, targets, weight.shape[1]):
                logits = (rows.to(dtype) @ own).float()
                total.append(logits.logsumexp(-1))
                picked.append(logits.gather(1, ids[:, None])[:, 0])
        lse = torch.cat(total)
        ctx.save_for_backward(x, weight, targets, lse)
        ctx.dtype = dtype
        return lse - torch.cat(picked)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, None]:
        x, weight, targets, lse = ctx.saved_tensors
        own = weight.to(ctx.dtype)
        dx, dw = torch.empty_like(x), torch.zeros_like(weight)
        start = 0
        for rows, ids in _chunks(x, targets, weight.shape[1]):
            end = start + rows.shape[0]
            rows = rows.to(ctx.dtype)
            p = ((rows @ own).float() - lse[start:end, None]).exp_()
            p.scatter_add_(1, ids[:, None], torch.full_like(ids[:, None], -1, dtype=p.dtype))
            dlogits = p.mul_(gradients[0][start:end, None]).to(ctx.dtype)
            dx[start:end] = dlogits @ own.T
            dw += rows.T @ dlogits
            start = end
        return dx, dw, None


def _chunks(x: Tensor, targets: Tensor, vocabulary: int) -> Any:
    size = max(1, CHUNK_ELEMENTS // vocabulary)
    return zip(x.split(size), targets.split(size), strict=True)
