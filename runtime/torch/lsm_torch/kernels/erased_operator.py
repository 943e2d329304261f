"""F3 and F4 as a torch operator: with shapes for tracing, gradients for autograd, and FLOPs for counters."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.library import custom_op
from torch.utils.flop_counter import register_flop_formula

from .erased import erased_forward
from .erased_adjoint import erased_backward
from .launch import call_of
from .watched import sweep_flops, watched


@custom_op("lsm::erased", mutates_args=())
def erased_op(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    b: Tensor | None,
    beta: Tensor | None,
    decay: Tensor | None,
    before: bool,
    decayed: bool,
    sub_rows: int,
    initial: Tensor | None,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[
    Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor
]:
    """o, the final state; e, the inverses, the scores, the states at edges and the operands with their decays for the backward."""
    return erased_forward(q, k, v, b, beta, decay, before, decayed, sub_rows, initial, positions, bounds)


@erased_op.register_fake
def _(q, k, v, b, beta, decay, before, decayed, sub_rows, initial, positions, bounds):
    x = call_of(q, v, decay, False, before, sub_rows, positions, bounds)

    def new(*shape: int, dtype: torch.dtype = x.compute) -> Tensor:
        return torch.empty(*shape, device=q.device, dtype=dtype)

    rows = q.shape[:3]
    outs = [
        new(*rows, x.value, dtype=q.dtype),
        x.states(),
        new(*rows, x.value),
        new(*rows, x.chunk),
        new(*rows, x.chunk),
    ]
    outs.append(x.marks())
    kept = [q.new_empty(0) for _ in range(8)]
    if x.axis == "scalar":
        kept[3] = new(x.heads, x.total, dtype=torch.float32)
    if x.axis == "inner":
        kept[:5] = [new(*q.shape) for _ in range(5)]
        if before == decayed:
            kept[5] = new(*q.shape)
        kept[6] = new(x.slots, x.heads, 2, x.key, dtype=torch.float32)
        kept[7] = new(x.slots, x.heads, dtype=torch.int32)
    return *outs, *kept


@custom_op("lsm::erased_backward", mutates_args=())
def erased_backward_op(
    d_o: Tensor,
    d_final: Tensor | None,
    q: Tensor,
    k: Tensor,
    b: Tensor | None,
    beta: Tensor | None,
    decay: Tensor | None,
    saved: list[Tensor],
    before: bool,
    decayed: bool,
    sub_rows: int,
    has_initial: bool,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """dq, dk, dv, db or d_beta, d_decay, d_initial; the last two are empty where there is no such operand."""
    how = (before, decayed, sub_rows, has_initial, positions, bounds)
    return erased_backward(d_o, d_final, q, k, b, beta, decay, saved, *how)


@erased_backward_op.register_fake
def _(d_o, d_final, q, k, b, beta, decay, saved, before, decayed, sub_rows, has_initial, positions, bounds):
    d_decay = q.new_empty(0) if decay is None else q.new_empty(decay.shape, dtype=torch.float32)
    x = call_of(q, saved[0], decay, False, before, sub_rows, positions, bounds)
    d_initial = x.states() if has_initial else q.new_empty(0)
    last = q.new_empty(b.shape) if beta is None else q.new_empty(q.shape[:3], dtype=torch.float32)
    dv = q.new_empty(*q.shape[:3], x.value)
    return q.new_empty(q.shape), k.new_empty(k.shape), dv, last, d_decay, d_initial


def keep(ctx, inputs, output) -> None:
    q, k, _, b, beta, decay, ctx.before, ctx.decayed, ctx.sub_rows, initial, positions, bounds = inputs
    ctx.has_initial = initial is not None
    ctx.save_for_backward(q, k, b, beta, decay, positions, bounds, *output[2:])
    ctx.set_materialize_grads(False)


def gradients(function, ctx, d_o, d_final):
    q, k, b, beta, decay, positions, bounds, *saved = ctx.saved_tensors
    if d_o is None:
        d_o = q.new_zeros(()).expand(*q.shape[:3], saved[0].shape[-1])
    how = (ctx.before, ctx.decayed, ctx.sub_rows, ctx.has_initial, positions, bounds)
    dq, dk, dv, last, d_decay, d_initial = function(d_o, d_final, q, k, b, beta, decay, saved, *how)
    db, d_beta = (last, None) if beta is None else (None, last.to(beta.dtype).view(beta.shape))
    d_decay = None if decay is None else d_decay.to(decay.dtype)
    return dq, dk, dv, db, d_beta, d_decay, None, None, None, d_initial if ctx.has_initial else None, None, None


def backward(ctx, d_o, d_final, *_):
    return gradients(erased_backward_op, ctx, d_o, d_final)


erased_op.register_autograd(backward, setup_context=keep)


class Erased(torch.autograd.Function):
    """The same without the operator's dispatch."""

    @staticmethod
    def forward(ctx, *inputs):
        output = erased_forward(*inputs)
        keep(ctx, inputs, output)
        ctx.mark_non_differentiable(*output[2:])
        return output

    @staticmethod
    def backward(ctx, d_o, d_final, *_):
        return gradients(erased_backward, ctx, d_o, d_final)


def erased(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    b: Tensor | None,
    beta: Tensor | None,
    decay: Tensor | None,
    before: bool,
    decayed: bool,
    sub_rows: int,
    initial: Tensor | None,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """o and the final state of F3 and F4 in rows (k, v, b); with beta [B, T, H, 1] (and no b), of the delta rule."""
    apply = erased_op if watched() else Erased.apply
    return apply(q, k, v, b, beta, decay, before, decayed, sub_rows, initial, positions, bounds)[:2]


@register_flop_formula(torch.ops.lsm.erased)
def erased_flops(q_shape, k_shape, v_shape, *args, out_shape=None, **kwargs) -> int:
    b, t, h, k = q_shape
    return 2 * sweep_flops(b * t, h, k, v_shape[-1])


@register_flop_formula(torch.ops.lsm.erased_backward)
def erased_backward_flops(d_o_shape, d_final_shape, q_shape, *args, out_shape=None, **kwargs) -> int:
    b, t, h, k = q_shape
    return 5 * sweep_flops(b * t, h, k, d_o_shape[-1])
