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


def linear_cross_entropy(x: Tensor, weight: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """The cross entropy of x W, times `weights` if given, chunk by chunk: x [.., *D], weight [*D, Z], targets [..]; float32 [..]."""
    matrix = weight.reshape(-1, weight.shape[-1])
    rows = x.reshape(-1, matrix.shape[0])
    own = None if weights is None else weights.reshape(-1)
    trains = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    loss: Tensor = _LinearCrossEntropy.apply(rows, matrix, targets, own, trains)
    return loss


class _LinearCrossEntropy(torch.autograd.Function):
    """Where the losses are only summed, each has the same gradient g from above, and all others are g times those of the
    plain sum: the forward pass takes them while it has the logits. Otherwise the backward pass computes the logits again.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, targets: Tensor, weights: Tensor | None, trains: bool) -> Tensor:
        device = x.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        ctx.dtype = dtype
        ids = targets.reshape(-1)
        share = torch.ones(len(ids), device=x.device) if weights is None else weights
        with torch.autocast(device, enabled=False):
            losses, sums = _pass(x, weight, ids, share, dtype, trains)
        ctx.save_for_backward(x, weight, ids, share, *sums)
        return (losses if weights is None else losses * weights).view(targets.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, None, None, None]:
        x, weight, ids, share, *sums = ctx.saved_tensors
        (g,) = gradients
        if all(step == 0 or size == 1 for step, size in zip(g.stride(), g.shape, strict=True)):
            dx, dw = sums
            scale = g.reshape(-1)[:1]
            return dx * scale.to(dx.dtype), dw * scale.to(dw.dtype), None, None, None
        del sums
        _, (dx, dw) = _pass(x, weight, ids, g.reshape(-1) * share, ctx.dtype, True)
        return dx, dw, None, None, None


def _pass(
    x: Tensor, weight: Tensor, ids: Tensor, share: Tensor, dtype: torch.dtype, trains: bool
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """All losses, and if it trains the gradients of Σ share · loss for x and weight."""
    own = weight.to(dtype)
    dw = torch.zeros(weight.shape, device=x.device, dtype=_sum_type(dtype)) if trains else None
    size = max(1, CHUNK_ELEMENTS[x.device.type] // weight.shape[1])
    chunks = zip(x.split(size), ids.split(size), share.split(size), strict=True)
    found = [_chunk(rows, own, targets, weights, dw) for rows, targets, weights in chunks]
    losses = torch.cat([loss for loss, _ in found])
    return losses, () if dw is None else (torch.cat([dx for _, dx in found]), dw.to(weight.dtype))


def _chunk(x: Tensor, weight: Tensor, ids: Tensor, share: Tensor, dw: Tensor | None) -> tuple[Tensor, Tensor]:
    """A chunk's losses and, if dw takes its part, dx (else x): its logits are gone before the next chunk's are made."""
    rows = x.to(weight.dtype)
    logits = rows @ weight
    loss, lse = _loss_of(logits, ids)
    if dw is None:
        return loss, x
    dlogits = _gradient(logits, ids, lse, share.to(lse.dtype))
    _add_product(dw, rows.T, dlogits)
    return loss, (dlogits @ weight.T).to(x.dtype)


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
