"""Tokens to the slots of their experts and back, without atomics: a slot has one token, and a token knows its slots.

    dispatch  x_S[s] = x[token s]                     its adjoint sums the C slots of a token
    combine   y[t]   = Σ_c w[s] y_S[s], s = slot of (t, c)    its adjoint: dy_S[s] = w[s] dy[token s], dw[s] = ⟨y_S[s], dy[token s]⟩

Rows are flattened over the batch: `tokens` int32 [S] is each slot's row of tokens, `slots` int32 [T, C] each token's slots.
"""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from .schedule import power_of_two

#: Elements of a tile.
TILE = 4096


@triton.jit
def spread_kernel(x, slots, out, count, D: tl.constexpr, BD: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    """out[s] = x[t] for the slots s of token t: a row is read once and written C times."""
    t = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    ok = t < count
    for start in range(0, D, BD):
        d = start + tl.arange(0, BD)
        inside = ok[:, None] & (d < D)[None, :]
        row = tl.load(x + t[:, None] * D + d[None, :], mask=inside, other=0.0)
        for c in tl.static_range(C):
            s = tl.load(slots + t * C + c, mask=ok, other=0).to(tl.int64)
            tl.store(out + s[:, None] * D + d[None, :], row, mask=inside)


@triton.jit
def spread_weighted_kernel(
    x, y, tokens, weights, out, d_weights, count, D: tl.constexpr, BD: tl.constexpr, R: tl.constexpr,
):  # fmt: skip
    """out[s] = w[s] x[token s] and d_weights[s] = ⟨y[s], x[token s]⟩."""
    s = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    ok = s < count
    token = tl.load(tokens + s, mask=ok, other=0).to(tl.int64)
    total = tl.zeros([R], tl.float32)
    w = tl.load(weights + s, mask=ok, other=0.0).to(tl.float32)
    for start in range(0, D, BD):
        d = start + tl.arange(0, BD)
        inside = ok[:, None] & (d < D)[None, :]
        row = tl.load(x + token[:, None] * D + d[None, :], mask=inside, other=0.0).to(tl.float32)
        own = tl.load(y + s[:, None] * D + d[None, :], mask=inside, other=0.0).to(tl.float32)
        total += tl.sum(own * row, 1)
        tl.store(out + s[:, None] * D + d[None, :], (row * w[:, None]).to(out.dtype.element_ty), mask=inside)
    tl.store(d_weights + s, total, mask=ok)


@triton.jit
def collect_kernel(
    y, y2, slots, weights, out, count,
    D: tl.constexpr, BD: tl.constexpr, R: tl.constexpr, C: tl.constexpr,
    WEIGHTED: tl.constexpr, SECOND: tl.constexpr,
):  # fmt: skip
    """out[t] = Σ_c w[s] y[s] over the slots s of token t, summed in float32; of y + y2 with SECOND."""
    t = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    ok = t < count
    for start in range(0, D, BD):
        d = start + tl.arange(0, BD)
        inside = ok[:, None] & (d < D)[None, :]
        total = tl.zeros([R, BD], tl.float32)
        for c in tl.static_range(C):
            s = tl.load(slots + t * C + c, mask=ok, other=0).to(tl.int64)
            row = tl.load(y + s[:, None] * D + d[None, :], mask=inside, other=0.0).to(tl.float32)
            if SECOND:
                row += tl.load(y2 + s[:, None] * D + d[None, :], mask=inside, other=0.0).to(tl.float32)
            if WEIGHTED:
                row = row * tl.load(weights + s, mask=ok, other=0.0).to(tl.float32)[:, None]
            total += row
        tl.store(out + t[:, None] * D + d[None, :], total.to(out.dtype.element_ty), mask=inside)


def _tile(d: int) -> tuple[int, int]:
    """Width and rows of a tile."""
    wide = min(power_of_two(d, 16), 1024)
    return wide, max(1, TILE // wide)


def spread(x: Tensor, slots: Tensor) -> Tensor:
    """x [T, D] -> [T · C, D]: each token's row at its slots [T, C], which are all there are."""
    count, d = x.shape
    wide, rows = _tile(d)
    out = x.new_empty(slots.numel(), d)
    spread_kernel[(triton.cdiv(count, rows),)](
        x, slots, out, count, D=d, BD=wide, R=rows, C=slots.shape[1], num_warps=4
    )  # fmt: skip
    return out


def spread_weighted(dout: Tensor, y: Tensor, weights: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """combine's adjoint: dy [S, D] and dw [S] (float32)."""
    d = y.shape[1]
    wide, rows = _tile(d)
    dy = torch.empty_like(y)
    d_weights = torch.empty(weights.shape, device=y.device, dtype=torch.float32)
    spread_weighted_kernel[(triton.cdiv(y.shape[0], rows),)](
        dout, y, tokens, weights, dy, d_weights, y.shape[0], D=d, BD=wide, R=rows, num_warps=4,
    )  # fmt: skip
    return dy, d_weights


def collect(y: Tensor, slots: Tensor, weights: Tensor | None, y2: Tensor | None = None) -> Tensor:
    """y, or y + y2, [S, D] -> [T, D]."""
    d = y.shape[1]
    wide, rows = _tile(d)
    count, picks = slots.shape
    out = y.new_empty(count, d)
    collect_kernel[(triton.cdiv(count, rows),)](
        y, y if y2 is None else y2, slots, y if weights is None else weights, out, count,
        D=d, BD=wide, R=rows, C=picks, WEIGHTED=weights is not None, SECOND=y2 is not None, num_warps=4,
    )  # fmt: skip
    return out


class Dispatch(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, slots):
        ctx.save_for_backward(slots)
        return spread(x.contiguous(), slots)

    @staticmethod
    def backward(ctx, dy):
        (slots,) = ctx.saved_tensors
        return collect(dy.contiguous(), slots, None), None


class Combine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y, weights, tokens, slots):
        y, weights = y.contiguous(), weights.contiguous()
        ctx.save_for_backward(y, weights, tokens)
        return collect(y, slots, weights)

    @staticmethod
    def backward(ctx, dout):
        y, weights, tokens = ctx.saved_tensors
        dy, d_weights = spread_weighted(dout.contiguous(), y, weights, tokens)
        return dy, d_weights.to(weights.dtype), None, None
