"""F3 and F4 as a torch operator: with shapes for tracing, gradients for autograd, and FLOPs for counters."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.library import custom_op
from torch.utils.flop_counter import register_flop_formula

from .erased import erased_backward, erased_forward
from .gated import sequences
from .watched import sweep_flops, watched


@custom_op("lsm::erased", mutates_args=())
def erased_op(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    b: Tensor,
    decay: Tensor | None,
    before: bool,
    decayed: bool,
    sub_rows: int,
    initial: Tensor | None,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """o, the final state; e, the inverses and the states at marks for the backward."""
    return erased_forward(q, k, v, b, decay, before, decayed, sub_rows, initial, positions, bounds)


@erased_op.register_fake
def _(q, k, v, b, decay, before, decayed, sub_rows, initial, positions, bounds):
    s = sequences(q, v, decay, sub_rows, positions, bounds)
    key, value = q.shape[-1], v.shape[-1]
    final = s.states(1, key, value, q.device).squeeze(2)
    inverse = q.new_empty(*q.shape[:3], s.chunk)
    return q.new_empty(*q.shape[:3], value), final, v.new_empty(v.shape), inverse, s.marks(key, value, q)


@custom_op("lsm::erased_backward", mutates_args=())
def erased_backward_op(
    d_o: Tensor,
    d_final: Tensor | None,
    q: Tensor,
    k: Tensor,
    b: Tensor,
    decay: Tensor | None,
    e: Tensor,
    inverse: Tensor,
    marks: Tensor,
    before: bool,
    decayed: bool,
    sub_rows: int,
    has_initial: bool,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """dq, dk, dv, db, d_decay, d_initial; the last two are empty where there is no such operand."""
    how = (before, decayed, sub_rows, has_initial, positions, bounds)
    return erased_backward(d_o, d_final, q, k, b, decay, e, inverse, marks, *how)


@erased_backward_op.register_fake
def _(d_o, d_final, q, k, b, decay, e, inverse, marks, before, decayed, sub_rows, has_initial, positions, bounds):
    d_decay = q.new_empty(0) if decay is None else q.new_empty(decay.shape, dtype=torch.float32)
    d_initial = torch.empty_like(marks[:, :, 0], dtype=torch.float32) if has_initial else q.new_empty(0)
    dq, dk, dv, db = (x.new_empty(x.shape) for x in (q, k, e, b))
    return dq, dk, dv, db, d_decay, d_initial


def keep(ctx, inputs, output) -> None:
    q, k, _, b, decay, ctx.before, ctx.decayed, ctx.sub_rows, initial, positions, bounds = inputs
    ctx.has_initial = initial is not None
    ctx.save_for_backward(q, k, b, decay, *output[2:], positions, bounds)
    ctx.set_materialize_grads(False)


def gradients(function, ctx, d_o, d_final):
    *operands, positions, bounds = ctx.saved_tensors
    q, decay, e = operands[0], operands[3], operands[4]
    if d_o is None:
        d_o = e.new_zeros(()).expand(*q.shape[:3], e.shape[-1])
    how = (ctx.before, ctx.decayed, ctx.sub_rows, ctx.has_initial, positions, bounds)
    dq, dk, dv, db, d_decay, d_initial = function(d_o, d_final, *operands, *how)
    d_decay = None if decay is None else d_decay.to(decay.dtype)
    return dq, dk, dv, db, d_decay, None, None, None, d_initial if ctx.has_initial else None, None, None


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
    b: Tensor,
    decay: Tensor | None,
    before: bool,
    decayed: bool,
    sub_rows: int,
    initial: Tensor | None,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """o and the final state of F3 and F4 in rows (k, v, b)."""
    apply = erased_op if watched() else Erased.apply
    return apply(q, k, v, b, decay, before, decayed, sub_rows, initial, positions, bounds)[:2]


@register_flop_formula(torch.ops.lsm.erased)
def erased_flops(q_shape, k_shape, v_shape, *args, out_shape=None, **kwargs) -> int:
    b, t, h, k = q_shape
    return 2 * sweep_flops(b * t, h, k, v_shape[-1])


@register_flop_formula(torch.ops.lsm.erased_backward)
def erased_backward_flops(
    d_o_shape, d_final_shape, q_shape, k_shape, b_shape, decay_shape, e_shape, *args, out_shape=None, **kwargs
) -> int:
    b, t, h, k = q_shape
    return 5 * sweep_flops(b * t, h, k, e_shape[-1])
