"""Grouped products in the precision of their operands: what torch's grouped product, which takes bfloat16 alone, does not do.

    y[n] = x[n] W_e,   e the group of row n;        D_e = Σ_{n of e} x[n]ᵀ y[n]

Rows lie sorted by group, group e's ending at ends[e]. float32 products are of three tf32 ones (relative error about 1e-6).
"""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from .schedule import power_of_two

#: Rows of a tile of y, columns of one, and what is summed at a time.
ROWS, COLUMNS, DEPTH = 64, 64, 32


@triton.jit
def rows_kernel(
    x, weight, ends, y, D, F, s_expert, s_in, s_out, groups,
    R: tl.constexpr, BF: tl.constexpr, BD: tl.constexpr, G: tl.constexpr,
):  # fmt: skip
    """A tile of rows of one group: tile t is the (t − first)-th of the group whose first tile is the last one up to t."""
    tile = tl.program_id(0)
    f = tl.program_id(1) * BF + tl.arange(0, BF)
    e = tl.arange(0, G)
    end = tl.load(ends + e, mask=e < groups, other=0)
    begin = tl.load(ends + e - 1, mask=(e > 0) & (e < groups), other=0)
    tiles = tl.where(e < groups, tl.cdiv(end - begin, R), 0)
    behind = tl.cumsum(tiles, 0)  # tiles up to and with each group
    group = tl.sum((behind <= tile).to(tl.int32), 0)
    if group >= groups:
        return
    own = e == group
    start = tl.sum(tl.where(own, begin + (tile - behind + tiles) * R, 0), 0)
    stop = tl.sum(tl.where(own, end, 0), 0)
    n = start.to(tl.int64) + tl.arange(0, R)
    matrix = weight + group.to(tl.int64) * s_expert
    total = tl.zeros([R, BF], tl.float32)
    for first in range(0, D, BD):
        d = first + tl.arange(0, BD)
        a = tl.load(x + n[:, None] * D + d[None, :], mask=(n < stop)[:, None] & (d < D)[None, :], other=0.0)
        at = d[:, None].to(tl.int64) * s_in + f[None, :].to(tl.int64) * s_out
        b = tl.load(matrix + at, mask=(d < D)[:, None] & (f < F)[None, :], other=0.0)
        total = tl.dot(a, b, total, input_precision="tf32x3")
    tl.store(y + n[:, None] * F + f[None, :], total.to(y.dtype.element_ty), mask=(n < stop)[:, None] & (f < F)[None, :])


@triton.jit
def outer_kernel(x, y, ends, out, D, F, R: tl.constexpr, BD: tl.constexpr, BF: tl.constexpr):
    group = tl.program_id(0)
    d = tl.program_id(1) * BD + tl.arange(0, BD)
    f = tl.program_id(2) * BF + tl.arange(0, BF)
    start = tl.load(ends + group - 1, mask=group > 0, other=0)
    stop = tl.load(ends + group)
    total = tl.zeros([BD, BF], tl.float32)
    for first in range(start, stop, R):
        n = (first + tl.arange(0, R)).to(tl.int64)
        # x is loaded as its transpose: a transposed product of loaded rows is what Triton 3.6 takes rightly on Hopper
        a = tl.load(x + n[None, :] * D + d[:, None], mask=(n < stop)[None, :] & (d < D)[:, None], other=0.0)
        b = tl.load(y + n[:, None] * F + f[None, :], mask=(n < stop)[:, None] & (f < F)[None, :], other=0.0)
        total = tl.dot(a, b, total, input_precision="tf32x3")
    at = (group.to(tl.int64) * D + d[:, None]) * F + f[None, :]
    tl.store(out + at, total.to(out.dtype.element_ty), mask=(d < D)[:, None] & (f < F)[None, :])


def grouped_rows(x: Tensor, weight: Tensor, ends: Tensor) -> Tensor:
    """x [N, D], weight [E, D, F] of any strides, ends int32 [E] -> [N, F]."""
    x = x.contiguous()
    count, width = x.shape
    groups, _, features = weight.shape
    y = x.new_empty(count, features)
    if count == 0:
        return y
    tiles = triton.cdiv(count, ROWS) + groups  # at most: every group may have one tile that is not full
    rows_kernel[(tiles, triton.cdiv(features, COLUMNS))](
        x, weight, ends, y, width, features, *weight.stride(), groups,
        R=ROWS, BF=COLUMNS, BD=DEPTH, G=power_of_two(groups), num_warps=4,
    )  # fmt: skip
    return y


def grouped_sums(x: Tensor, y: Tensor, ends: Tensor) -> Tensor:
    """x [N, D], y [N, F], ends int32 [E] -> [E, D, F]."""
    x, y = x.contiguous(), y.contiguous()
    width, features = x.shape[1], y.shape[1]
    out = x.new_empty(ends.shape[0], width, features)
    grid = (ends.shape[0], triton.cdiv(width, ROWS), triton.cdiv(features, COLUMNS))
    outer_kernel[grid](x, y, ends, out, width, features, R=DEPTH, BD=ROWS, BF=COLUMNS, num_warps=4)
    return out


class GroupedRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, ends):
        ctx.save_for_backward(x, weight, ends)
        return grouped_rows(x, weight, ends)

    @staticmethod
    def backward(ctx, dy):
        x, weight, ends = ctx.saved_tensors
        return grouped_rows(dy, weight.transpose(1, 2), ends), grouped_sums(x, dy, ends).to(weight.dtype), None
