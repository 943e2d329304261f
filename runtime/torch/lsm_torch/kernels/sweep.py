"""The sweep: one pass over the chunks of a sequence with the state in registers. All of F0, F1, F2 is this kernel.

    o_t = Σ_{s visible from t} D_ts (x_t · y_s) z_s,      state S [D, E] = Σ_s D_s y_s z_sᵀ

Forward (x, y, z) = (q, k, v) is the recurrence itself. Its gradients are the same sum with roles exchanged
(recurrences.md, §3): dq sweeps (do, v, k) forward, dv sweeps (k, q, do) in reverse, dk sweeps (v, do, q) in reverse. A
decay of the keys lies on the contracted axis for o and dv (INNER) and on the output axis for dq and dk (OUTER).

F3 and F4 use it in their backward, once their rank-one corrections are known: with a second read x2 of the same sources
(dq and db), and with a second source (y2, z2) of the same read (dk from q∘do and from the erase's adjoint).

The forward sweep that makes dq also makes p = q∘dq, and the reverse sweep that makes dk then makes the decay's gradient,
the suffix sums of p - k∘dk: all float32, since the difference cancels.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .tiles import INNER, NONE, OUTER, SAFE, SCALAR, load_decay, load_tile, store_tile, suffix_sum, visible


@triton.jit
def inner_scores(x, y, ex, ey, total, tail, mask, C: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr):
    """Σ_d x_td y_sd exp(ex_td - ey_sd) on the mask, and y exp(tail - ey): what decays on the contracted axis."""
    if tl.min(total, 0) > SAFE:
        raised = y * tl.exp(-ey)
        scores = tl.dot((x * tl.exp(ex)).to(CT), tl.trans(raised.to(CT)), input_precision=PRECISION)
        written = (raised * tl.exp(tail)[None, :]).to(CT)
    else:
        # a gate so strong that the factors would overflow: pair by pair
        scores = tl.zeros([C, C], tl.float32)
        row = tl.arange(0, C)
        for s in range(C):
            here = row[:, None] == s
            ys = tl.sum(tl.where(here, y, 0.0), 0)
            es = tl.sum(tl.where(here, ey, 0.0), 0)
            column = tl.sum(x * ys[None, :] * tl.exp(tl.minimum(ex - es[None, :], 0.0)), 1)
            scores = tl.where(row[None, :] == s, column[:, None], scores)
        written = (y * tl.exp(tail[None, :] - ey)).to(CT)
    return tl.where(mask, scores, 0.0), written


@triton.jit
def outer_product(
    scores, z, w, ex, ez, total, tail, C: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr
):  # fmt: skip
    """out = Σ_s scores_ts z_se exp(ex_te - ez_se), z exp(tail - ez), and w∘out: what decays on the output axis.

    w∘out is taken from the rounded factors of w and z, so that what row t gives to row s in the sweep of one of them is
    exactly what s takes from t in the sweep of the other, and cancels in the decay's gradient."""
    if tl.min(total, 0) > SAFE:
        raised = z * tl.exp(-ez)
        taken = tl.dot(scores.to(CT), raised.to(CT), input_precision=PRECISION)
        factor = tl.exp(ex)
        product = (w * factor).to(CT) * taken
        out = taken * factor
        written = (raised * tl.exp(tail)[None, :]).to(CT)
    else:
        out = tl.zeros_like(z)
        row = tl.arange(0, C)
        for s in range(C):
            here = row[:, None] == s
            zs = tl.sum(tl.where(here, z, 0.0), 0)
            es = tl.sum(tl.where(here, ez, 0.0), 0)
            column = tl.sum(tl.where(row[None, :] == s, scores, 0.0), 1)
            out += column[:, None] * zs[None, :] * tl.exp(tl.minimum(ex - es[None, :], 0.0))
        product = w * out
        written = (z * tl.exp(tail[None, :] - ez)).to(CT)
    return out, written, product


