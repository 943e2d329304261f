"""Whether an operator must be called by its registered name.

Plain eager calls take the autograd function directly, which costs the processor less; where someone looks on
(torch.compile, a dispatch mode such as a FLOP counter) they go through the registered operator.
"""

from __future__ import annotations

import torch
from torch import Tensor


def watched() -> bool:
    """Is someone looking at the operators that run?"""
    return torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack() > 0


def wants_gradients(*operands: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in operands)


def sweep_flops(rows: int, heads: int, key: int, value: int, chunk: int = 64) -> int:
    """Multiply-adds twice: scores and their product with the sources, the state's read, the state's write."""
    return 2 * rows * heads * (chunk * key + chunk * value + 2 * key * value)
