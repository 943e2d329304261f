"""Starts the kernels of one call: grids, strides, and what a call leaves out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton  # type: ignore[import-untyped]
import triton.language as tl  # type: ignore[import-untyped]
from torch import Tensor

from .decay import cumulate_kernel, raise_kernel
from .edges import edge_kernel, join_kernel
from .forward import forward_kernel
from .schedule import Shards, chunk_length, power_of_two, raise_warps, sweep_tiles

DECAYS = {"none": 0, "scalar": 1, "inner": 2, "outer": 3}


@dataclass(frozen=True)
class Call:
    """What all kernels of a call share: rows [N, T·M] or packed by bounds, with their documents."""

    count: int  # N: rows of the batch, or documents of a packed row
    rows: int  # T·M of each, or of all where packed by bounds
    total: int  # rows of the whole batch
    heads: int
    key: int
    value: int
    sub_rows: int  # M rows make a token
    before: bool  # reads do not see their own token
    axis: str  # of the decay: none, scalar, inner (keys), outer (values)
    chunk: int  # rows of a chunk
    positions: Tensor | None
    bounds: Tensor | None
    dtype: torch.dtype
    device: torch.device

    @property
    def chunks(self) -> int:
        return -(-self.rows // self.chunk)

    @property
    def slots(self) -> int:
        """Edges of chunks, as tiles.span counts them."""
        return self.count * (self.chunks + 1) if self.bounds is None else self.rows // self.chunk + 2 * self.count + 1

    @property
    def single(self) -> bool:
        """Are products of 4 bytes a number?"""
        return self.dtype != torch.bfloat16

    @property
    def compute(self) -> torch.dtype:
        """What the products are taken in. float16 goes through tf32, of the same mantissa, for its range."""
        return torch.float32 if self.single else torch.bfloat16

    @property
    def products(self) -> dict[str, object]:
        """How the kernels take products."""
        if not self.single:
            return {"CT": tl.bfloat16, "PRECISION": "tf32"}
        return {"CT": tl.float32, "PRECISION": "tf32" if self.dtype == torch.float16 else "tf32x3"}

    def flags(self) -> dict[str, object]:
        """What every kernel over chunks is compiled for."""
        return {"C": self.chunk, "M": self.sub_rows, "BEFORE": self.before, "PACKED": self.positions is not None}

    def states(self) -> Tensor:
        return torch.empty(self.count, self.heads, self.key, self.value, device=self.device, dtype=torch.float32)

    def marks(self) -> Tensor:
        """States at the edges of chunks."""
        return torch.empty(self.slots, self.heads, self.key, self.value, device=self.device, dtype=self.compute)

    def like(self, x: Tensor) -> Tensor:
        return torch.empty(x.shape, device=self.device, dtype=x.dtype)


def call_of(
    q: Tensor,
    v: Tensor,
    decay: Tensor | None,
    on_value: bool,
    before: bool,
    sub_rows: int,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> Call:
    batch, rows, heads, key = q.shape
    value = v.shape[-1]
    wide = decay is not None and decay.shape[-1] > 1
    axis = "none" if decay is None else "scalar" if not wide else "outer" if on_value else "inner"
    single = q.dtype != torch.bfloat16
    c = chunk_length(key, value, sub_rows, single)
    count = batch if bounds is None else bounds.numel() - 1
    return Call(
        count, rows, batch * rows, heads, key, value, sub_rows, before, axis, c, positions, bounds, q.dtype, q.device
    )


def strided(x: Tensor) -> Tensor:
    """x [B, T, H, D] itself where one stride leads from row to row and D is dense, else a copy."""
    dense = x.stride(3) == 1 or x.shape[3] == 1
    even = x.shape[0] == 1 or x.stride(0) == x.shape[1] * x.stride(1)
    return x if dense and even else x.contiguous()


def steps(x: Tensor | None) -> tuple[int, int]:
    """Strides from row to row and from head to head."""
    return (0, 0) if x is None else (x.stride(1), x.stride(2))


@dataclass(frozen=True)
class Decayed:
    """The operands with their decays; see decay.py. Of a decay a head only c."""

    q: Tensor
    k: Tensor
    b: Tensor | None = None
    c: Tensor | None = None
    q_factor: Tensor | None = None
    k_factor: Tensor | None = None
    b_factor: Tensor | None = None
    ends: Tensor | None = None
    weak: Tensor | None = None


def decayed(
    x: Call,
    q: Tensor,
    k: Tensor,
    decay: Tensor | None,
    *,
    b: Tensor | None = None,
    beta: Tensor | None = None,
    decayed_reader: bool = False,
    save: bool = False,
) -> Decayed:
    """q, k (and a reader b) with the decays that their pairs and reads of the state need. With `beta` k is written times beta,
    and b is -k."""
    if decay is None:
        return Decayed(q, k, b)
    grid = (x.count * x.chunks * x.heads,)
    if decay.shape[-1] == 1:
        c = torch.empty(x.heads, x.total, device=x.device, dtype=torch.float32)
        cumulate_kernel[grid](
            decay, c, x.bounds, x.rows, x.heads, x.chunks, x.total, *steps(decay),
            C=x.chunk, VARLEN=x.bounds is not None, num_warps=1,
        )  # fmt: skip
        return Decayed(q, k, b, c)

    width = q.shape[-1]

    def empty(there: bool = True) -> Tensor | None:
        return torch.empty(q.shape, device=x.device, dtype=x.compute) if there else None

    erase = b is not None or beta is not None
    own = erase and x.before == decayed_reader
    q_raised, k_raised, b_raised = empty(), empty(), empty(erase)
    q_factor, k_factor, b_factor = empty(save), empty(save), empty(save and own)
    ends = torch.empty(x.slots, x.heads, 2, width, device=x.device, dtype=torch.float32)
    weak = torch.empty(x.slots, x.heads, device=x.device, dtype=torch.int32)
    raise_kernel[grid](
        q, k, b, beta, decay, q_raised, k_raised, b_raised, q_factor, k_factor, b_factor, ends, weak, x.bounds,
        x.rows, x.heads, x.chunks, *steps(q), *steps(k), *steps(b), *steps(beta), *steps(decay),
        D=width, BD=power_of_two(width), C=x.chunk, M=x.sub_rows, BEFORE=x.before, DECAYED=decayed_reader,
        ERASE=erase, STRENGTH=beta is not None, SAVE=save, VARLEN=x.bounds is not None,
        num_warps=raise_warps(x.chunk, width),
    )  # fmt: skip
    assert q_raised is not None and k_raised is not None
    return Decayed(q_raised, k_raised, b_raised, None, q_factor, k_factor, b_factor, ends, weak)


def forward(
    x: Call,
    g: Decayed,
    v: Tensor,
    out: Tensor,
    *,
    axis: str,
    shards: Shards,
    beta: Tensor | None = None,
    initial: Tensor | None = None,
    final: Tensor | None = None,
    marks: Tensor | None = None,
    save: bool = False,
    transposed: bool = False,
    reverse: bool = False,
) -> None:
    """out [rows, H, E] of reads g.q from sources (g.k, v). The states begin with `initial` ([N, P, H, D, E]), or, with marks and
    not `save`, with those of the marks, one chunk a shard; `transposed`: these are [E, D]. `reverse`: time runs backwards."""
    d, e = g.q.shape[-1], v.shape[-1]
    tiles = sweep_tiles(x.chunk, d, e, x.single)
    grid = (-(-e // tiles.be) * shards.count * x.heads * x.count,)
    of_mark = (1, d) if transposed else (e, 1)
    of_state = (0, 0, 0, *of_mark) if initial is None else initial.stride()
    forward_kernel[grid](
        g.q, g.k, v, out, beta, g.q_factor, g.c, g.ends, g.weak, x.positions, x.bounds, initial, final, marks,
        x.rows, x.heads, shards.count, shards.chunks, x.total,
        *steps(g.q), *steps(g.k), *steps(v), *steps(beta), *of_state,
        0 if final is None else final.stride(0),
        D=d, E=e, BD=tiles.bd, BE=tiles.be, **x.flags(), DECAY=DECAYS[axis], REVERSE=reverse, STRENGTH=beta is not None,
        VARLEN=x.bounds is not None, INITIAL=initial is not None, FROM_MARKS=marks is not None and not save,
        FINAL=final is not None, MARK=save, **x.products, STAGES=tiles.stages,
        num_warps=tiles.warps, num_stages=tiles.stages,
    )  # fmt: skip


def edge_states(
    x: Call, g: Decayed, y: Tensor, z: Tensor, axis: str, edge: Tensor | None, shards: Shards, *, reverse: bool
) -> Tensor:  # fmt: skip
    """States [N, P + 1, H, D, E] at the edges of the shards but the last one's (in reverse: the first one's) end; `edge` [N, H, D, E]
    is given at the end that time begins from."""
    d, e, count = y.shape[-1], z.shape[-1], shards.count
    states = torch.empty(x.count, count + 1, x.heads, d, e, device=x.device, dtype=torch.float32)
    width = d if axis == "inner" else e if axis == "outer" else 1
    product = torch.empty(x.count, count, x.heads, width, device=x.device, dtype=torch.float32)
    tiles = sweep_tiles(x.chunk, d, e, x.single)
    edge_kernel[(-(-e // tiles.be) * (count - 1) * x.heads * x.count,)](
        y, z, g.c, g.ends, x.positions, x.bounds, states, product,
        x.rows, x.heads, count, shards.chunks, x.total, *steps(y), *steps(z),
        D=d, E=e, BD=tiles.bd, BE=tiles.be, **x.flags(), DECAY=DECAYS[axis], REVERSE=reverse,
        VARLEN=x.bounds is not None, **x.products, STAGES=3, num_warps=tiles.warps, num_stages=3,
    )  # fmt: skip
    block = 512
    of = (0, 0, 0, 0) if edge is None else edge.stride()
    join_kernel[(x.count * x.heads, triton.cdiv(d * e, block))](
        states, product, edge, count, x.heads, *of,
        D=d, E=e, B=block, DECAY=DECAYS[axis], REVERSE=reverse, GIVEN=edge is not None,
    )  # fmt: skip
    return states
