"""Cross entropy that never holds the logits of all tokens in float32."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..ops.choice import HAS_TRITON, chosen

if HAS_TRITON:
    from ..kernels.softmax_loss import gradient_in_place, loss_of

#: Logits computed at a time, elements: few enough that they are small beside the model, and on a GPU enough rows to
#: keep the matrix units busy (1.2 GB in bfloat16).
CHUNK_ELEMENTS = {"cpu": 2**24, "cuda": 5 * 2**27}


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
        losses, totals = [], []
        with torch.autocast(device, enabled=False):
            for rows, ids in _chunks(x, targets, weight.shape[1]):
                loss, lse = _loss_of(rows.to(dtype) @ own, ids)
                losses.append(loss)
                totals.append(lse)
        ctx.save_for_backward(x, weight, targets, torch.cat(totals))
        ctx.dtype = dtype
        return torch.cat(losses)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, None]:
        x, weight, targets, lse = ctx.saved_tensors
        own = weight.to(ctx.dtype)
        dx = torch.empty_like(x)
        dw = torch.zeros(weight.shape, device=x.device, dtype=_sum_type(ctx.dtype))
        start = 0
        for rows, ids in _chunks(x, targets, weight.shape[1]):
            part = slice(start, start + rows.shape[0])
            rows = rows.to(ctx.dtype)
            dlogits = _gradient(rows @ own, ids, lse[part], gradients[0][part].float())
            dx[part] = dlogits @ own.T
            _add_product(dw, rows.T, dlogits)
            start = part.stop
        return dx, dw.to(weight.dtype), None


def _loss_of(logits: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Each row's loss and log Σ exp, in float32 or better."""
    if chosen(None, logits) == "triton":
        return loss_of(logits, ids)
    logits = logits.to(_sum_type(logits.dtype))
    lse = logits.logsumexp(-1)
    return lse - logits.gather(1, ids[:, None])[:, 0], lse


def _gradient(logits: Tensor, ids: Tensor, lse: Tensor, dloss: Tensor) -> Tensor:
    """dloss · (softmax(logits) − onehot(ids)), in the type of the logits, whose memory it may take."""
    if chosen(None, logits) == "triton":
        return gradient_in_place(logits, ids, lse, dloss)
    p = (logits.to(lse.dtype) - lse[:, None]).exp_()
    p.scatter_add_(1, ids[:, None], torch.full_like(ids[:, None], -1, dtype=p.dtype))
    return p.mul_(dloss[:, None]).to(logits.dtype)


def _add_product(total: Tensor, a: Tensor, b: Tensor) -> None:
    """total += a b, which low precision does not round in between."""
    if total.is_cuda and a.dtype != total.dtype:
        torch.addmm(total, a, b, out_dtype=total.dtype, out=total)
    else:
        total += (a @ b).to(total.dtype)


def _sum_type(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32


def _chunks(x: Tensor, targets: Tensor, vocabulary: int) -> Any:
    size = max(1, CHUNK_ELEMENTS[x.device.type] // vocabulary)
    return zip(x.split(size), targets.split(size), strict=True)