@triton.jit
def taken(
    x, y, z, w, ex, ey, total, tail, mask,
    DECAY: tl.constexpr, C: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """What reads x take from sources (y, z) of their own chunk, the source as the state will hold it, and w∘out."""
    written_y = y
    written_z = z
    if DECAY == INNER:
        scores, written_y = inner_scores(
            x.to(tl.float32), y.to(tl.float32), ex, ey, total, tail, mask, C, CT, PRECISION
        )
        out = tl.dot(scores.to(CT), z, input_precision=PRECISION)
        product = w * out
    else:
        scores = tl.dot(x, tl.trans(y), input_precision=PRECISION)
        if DECAY == SCALAR:
            scores = scores * tl.exp(tl.where(mask, ex[:, None] - ey[None, :], float("-inf")))
            written_z = (z * tl.exp(tail - ey)[:, None]).to(CT)
        else:
            scores = tl.where(mask, scores, 0.0)
        if DECAY == OUTER:
            out, written_z, product = outer_product(
                scores, z.to(tl.float32), w, ex, ey, total, tail, C, CT, PRECISION
            )  # fmt: skip
        else:
            out = tl.dot(scores.to(CT), z, input_precision=PRECISION)
            product = w * out
    return out, written_y, written_z, product


@triton.jit
def seen(x, state, ex, DECAY: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr):
    """What reads x take from the state at the chunk's edge."""
    if DECAY == INNER:
        return tl.dot((x * tl.exp(ex)).to(CT), state, input_precision=PRECISION)
    out = tl.dot(x, state, input_precision=PRECISION)
    if DECAY == SCALAR:
        out = out * tl.exp(ex)[:, None]
    elif DECAY == OUTER:
        out = out * tl.exp(ex)
    return out


@triton.jit
def sweep_kernel(
    x1, y1, z1, o1, x2, y2, z2, o2,
    decay, positions, bounds,
    s_in, s_out, factor_out, boundary, marks,
    w1, w2, p, late, d_decay,
    T, H, P, SHARD,
    x1_t, x1_h, y1_t, y1_h, z1_t, z1_h, x2_t, x2_h, y2_t, y2_h, z2_t, z2_h, w1_t, w1_h, w2_t, w2_h,
    g_t, g_h, s_d, s_e, in_h, out_h, marks_h,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, REVERSE: tl.constexpr, BEFORE: tl.constexpr, DECAYED: tl.constexpr,
    READS: tl.constexpr, SOURCES: tl.constexpr, PACKED: tl.constexpr, VARLEN: tl.constexpr,
    INITIAL: tl.constexpr, FINAL: tl.constexpr, MARK: tl.constexpr, P_OUT: tl.constexpr, LATE: tl.constexpr, D_DECAY: tl.constexpr,
    CT: tl.constexpr, PRECISION: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """x* [rows, H, D], y* [.., D], z*, w* [.., E] by their (row, head) strides; o* contiguous; decay [rows, H, 1 | D | E];
    states [N, H, P, D, E] by (in_h or out_h a head, D·E a shard, s_d, s_e).
    Every MARK chunks (0: never) the state goes to marks [N, H, chunks / MARK + 1, D, E]: slot j is the state before chunk
    j·MARK, in reverse the one after the chunks below it. Grid: E-blocks × shards × heads × sequences.
    BEFORE: the first read does not see its own token; DECAYED: the second read sees the state after its token's decay."""
    program = tl.program_id(0)
    blocks: tl.constexpr = (E + BE - 1) // BE
    block = program % blocks
    shard = (program // blocks) % P
    head = (program // (blocks * P)) % H
    n = program // (blocks * P * H)
    if VARLEN:
        base = tl.load(bounds + n).to(tl.int64)
        length = (tl.load(bounds + n + 1) - base).to(tl.int32)
    else:
        base = n.to(tl.int64) * T
        length = T
    column = block * BE
    first_chunk = shard * SHARD
    chunks = tl.minimum(tl.cdiv(length, C) - first_chunk, SHARD)
    row = tl.arange(0, C)
    d = tl.arange(0, BD)
    e = column + tl.arange(0, BE)
    state_mask = (d[:, None] < D) & (e[None, :] < E)
    state_tile = d[:, None] * s_d + e[None, :] * s_e
    sequence = (n * H + head).to(tl.int64)
    if INITIAL:
        state = tl.load(
            s_in + sequence * in_h + shard.to(tl.int64) * (D * E) + state_tile, mask=state_mask, other=0.0
        ).to(tl.float32)
    else:
        state = tl.zeros([BD, BE], tl.float32)
    WIDTH: tl.constexpr = 1 if DECAY == SCALAR else 2
    GD: tl.constexpr = D if DECAY == INNER else E
    GB: tl.constexpr = BD if DECAY == INNER else BE
    g_column = 0 if DECAY == INNER else column
    if DECAY == SCALAR:
        factor = tl.zeros([1], tl.float32)  # the log of the shard's whole decay
    else:
        factor = tl.zeros([GB], tl.float32)
    whole = 1.0  # 0 once a document began in the shard
    if D_DECAY:
        running = tl.zeros([BE], tl.float32)
        if INITIAL:
            # Σ_{s after the shard} dc_s = S∘R at the shard's end
            ends = tl.load(
                boundary + sequence * in_h + shard.to(tl.int64) * (D * E) + state_tile, mask=state_mask, other=0.0
            )
            running = tl.sum(ends.to(tl.float32) * state, 0)
        if DECAY == SCALAR:
            running = tl.sum(running, 0, keep_dims=True)
    for i in tl.range(0, chunks, num_stages=STAGES):
        chunk = first_chunk + (chunks - 1 - i if REVERSE else i)
        if MARK > 0:
            if REVERSE:
                marked = ((chunk + 1) % MARK == 0) | (chunk == first_chunk + chunks - 1)
                slot = (chunk + MARK) // MARK
            else:
                marked = chunk % MARK == 0
                slot = chunk // MARK
            if marked:
                at_mark = marks + sequence * marks_h + slot.to(tl.int64) * (D * E)
                tl.store(at_mark + state_tile, state.to(marks.dtype.element_ty), mask=state_mask)
        t0 = chunk * C
        at = base + t0
        ok = t0 + row < length
        y1_c = load_tile(y1 + at * y1_t + head * y1_h, row, y1_t, ok, 0, D, BD).to(CT)
        z1_c = load_tile(z1 + at * z1_t + head * z1_h, row, z1_t, ok, column, E, BE).to(CT)
        if SOURCES == 2:
            y2_c = load_tile(y2 + at * y2_t + head * y2_h, row, y2_t, ok, 0, D, BD).to(CT)
            z2_c = load_tile(z2 + at * z2_t + head * z2_h, row, z2_t, ok, column, E, BE).to(CT)

        # cumulative decays as exponents: of reads (ex) and sources (ey) of the chunk, exp(ex - ey) a pair, the same in both
        # directions; of reads from the state (from); of sources into it, tail - ey
        if DECAY == NONE:
            total = 0.0
            tail = 0.0
            ex1 = 0.0
            ex2 = 0.0
            ey1 = 0.0
            ey2 = 0.0
            from1 = 0.0
            from2 = 0.0
        else:
            at_g = decay + at * g_t + head * g_h
            own = load_decay(at_g, row - row % M, g_t, ok, g_column, WIDTH, GD, GB)
            if M == 1:
                steps = own
            else:
                # the decay stands at a token's first row
                steps = load_decay(at_g, row, g_t, ok & (row % M == 0), g_column, WIDTH, GD, GB)
            c = tl.cumsum(steps, 0)
            total = tl.sum(steps, 0)
            q_side = c - own if BEFORE else c
            b_side = c if DECAYED else c - own
            if REVERSE:
                edge = total if DECAY == SCALAR else total[None, :]
                tail = total * 0.0
                ex1 = -c
                ex2 = ex1
                ey1 = -q_side
                ey2 = -b_side
                from1 = edge - c
                from2 = from1
            else:
                tail = total
                ex1 = q_side
                ex2 = b_side
                ey1 = c
                ey2 = c
                from1 = ex1
                from2 = ex2
            factor += total

        # documents: which rows see the state, and which rows the state will hold
        start = tl.zeros([C], tl.int32)
        if PACKED:
            start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
            if REVERSE:
                after = tl.minimum(t0 + C, length - 1)
                edge_start = after - tl.load(positions + base + after).to(tl.int32) - t0
                carried = row >= edge_start
                kept = start < 0
            else:
                last = tl.minimum(t0 + C, length) - 1
                edge_start = last - tl.load(positions + base + last).to(tl.int32) - t0
                carried = start < 0
                kept = row >= edge_start
            keep = (edge_start < 0).to(tl.float32)
            whole *= keep

        # what is read
        written_y1 = y1_c
        written_z1 = z1_c
        if SOURCES == 2:
            written_y2 = y2_c
            written_z2 = z2_c
        if READS > 0:
            narrow = state.to(CT)
            x1_c = load_tile(x1 + at * x1_t + head * x1_h, row, x1_t, ok, 0, D, BD).to(CT)
            mask1 = visible(start, C, M, BEFORE, REVERSE, PACKED)
            mask2 = visible(start, C, M, True, REVERSE, PACKED)
            w1_c = 0.0
            w2_c = 0.0
            if P_OUT or D_DECAY:
                w1_c = load_tile(w1 + at * w1_t + head * w1_h, row, w1_t, ok, column, E, BE).to(tl.float32)
                if READS == 2:
                    w2_c = load_tile(w2 + at * w2_t + head * w2_h, row, w2_t, ok, column, E, BE).to(tl.float32)
            out1, written_y1, written_z1, change = taken(
                x1_c, y1_c, z1_c, w1_c, ex1, ey1, total, tail, mask1, DECAY, C, CT, PRECISION
            )  # fmt: skip
            if SOURCES == 2:
                more, written_y2, written_z2, part = taken(
                    x1_c, y2_c, z2_c, w1_c, ex1, ey2, total, tail, mask2, DECAY, C, CT, PRECISION
                )  # fmt: skip
                out1 += more
                change += part
            from_state = seen(x1_c, narrow, from1, DECAY, CT, PRECISION)
            if PACKED:
                from_state = tl.where(carried[:, None], from_state, 0.0)
            out1 += from_state
            change += w1_c * from_state
            store_tile(o1 + (at * H + head) * E, row, H * E, ok, column, out1, E, BE)
            if READS == 2:
                x2_c = load_tile(x2 + at * x2_t + head * x2_h, row, x2_t, ok, 0, D, BD).to(CT)
                out2, _, _, second = taken(
                    x2_c, y1_c, z1_c, w2_c, ex2, ey1, total, tail, mask2, DECAY, C, CT, PRECISION
                )  # fmt: skip
                from_state = seen(x2_c, narrow, from2, DECAY, CT, PRECISION)
                if PACKED:
                    from_state = tl.where(carried[:, None], from_state, 0.0)
                out2 += from_state
                second += w2_c * from_state
                store_tile(o2 + (at * H + head) * E, row, H * E, ok, column, out2, E, BE)
        elif DECAY == INNER:
            written_y1 = (y1_c * tl.exp(tail[None, :] - ey1)).to(CT)
        elif DECAY == OUTER:
            written_z1 = (z1_c * tl.exp(tail[None, :] - ey1)).to(CT)
        elif DECAY == SCALAR:
            written_z1 = (z1_c * tl.exp(tail - ey1)[:, None]).to(CT)

        # the decay's gradient: p = Σ x∘o of the forward reads; then the suffix sums of p - w∘o within the document
        if P_OUT or D_DECAY:
            if DECAY == SCALAR:
                change = tl.sum(change, 1)
                if READS == 2:
                    second = tl.sum(second, 1)
            at_p = (at * H + head) * (blocks if DECAY == SCALAR else E)
        if P_OUT:
            # `late` is the part that reads the state before its token's decay
            after_own = change * 0.0
            if BEFORE:
                after_own = change
            if READS == 2:
                change += second
                if not DECAYED:
                    after_own += second
            if DECAY == SCALAR:
                tl.store(p + at_p + row * (H * blocks) + block, change, mask=ok)
                if LATE:
                    tl.store(late + at_p + row * (H * blocks) + block, after_own, mask=ok)
            else:
                store_tile(p + at_p, row, H * E, ok, column, change, E, BE)
                if LATE:
                    store_tile(late + at_p, row, H * E, ok, column, after_own, E, BE)
        if D_DECAY:
            same = visible(start, C, 1, False, True, PACKED)
            if DECAY == SCALAR:
                change = tl.load(p + at_p + row * (H * blocks) + block, mask=ok, other=0.0) - change
                slope = suffix_sum(change, same, PACKED)
                slope += tl.where(carried, running, 0.0) if PACKED else running
                if LATE:
                    slope -= tl.load(late + at_p + row * (H * blocks) + block, mask=ok, other=0.0)
                tl.store(d_decay + at_p + row * (H * blocks) + block, slope, mask=ok)
                if PACKED:
                    change = tl.where(kept, change, 0.0)
            else:
                change = load_tile(p + at_p, row, H * E, ok, column, E, BE) - change
                slope = suffix_sum(change, same, PACKED)
                slope += tl.where(carried[:, None], running[None, :], 0.0) if PACKED else running[None, :]
                if LATE:
                    slope -= load_tile(late + at_p, row, H * E, ok, column, E, BE)
                store_tile(d_decay + at_p, row, H * E, ok, column, slope, E, BE)
                if PACKED:
                    change = tl.where(kept[:, None], change, 0.0)
            if PACKED:
                running *= keep
            running += tl.sum(change, 0)

        # the state at the chunk's other edge
        if PACKED:
            state = state * keep
            written_z1 = tl.where(kept[:, None], written_z1, 0.0).to(CT)
            if SOURCES == 2:
                written_z2 = tl.where(kept[:, None], written_z2, 0.0).to(CT)
        if DECAY == SCALAR:
            state = state * tl.exp(total)
        elif DECAY == INNER:
            state = state * tl.exp(total)[:, None]
        elif DECAY == OUTER:
            state = state * tl.exp(total)[None, :]
        state = tl.dot(tl.trans(written_y1), written_z1, acc=state, input_precision=PRECISION)
        if SOURCES == 2:
            if READS == 0:
                tl.static_assert(DECAY == NONE, "two sources without a read are not needed")
            state = tl.dot(tl.trans(written_y2), written_z2, acc=state, input_precision=PRECISION)
    if MARK > 0 and not REVERSE:
        slot = tl.cdiv(first_chunk + chunks, MARK)
        at_mark = marks + sequence * marks_h + slot.to(tl.int64) * (D * E)
        tl.store(at_mark + state_tile, state.to(marks.dtype.element_ty), mask=state_mask)
    if FINAL:
        tl.store(s_out + sequence * out_h + shard.to(tl.int64) * (D * E) + state_tile, state, mask=state_mask)
    if factor_out is not None:
        factor = tl.exp(factor) * whole
        at_factor = sequence * P + shard
        if DECAY == INNER:
            tl.store(factor_out + at_factor * D + d, factor, mask=d < D)
        elif DECAY == OUTER:
            tl.store(factor_out + at_factor * E + e, factor, mask=e < E)
        else:
            tl.store(factor_out + at_factor + tl.zeros([1], tl.int32), tl.zeros([1], tl.float32) + tl.max(factor, 0))


@triton.jit
def join_kernel(
    states, factors, P,
    D: tl.constexpr, E: tl.constexpr, B: tl.constexpr, DECAY: tl.constexpr, REVERSE: tl.constexpr,
):  # fmt: skip
    """Joins the shards of a sequence: states [N·H, P + 1, D, E] hold each shard's own contribution at its end (forward: slot
    p + 1, in reverse: slot p) and the initial one at the other end; after this each slot holds the whole state there."""
    sequence = tl.program_id(0).to(tl.int64)
    i = tl.program_id(1) * B + tl.arange(0, B)
    ok = i < D * E
    at = states + sequence * (P + 1) * (D * E) + i
    state = tl.load(at + (P if REVERSE else 0) * (D * E), mask=ok, other=0.0)
    for step in range(P):
        shard = P - 1 - step if REVERSE else step
        if DECAY == INNER:
            factor = tl.load(factors + (sequence * P + shard) * D + i // E, mask=ok, other=0.0)
        elif DECAY == OUTER:
            factor = tl.load(factors + (sequence * P + shard) * E + i % E, mask=ok, other=0.0)
        else:
            factor = tl.load(factors + sequence * P + shard)
        slot = shard if REVERSE else shard + 1
        state = factor * state + tl.load(at + slot * (D * E), mask=ok, other=0.0)
        tl.store(at + slot * (D * E), state, mask=ok)
