"""One pass of AdamW over a weight that is held as a bfloat16 and its 16 lower bits (train/split.py)."""

# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

BLOCK = 2048


@triton.jit
def noise(i, seed):
    """16 bits that look random, of an element's place and a seed (the lowbias32 hash)."""
    h = (i.to(tl.uint32) + seed.to(tl.uint32)).to(tl.uint32)
    h = (h ^ (h >> 16)) * 0x7FEB352D
    h = (h ^ (h >> 15)) * 0x846CA68B
    return ((h ^ (h >> 16)) & 0xFFFF).to(tl.int32)


@triton.jit
def rounded(x, i, seed, STOCHASTIC: tl.constexpr):
    if STOCHASTIC:
        bits = x.to(tl.int32, bitcast=True) + noise(i, seed)
        return (bits >> 16).to(tl.int16).to(tl.bfloat16, bitcast=True)
    else:
        return x


@triton.jit(do_not_specialize=["seed"])
def adamw_kernel(
    high, low, grad, exp_avg, exp_avg_sq, scale, now, count, decay, beta1, beta2, epsilon, seed,
    BLOCK: tl.constexpr, STOCHASTIC: tl.constexpr,
):  # fmt: skip
    """scale (on the device): what gradients are multiplied by, negative to leave everything as it is. now: see train/split.py."""
    clip = tl.load(scale)
    if clip < 0:
        return
    rate = tl.load(now).to(tl.float32)
    correct1 = tl.load(now + 1).to(tl.float32)
    root2 = tl.load(now + 2).to(tl.float32)
    seed = seed + 2 * tl.load(now + 3).to(tl.int32)
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    ok = i < count
    h = tl.load(high + i, mask=ok, other=0.0).to(tl.int16, bitcast=True).to(tl.int32)
    bits = (h << 16) + tl.load(low + i, mask=ok, other=0).to(tl.int32)
    w = bits.to(tl.float32, bitcast=True)
    g = tl.load(grad + i, mask=ok, other=0.0).to(tl.float32) * clip
    m = tl.load(exp_avg + i, mask=ok, other=0.0).to(tl.float32)
    v = tl.load(exp_avg_sq + i, mask=ok, other=0.0).to(tl.float32)
    m = m + (1 - beta1) * (g - m)
    v = beta2 * v + (1 - beta2) * g * g
    w = w * (1 - rate * decay) - rate * (m / correct1) / (tl.sqrt(v) / root2 + epsilon)
    bits = w.to(tl.int32, bitcast=True)
    h = (bits + 0x8000) >> 16
    tl.store(high + i, h.to(tl.int16).to(tl.bfloat16, bitcast=True), mask=ok)
    tl.store(low + i, (bits - (h << 16)).to(tl.int16), mask=ok)
    tl.store(exp_avg + i, rounded(m, i, seed, STOCHASTIC).to(exp_avg.dtype.element_ty), mask=ok)
    tl.store(exp_avg_sq + i, rounded(v, i, seed + 1, STOCHASTIC).to(exp_avg_sq.dtype.element_ty), mask=ok)


def update(
    high: Tensor, low: Tensor, grad: Tensor, exp_avg: Tensor, exp_avg_sq: Tensor, scale: Tensor, now: Tensor,
    *, decay: float, betas: tuple[float, float], epsilon: float, seed: int,
) -> None:  # fmt: skip
    """All of one shape and contiguous; the moments in float32, or in bfloat16 rounded stochastically."""
    count = high.numel()
    beta1, beta2 = betas
    adamw_kernel[(triton.cdiv(count, BLOCK),)](
        high, low, grad, exp_avg, exp_avg_sq, scale, now, count, decay, beta1, beta2, epsilon, seed,
        BLOCK=BLOCK, STOCHASTIC=exp_avg.dtype.itemsize == 2, num_warps=4,
    )  # fmt: skip
