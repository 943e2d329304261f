"""Depthwise convolution over the last few tokens of a document, with the silu and the norm behind it, and all gradients.

    c[t] = Σ_j w[j] x[t−j] + b,    y = c, silu(c), or silu(c) / √(Σ silu(c)² + ε) · s over the features of a head
    dx[t] = Σ_j w[j] dc[t+j],    dw[j] = Σ_t dc[t] x[t−j],    db = Σ_t dc[t],    where j <= place[t], or place[t+j]

Tokens of all rows lie end to end; a token looks back neither beyond its document nor beyond its row. Only x is kept: the
backward pass makes c again, and dc of it, before it turns to x and w.
"""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from .norm import silu_slope
from .schedule import power_of_two

#: Tokens a program, and a block of the backward pass, whose programs take the sums over tokens: few enough that nothing spills.
ROWS, BLOCK = 16, 8
#: Programs of the backward pass, and the most taps it takes.
PROGRAMS, MOST_TAPS = 1024, 4
#: Features of a program, where no norm asks for a whole head.
WIDE = 128


@triton.jit
def look_back(place, first, r, count, T):
    """How many tokens back each of a program's rows may look; -1 where there is no row."""
    own = tl.load(place + first + r, mask=first + r < count, other=-1)
    return tl.minimum(own, ((first + r) % T).to(tl.int32))


@triton.jit
def convolved(x, weight, offset, back, r, f, within, F, s_x, TAPS: tl.constexpr, BIASED: tl.constexpr):
    """c of the rows r behind the pointer x, float32, in the features f that are `within`."""
    total = tl.zeros([r.shape[0], f.shape[0]], tl.float32)
    for j in tl.static_range(TAPS):
        ok = (back >= j)[:, None] & within[None, :]
        w = tl.load(weight + j * F + f, mask=within, other=0.0).to(tl.float32)
        total += w[None, :] * tl.load(x + (r - j)[:, None] * s_x + f[None, :], mask=ok, other=0.0).to(tl.float32)
    if BIASED:
        total += tl.load(offset + f, mask=within, other=0.0).to(tl.float32)[None, :]
    return total


@triton.jit
def conv_kernel(
    x, weight, offset, place, dy, out, count, T, F, s_x, epsilon, scale,
    TAPS: tl.constexpr, R: tl.constexpr, G: tl.constexpr, BF: tl.constexpr,
    BIASED: tl.constexpr, SILU: tl.constexpr, NORM: tl.constexpr, BACKWARD: tl.constexpr,
):  # fmt: skip
    """y, or with BACKWARD dc from dy. A program has G of the F features, all next to each other for the compiler to see, and so loaded 16
    bytes at a time."""
    first = tl.program_id(0).to(tl.int64) * R
    r = tl.arange(0, R)
    g = tl.arange(0, BF)
    f = tl.program_id(1) * G + g
    within = (g < G) & (f < F)
    back = look_back(place, first, r, count, T)
    c = convolved(x + first * s_x, weight, offset, back, r, f, within, F, s_x, TAPS, BIASED)
    inside = (first + r < count)[:, None] & within[None, :]
    at = r[:, None] * F + f[None, :]
    a = c
    if SILU:
        sigmoid = 1 / (1 + tl.exp(-c))
        a = tl.where(inside, c * sigmoid, 0.0)
    if NORM:
        inverse = tl.rsqrt(tl.sum(a * a, 1) + epsilon)[:, None]
    if BACKWARD:
        d = tl.load(dy + first * F + at, mask=inside, other=0.0).to(tl.float32)
        if NORM:
            a = a * inverse
            d = inverse * scale * (d - a * tl.sum(d * a, 1)[:, None])
        if SILU:
            d = d * silu_slope(c, sigmoid)
        tl.store(out + first * F + at, d.to(out.dtype.element_ty), mask=inside)
    else:
        if NORM:
            a = a * (inverse * scale)
        tl.store(out + first * F + at, a.to(out.dtype.element_ty), mask=inside)


