"""Which implementation of an op runs: the argument, then LSM_KERNELS, then what the tensor's device has."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Literal, cast

from torch import Tensor

Kernels = Literal["reference", "triton"]

HAS_TRITON = find_spec("triton") is not None


def chosen(kernels: Kernels | None, x: Tensor) -> Kernels:
    """The implementation for x: Triton needs a CUDA tensor, or Triton's interpreter (TRITON_INTERPRET=1)."""
    asked = kernels or os.environ.get("LSM_KERNELS") or None
    if asked is None:
        return "triton" if HAS_TRITON and x.is_cuda and str(x.dtype) != "torch.float64" else "reference"
    if asked not in ("reference", "triton"):
        raise ValueError(f"LSM_KERNELS must be reference or triton, not {asked!r}")
    if asked == "triton" and not HAS_TRITON:
        raise ValueError(
            "the Triton kernels were asked for, but triton is not installed: it comes with PyTorch for CUDA"
        )
    return cast(Kernels, asked)
