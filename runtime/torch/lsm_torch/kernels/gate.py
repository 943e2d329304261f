"""silu(gate) · up in one pass, of which the backward pass keeps the two inputs alone."""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl

BLOCK = 2048


@triton.jit
def silu_mul_kernel(gate, up, out, dout, d_gate, d_up, count, BLOCK: tl.constexpr, BACKWARD: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    ok = i < count
    g = tl.load(gate + i, mask=ok, other=0.0).to(tl.float32)
    u = tl.load(up + i, mask=ok, other=0.0).to(tl.float32)
    sigmoid = 1 / (1 + tl.exp(-g))
    silu = g * sigmoid
    if BACKWARD:
        dy = tl.load(dout + i, mask=ok, other=0.0).to(tl.float32)
        slope = sigmoid * (1 + g * (1 - sigmoid))
        tl.store(d_gate + i, (dy * u * slope).to(d_gate.dtype.element_ty), mask=ok)
        tl.store(d_up + i, (dy * silu).to(d_up.dtype.element_ty), mask=ok)
    else:
        tl.store(out + i, (silu * u).to(out.dtype.element_ty), mask=ok)


class SiluMul(torch.autograd.Function):
    """gate, up of one shape and type."""

    @staticmethod
    def forward(ctx, gate, up):
        gate, up = gate.contiguous(), up.contiguous()
        ctx.save_for_backward(gate, up)
        out = torch.empty_like(gate)
        count = gate.numel()
        silu_mul_kernel[(triton.cdiv(count, BLOCK),)](gate, up, out, out, out, out, count, BLOCK=BLOCK, BACKWARD=False)
        return out

    @staticmethod
    def backward(ctx, dout):
        gate, up = ctx.saved_tensors
        d_gate, d_up = torch.empty_like(gate), torch.empty_like(up)
        count = gate.numel()
        silu_mul_kernel[(triton.cdiv(count, BLOCK),)](
            gate, up, gate, dout.contiguous(), d_gate, d_up, count, BLOCK=BLOCK, BACKWARD=True
        )
        return d_gate, d_up
