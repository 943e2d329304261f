"""The decay's gradient: sums over a chunk's later rows of what each row adds."""

# mypy: ignore-errors

import triton
import triton.language as tl

from .tiles import SCALAR


@triton.jit
def suffix_sum(x, mask, CT: tl.constexpr):
    """Σ_s x_s over the s on the mask [t, s]; x is [C, D], for bf16 in two parts, which hold 16 bits."""
    if CT == tl.bfloat16:
        high = x.to(tl.bfloat16)
        out = tl.dot(mask.to(tl.bfloat16), high)
        out = tl.dot(mask.to(tl.bfloat16), (x - high).to(tl.bfloat16), acc=out)
    else:
        out = tl.dot(mask.to(tl.float32), x, input_precision="tf32x3")
    return out


@triton.jit
def suffix_of_rows(x, mask):
    """The same of x [C], with the mask transposed, [s, t]: so that a thread sums its own rows."""
    return tl.sum(tl.where(mask, x[:, None], 0.0), 0)


@triton.jit
def part_of_slope(x, grad, DECAY: tl.constexpr):
    """x∘dx: of every key, or of all together where a head has one decay."""
    product = x.to(tl.float32) * grad
    if DECAY == SCALAR:
        product = tl.sum(product, 1)
    return product
