"""What Muon does before and behind its products, over weights held as a bfloat16 and its lower bits (train/muon.py)."""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from .adamw import BLOCK, rounded


@triton.jit(do_not_specialize=["seed"])
def move_kernel(
    grad, momentum, update, scale, now, count, mu, seed, BLOCK: tl.constexpr, STOCHASTIC: tl.constexpr
):  # fmt: skip
    """m ← μ m + g and g + μ m; scale (on the device): what gradients are multiplied by, negative to leave everything as it is."""
    clip = tl.load(scale)
    seed = seed + 2 * tl.load(now + 3).to(tl.int32)
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    ok = i < count
    g = tl.load(grad + i, mask=ok, other=0.0).to(tl.float32) * clip
    m = mu * tl.load(momentum + i, mask=ok, other=0.0).to(tl.float32) + g
    tl.store(update + i, (g + mu * m).to(update.dtype.element_ty), mask=ok)
    if clip >= 0:
        tl.store(momentum + i, rounded(m, i, seed, STOCHASTIC).to(momentum.dtype.element_ty), mask=ok)


@triton.jit
def apply_kernel(high, low, update, scale, now, count, factor, decay, BLOCK: tl.constexpr):
    if tl.load(scale) < 0:
        return
    rate = tl.load(now).to(tl.float32)
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    ok = i < count
    h = tl.load(high + i, mask=ok, other=0.0).to(tl.int16, bitcast=True).to(tl.int32)
    bits = (h << 16) + tl.load(low + i, mask=ok, other=0).to(tl.int32)
    w = bits.to(tl.float32, bitcast=True)
    w = w * (1 - rate * decay) - rate * factor * tl.load(update + i, mask=ok, other=0.0).to(tl.float32)
    bits = w.to(tl.int32, bitcast=True)
    h = (bits + 0x8000) >> 16
    tl.store(high + i, h.to(tl.int16).to(tl.bfloat16, bitcast=True), mask=ok)
    tl.store(low + i, (bits - (h << 16)).to(tl.int16), mask=ok)


def move(
    grad: Tensor, momentum: Tensor, scale: Tensor, now: Tensor, mu: float, seed: int, dtype: torch.dtype
) -> Tensor:
    """All contiguous; the momentum in float32, or in bfloat16 rounded stochastically."""
    count = grad.numel()
    update = torch.empty_like(grad, dtype=dtype)
    move_kernel[(triton.cdiv(count, BLOCK),)](
        grad, momentum, update, scale, now, count, mu, seed,
        BLOCK=BLOCK, STOCHASTIC=momentum.dtype.itemsize == 2, num_warps=4,
    )  # fmt: skip
    return update


def apply(high: Tensor, low: Tensor, update: Tensor, scale: Tensor, now: Tensor, factor: float, decay: float) -> None:
    count = high.numel()
    apply_kernel[(triton.cdiv(count, BLOCK),)](
        high, low, update, scale, now, count, factor, decay, BLOCK=BLOCK, num_warps=4
    )  # fmt: skip
