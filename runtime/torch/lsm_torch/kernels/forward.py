"""One pass over the chunks of a sequence with the state in registers: the forward of F0, F1, F2; in reverse, their dv.

    o_t = Σ_{s visible from t} D_ts (q_t · k_s) v_s,      S' = Λ∘S + Σ_s D_Cs k_s v_sᵀ
    dv_s = Σ_{t that s is visible from} D_ts (k_s · q_t) do_t,      R' = Λ∘R + Σ_t D_t q_t do_tᵀ

The second is the first backwards in time with the roles (k, q, do), so REVERSE takes k for q, q for k and do for v.
A decay of the keys (INNER) is in q and k already (decay.py); one of the values (OUTER) in v, and `factor` brings it to o.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .tiles import INNER, NONE, OUTER, SCALAR, document_edges, load_tile, span, store_tile, visible


@triton.jit
def ends_of(ends, here, column, D: tl.constexpr, BD: tl.constexpr):
    """The two vectors of a chunk's whole decay: h∘(h'∘S + K~ᵀV) is the state after it, h∘S what its reads see."""
    d = column + tl.arange(0, BD)
    h = tl.load(ends + here * (2 * D) + d, mask=d < D, other=1.0)
    h2 = tl.load(ends + here * (2 * D) + D + d, mask=d < D, other=1.0)
    return h, h2


@triton.jit
def before_decay(at_c, row, ok, total, M: tl.constexpr):
    """c_t without the token's own decay; rows beyond the end have the total, as c has."""
    first = row - row % M
    return tl.where(first > 0, tl.load(at_c + first - 1, mask=ok & (first > 0), other=total), 0.0)


