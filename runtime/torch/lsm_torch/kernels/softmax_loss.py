"""log Σ exp and the softmax's gradient of a block of logits, each in one pass over them as they lie."""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 8192


@triton.jit
def loss_kernel(logits, targets, lse, loss, Z, BLOCK: tl.constexpr):
    """lse = log Σ_z exp l[z], loss = lse − l[target], a row a program."""
    row = tl.program_id(0).to(tl.int64)
    top = tl.full([BLOCK], float("-inf"), tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    for start in range(0, Z, BLOCK):
        z = start + tl.arange(0, BLOCK)
        x = tl.load(logits + row * Z + z, mask=z < Z, other=float("-inf")).to(tl.float32)
        higher = tl.maximum(top, x)
        finite = tl.where(higher == float("-inf"), 0.0, higher)
        total = total * tl.exp(top - finite) + tl.exp(x - finite)
        top = higher
    highest = tl.max(top, 0)
    found = highest + tl.log(tl.sum(total * tl.exp(top - highest), 0))
    target = tl.load(targets + row)
    tl.store(lse + row, found)
    tl.store(loss + row, found - tl.load(logits + row * Z + target).to(tl.float32))


@triton.jit
def gradient_kernel(logits, targets, lse, dloss, Z, BLOCK: tl.constexpr):
    """l[z] becomes dloss (softmax(l)[z] − [z = target])."""
    row = tl.program_id(0).to(tl.int64)
    z = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(logits + row * Z + z, mask=z < Z, other=float("-inf")).to(tl.float32)
    p = tl.exp(x - tl.load(lse + row))
    p = tl.where(z == tl.load(targets + row), p - 1, p) * tl.load(dloss + row)
    tl.store(logits + row * Z + z, p.to(logits.dtype.element_ty), mask=z < Z)


def loss_of(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """logits [N, Z] contiguous, targets [N]: loss and lse, float32 [N]."""
    rows, vocabulary = logits.shape
    loss, lse = (torch.empty(rows, device=logits.device, dtype=torch.float32) for _ in range(2))
    loss_kernel[(rows,)](logits, targets, lse, loss, vocabulary, BLOCK=BLOCK, num_warps=8)
    return loss, lse


def gradient_in_place(logits: Tensor, targets: Tensor, lse: Tensor, dloss: Tensor) -> Tensor:
    """The logits' own memory then holds their gradient."""
    rows, vocabulary = logits.shape
    grid = (rows, triton.cdiv(vocabulary, BLOCK))
    gradient_kernel[grid](logits, targets, lse, dloss, vocabulary, BLOCK=BLOCK, num_warps=8)
    return logits
