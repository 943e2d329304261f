"""Which implementation of an op runs: the argument, then LSM_KERNELS, then what the tensor's device has."""

from __future__ import annotations

import os
from typing import Literal, cast

from torch import Tensor

Kernels = Literal["reference", "triton"]


def chosen(kernels: Kernels | None, x: Tensor) -> Kernels:
    """The implementation for x: Triton needs a CUDA tensor, or Triton's interpreter (TRITON_INTERPRET=1)."""
    asked = kernels or os.environ.get("LSM_KERNELS") or None
    if asked is None:
        return "triton" if x.is_cuda and str(x.dtype) != "torch.float64" else "reference"
    if asked not in ("reference", "triton"):
        raise ValueError(f"LSM_KERNELS must be reference or triton, not {asked!r}")
    return cast(Kernels, asked)
