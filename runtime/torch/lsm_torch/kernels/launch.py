"""Starts the sweeps: fills in what a call leaves out, and checks that strides are what the kernel reads by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton  # type: ignore[import-untyped]
import triton.language as tl  # type: ignore[import-untyped]
from torch import Tensor

from .schedule import Shards, Tiles, sweep_tiles
from .sweep import join_kernel, sweep_kernel

DECAYS = {"none": 0, "scalar": 1, "inner": 2, "outer": 3}


@dataclass(frozen=True)
class Sequences:
    """What all kernels of a call share: rows [N, T·M] or packed by bounds, their decays and documents."""

    count: int  # N: rows of the batch, or documents of a packed row
    rows: int  # T·M
    heads: int
    sub_rows: int  # M rows make a token
    chunk: int  # rows of a chunk
    decay: Tensor | None
    positions: Tensor | None
    bounds: Tensor | None
    shards: Shards  # of the sweeps that find states in order
    fine: Shards  # of those that start at marks
    single: bool  # operands of 4 bytes

    def states(self, slots: int, key: int, value: int, device: torch.device) -> Tensor:
        return torch.empty(self.count, self.heads, slots, key, value, device=device, dtype=torch.float32)

    def marks(self, key: int, value: int, like: Tensor) -> Tensor:
        dtype = torch.float32 if self.single or self.bounds is not None else like.dtype
        return torch.empty(self.count, self.heads, self.fine.count + 1, key, value, device=like.device, dtype=dtype)

    def tiles(self, d: int, e: int) -> Tiles:
        return sweep_tiles(self.chunk, d, e, self.single)

    def blocks(self, d: int, e: int) -> int:
        return -(-e // self.tiles(d, e).be)


def strided(x: Tensor) -> Tensor:
    """x [B, T, H, D] itself where one stride leads from row to row and D is dense, else a copy."""
    dense = x.stride(3) == 1 or x.shape[3] == 1
    even = x.shape[0] == 1 or x.stride(0) == x.shape[1] * x.stride(1)
    return x if dense and even else x.contiguous()


def steps(x: Tensor | None) -> tuple[int, int]:
    """Strides from row to row and from head to head."""
    return (0, 0) if x is None else (x.stride(1), x.stride(2))


def head_stride(x: Tensor | None) -> int:
    return 0 if x is None else x.stride(1)


def compute_type(x: Tensor) -> tuple[object, str]:
    """The type of a dot's operands and its precision. float16 goes through tf32, of the same mantissa, for its range."""
    if x.dtype == torch.bfloat16:
        return tl.bfloat16, "tf32"
    return tl.float32, "tf32" if x.dtype == torch.float16 else "tf32x3"


def sweep(
    s: Sequences,
    sources: list[tuple[Tensor, Tensor]],
    reads: list[Tensor],
    *,
    decay: str,
    shards: Shards,
    reverse: bool = False,
    before: bool = False,
    decayed: bool = False,
    initial: Tensor | None = None,
    final: Tensor | None = None,
    transposed: bool = False,
    factors: Tensor | None = None,
    boundary: Tensor | None = None,
    marks: Tensor | None = None,
    products: list[Tensor] | None = None,
    p: Tensor | None = None,
    late: Tensor | None = None,
    d_decay: Tensor | None = None,
) -> list[Tensor]:
    """One sweep over sources (y, z); gives what each read takes, in the type of y.

    `initial`, `final` and `boundary` are slots [N, H, P, K, V], one a shard, `marks` all slots of `s.marks`; they are read as
    [D, E], or as [E, D] where `transposed`. `boundary` has the layout of `initial`.
    """
    (y1, z1), (y2, z2) = sources[0], sources[-1]
    x1 = reads[0] if reads else y1
    x2 = reads[-1] if reads else y1
    d, e = y1.shape[-1], z1.shape[-1]
    tiles = s.tiles(d, e)
    outs = [torch.empty(*x.shape[:3], e, device=x.device, dtype=y1.dtype) for x in reads]
    w1, w2 = (products[0], products[-1]) if products else (None, None)
    of_d, of_e = (1, d) if transposed else (e, 1)
    compute, precision = compute_type(y1)
    grid = -(-e // tiles.be) * shards.count * s.heads * s.count
    sweep_kernel[(grid,)](
        x1, y1, z1, outs[0] if outs else None, x2, y2, z2, outs[-1] if outs else None,
        s.decay, s.positions, s.bounds,
        initial, final, factors, boundary, marks,
        w1, w2, p, late, d_decay,
        s.rows, s.heads, shards.count, shards.chunks,
        *steps(x1), *steps(y1), *steps(z1), *steps(x2), *steps(y2), *steps(z2), *steps(w1), *steps(w2),
        *steps(s.decay), of_d, of_e, head_stride(initial), head_stride(final), head_stride(marks),
        D=d, E=e, BD=tiles.bd, BE=tiles.be, C=tiles.c, M=s.sub_rows,
        DECAY=DECAYS[decay], REVERSE=reverse, BEFORE=before, DECAYED=decayed,
        READS=len(reads), SOURCES=len(sources), PACKED=s.positions is not None, VARLEN=s.bounds is not None,
        INITIAL=initial is not None, FINAL=final is not None, MARK=0 if marks is None else s.fine.chunks,
        P_OUT=p is not None and d_decay is None, LATE=late is not None, D_DECAY=d_decay is not None,
        CT=compute, PRECISION=precision, STAGES=tiles.stages,
        num_warps=tiles.warps, num_stages=tiles.stages,
    )  # fmt: skip
    return outs


def join(s: Sequences, states: Tensor, factors: Tensor, *, decay: str, reverse: bool) -> None:
    """Shards' own states in their slots -> whole states, in place."""
    key, value = states.shape[-2:]
    block = 512
    join_kernel[(s.count * s.heads, triton.cdiv(key * value, block))](
        states, factors, s.shards.count,
        D=key, E=value, B=block, DECAY=DECAYS[decay], REVERSE=reverse,
    )  # fmt: skip
