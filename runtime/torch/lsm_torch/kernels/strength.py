"""The delta rule's written key β k and reader -k in one pass, and their gradients in one: as plain torch ops these few
products cost as much time on an H100 as a whole sweep.

    dk = β d(βk) - d(-k),    dβ = k · d(βk)
"""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from .launch import steps, strided
from .schedule import power_of_two
from .tiles import load_tile, store_tile
from .watched import watched


@triton.jit
def strength_kernel(
    k, beta, written, reader, dk, d_beta, rows, H,
    k_t, k_h, beta_t, beta_h,
    D: tl.constexpr, BD: tl.constexpr, C: tl.constexpr, BACKWARD: tl.constexpr,
):  # fmt: skip
    """Forward: written = β k, reader = -k. BACKWARD: they hold gradients."""
    head = tl.program_id(0) % H
    at = (tl.program_id(0) // H).to(tl.int64) * C
    row = tl.arange(0, C)
    ok = at + row < rows
    k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(tl.float32)
    beta_c = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
    here = (at * H + head) * D
    if BACKWARD:
        d_written = load_tile(written + here, row, H * D, ok, 0, D, BD).to(tl.float32)
        d_reader = load_tile(reader + here, row, H * D, ok, 0, D, BD).to(tl.float32)
        tl.store(d_beta + at * H + head + row * H, tl.sum(k_c * d_written, 1), mask=ok)
        store_tile(dk + here, row, H * D, ok, 0, beta_c[:, None] * d_written - d_reader, D, BD)
    else:
        store_tile(written + here, row, H * D, ok, 0, beta_c[:, None] * k_c, D, BD)
        store_tile(reader + here, row, H * D, ok, 0, -k_c, D, BD)


def start(k: Tensor, beta: Tensor, written: Tensor, reader: Tensor, dk: Tensor | None, d_beta: Tensor | None) -> None:
    batch, time, heads, key = k.shape
    rows, c = batch * time, 32
    strength_kernel[(-(-rows // c) * heads,)](
        k, beta, written, reader, dk, d_beta, rows, heads, *steps(k), beta.stride(1), beta.stride(2),
        D=key, BD=power_of_two(key), C=c, BACKWARD=d_beta is not None, num_warps=4,
    )  # fmt: skip


class Strength(torch.autograd.Function):
    """(k [B, T, H, K], beta [B, T, H]) -> (β k, -k)."""

    @staticmethod
    def forward(ctx, k, beta):
        k, beta = strided(k), beta.contiguous()
        ctx.save_for_backward(k, beta)
        written, reader = (torch.empty(k.shape, device=k.device, dtype=k.dtype) for _ in range(2))
        start(k, beta, written, reader, None, None)
        return written, reader

    @staticmethod
    def backward(ctx, d_written, d_reader):
        k, beta = ctx.saved_tensors
        dk = torch.empty(k.shape, device=k.device, dtype=k.dtype)
        d_beta = torch.empty(beta.shape, device=k.device, dtype=torch.float32)
        start(k, beta, d_written.contiguous(), d_reader.contiguous(), dk, d_beta)
        return dk, d_beta.to(beta.dtype)


def strengthened(k: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    """β k and -k. Where torch.compile looks on it fuses these products itself."""
    if watched():
        return beta.unsqueeze(-1) * k, -k
    return Strength.apply(k, beta)
