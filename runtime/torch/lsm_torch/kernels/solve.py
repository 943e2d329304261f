"""F3 and F4, the erase: rows S_t = Λ_t∘S_{t-1} + Σ_m k_m (v_m + b_mᵀ S_{t-1})ᵀ, so with e = v + Sᵀb a plain sum of k eᵀ.

Within a chunk e solves a unit triangular system (recurrences.md, §2), whose inverse depends on b, k and the decays only:

    E = (I - tril(B~ K~ᵀ, -1))⁻¹ (V + B~ S_0)

`pairs_kernel` makes that inverse for all chunks at once, `solve_kernel` goes through the chunks in order with the state in
registers. The adjoint is the same system transposed, in reverse (§3): with z = dL/de = dL/dv,

    Z = (I - tril(B~ K~ᵀ, -1))⁻ᵀ (K~ R + tril(Q~ K~ᵀ)ᵀ dO),      R' = G∘R + Q~ᵀ dO + B~ᵀ Z

With e and z known, o, dq, db, dk and the decay's gradient are sweeps.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .sweep import inner_scores
from .tiles import INNER, NONE, SCALAR, load_decay, load_tile, store_tile, visible


@triton.jit
def unit_inverse(n, C: tl.constexpr, PRECISION: tl.constexpr):
    """(I - n)⁻¹ of a strictly lower triangular n [C, C], float32: diagonal blocks of 16 by forward substitution, all at once;
    then the blocks, whose product with what is left of them is nilpotent of order C / 16."""
    blocks: tl.constexpr = C // 16
    four = tl.reshape(n, [blocks, 16, blocks, 16])
    i = tl.arange(0, blocks)
    on_diagonal = i[:, None, None, None] == i[None, None, :, None]
    own = tl.sum(tl.where(on_diagonal, four, 0.0), 2)
    r = tl.arange(0, 16)
    inverse = tl.zeros([blocks, 16, 16], tl.float32) + (r[:, None] == r[None, :]).to(tl.float32)[None, :, :]
    for row in range(1, 16):
        here = (r == row)[None, :, None]
        weights = tl.sum(tl.where(here, own, 0.0), 1)
        combined = tl.sum(weights[:, :, None] * inverse, 1)
        inverse = tl.where(here, combined[:, None, :] + (r[None, None, :] == row).to(tl.float32), inverse)
    whole = tl.reshape(tl.where(on_diagonal, inverse[:, :, None, :], 0.0), [C, C])
    if blocks > 1:
        rest = tl.reshape(tl.where(on_diagonal, 0.0, four), [C, C])
        m = tl.dot(whole, rest, input_precision=PRECISION)
        whole += tl.dot(m, whole, input_precision=PRECISION)
        if blocks > 2:
            m = tl.dot(m, m, input_precision=PRECISION)
            whole += tl.dot(m, whole, input_precision=PRECISION)
        if blocks > 4:
            m = tl.dot(m, m, input_precision=PRECISION)
            whole += tl.dot(m, whole, input_precision=PRECISION)
    return whole


@triton.jit
def exponents(
    decay, row, g_t, ok, WIDTH: tl.constexpr, D: tl.constexpr, BD: tl.constexpr, M: tl.constexpr
):  # fmt: skip
    """The cumulative log decay c, each token's own, and the chunk's total: [C] (WIDTH 1) or [C, BD]."""
    own = load_decay(decay, row - row % M, g_t, ok, 0, WIDTH, D, BD)
    if M == 1:
        steps = own
    else:
        steps = load_decay(decay, row, g_t, ok & (row % M == 0), 0, WIDTH, D, BD)
    return tl.cumsum(steps, 0), own, tl.sum(steps, 0)


@triton.jit
def pairs_kernel(
    x, y, out, decay, positions, bounds, T, H, CHUNKS,
    x_t, x_h, y_t, y_h, g_t, g_h,
    D: tl.constexpr, BD: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, EXCLUSIVE: tl.constexpr, STRICT: tl.constexpr, INVERT: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """x_t · y_s with decays for the pairs of each chunk, out [rows, H, C]; or, with INVERT, (I - that)⁻¹."""
    program = tl.program_id(0)
    head = program % H
    chunk = (program // H) % CHUNKS
    n = program // (H * CHUNKS)
    if VARLEN:
        base = tl.load(bounds + n).to(tl.int64)
        length = (tl.load(bounds + n + 1) - base).to(tl.int32)
    else:
        base = n.to(tl.int64) * T
        length = T
    t0 = chunk * C
    if t0 < length:
        row = tl.arange(0, C)
        at = base + t0
        ok = t0 + row < length
        x_c = load_tile(x + at * x_t + head * x_h, row, x_t, ok, 0, D, BD).to(CT)
        y_c = load_tile(y + at * y_t + head * y_h, row, y_t, ok, 0, D, BD).to(CT)
        start = tl.zeros([C], tl.int32)
        if PACKED:
            start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
        mask = visible(start, C, M, STRICT, False, PACKED)
        if DECAY != NONE:
            c, own, total = exponents(decay + at * g_t + head * g_h, row, g_t, ok, DECAY, D, BD, M)
            ex = c - own if EXCLUSIVE else c
        if DECAY == INNER:
            scores, _ = inner_scores(
                x_c.to(tl.float32), y_c.to(tl.float32), ex, c, total, total, mask, C, CT, PRECISION
            )
        else:
            scores = tl.dot(x_c, tl.trans(y_c), input_precision=PRECISION)
            if DECAY == SCALAR:
                scores = scores * tl.exp(tl.where(mask, ex[:, None] - c[None, :], float("-inf")))
            else:
                scores = tl.where(mask, scores, 0.0)
        if INVERT:
            scores = unit_inverse(scores, C, PRECISION)
        store_tile(out + (at * H + head) * C, row, H * C, ok, 0, scores, C, C)


@triton.jit
def solve_kernel(
    k, v, b, q, inverse, scores, e,
    decay, positions, bounds, s_in, s_out, marks, T, H,
    k_t, k_h, v_t, v_h, b_t, b_h, q_t, q_h, g_t, g_h, in_h, marks_h,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, REVERSE: tl.constexpr, BEFORE: tl.constexpr, DECAYED: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, INITIAL: tl.constexpr, FINAL: tl.constexpr, MARK: tl.constexpr,
    CT: tl.constexpr, PRECISION: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """Forward: e from k, v, b. In reverse: v is dO, and e receives z. States and marks as in the sweep."""
    program = tl.program_id(0)
    blocks: tl.constexpr = (E + BE - 1) // BE
    column = (program % blocks) * BE
    head = (program // blocks) % H
    n = program // (blocks * H)
    if VARLEN:
        base = tl.load(bounds + n).to(tl.int64)
        length = (tl.load(bounds + n + 1) - base).to(tl.int32)
    else:
        base = n.to(tl.int64) * T
        length = T
    chunks = tl.cdiv(length, C)
    row = tl.arange(0, C)
    d = tl.arange(0, BD)
    col = column + tl.arange(0, BE)
    state_mask = (d[:, None] < D) & (col[None, :] < E)
    state_tile = d[:, None] * E + col[None, :]
    sequence = (n * H + head).to(tl.int64)
    if INITIAL:
        state = tl.load(s_in + sequence * in_h + state_tile, mask=state_mask, other=0.0).to(tl.float32)
    else:
        state = tl.zeros([BD, BE], tl.float32)
    for i in tl.range(0, chunks, num_stages=STAGES):
        chunk = chunks - 1 - i if REVERSE else i
        if MARK > 0:
            if REVERSE:
                marked = ((chunk + 1) % MARK == 0) | (i == 0)
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
        k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(CT)
        v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, column, E, BE).to(CT)
        b_c = load_tile(b + at * b_t + head * b_h, row, b_t, ok, 0, D, BD).to(CT)
        inverse_c = load_tile(inverse + (at * H + head) * C, row, H * C, ok, 0, C, C).to(CT)
        if REVERSE:
            q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(CT)
            scores_c = load_tile(scores + (at * H + head) * C, row, H * C, ok, 0, C, C).to(CT)
        narrow = state.to(CT)
        if DECAY != NONE:
            c, own, total = exponents(decay + at * g_t + head * g_h, row, g_t, ok, DECAY, D, BD, M)
            b_side = tl.exp(c if DECAYED else c - own)
            edge = total if DECAY == SCALAR else total[None, :]
            k_side = tl.exp(edge - c)
            if REVERSE:
                q_side = tl.exp(c - own if BEFORE else c)
        if DECAY == INNER:
            k_c = (k_c * k_side).to(CT)
            b_c = (b_c * b_side).to(CT)
            if REVERSE:
                q_c = (q_c * q_side).to(CT)

        # what the chunk takes from the state at its edge
        if REVERSE:
            taken = tl.dot(k_c, narrow, input_precision=PRECISION)
            if DECAY == SCALAR:
                taken = taken * k_side[:, None]
        else:
            taken = tl.dot(b_c, narrow, input_precision=PRECISION)
            if DECAY == SCALAR:
                taken = taken * b_side[:, None]
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
            taken = tl.where(carried[:, None], taken, 0.0)
            state = state * (edge_start < 0).to(tl.float32)

        # the triangular system, and the state at the other edge
        if DECAY == SCALAR:
            state = state * tl.exp(total)
        elif DECAY == INNER:
            state = state * tl.exp(total)[:, None]
        if REVERSE:
            taken += tl.dot(tl.trans(scores_c), v_c, input_precision=PRECISION)
            solved = tl.dot(tl.trans(inverse_c), taken.to(CT), input_precision=PRECISION)
            first = v_c.to(tl.float32)
            second = solved
            if DECAY == SCALAR:
                first = first * q_side[:, None]
                second = second * b_side[:, None]
            if PACKED:
                first = tl.where(kept[:, None], first, 0.0)
                second = tl.where(kept[:, None], second, 0.0)
            state = tl.dot(tl.trans(q_c), first.to(CT), acc=state, input_precision=PRECISION)
            state = tl.dot(tl.trans(b_c), second.to(CT), acc=state, input_precision=PRECISION)
        else:
            solved = tl.dot(inverse_c, (taken + v_c).to(CT), input_precision=PRECISION)
            written = solved
            if DECAY == SCALAR:
                written = written * k_side[:, None]
            if PACKED:
                written = tl.where(kept[:, None], written, 0.0)
            state = tl.dot(tl.trans(k_c), written.to(CT), acc=state, input_precision=PRECISION)
        store_tile(e + (at * H + head) * E, row, H * E, ok, column, solved, E, BE)
    if MARK > 0 and not REVERSE:
        slot = tl.cdiv(chunks, MARK)
        at_mark = marks + sequence * marks_h + slot.to(tl.int64) * (D * E)
        tl.store(at_mark + state_tile, state.to(marks.dtype.element_ty), mask=state_mask)
    if FINAL:
        tl.store(s_out + sequence * (D * E) + state_tile, state, mask=state_mask)
