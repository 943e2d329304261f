"""Which tiles and how many shards a sweep takes: chosen from the shapes alone, so nothing is tried out at run time.

Tiles: the state [D, E] of one program lies in registers, so D·BE is held near 8 Ki floats with 4 warps; C is 64 while a
tile of [C, D] inputs fits beside it. Shards: where heads and E-blocks do not fill the chip, time is split into P shards
whose states are found first and joined (recurrences.md, §4), at the price of one more pass over two operands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch

MARKED_ROWS = 128  # rows from one kept state to the next
SHARD_CHUNKS = 8  # a shard of time has at least so many
LARGEST_WIDTH = 512  # of key or value: beyond this a state does not fit one program


@dataclass(frozen=True)
class Tiles:
    """Block sizes of one kernel."""

    c: int
    bd: int
    be: int
    warps: int
    stages: int


@dataclass(frozen=True)
class Shards:
    """Time in `count` shards of `chunks` chunks each."""

    count: int
    chunks: int


def power_of_two(n: int, least: int = 16) -> int:
    return max(least, 1 << (n - 1).bit_length())


def chunk_length(key: int, value: int, rows: int, wide_decay: bool, single: bool) -> int:
    """Rows of a chunk, the same in every sweep of a call; `single` for float32 inputs, whose tiles are twice as large."""
    widest = power_of_two(max(key, value)) * (2 if single else 1)
    c = 64 if widest <= 128 else 32 if widest <= 256 else 16
    if wide_decay:
        c = min(c, 32 if widest <= 128 else 16)
    return max(c, rows)


def sweep_tiles(c: int, d: int, e: int, single: bool) -> Tiles:
    bd = power_of_two(d)
    most = 8192 if not single else 4096
    be = min(power_of_two(e), max(16, most // bd), 128)
    return Tiles(c, bd, be, warps=4, stages=2 if bd <= 128 else 1)


@cache
def processors(device: torch.device) -> int:
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 1


def shards(chunks: int, mark: int, programs: int, device: torch.device) -> Shards:
    """Enough shards to give each processor two programs, each of SHARD_CHUNKS or more and a multiple of `mark`; one where heads
    alone do that."""
    wanted = 2 * processors(device)
    count = min(chunks // SHARD_CHUNKS, wanted // max(1, programs))
    if count < 2:
        return Shards(1, chunks)
    length = -(-chunks // count)
    length = -(-length // mark) * mark
    return Shards(-(-chunks // length), length)


def solve_block(key: int, value: int, sequences: int, single: bool, device: torch.device) -> int:
    """Columns of the state a program of the solve takes: few enough that the chip is full, for its chunks go in order."""
    be = min(power_of_two(value), max(16, (4096 if single else 8192) // power_of_two(key)), 64)
    while be > 16 and sequences * -(-value // be) < processors(device):
        be //= 2
    return be
