"""The elementwise scans as one torch operator: b [B, T, C], a like it or [C], the state before [B, C]."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.library import custom_op
from torch.utils.flop_counter import register_flop_formula

from .scan import scan_backward_kernel, scan_kernel
from .schedule import scan_tile
from .watched import wants_gradients, watched


def forward(
    a: Tensor, b: Tensor, initial: Tensor, starts: Tensor, restart: float, modulus: float, largest: bool, ties: bool
) -> Tensor:
    """All states, float32; `largest` takes (+, max) for (×, +); modulus 0 is none; `ties` go to the state."""
    batch, time, channels = b.shape
    bt, bc = scan_tile(channels, time, batch, b.device)
    h = torch.empty_like(b, dtype=torch.float32)
    scan_kernel[(batch, -(-channels // bc))](
        a, b, starts, initial, h, time, channels, restart,
        MAX=largest, FIXED=a.ndim == 1, MODULUS=modulus, BT=bt, BC=bc, num_warps=4,
    )  # fmt: skip
    return h


def backward(
    dh: Tensor, a: Tensor, b: Tensor, initial: Tensor, starts: Tensor, h: Tensor, restart: float, largest: bool,
    ties: bool, of_factor: bool,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """da (empty unless `of_factor`), db, d_initial."""
    batch, time, channels = b.shape
    bt, bc = scan_tile(channels, time, batch, b.device)
    fixed = a.ndim == 1
    shape = (0,) if not of_factor else (batch, channels) if fixed else b.shape
    da = b.new_empty(shape, dtype=torch.float32)
    db = torch.empty_like(b, dtype=torch.float32)
    d_initial = torch.empty_like(initial)
    scan_backward_kernel[(batch, -(-channels // bc))](
        a, b, starts, initial, h, dh.contiguous(), da, db, d_initial, time, channels, restart,
        MAX=largest, FIXED=fixed, TIES=ties, DA=of_factor, BT=bt, BC=bc, num_warps=4,
    )  # fmt: skip
    return (da.sum(0) if fixed and of_factor else da), db, d_initial


scan_op = custom_op("lsm::scan", forward, mutates_args=())
scan_backward_op = custom_op("lsm::scan_backward", backward, mutates_args=())


@scan_op.register_fake
def _(a, b, initial, starts, restart, modulus, largest, ties):
    return torch.empty_like(b, dtype=torch.float32)


@scan_backward_op.register_fake
def _(dh, a, b, initial, starts, h, restart, largest, ties, of_factor):
    da = torch.empty_like(a) if of_factor else b.new_empty(0)
    return da, torch.empty_like(b, dtype=torch.float32), torch.empty_like(initial)


def keep(ctx, inputs, output) -> None:
    a, b, initial, starts, ctx.restart, _, ctx.largest, ctx.ties = inputs
    ctx.save_for_backward(a, b, initial, starts, output)


def gradients(function, ctx, dh):
    a, b, initial, starts, h = ctx.saved_tensors
    of_factor = ctx.needs_input_grad[0]
    da, db, d_initial = function(dh, a, b, initial, starts, h, ctx.restart, ctx.largest, ctx.ties, of_factor)
    return da if of_factor else None, db, d_initial, None, None, None, None, None


scan_op.register_autograd(lambda ctx, dh: gradients(scan_backward_op, ctx, dh), setup_context=keep)


class Scan(torch.autograd.Function):
    """The same without the operator's dispatch."""

    @staticmethod
    def forward(ctx, *inputs):
        h = forward(*inputs)
        keep(ctx, inputs, h)
        return h

    @staticmethod
    def backward(ctx, dh):
        return gradients(backward, ctx, dh)


def scan_triton(
    a: Tensor,
    b: Tensor,
    initial: Tensor,
    starts: Tensor,
    restart: float,
    modulus: float | None,
    largest: bool,
    ties: bool,
) -> Tensor:
    """All states [B, T, ..] of b [B, T, ..]; a has its axes, or those behind time, or none; initial [B, ..], starts bool [B, T]."""
    own = b.shape[2:]
    flat = b.reshape(*b.shape[:2], -1).contiguous()
    a = a.expand(own).reshape(-1) if a.ndim <= len(own) else a.expand(b.shape).reshape(flat.shape)
    inputs = (a.contiguous(), flat, initial.reshape(b.shape[0], -1).contiguous(), starts.to(torch.int8).contiguous())
    how = (restart, modulus or 0.0, largest, ties)
    if watched():
        h = scan_op(*inputs, *how)
    else:
        h = (Scan.apply if wants_gradients(*inputs[:3]) else forward)(*inputs, *how)
    return h.view(b.shape)


@register_flop_formula(torch.ops.lsm.scan)
def scan_flops(a_shape, b_shape, *args, out_shape=None, **kwargs) -> int:
    batch, time, channels = b_shape
    return 2 * batch * time * channels


@register_flop_formula(torch.ops.lsm.scan_backward)
def scan_backward_flops(dh_shape, *args, out_shape=None, **kwargs) -> int:
    batch, time, channels = dh_shape
    return 4 * batch * time * channels
