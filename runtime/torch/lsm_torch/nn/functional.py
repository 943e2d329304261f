"""Small functions whose values or gradients differ from torch's own of the same name, or that it lacks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.choice import HAS_TRITON, chosen

if HAS_TRITON:
    from ..kernels.gate import LogSigmoid, SiluMul
    from ..kernels.top_k import MOST, WIDEST, largest


def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x) for every x: torch's own is x itself above 20."""
    return F.softplus(x, threshold=60.0)


def silu_mul(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) · up, of one shape; on a GPU in one pass, which keeps nothing but its inputs."""
    same = gate.shape == up.shape and gate.dtype == up.dtype
    compiling = torch.compiler.is_compiling()  # which fuses these by itself
    if same and not compiling and chosen(None, gate) == "triton" and gate.numel() > 0:
        return SiluMul.apply(gate, up)
    return F.silu(gate) * up


def log_sigmoid(x: Tensor, scale: float = 1.0, least: float | None = None) -> Tensor:
    """max(scale · log sigmoid(x), least): a decay's logarithm, on a GPU float32 whatever x is."""
    if not torch.compiler.is_compiling() and chosen(None, x) == "triton" and x.numel() > 0:
        return LogSigmoid.apply(x, scale, -torch.inf if least is None else least)
    y = -softplus(-x) * scale
    return y if least is None else y.clamp(min=least)


def maximum(a: Tensor, b: Tensor) -> Tensor:
    """The larger; a tie gives its whole gradient to a."""
    return torch.where(a >= b, a, b)


def minimum(a: Tensor, b: Tensor) -> Tensor:
    """The smaller; a tie gives its whole gradient to a."""
    return torch.where(a <= b, a, b)


def rotate(x: Tensor, angle: Tensor, dim: int = -1) -> Tensor:
    """The pairs (x_i, x_{i + n/2}) of a dimension rotated by angle (broadcast to the pairs), as rotary positions do."""
    first, second = x.chunk(2, dim)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), dim)


def shift(x: Tensor, by: int, dim: int) -> Tensor:
    """y[i] = x[i - by] along a dimension, zero outside; by may be negative."""
    size = x.shape[dim]
    moved = torch.zeros_like(x)
    if abs(by) >= size:
        return moved
    if by >= 0:
        return torch.cat((moved.narrow(dim, 0, by), x.narrow(dim, 0, size - by)), dim)
    return torch.cat((x.narrow(dim, -by, size + by), moved.narrow(dim, 0, -by)), dim)


def top_k(x: Tensor, k: int) -> Tensor:
    """Positions of the k largest of the last dimension, largest first, ties by position: int [.., k]."""
    by_kernel = chosen(None, x) == "triton" and not torch.compiler.is_compiling() and x.numel() > 0
    if by_kernel and x.dtype != torch.float64 and x.shape[-1] <= WIDEST and k <= MOST:
        return largest(x.detach(), k)
    return torch.sort(x, dim=-1, descending=True, stable=True).indices[..., :k]


def cumulate(x: Tensor, dim: int, fn: str, reverse: bool = False, exclusive: bool = False) -> Tensor:
    """Running sum or maximum along a dimension, from its end if reverse, without the element itself if exclusive."""
    own = x.flip(dim) if reverse else x
    if fn == "sum":
        total = own.cumsum(dim)
        found = total - own if exclusive else total
    else:
        found = own.cummax(dim).values
        if exclusive:
            least = torch.full_like(found.narrow(dim, 0, 1), -torch.inf)
            found = torch.cat((least, found.narrow(dim, 0, found.shape[dim] - 1)), dim)
    return found.flip(dim) if reverse else found