@triton.jit
def conv_backward_kernel(
    x, weight, place, dc, dx, dw, count, T, F, s_x,
    TAPS: tl.constexpr, R: tl.constexpr, BF: tl.constexpr, BIASED: tl.constexpr,
):  # fmt: skip
    """Blocks of rows go around the programs; dw [programs, TAPS, F] takes each program's own sums, and with BIASED [programs,
    TAPS + 1, F] those of dc behind them."""
    r = tl.arange(0, R)
    f = tl.program_id(1) * BF + tl.arange(0, BF)
    within = (f < F)[None, :]
    w0 = tl.load(weight + f, mask=f < F, other=0.0).to(tl.float32)[None, :]
    sum0, sums = tl.zeros([R, BF], tl.float32), tl.zeros([R, BF], tl.float32)
    sum1, sum2, sum3 = sum0, sum0, sum0
    for block in range(tl.program_id(0), tl.cdiv(count, R), tl.num_programs(0)):
        first = tl.full([], 0, tl.int64) + block * R
        row = (first + r) % T
        back = look_back(place, first, r, count, T)
        ahead = tl.minimum(count - 1 - first - r, T - 1 - row)  # so many tokens of its row are behind it
        own = tl.load(dc + first * F + r[:, None] * F + f[None, :], mask=(back >= 0)[:, None] & within, other=0.0)
        own = own.to(tl.float32)
        sums += own
        total = w0 * own
        for j in tl.static_range(TAPS):
            ok = (back >= j)[:, None] & within
            earlier = tl.load(x + first * s_x + (r - j)[:, None] * s_x + f[None, :], mask=ok, other=0.0).to(tl.float32)
            if j == 0:
                sum0 += own * earlier
            elif j == 1:
                sum1 += own * earlier
            elif j == 2:
                sum2 += own * earlier
            else:
                sum3 += own * earlier
            if j > 0:
                sees = tl.load(place + first + r + j, mask=ahead >= j, other=-1) >= j
                later = tl.load(
                    dc + first * F + (r + j)[:, None] * F + f[None, :], mask=sees[:, None] & within, other=0.0
                ).to(tl.float32)
                total += tl.load(weight + j * F + f, mask=f < F, other=0.0).to(tl.float32)[None, :] * later
        at = first * F + r[:, None] * F + f[None, :]
        tl.store(dx + at, total.to(dx.dtype.element_ty), mask=(back >= 0)[:, None] & within)
    dw += tl.program_id(0).to(tl.int64) * (TAPS + BIASED) * F + f
    tl.store(dw, tl.sum(sum0, 0), mask=f < F)
    if TAPS > 1:
        tl.store(dw + F, tl.sum(sum1, 0), mask=f < F)
    if TAPS > 2:
        tl.store(dw + 2 * F, tl.sum(sum2, 0), mask=f < F)
    if TAPS > 3:
        tl.store(dw + 3 * F, tl.sum(sum3, 0), mask=f < F)
    if BIASED:
        tl.store(dw + TAPS * F, tl.sum(sums, 0), mask=f < F)


def _dense(x: Tensor) -> Tensor:
    """x [B, T, F] itself where one stride leads from token to token: a part of a wider tensor is read where it lies."""
    even = x.shape[0] == 1 or x.stride(0) == x.shape[1] * x.stride(1)
    return x if x.stride(2) == 1 and even else x.contiguous()


class CausalConv(torch.autograd.Function):
    """x [B, T, F], weight [taps, F], offset [F] or None, positions int32 [B, T]; with `silu` of its result, and with `norm`, a head's
    width, epsilon and scale, of that its l2 norm."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, offset: Tensor | None, positions: Tensor, silu: bool, norm):
        x, weight, positions = _dense(x), weight.contiguous(), positions.contiguous()
        ctx.save_for_backward(x, weight, offset, positions)
        ctx.how = silu, norm
        return _outputs(x, weight, offset, positions, silu, norm, None)

    @staticmethod
    def backward(ctx, dy: Tensor):
        x, weight, offset, positions = ctx.saved_tensors
        silu, norm = ctx.how
        dc = dy.contiguous()
        if silu or norm is not None:
            dc = _outputs(x, weight, offset, positions, silu, norm, dc)
        batch, time, features = x.shape
        taps = weight.shape[0]
        wide = min(power_of_two(features, 16), WIDE)
        columns = triton.cdiv(features, wide)
        programs = min(triton.cdiv(batch * time, BLOCK), max(1, PROGRAMS // columns))
        biased = offset is not None
        dx = torch.empty(x.shape, device=x.device, dtype=x.dtype)
        dw = torch.empty(programs, taps + biased, features, device=x.device, dtype=torch.float32)
        conv_backward_kernel[(programs, columns)](
            x, weight, positions, dc, dx, dw, batch * time, time, features, x.stride(1),
            TAPS=taps, R=BLOCK, BF=wide, BIASED=biased, num_warps=4,
        )  # fmt: skip
        sums = dw.sum(0)
        return dx, sums[:taps].to(weight.dtype), sums[taps].to(offset.dtype) if biased else None, None, None, None


def _outputs(x, weight, offset, positions, silu, norm, dy) -> Tensor:
    """y, or dc where dy is given."""
    batch, time, features = x.shape
    out = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    head, epsilon, scale = (min(power_of_two(features, 16), WIDE), 0.0, 1.0) if norm is None else norm
    grid = (triton.cdiv(batch * time, ROWS), triton.cdiv(features, head))
    conv_kernel[grid](
        x, weight, offset, positions, dy, out, batch * time, time, features, x.stride(1), epsilon, scale,
        TAPS=weight.shape[0], R=ROWS, G=head, BF=power_of_two(head), BIASED=offset is not None, SILU=silu,
        NORM=norm is not None, BACKWARD=dy is not None, num_warps=4 if head <= WIDE else 8,
    )  # fmt: skip
    return out
