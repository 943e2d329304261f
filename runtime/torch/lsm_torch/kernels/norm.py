"""Norms along the last axis in one pass each way, with what stands before and behind them; only inputs are kept.

    a = x, or silu(x)                    r = 1 / √(mean a² + ε)
    y = s · a r w, or s · a r w · silu(g)

Backward, with â = a r and dâ = s · dy · w · silu(g), each along its row:

    da = r (dâ − â mean(dâ ∘ â)),   dx = da or da · silu'(x),   dw = Σ s dy silu(g) â,   dg = s dy â w · silu'(g)

Under autocast torch's own rms_norm computes and gives float32: twice the bytes of each pass, and a copy in bfloat16 for
every product that takes its result.
"""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl

from .schedule import power_of_two

#: Elements of a tile, and the widest row that one program takes.
TILE = 4096
WIDEST = 16384
#: Programs of the backward pass: each sums its own rows' part of the weight's gradient.
PROGRAMS = 528


@triton.jit
def silu_slope(x, sigmoid):
    return sigmoid * (1 + x * (1 - sigmoid))


@triton.jit
def place(n, d, H, s_row, s_head):
    """Row n is a head of a token: the n mod H-th of the ⌊n / H⌋-th."""
    return (n // H * s_row + n % H * s_head)[:, None] + d[None, :]


@triton.jit
def norm_kernel(
    x, weight, gate, y, count, H, sx_row, sx_head, sg_row, sg_head, epsilon, scale,
    D: tl.constexpr, BD: tl.constexpr, R: tl.constexpr,
    SILU: tl.constexpr, WEIGHTED: tl.constexpr, GATED: tl.constexpr,
):  # fmt: skip
    n = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    d = tl.arange(0, BD)
    inside = (n < count)[:, None] & (d < D)[None, :]
    at = n[:, None] * D + d[None, :]
    a = tl.load(x + place(n, d, H, sx_row, sx_head), mask=inside, other=0.0).to(tl.float32)
    if SILU:
        a = a / (1 + tl.exp(-a))
    r = tl.rsqrt(tl.sum(a * a, 1) / D + epsilon) * scale
    a = a * r[:, None]
    if WEIGHTED:
        a = a * tl.load(weight + d, mask=d < D, other=0.0).to(tl.float32)[None, :]
    if GATED:
        g = tl.load(gate + place(n, d, H, sg_row, sg_head), mask=inside, other=0.0).to(tl.float32)
        a = a * (g / (1 + tl.exp(-g)))
    tl.store(y + at, a.to(y.dtype.element_ty), mask=inside)


@triton.jit
def norm_backward_kernel(
    x, weight, gate, dy, dx, dw, d_gate, count, H, sx_row, sx_head, sg_row, sg_head, epsilon, scale,
    D: tl.constexpr, BD: tl.constexpr, R: tl.constexpr,
    SILU: tl.constexpr, WEIGHTED: tl.constexpr, GATED: tl.constexpr,
):  # fmt: skip
    """Row blocks go around the programs; dw [programs, D] takes each program's own sum."""
    d = tl.arange(0, BD)
    total = tl.zeros([R, BD], tl.float32)
    if WEIGHTED:
        w = tl.load(weight + d, mask=d < D, other=0.0).to(tl.float32)[None, :]
    for block in range(tl.program_id(0), tl.cdiv(count, R), tl.num_programs(0)):
        n = (block * R + tl.arange(0, R)).to(tl.int64)
        inside = (n < count)[:, None] & (d < D)[None, :]
        at = n[:, None] * D + d[None, :]
        before = tl.load(x + place(n, d, H, sx_row, sx_head), mask=inside, other=0.0).to(tl.float32)
        gradient = tl.load(dy + at, mask=inside, other=0.0).to(tl.float32) * scale
        a = before
        if SILU:
            sigmoid = 1 / (1 + tl.exp(-before))
            a = before * sigmoid
        r = tl.rsqrt(tl.sum(a * a, 1) / D + epsilon)[:, None]
        a = a * r
        if GATED:
            g = tl.load(gate + place(n, d, H, sg_row, sg_head), mask=inside, other=0.0).to(tl.float32)
            opened = 1 / (1 + tl.exp(-g))
            slope = gradient * a * silu_slope(g, opened)
            if WEIGHTED:
                slope = slope * w
            tl.store(d_gate + at, slope.to(d_gate.dtype.element_ty), mask=inside)
            gradient = gradient * g * opened
        if WEIGHTED:
            total += gradient * a
            gradient = gradient * w
        da = r * (gradient - a * (tl.sum(gradient * a, 1) / D)[:, None])
        if SILU:
            da = da * silu_slope(before, sigmoid)
        tl.store(dx + at, da.to(dx.dtype.element_ty), mask=inside)
    if WEIGHTED:
        tl.store(dw + tl.program_id(0).to(tl.int64) * D + d, tl.sum(total, 0), mask=d < D)


def _tile(width: int) -> tuple[int, int]:
    """Padded width and rows of a program."""
    wide = power_of_two(width)
    return wide, max(1, TILE // wide)


def _dense(x):
    """x [N, H, D] itself where D is dense: a part of a wider tensor is read where it lies."""
    return x if x.stride(2) == 1 or x.shape[2] == 1 else x.contiguous()


class Norm(torch.autograd.Function):
    """x [N, H, D], weight [D] or None, gate [N, H, D] or None -> [N, H, D] in x's type; of silu(x) with `silu`, times `scale`."""

    @staticmethod
    def forward(ctx, x, weight, gate, epsilon, scale, silu):
        x, gate = _dense(x), None if gate is None else _dense(gate)
        ctx.how = (epsilon, scale, silu)
        ctx.save_for_backward(x, weight, gate)
        y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
        count, width = x.shape[0] * x.shape[1], x.shape[2]
        wide, rows = _tile(width)
        steps = (*x.stride()[:2], *((0, 0) if gate is None else gate.stride()[:2]))
        norm_kernel[(triton.cdiv(count, rows),)](
            x, weight, gate, y, count, x.shape[1], *steps, epsilon, scale,
            D=width, BD=wide, R=rows, SILU=silu, WEIGHTED=weight is not None, GATED=gate is not None,
            num_warps=4 if wide <= TILE else 8,
        )  # fmt: skip
        return y

    @staticmethod
    def backward(ctx, dy):
        x, weight, gate = ctx.saved_tensors
        epsilon, scale, silu = ctx.how
        dy = dy.contiguous()
        count, width = x.shape[0] * x.shape[1], x.shape[2]
        wide, rows = _tile(width)
        programs = min(triton.cdiv(count, rows), PROGRAMS)
        dx = torch.empty(x.shape, device=x.device, dtype=x.dtype)
        d_gate = None if gate is None else torch.empty(x.shape, device=x.device, dtype=gate.dtype)
        dw = None if weight is None else torch.empty(programs, width, device=x.device, dtype=torch.float32)
        steps = (*x.stride()[:2], *((0, 0) if gate is None else gate.stride()[:2]))
        norm_backward_kernel[(programs,)](
            x, weight, gate, dy, dx, dw, d_gate, count, x.shape[1], *steps, epsilon, scale,
            D=width, BD=wide, R=rows, SILU=silu, WEIGHTED=weight is not None, GATED=gate is not None,
            num_warps=8,
        )  # fmt: skip
        return dx, None if dw is None else dw.sum(0).to(weight.dtype), d_gate, None, None, None
