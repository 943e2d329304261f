"""Gates in one pass each way, of which the backward pass keeps the inputs alone: silu(gate) · up, and the logarithm of a decay."""

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


@triton.jit
def log_sigmoid_kernel(x, y, dy, dx, scale, least, count, BLOCK: tl.constexpr, BACKWARD: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    ok = i < count
    a = tl.load(x + i, mask=ok, other=0.0).to(tl.float32)
    small = tl.exp(-tl.abs(a))
    series = small * (1 - small * (0.5 - small / 3))
    log = tl.minimum(a, 0.0) - tl.where(small < 1e-3, series, tl.log(1 + small))
    if BACKWARD:
        d = tl.load(dy + i, mask=ok, other=0.0).to(tl.float32)
        rest = tl.where(a >= 0, small, 1.0) / (1 + small)  # 1 - sigmoid(a)
        d = tl.where(scale * log >= least, d * scale * rest, 0.0)
        tl.store(dx + i, d.to(dx.dtype.element_ty), mask=ok)
    else:
        tl.store(y + i, tl.maximum(scale * log, least), mask=ok)


class LogSigmoid(torch.autograd.Function):
    """max(scale · log sigmoid(x), least) in float32, of which x alone is kept."""

    @staticmethod
    def forward(ctx, x, scale, least):
        x = x.contiguous()
        ctx.save_for_backward(x)
        ctx.how = scale, least
        y = torch.empty(x.shape, device=x.device, dtype=torch.float32)
        count = x.numel()
        log_sigmoid_kernel[(triton.cdiv(count, BLOCK),)](x, y, y, y, scale, least, count, BLOCK=BLOCK, BACKWARD=False)
        return y

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        scale, least = ctx.how
        dx = torch.empty_like(x)
        count = x.numel()
        grid = (triton.cdiv(count, BLOCK),)
        log_sigmoid_kernel[grid](x, x, dy.contiguous(), dx, scale, least, count, BLOCK=BLOCK, BACKWARD=True)
        return dx, None, None