@triton.jit
def forward_kernel(
    q, k, v, o, beta, factor, c, ends, weak, positions, bounds, s_in, s_out, marks,
    T, H, P, SHARD, ROWS,
    q_t, q_h, k_t, k_h, v_t, v_h, beta_t, beta_h, in_n, in_p, in_h, s_d, s_e, out_n,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, REVERSE: tl.constexpr, BEFORE: tl.constexpr, STRENGTH: tl.constexpr, PACKED: tl.constexpr, VARLEN: tl.constexpr,
    INITIAL: tl.constexpr, FROM_MARKS: tl.constexpr, FINAL: tl.constexpr, MARK: tl.constexpr,
    CT: tl.constexpr, PRECISION: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """q, k [rows, H, D], v [rows, H, E] by their (row, head) strides, o contiguous. Grid: E-blocks × shards × heads ×
    sequences. The first state is s_in's (by in_n, in_p, in_h) or, FROM_MARKS, marks' (one chunk a shard), both by s_d, s_e; the last goes to s_out [N, H,
    D, E] (by out_n), and with MARK those at the edges of chunks to marks [slots, H, D, E] (in reverse all but the very first).
    REVERSE: time runs backwards; not with OUTER. STRENGTH: k is to be taken times beta (FROM_MARKS only)."""
    program = tl.program_id(0)
    blocks: tl.constexpr = (E + BE - 1) // BE
    column = (program % blocks) * BE
    shard = (program // blocks) % P
    head = (program // (blocks * P)) % H
    n = program // (blocks * P * H)
    base, length, slot = span(bounds, n, T, C, VARLEN)
    first_chunk = shard * SHARD
    all_chunks = tl.cdiv(length, C)
    chunks = tl.minimum(all_chunks - first_chunk, SHARD)
    row = tl.arange(0, C)
    d = tl.arange(0, BD)
    e = column + tl.arange(0, BE)
    state_mask = (d[:, None] < D) & (e[None, :] < E)
    tile = d[:, None] * E + e[None, :]
    if FROM_MARKS:
        at_state = marks + ((slot + first_chunk) * H + head) * (D * E) + d[:, None] * s_d + e[None, :] * s_e
        state = tl.load(at_state, mask=state_mask & (chunks > 0), other=0.0).to(tl.float32)
    elif INITIAL:
        at_state = s_in + n.to(tl.int64) * in_n + shard.to(tl.int64) * in_p + head.to(tl.int64) * in_h
        state = tl.load(at_state + d[:, None] * s_d + e[None, :] * s_e, mask=state_mask, other=0.0).to(tl.float32)
    else:
        state = tl.zeros([BD, BE], tl.float32)
    for i in tl.range(0, chunks, num_stages=STAGES):
        chunk = first_chunk + (chunks - 1 - i if REVERSE else i)
        here = (slot + chunk) * H + head
        t0 = chunk * C
        at = base + t0
        ok = t0 + row < length
        if MARK:
            at_mark = marks + (here + H if REVERSE else here) * (D * E)
            tl.store(at_mark + tile, state.to(marks.dtype.element_ty), mask=state_mask)
        q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(CT)
        k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(CT)
        v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, column, E, BE).to(CT)
        start = tl.zeros([C], tl.int32)
        if PACKED:
            start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
            edge = document_edges(positions, base, t0, length, C, REVERSE)
            keep = (edge < 0).to(tl.float32)
            carried = row >= edge if REVERSE else start < 0
            kept = start < 0 if REVERSE else row >= edge
        mask = visible(start, C, M, BEFORE, REVERSE, PACKED)
        scores = tl.dot(q_c, tl.trans(k_c), input_precision=PRECISION)
        if STRENGTH:
            strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
            scores = scores * strength[None, :]
        narrow = state
        if DECAY == SCALAR:
            at_c = c + head.to(tl.int64) * ROWS + at
            total = tl.load(at_c + tl.minimum(length - t0, C) - 1)
            source = tl.load(at_c + row, mask=ok, other=total)
            reader = source
            if BEFORE:
                reader = before_decay(at_c, row, ok, total, M)
            if REVERSE:
                reader, source = total - source, total - reader
            scores = tl.where(mask, scores * tl.exp2(tl.where(mask, reader[:, None] - source[None, :], 0.0)), 0.0)
        elif DECAY == NONE:
            scores = tl.where(mask, scores, 0.0)
        else:
            h, h2 = ends_of(
                ends, here, 0 if DECAY == INNER else column, D if DECAY == INNER else E, BD if DECAY == INNER else BE
            )
            h = h[:, None] if DECAY == INNER else h[None, :]
            h2 = h2[:, None] if DECAY == INNER else h2[None, :]
            narrow = state * h
            scores = tl.where(mask & (tl.load(weak + here) != 0), scores, 0.0)
        out = tl.dot(q_c, narrow.to(CT), input_precision=PRECISION)
        if DECAY == SCALAR:
            out = out * tl.exp2(reader)[:, None]
        if PACKED:
            out = tl.where(carried[:, None], out, 0.0)
        out = tl.dot(scores.to(CT), v_c, acc=out, input_precision=PRECISION)
        if DECAY == OUTER:
            out = out * load_tile(factor + (at * H + head) * E, row, H * E, ok, column, E, BE).to(tl.float32)
        store_tile(o + (at * H + head) * E, row, H * E, ok, column, out, E, BE)

        # the state at the chunk's other edge
        if not FROM_MARKS:
            if DECAY == SCALAR:
                v_c = (v_c * tl.exp2(total - source)[:, None]).to(CT)
                state = state * tl.exp2(total)
            elif DECAY != NONE:
                state = state * h2
            if PACKED:
                state = state * keep
                v_c = tl.where(kept[:, None], v_c, 0.0).to(CT)
            state = tl.dot(tl.trans(k_c), v_c, acc=state, input_precision=PRECISION)
            if DECAY == INNER or DECAY == OUTER:
                state = state * h
    if MARK and not REVERSE:  # noqa: SIM102  a constant of the compiler and a number of the device
        if first_chunk + chunks == all_chunks:
            at_mark = marks + ((slot + all_chunks) * H + head) * (D * E)
            tl.store(at_mark + tile, state.to(marks.dtype.element_ty), mask=state_mask)
    if FINAL:  # noqa: SIM102
        if shard == 0 if REVERSE else first_chunk + chunks == all_chunks:
            tl.store(s_out + n.to(tl.int64) * out_n + head.to(tl.int64) * (D * E) + tile, state, mask=state_mask)
