"""Which tiles the solves of the erase take, chosen from the shapes alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
import triton  # type: ignore[import-untyped]

from .schedule import power_of_two, processors


@dataclass(frozen=True)
class Shape:
    """What the tiles depend on; `own_b`: the reader is not the key."""

    key: int
    value: int
    chunk: int
    sequences: int
    axis: str  # of the decay
    own_b: bool
    single: bool


@dataclass(frozen=True)
class Solve:
    """Tiles of the erase's solve."""

    be: int
    warps: int
    stages: int


@cache
def shared_memory(device: torch.device) -> int:
    """Bytes of it that a program may take."""
    if device.type != "cuda":
        return 227 * 1024
    index = torch.cuda.current_device() if device.index is None else device.index
    return triton.runtime.driver.active.utils.get_device_properties(index)["max_shared_mem"]


@cache
def solve_tiles(x: Shape, adjoint: bool, device: torch.device) -> Solve:
    """Few enough columns of the state a program that the chip is full, for its chunks go in order; then as many chunks in flight as
    shared memory holds. The adjoint, which holds more beside the state, spills with 64 columns where there is a decay."""
    bd, columns = power_of_two(x.key), power_of_two(x.value)
    most = 32 if adjoint and x.axis != "none" else 64
    be = min(columns, max(16, (4096 if x.single else 8192) // bd), most)
    while be > 16 and 8 * x.sequences * -(-x.value // be) < 7 * processors(device):
        be //= 2
    keys = 3 if x.own_b else 2
    stage = 2 * x.chunk * (keys * bd + 2 * x.chunk + be)
    beside = 2 * bd * be + 4 * x.chunk * be
    stages = 1 if x.single or bd > 128 else max(1, min(3, (shared_memory(device) - beside) // stage))
    return Solve(be, 4, stages)
