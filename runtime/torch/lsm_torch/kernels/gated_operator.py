"""F0, F1, F2 as a torch operator: with shapes for tracing, gradients for autograd, and FLOPs for counters."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.library import custom_op
from torch.utils.flop_counter import register_flop_formula

from .gated import first_states, gated_backward, gated_forward
from .launch import call_of
from .watched import sweep_flops, wants_gradients, watched


@custom_op("lsm::gated", mutates_args=())
def gated_op(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    decay: Tensor | None,
    on_value: bool,
    before: bool,
    sub_rows: int,
    initial: Tensor | None,
    positions: Tensor | None,
    bounds: Tensor | None,
    save: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """o, the final state, and what the backward needs (empty unless `save`)."""
    return gated_forward(q, k, v, decay, on_value, before, sub_rows, initial, positions, bounds, save)


@gated_op.register_fake
def _(q, k, v, decay, on_value, before, sub_rows, initial, positions, bounds, save):
    x = call_of(q, v, decay, on_value, before, sub_rows, positions, bounds)
    outs = [q.new_empty(*q.shape[:3], x.value), x.states(), first_states(x, initial) if save else q.new_empty(0)]
    kept = [q.new_empty(0) for _ in range(6)]
    if save and x.axis == "scalar":
        kept[2] = q.new_empty(x.heads, x.total, dtype=torch.float32)
    if save and x.axis == "inner":
        kept[:4] = [torch.empty(q.shape, device=q.device, dtype=x.compute) for _ in range(4)]
        kept[4] = q.new_empty(x.slots, x.heads, 2, x.key, dtype=torch.float32)
        kept[5] = q.new_empty(x.slots, x.heads, dtype=torch.int32)
    return *outs, *kept


@custom_op("lsm::gated_backward", mutates_args=())
def gated_backward_op(
    d_o: Tensor,
    d_final: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    decay: Tensor | None,
    saved: list[Tensor],
    on_value: bool,
    before: bool,
    sub_rows: int,
    has_initial: bool,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """dq, dk, dv, d_decay, d_initial; the last two are empty where there is no such operand."""
    return gated_backward(
        d_o, d_final, q, k, v, decay, saved, on_value, before, sub_rows, has_initial, positions, bounds
    )


@gated_backward_op.register_fake
def _(d_o, d_final, q, k, v, decay, saved, on_value, before, sub_rows, has_initial, positions, bounds):
    d_decay = q.new_empty(0) if decay is None else q.new_empty(decay.shape, dtype=torch.float32)
    x = call_of(q, v, decay, on_value, before, sub_rows, positions, bounds)
    d_initial = x.states() if has_initial else q.new_empty(0)
    return q.new_empty(q.shape), k.new_empty(k.shape), v.new_empty(v.shape), d_decay, d_initial


def keep(ctx, inputs, output) -> None:
    q, k, v, decay, ctx.on_value, ctx.before, ctx.sub_rows, initial, positions, bounds, _ = inputs
    ctx.has_initial = initial is not None
    ctx.save_for_backward(q, k, v, decay, positions, bounds, *output[2:])
    ctx.set_materialize_grads(False)


def gradients(function, ctx, d_o, d_final):
    q, k, v, decay, positions, bounds, *saved = ctx.saved_tensors
    if d_o is None:
        d_o = v.new_zeros(()).expand(*q.shape[:3], v.shape[-1])
    how = (ctx.on_value, ctx.before, ctx.sub_rows, ctx.has_initial, positions, bounds)
    dq, dk, dv, d_decay, d_initial = function(d_o, d_final, q, k, v, decay, saved, *how)
    d_decay = None if decay is None else d_decay.to(decay.dtype)
    return dq, dk, dv, d_decay, None, None, None, d_initial if ctx.has_initial else None, None, None, None


def backward(ctx, d_o, d_final, *_):
    return gradients(gated_backward_op, ctx, d_o, d_final)


gated_op.register_autograd(backward, setup_context=keep)


class Gated(torch.autograd.Function):
    """The same without the operator's dispatch."""

    @staticmethod
    def forward(ctx, *inputs):
        output = gated_forward(*inputs)
        keep(ctx, inputs, output)
        ctx.mark_non_differentiable(*output[2:])
        return output

    @staticmethod
    def backward(ctx, d_o, d_final, *_):
        return gradients(gated_backward, ctx, d_o, d_final)


def gated(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    decay: Tensor | None,
    on_value: bool,
    before: bool,
    sub_rows: int,
    initial: Tensor | None,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """o and the final state of F0, F1, F2."""
    save = wants_gradients(q, k, v, decay, initial)
    apply = gated_op if watched() else Gated.apply
    return apply(q, k, v, decay, on_value, before, sub_rows, initial, positions, bounds, save)[:2]


@register_flop_formula(torch.ops.lsm.gated)
def gated_flops(q_shape, k_shape, v_shape, *args, out_shape=None, **kwargs) -> int:
    b, t, h, k = q_shape
    return sweep_flops(b * t, h, k, v_shape[-1])


@register_flop_formula(torch.ops.lsm.gated_backward)
def gated_backward_flops(d_o_shape, d_final_shape, q_shape, k_shape, v_shape, *args, out_shape=None, **kwargs) -> int:
    b, t, h, k = q_shape
    return 3 * sweep_flops(b * t, h, k, v_shape[-1])
