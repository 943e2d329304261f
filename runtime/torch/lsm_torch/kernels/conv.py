"""Depthwise convolution over the last few tokens of a document, and both its gradients, each in one pass.

    y[t] = Σ_j w[j] x[t−j],    dx[t] = Σ_j w[j] dy[t+j],    dw[j] = Σ_t dy[t] x[t−j],    where j <= place[t], or place[t+j]

Tokens of all rows lie end to end; a token looks back neither beyond its document nor beyond its row.
"""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from .schedule import power_of_two

#: Tokens a program: sums over tokens are taken within one, and then over programs.
ROWS = 64


@triton.jit
def conv_kernel(
    x, weight, place, y, count, T, F, s_x, TAPS: tl.constexpr, R: tl.constexpr, BF: tl.constexpr,
):  # fmt: skip
    n = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    f = tl.program_id(1) * BF + tl.arange(0, BF)
    back = tl.minimum(tl.load(place + n, mask=n < count, other=-1), (n % T).to(tl.int32))
    total = tl.zeros([R, BF], tl.float32)
    for j in tl.static_range(TAPS):
        ok = (back >= j)[:, None] & (f < F)[None, :] & (n < count)[:, None]
        w = tl.load(weight + j * F + f, mask=f < F, other=0.0).to(tl.float32)
        total += w[None, :] * tl.load(x + (n - j)[:, None] * s_x + f[None, :], mask=ok, other=0.0).to(tl.float32)
    inside = (n < count)[:, None] & (f < F)[None, :]
    tl.store(y + n[:, None] * F + f[None, :], total.to(y.dtype.element_ty), mask=inside)


@triton.jit
def conv_backward_kernel(
    x, weight, place, dy, dx, dw, count, T, F, s_x, TAPS: tl.constexpr, R: tl.constexpr, BF: tl.constexpr,
):  # fmt: skip
    """dw [programs, TAPS, F] takes each program's own sums."""
    n = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    f = tl.program_id(1) * BF + tl.arange(0, BF)
    inside = (n < count)[:, None] & (f < F)[None, :]
    back = tl.minimum(tl.load(place + n, mask=n < count, other=-1), (n % T).to(tl.int32))
    own = tl.load(dy + n[:, None] * F + f[None, :], mask=inside, other=0.0).to(tl.float32)
    total = tl.zeros([R, BF], tl.float32)
    for j in tl.static_range(TAPS):
        ok = (back >= j)[:, None] & inside
        earlier = tl.load(x + (n - j)[:, None] * s_x + f[None, :], mask=ok, other=0.0).to(tl.float32)
        here = dw + (tl.program_id(0).to(tl.int64) * TAPS + j) * F + f
        tl.store(here, tl.sum(own * earlier, 0), mask=f < F)
        after = n + j
        sees = tl.load(place + after, mask=after < count, other=-1) >= j
        ok = (sees & (n % T + j < T))[:, None] & inside
        later = tl.load(dy + after[:, None] * F + f[None, :], mask=ok, other=0.0).to(tl.float32)
        total += tl.load(weight + j * F + f, mask=f < F, other=0.0).to(tl.float32)[None, :] * later
    tl.store(dx + n[:, None] * F + f[None, :], total.to(dx.dtype.element_ty), mask=inside)


def _dense(x: Tensor) -> Tensor:
    """x [B, T, F] itself where one stride leads from token to token: a part of a wider tensor is read where it lies."""
    even = x.shape[0] == 1 or x.stride(0) == x.shape[1] * x.stride(1)
    return x if x.stride(2) == 1 and even else x.contiguous()


class CausalConv(torch.autograd.Function):
    """x [B, T, F], weight [taps, F], positions int32 [B, T]."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, positions: Tensor):
        x, weight, positions = _dense(x), weight.contiguous(), positions.contiguous()
        ctx.save_for_backward(x, weight, positions)
        y = torch.empty(x.shape, device=x.device, dtype=x.dtype)
        batch, time, features = x.shape
        wide = min(power_of_two(features, 16), 128)
        grid = (triton.cdiv(batch * time, ROWS), triton.cdiv(features, wide))
        conv_kernel[grid](
            x, weight, positions, y, batch * time, time, features, x.stride(1),
            TAPS=weight.shape[0], R=ROWS, BF=wide, num_warps=4,
        )  # fmt: skip
        return y

    @staticmethod
    def backward(ctx, dy: Tensor):
        x, weight, positions = ctx.saved_tensors
        dy = dy.contiguous()
        batch, time, features = x.shape
        taps = weight.shape[0]
        wide = min(power_of_two(features, 16), 128)
        programs = triton.cdiv(batch * time, ROWS)
        dx = torch.empty(x.shape, device=x.device, dtype=x.dtype)
        dw = torch.empty(programs, taps, features, device=x.device, dtype=torch.float32)
        conv_backward_kernel[(programs, triton.cdiv(features, wide))](
            x, weight, positions, dy, dx, dw, batch * time, time, features, x.stride(1),
            TAPS=taps, R=ROWS, BF=wide, num_warps=4,
        )  # fmt: skip
        return dx, dw.sum(0).to(weight.dtype), None
