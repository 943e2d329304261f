"""The selective scan as a torch operator. Inside, time is the last axis: [B, H, K, T] and [B, H, V, T]."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.library import custom_op
from torch.utils.flop_counter import register_flop_formula

from .schedule import selective_tile
from .selective import selective_backward_kernel, selective_forward_kernel
from .watched import wants_gradients, watched


def tile(q: Tensor, v: Tensor) -> tuple[int, int, int, int]:
    """Keys, columns and tokens of a tile, and how many tiles time has."""
    batch, heads, value, time = v.shape
    bv, bt = selective_tile(value, time, batch * heads, v.device)
    return q.shape[-2], bv, bt, -(-time // bt)


def flags(q, k, lk, lv, step, rate, starts) -> dict[str, bool]:
    return {
        "QF": q.ndim == 3, "KF": k.ndim == 3, "LK": lk is not None, "LV": lv is not None,
        "STEP": step is not None, "RATE": rate is not None, "PACKED": starts is not None,
    }  # fmt: skip


def forward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lk: Tensor | None,
    lv: Tensor | None,
    step: Tensor | None,
    rate: Tensor | None,
    initial: Tensor | None,
    starts: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """o, the final state, and the states at the edges of tiles."""
    batch, heads, value, time = v.shape
    keys, bv, bt, tiles = tile(q, v)
    edges = v.new_empty(batch, heads, tiles + 1, keys, value, dtype=torch.float32)
    edges[:, :, 0] = 0 if initial is None else initial
    o = torch.empty_like(v)
    selective_forward_kernel[(batch * heads, -(-value // bv))](
        q, k, v, lk, lv, step, rate, starts, edges, o, heads, time, keys, value,
        **flags(q, k, lk, lv, step, rate, starts), BV=bv, BT=bt, num_warps=4,
    )  # fmt: skip
    return o, edges[:, :, -1].clone(), edges


selective_op = custom_op("lsm::selective", forward, mutates_args=())


@selective_op.register_fake
def _(q, k, v, lk, lv, step, rate, initial, starts):
    batch, heads, value, _ = v.shape
    keys, _, _, tiles = tile(q, v)
    final = v.new_empty(batch, heads, keys, value, dtype=torch.float32)
    return torch.empty_like(v), final, v.new_empty(batch, heads, tiles + 1, keys, value, dtype=torch.float32)


def backward(
    d_o: Tensor,
    d_final: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lk: Tensor | None,
    lv: Tensor | None,
    step: Tensor | None,
    rate: Tensor | None,
    starts: Tensor | None,
    edges: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Of q, k, v, lk, lv, step, rate and the initial state; empty where there is no such operand."""
    batch, heads, value, time = v.shape
    keys, bv, bt, tiles = tile(q, v)
    parts = -(-value // bv)

    def of_keys(x: Tensor | None) -> Tensor:
        fixed = (batch, heads, keys, value)
        shape = (0,) if x is None else fixed if x.ndim == 3 else (parts, batch, heads, keys, time)
        return v.new_empty(shape, dtype=torch.float32)

    dq, dk, dlk, drate = of_keys(q), of_keys(k), of_keys(lk), of_keys(rate)
    dv = torch.empty_like(v)
    dlv, dstep = (v.new_empty(0) if x is None else torch.empty_like(x) for x in (lv, step))
    adjoint = v.new_zeros(2, batch, heads, keys, value, dtype=torch.float32)
    if d_final is not None:
        adjoint[0] = d_final
    selective_backward_kernel[(batch * heads, parts)](
        q, k, v, lk, lv, step, rate, starts, edges, d_o.contiguous(),
        dq, dk, dv, dlk, dlv, dstep, drate, adjoint, heads, time, keys, value,
        **flags(q, k, lk, lv, step, rate, starts), BV=bv, BT=bt, num_warps=4,
    )  # fmt: skip

    def joined(parts: Tensor, x: Tensor | None) -> Tensor:
        return parts if x is None else parts.sum(0).to(x.dtype)

    of_state = adjoint[tiles % 2].clone()
    return joined(dq, q), joined(dk, k), dv, joined(dlk, lk), dlv, dstep, joined(drate, rate), of_state


selective_backward_op = custom_op("lsm::selective_backward", backward, mutates_args=())


@selective_backward_op.register_fake
def _(d_o, d_final, q, k, v, lk, lv, step, rate, starts, edges):
    def like(x):
        return v.new_empty(0, dtype=torch.float32) if x is None else torch.empty_like(x)

    state = v.new_empty(*v.shape[:2], q.shape[-2], v.shape[2], dtype=torch.float32)
    return like(q), like(k), like(v), like(lk), like(lv), like(step), like(rate), state


def keep(ctx, inputs, output) -> None:
    *operands, initial, starts = inputs
    ctx.has_initial = initial is not None
    ctx.save_for_backward(*operands, starts, output[2])
    ctx.set_materialize_grads(False)


def gradients(function, ctx, d_o, d_final):
    saved = ctx.saved_tensors
    d_o = torch.zeros_like(saved[2]) if d_o is None else d_o
    *found, d_initial = function(d_o, d_final, *saved)
    own = [None if x is None else found[i] for i, x in enumerate(saved[:7])]
    return *own, d_initial if ctx.has_initial else None, None


selective_op.register_autograd(
    lambda ctx, d_o, d_final, _: gradients(selective_backward_op, ctx, d_o, d_final), setup_context=keep
)


class Selective(torch.autograd.Function):
    """The same without the operator's dispatch."""

    @staticmethod
    def forward(ctx, *inputs):
        output = forward(*inputs)
        keep(ctx, inputs, output)
        ctx.mark_non_differentiable(output[2])
        return output

    @staticmethod
    def backward(ctx, d_o, d_final, _):
        return gradients(backward, ctx, d_o, d_final)


def selective_triton(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lk: Tensor | None,
    lv: Tensor | None,
    step: Tensor | None,
    rate: Tensor | None,
    initial: Tensor | None,
    starts: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """o [B, T, H, V] and the final state; operands as in ops.selective_scan, but starts, bool [B, T]."""

    def last(x: Any) -> Any:
        """Time behind the others."""
        return None if x is None else x.permute(0, 2, 3, 1).contiguous()

    q, k, v = (x if x.ndim == 3 else last(x) for x in (q, k, v))
    q, k = q.contiguous(), k.contiguous()
    lk, lv, step = last(lk), last(lv), last(step)
    rate = None if rate is None else rate.contiguous()
    begins = None if starts is None else starts.to(torch.int8).contiguous()
    own = Selective.apply if wants_gradients(q, k, v, lk, lv, step, rate, initial) else forward
    o, final, _ = (selective_op if watched() else own)(q, k, v, lk, lv, step, rate, initial, begins)
    return o.permute(0, 3, 1, 2), final


def steps_flops(v_shape, q_shape) -> int:
    """The decay's exponent, the state's step and its read: six for each element of the state and token."""
    batch, heads, value, time = v_shape
    return 6 * batch * heads * value * time * q_shape[-2]


@register_flop_formula(torch.ops.lsm.selective)
def selective_flops(q_shape, k_shape, v_shape, *args, out_shape=None, **kwargs) -> int:
    return steps_flops(v_shape, q_shape)


@register_flop_formula(torch.ops.lsm.selective_backward)
def selective_backward_flops(d_o_shape, d_final_shape, q_shape, k_shape, v_shape, *args, out_shape=None, **kwargs):
    return 3 * steps_flops(v_shape, q_shape)
