"""Shards of time, where heads alone do not fill the chip (recurrences.md, §4): each shard's own state, without reads, then their join."""

# mypy: ignore-errors

import triton
import triton.language as tl

from .forward import before_decay, ends_of
from .tiles import INNER, NONE, OUTER, SCALAR, document_edges, load_tile, span


@triton.jit
def edge_kernel(
    y, z, c, ends, positions, bounds, states, decayed,
    T, H, P, SHARD, ROWS, y_t, y_h, z_t, z_h,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, REVERSE: tl.constexpr, BEFORE: tl.constexpr, PACKED: tl.constexpr, VARLEN: tl.constexpr,
    CT: tl.constexpr, PRECISION: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """Σ y zᵀ of a shard, decayed to its end (in reverse: to its beginning): slot p + 1 (in reverse: p) of states [N, P + 1, H, D,
    E], and its whole decay, decayed [N, P, H, 1 | D | E]. The last shard (in reverse: the first) is passed over: nobody begins from it."""
    program = tl.program_id(0)
    blocks: tl.constexpr = (E + BE - 1) // BE
    column = (program % blocks) * BE
    shard = (program // blocks) % (P - 1) + (1 if REVERSE else 0)
    head = (program // (blocks * (P - 1))) % H
    n = program // (blocks * (P - 1) * H)
    base, length, slot = span(bounds, n, T, C, VARLEN)
    first_chunk = shard * SHARD
    chunks = tl.minimum(tl.cdiv(length, C) - first_chunk, SHARD)
    row = tl.arange(0, C)
    d = tl.arange(0, BD)
    e = column + tl.arange(0, BE)
    state_mask = (d[:, None] < D) & (e[None, :] < E)
    state = tl.zeros([BD, BE], tl.float32)
    GD: tl.constexpr = D if DECAY == INNER else E
    GB: tl.constexpr = BD if DECAY == INNER else BE
    g_column = 0 if DECAY == INNER else column
    product = tl.full([1 if DECAY == SCALAR or DECAY == NONE else GB], 1.0, tl.float32)
    for i in tl.range(0, chunks, num_stages=STAGES):
        chunk = first_chunk + (chunks - 1 - i if REVERSE else i)
        t0 = chunk * C
        at = base + t0
        ok = t0 + row < length
        y_c = load_tile(y + at * y_t + head * y_h, row, y_t, ok, 0, D, BD).to(CT)
        z_c = load_tile(z + at * z_t + head * z_h, row, z_t, ok, column, E, BE).to(CT)
        if DECAY == SCALAR:
            at_c = c + head.to(tl.int64) * ROWS + at
            total = tl.load(at_c + tl.minimum(length - t0, C) - 1)
            if REVERSE:
                if BEFORE:
                    exponent = before_decay(at_c, row, ok, total, M)
                else:
                    exponent = tl.load(at_c + row, mask=ok, other=0.0)
            else:
                exponent = total - tl.load(at_c + row, mask=ok, other=0.0)
            z_c = (z_c * tl.exp2(exponent)[:, None]).to(CT)
            state = state * tl.exp2(total)
            product *= tl.exp2(total)
        elif DECAY != NONE:
            h, h2 = ends_of(ends, (slot + chunk) * H + head, g_column, GD, GB)
            product *= h * h2
            h = h[:, None] if DECAY == INNER else h[None, :]
            state = state * (h2[:, None] if DECAY == INNER else h2[None, :])
        if PACKED:
            edge = document_edges(positions, base, t0, length, C, REVERSE)
            keep = (edge < 0).to(tl.float32)
            state = state * keep
            product *= keep
            if REVERSE:
                start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
                z_c = tl.where((start < 0)[:, None], z_c, 0.0).to(CT)
            else:
                z_c = tl.where((row >= edge)[:, None], z_c, 0.0).to(CT)
        state = tl.dot(tl.trans(y_c), z_c, acc=state, input_precision=PRECISION)
        if DECAY == INNER or DECAY == OUTER:
            state = state * h
    state_slot = n.to(tl.int64) * (P + 1) + (shard if REVERSE else shard + 1)
    at_state = states + (state_slot * H + head) * (D * E) + d[:, None] * E + e[None, :]
    tl.store(at_state, state, mask=state_mask)
    at_factor = (n.to(tl.int64) * P + shard) * H + head
    if DECAY == SCALAR or DECAY == NONE:
        tl.store(decayed + at_factor + tl.arange(0, 1), product)
    else:
        g = g_column + tl.arange(0, GB)
        tl.store(decayed + at_factor * GD + g, product, mask=g < GD)


@triton.jit
def join_kernel(
    states, decayed, edge, P, H, edge_n, edge_h, edge_d, edge_e,
    D: tl.constexpr, E: tl.constexpr, B: tl.constexpr, DECAY: tl.constexpr, REVERSE: tl.constexpr, GIVEN: tl.constexpr,
):  # fmt: skip
    """Each shard's own state in states [N, P + 1, H, D, E] -> the whole state there, from the one given at the end that time
    begins from. That at the other end is not there."""
    n = (tl.program_id(0) // H).to(tl.int64)
    head = tl.program_id(0) % H
    i = tl.program_id(1) * B + tl.arange(0, B)
    ok = i < D * E
    if GIVEN:
        at_edge = edge + n * edge_n + head * edge_h + (i // E) * edge_d + (i % E) * edge_e
        state = tl.load(at_edge, mask=ok, other=0.0).to(tl.float32)
    else:
        state = tl.zeros([B], tl.float32)
    begin = P if REVERSE else 0
    tl.store(states + ((n * (P + 1) + begin) * H + head) * (D * E) + i, state, mask=ok)
    for step in range(P - 1):
        shard = P - 1 - step if REVERSE else step
        at_factor = decayed + ((n * P + shard) * H + head) * (D if DECAY == INNER else E if DECAY == OUTER else 1)
        if DECAY == INNER:
            factor = tl.load(at_factor + i // E, mask=ok, other=0.0)
        elif DECAY == OUTER:
            factor = tl.load(at_factor + i % E, mask=ok, other=0.0)
        else:
            factor = tl.load(at_factor)
        slot = n * (P + 1) + (shard if REVERSE else shard + 1)
        at = states + (slot * H + head) * (D * E) + i
        state = factor * state + tl.load(at, mask=ok, other=0.0)
        tl.store(at, state, mask=ok)
