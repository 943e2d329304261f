"""A mixture of SwiGLU experts as one operator, which keeps two tensors a slot: gate and up.

    y[t] = Σ_{s of t} w[s] · down_e(h[s]),   h[s] = silu(g[s]) ∘ u[s],   g = x[t] G_e,   u = x[t] U_e,   e the slot's expert

Backward, with dy[s] = dL/dy of the slot's token (the scheme of SonicMoE, Guo et al., 2025): the weight's gradient needs no
output of down,

    z[s] = dy[s] D_eᵀ,   dw[s] = ⟨h[s], z[s]⟩,   dh = w z,   dD_e = Σ (w h)ᵀ dy,

and the tokens' rows and h are made again: both are passes over memory, no products. What comes of gate, up and z lies where
these did, so nothing more of a slot's width is held.
"""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl

from .grouped import grouped, grouped_outer
from .schedule import power_of_two
from .slots import collect, spread


@triton.jit
def swiglu_kernel(gate, up, h, count, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    ok = i < count
    g = tl.load(gate + i, mask=ok, other=0.0).to(tl.float32)
    u = tl.load(up + i, mask=ok, other=0.0).to(tl.float32)
    tl.store(h + i, (g / (1 + tl.exp(-g)) * u).to(h.dtype.element_ty), mask=ok)


@triton.jit
def swiglu_backward_kernel(
    gate, up, z, weights, d_weights, count,
    U: tl.constexpr, BU: tl.constexpr, R: tl.constexpr,
):  # fmt: skip
    """From z: w h where gate was, dg where z was, du where up was, and dw; rows of U a slot, R slots a program."""
    s = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    ok = s < count
    w = tl.load(weights + s, mask=ok, other=0.0).to(tl.float32)[:, None]
    j = tl.arange(0, BU)
    inside = ok[:, None] & (j < U)[None, :]
    at = s[:, None] * U + j[None, :]
    g = tl.load(gate + at, mask=inside, other=0.0).to(tl.float32)
    u = tl.load(up + at, mask=inside, other=0.0).to(tl.float32)
    dh = tl.load(z + at, mask=inside, other=0.0).to(tl.float32)
    sigmoid = 1 / (1 + tl.exp(-g))
    silu = g * sigmoid
    tl.store(d_weights + s, tl.sum(silu * u * dh, 1), mask=ok)
    tl.store(gate + at, (w * silu * u).to(gate.dtype.element_ty), mask=inside)
    dh = w * dh
    tl.store(z + at, (dh * u * sigmoid * (1 + g * (1 - sigmoid))).to(z.dtype.element_ty), mask=inside)
    tl.store(up + at, (dh * silu).to(up.dtype.element_ty), mask=inside)


class RoutedSwiglu(torch.autograd.Function):
    """x [T, D], weights [S], gate and up [E, D, U], down [E, U, D], slots [T, C], ends [E] -> [T, D]."""

    @staticmethod
    def forward(ctx, x, weights, gate, up, down, slots, ends):
        x, weights = x.contiguous(), weights.contiguous()
        rows = spread(x, slots)
        g, u = grouped(rows, gate, ends), grouped(rows, up, ends)
        h = torch.empty_like(g)
        swiglu_kernel[(triton.cdiv(g.numel(), 2048),)](g, u, h, g.numel(), BLOCK=2048)
        y = grouped(h, down, ends)
        ctx.save_for_backward(x, weights, gate, up, down, slots, ends, g, u)
        return collect(y, slots, weights)

    @staticmethod
    def backward(ctx, dout):
        x, weights, gate, up, down, slots, ends, g, u = ctx.saved_tensors
        dy = spread(dout.contiguous(), slots)
        z = grouped(dy, down.transpose(1, 2), ends)
        for taken in (g, u):  # their memory is used again: a second backward pass would find it changed, and say so
            torch.autograd.graph.increment_version(taken)
        d_weights = torch.empty(weights.shape, device=x.device, dtype=torch.float32)
        hidden = g.shape[1]
        wide = power_of_two(hidden, 16)
        r = max(1, 2048 // wide)
        swiglu_backward_kernel[(triton.cdiv(g.shape[0], r),)](
            g, u, z, weights, d_weights, g.shape[0],
            U=hidden, BU=wide, R=r, num_warps=4,
        )  # fmt: skip
        weighted, d_gate_rows, d_up_rows = g, z, u
        d_down = grouped_outer(weighted, dy, ends, down)
        del dy
        rows = spread(x, slots)
        d_gate, d_up = grouped_outer(rows, d_gate_rows, ends, gate), grouped_outer(rows, d_up_rows, ends, up)
        del rows
        parts = grouped(d_gate_rows, gate.transpose(1, 2), ends), grouped(d_up_rows, up.transpose(1, 2), ends)
        dx = collect(parts[0], slots, None, parts[1])
        return dx, d_weights.to(weights.dtype), d_gate, d_up, d_down, None, None
