"""F3 and F4, the erase: rows S_t = Λ_t∘S_{t-1} + k_t (v_t + b_tᵀ S_{t-1})ᵀ, so with e = v + Sᵀb a plain sum of k eᵀ.

Within a chunk e solves a unit triangular system (recurrences.md, §2), whose inverse depends on b, k and the decays only:

    E = T (V + B~ S_0),      T = (I - tril(B~ K~ᵀ, -1))⁻¹

inverse.py makes T, and q's scores, for all chunks at once; this goes through the chunks in order with the state in registers. With
e known, o is a plain sum's.

A step waits for three products, one after the other, so nothing else may be waited for: tiles are loaded two chunks ahead by Triton's
pipeline (at num_stages=2 it asks for a chunk's tiles only once the one before is done), vectors one ahead by hand.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .forward import before_decay, ends_of
from .tiles import INNER, SCALAR, document_edges, load_tile, span, store_tile


@triton.jit
def chunk_vectors(
    c, beta, at, t0, length, head, row, ROWS, beta_t, beta_h, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, EARLY: tl.constexpr, STRENGTH: tl.constexpr,
):  # fmt: skip
    """Of the chunk at t0, which may lie outside: c, c before a token's own decay, the chunk's whole decay, beta."""
    inside = (t0 >= 0) & (t0 < length)
    ok = inside & (t0 + row < length)
    c_k = tl.zeros([C], tl.float32)
    early = c_k
    total = 0.0
    strength = c_k
    if DECAY == SCALAR:
        at_c = c + head.to(tl.int64) * ROWS + at
        total = tl.load(at_c + tl.minimum(length - t0, C) - 1, mask=inside, other=0.0)
        c_k = tl.load(at_c + row, mask=ok, other=0.0)
        c_k = tl.where(ok, c_k, total)
        early = c_k
        if EARLY:
            early = before_decay(at_c, row, ok, total, M)
    if STRENGTH:
        strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
    return c_k, early, total, strength


@triton.jit
def solve_kernel(
    q, k, v, b, beta, inverse, scores, e, o,
    c, ends, positions, bounds, s_in, s_out, marks, T, H, ROWS,
    q_t, q_h, k_t, k_h, v_t, v_h, b_t, b_h, beta_t, beta_h, in_n,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, BEFORE: tl.constexpr, DECAYED: tl.constexpr, STRENGTH: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, INITIAL: tl.constexpr,
    CT: tl.constexpr, PRECISION: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """e, o [rows, H, E] and marks [slots, H, D, E], the state at each edge; inverse and scores as inverse.py makes them; s_in and s_out
    [N, H, D, E]. STRENGTH: k is to be taken times beta, and b is -k. Grid: E-blocks × heads × sequences."""
    program = tl.program_id(0)
    blocks: tl.constexpr = (E + BE - 1) // BE
    column = (program % blocks) * BE
    head = (program // blocks) % H
    n = program // (blocks * H)
    base, length, slot = span(bounds, n, T, C, VARLEN)
    chunks = tl.cdiv(length, C)
    row = tl.arange(0, C)
    d = tl.arange(0, BD)
    col = column + tl.arange(0, BE)
    state_mask = (d[:, None] < D) & (col[None, :] < E)
    tile = d[:, None] * E + col[None, :]
    at_sequence = n.to(tl.int64) * in_n + head.to(tl.int64) * (D * E)
    EARLY: tl.constexpr = BEFORE or not DECAYED
    if INITIAL:
        state = tl.load(s_in + at_sequence + tile, mask=state_mask, other=0.0).to(tl.float32)
    else:
        state = tl.zeros([BD, BE], tl.float32)
    c_k, early, total, strength = chunk_vectors(
        c, beta, base, 0, length, head, row, ROWS, beta_t, beta_h, C, M, DECAY, EARLY, STRENGTH
    )
    for chunk in tl.range(0, chunks, num_stages=STAGES):
        here = (slot + chunk) * H + head
        t0 = chunk * C
        at = base + t0
        ok = t0 + row < length
        next_c_k, next_early, next_total, next_strength = chunk_vectors(
            c, beta, at + C, t0 + C, length, head, row, ROWS, beta_t, beta_h, C, M, DECAY, EARLY, STRENGTH
        )
        tl.store(marks + here * (D * E) + tile, state.to(marks.dtype.element_ty), mask=state_mask)
        k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(CT)
        v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, column, E, BE).to(CT)
        if STRENGTH:
            b_c = k_c
        else:
            b_c = load_tile(b + at * b_t + head * b_h, row, b_t, ok, 0, D, BD).to(CT)
        inverse_c = load_tile(inverse + (at * H + head) * C, row, H * C, ok, 0, C, C).to(CT)
        start = tl.zeros([C], tl.int32)
        if PACKED:
            start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
            edge = document_edges(positions, base, t0, length, C, False)
        narrow = state
        if DECAY == INNER:
            h, h2 = ends_of(ends, here, 0, D, BD)
            narrow = state * h[:, None]
        narrow = narrow.to(CT)

        # what the chunk takes from the state at its edge
        taken = tl.dot(b_c, narrow, input_precision=PRECISION)
        if DECAY == SCALAR:
            taken = taken * tl.exp2(c_k if DECAYED else early)[:, None]
        if STRENGTH:
            taken = -taken
        if PACKED:
            taken = tl.where((start < 0)[:, None], taken, 0.0)

        # the triangular system, and the state at the other edge
        solved = tl.dot(inverse_c, (taken + v_c).to(CT), input_precision=PRECISION)
        written = solved
        if STRENGTH:
            written = written * strength[:, None]
        if DECAY == SCALAR:
            written = written * tl.exp2(total - c_k)[:, None]
            state = state * tl.exp2(total)
        elif DECAY == INNER:
            state = state * h2[:, None]
        if PACKED:
            written = tl.where((row >= edge)[:, None], written, 0.0)
            state = state * (edge < 0).to(tl.float32)
        state = tl.dot(tl.trans(k_c), written.to(CT), acc=state, input_precision=PRECISION)
        if DECAY == INNER:
            state = state * h[:, None]
        store_tile(e + (at * H + head) * E, row, H * E, ok, column, solved, E, BE)

        # o
        q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(CT)
        scores_c = load_tile(scores + (at * H + head) * C, row, H * C, ok, 0, C, C).to(CT)
        out = tl.dot(q_c, narrow, input_precision=PRECISION)
        if DECAY == SCALAR:
            out = out * tl.exp2(early if BEFORE else c_k)[:, None]
        if PACKED:
            out = tl.where((start < 0)[:, None], out, 0.0)
        out = tl.dot(scores_c, solved.to(CT), acc=out, input_precision=PRECISION)
        store_tile(o + (at * H + head) * E, row, H * E, ok, column, out, E, BE)
        c_k, early, total, strength = next_c_k, next_early, next_total, next_strength
    tl.store(marks + ((slot + chunks) * H + head) * (D * E) + tile, state.to(marks.dtype.element_ty), mask=state_mask)
    tl.store(s_out + (n * H + head).to(tl.int64) * (D * E) + tile, state, mask=state_mask)
