"""Which tiles the kernels of the erase take, chosen from the shapes alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch

from .schedule import Tiles, power_of_two, processors

SHARED_MEMORY = 227 * 1024  # bytes of it that a program may take


@dataclass(frozen=True)
class Shape:
    """What the erase's solve depends on; `own_b`: the reader is not the key."""

    key: int
    value: int
    chunk: int
    sequences: int
    own_b: bool
    single: bool


@dataclass(frozen=True)
class Solve:
    """Tiles of the erase's solve."""

    be: int
    warps: int
    stages: int


@cache
def solve_tiles(x: Shape, adjoint: bool, device: torch.device) -> Solve:
    """Few enough columns of the state a program that the chip is full, for its chunks go in order; then as many chunks in flight as
    shared memory holds. On an H100 (docs/performance.md) one program a processor was as fast as two of half the columns, and the
    adjoint, which holds more beside the state, faster with 32 columns than with 64."""
    bd, columns = power_of_two(x.key), power_of_two(x.value)
    be = min(columns, max(16, (4096 if x.single else 8192) // bd), 32 if adjoint else 64)
    while be > 16 and 8 * x.sequences * -(-x.value // be) < 7 * processors(device):
        be //= 2
    keys = (2 if x.own_b else 1) + 1
    stage = 2 * x.chunk * (keys * bd + 2 * x.chunk + be)
    beside = 2 * bd * be + 4 * x.chunk * be
    stages = 1 if x.single or bd > 128 else max(1, min(3, (SHARED_MEMORY - beside) // stage))
    return Solve(be, 4, stages)


@cache
def erased_gradient_tiles(d: int, e: int, single: bool) -> Tiles:
    """Of the kernel of all gradients with an erase: two programs a processor."""
    bd, be = power_of_two(d), power_of_two(e)
    most = 32 if single else 64
    return Tiles(min(bd, most), min(be, most), warps=4, stages=2)
