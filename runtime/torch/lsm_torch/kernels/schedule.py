"""Which tiles and how many shards a kernel takes: chosen from the shapes alone, so nothing is tried out at run time.

Tiles: the state [D, E] of one program lies in registers, so D·BE is held near 8 Ki floats with 4 warps and 16 Ki with 8; C is
64 while a tile of [C, D] inputs fits beside it. Shards: where heads and E-blocks do not fill the chip, time is split into P shards
whose states are found first and joined (recurrences.md, §4), at the price of one more pass over two operands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch

SHARD_CHUNKS = 4  # a shard of time has at least so many
STRONG_GROUP = 8  # chunks that a program of strong.py looks after: most are weak, and starting a program for each costs more than its flag
LARGEST_WIDTH = 512  # of key or value: beyond this a state does not fit one program


@dataclass(frozen=True)
class Tiles:
    """Block sizes of one kernel."""

    bd: int
    be: int
    warps: int
    stages: int


@dataclass(frozen=True)
class Shards:
    """Time in `count` shards of `chunks` chunks each."""

    count: int
    chunks: int


@cache
def power_of_two(n: int, least: int = 16) -> int:
    return max(least, 1 << (n - 1).bit_length())


@cache
def chunk_length(key: int, value: int, rows: int, single: bool) -> int:
    """Rows of a chunk, the same in every kernel of a call; `single` for float32 inputs, whose tiles are twice as large."""
    widest = power_of_two(max(key, value)) * (2 if single else 1)
    return max(64 if widest <= 128 else 32 if widest <= 256 else 16, rows)


@cache
def sweep_tiles(c: int, d: int, e: int, single: bool) -> Tiles:
    """Of the kernels with one state."""
    bd = power_of_two(d)
    be = min(power_of_two(e), max(16, (4096 if single else 8192) // bd), 128)
    return Tiles(bd, be, warps=4, stages=3 if bd <= 64 else 2 if bd <= 128 else 1)


@cache
def gradient_tiles(d: int, e: int, key_decay: bool, erase: bool, single: bool) -> Tiles:
    """Of the kernel of all gradients for all chunks at once: two programs a processor. An erase takes more shared memory, so fewer blocks of
    values are in flight; and with a decay a key more registers, so wide values go in narrower blocks."""
    bd, be = power_of_two(d), power_of_two(e)
    if single:
        return Tiles(min(bd, 32), min(be, 32), warps=4, stages=2)
    narrow = key_decay and erase and be > 64
    return Tiles(min(bd, 64), min(be, 32 if narrow else 64), warps=4, stages=2 if erase and not narrow else 3)


def raise_warps(c: int, width: int) -> int:
    return 4 if c * power_of_two(width) <= 4096 else 8


@cache
def processors(device: torch.device) -> int:
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 1


def shards(chunks: int, programs: int, device: torch.device) -> Shards:
    """Enough shards to give each processor two programs, each of SHARD_CHUNKS or more; one where heads alone do that."""
    wanted = 2 * processors(device)
    count = min(chunks // SHARD_CHUNKS, wanted // max(1, programs))
    if count < 2:
        return Shards(1, chunks)
    length = -(-chunks // count)
    return Shards(-(-chunks // length), length)


SELECTIVE_TILE = 2048  # elements of a selective scan's tile: 16 a thread
SCAN_TILE = 2048


@cache
def selective_tile(value: int, time: int, sequences: int, device: torch.device) -> tuple[int, int]:
    """[BV, BT]: narrow enough in values that the chip is full, and then as long in time."""
    bv = min(power_of_two(value, 1), 32, SELECTIVE_TILE // 16)
    while bv > 4 and sequences * -(-value // bv) < 2 * processors(device):
        bv //= 2
    return bv, max(16, min(SELECTIVE_TILE // bv, power_of_two(time)))


@cache
def scan_tile(channels: int, time: int, sequences: int, device: torch.device) -> tuple[int, int]:
    """[BT, BC] of an elementwise scan, whose channels are next to each other in memory."""
    bc = min(power_of_two(channels, 1), 64, SCAN_TILE // 16)
    while bc > 8 and sequences * -(-channels // bc) < 2 * processors(device):
        bc //= 2
    return max(16, min(SCAN_TILE // bc, power_of_two(time))), bc


@cache
def step_tile(key: int, value: int, sequences: int, device: torch.device) -> tuple[int, int]:
    """[BK, BV] of one token's step: all keys, and few enough values that the chip is full."""
    bk = power_of_two(key, 1)
    bv = min(power_of_two(value, 1), max(4, 8192 // bk), 64)
    while bv > 8 and bk * bv > 512 and sequences * -(-value // bv) < 2 * processors(device):
        bv //= 2
    return bk, bv
