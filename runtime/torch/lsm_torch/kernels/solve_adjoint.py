"""The adjoint of solve.py: the same system transposed, in reverse (recurrences.md, §3). With z = dL/de = dL/dv,

    Z = Tᵀ (K~ R + tril(Q~ K~ᵀ)ᵀ dO),      R' = Λ∘R + Q~ᵀ dO + B~ᵀ Z

Every other gradient is then erased_gradients.py's, from the states that both leave at each edge.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .forward import ends_of
from .solve import chunk_vectors
from .tiles import INNER, SCALAR, document_edges, load_tile, span, store_tile


@triton.jit
def solve_adjoint_kernel(
    q, k, d_o, b, beta, inverse, scores, z,
    c, ends, positions, bounds, r_in, r_out, marks, T, H, ROWS,
    q_t, q_h, k_t, k_h, o_t, o_h, b_t, b_h, beta_t, beta_h, in_n,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, BEFORE: tl.constexpr, DECAYED: tl.constexpr, STRENGTH: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, INITIAL: tl.constexpr, FINAL: tl.constexpr,
    CT: tl.constexpr, PRECISION: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """z [rows, H, E] and the adjoint state after each chunk, marks [slots, H, D, E]; r_in, that of the final state, and r_out, the
    initial state's, [N, H, D, E]. With SCORES those of q with k come from inverse.py, else they are made here. STRENGTH: k is to be taken
    times beta, and b is -k. Grid: E-blocks × heads × sequences."""
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
        state = tl.load(r_in + at_sequence + tile, mask=state_mask, other=0.0).to(tl.float32)
    else:
        state = tl.zeros([BD, BE], tl.float32)
    last = (chunks - 1) * C
    c_k, early, total, strength = chunk_vectors(
        c, beta, base + last, last, length, head, row, ROWS, beta_t, beta_h, C, M, DECAY, EARLY, STRENGTH
    )
    for i in tl.range(0, chunks, num_stages=STAGES):
        chunk = chunks - 1 - i
        here = (slot + chunk) * H + head
        t0 = chunk * C
        at = base + t0
        ok = t0 + row < length
        next_c_k, next_early, next_total, next_strength = chunk_vectors(
            c, beta, at - C, t0 - C, length, head, row, ROWS, beta_t, beta_h, C, M, DECAY, EARLY, STRENGTH
        )
        tl.store(marks + (here + H) * (D * E) + tile, state.to(marks.dtype.element_ty), mask=state_mask)
        q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(CT)
        k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(CT)
        o_c = load_tile(d_o + at * o_t + head * o_h, row, o_t, ok, column, E, BE).to(CT)
        if STRENGTH:
            b_c = k_c
        else:
            b_c = load_tile(b + at * b_t + head * b_h, row, b_t, ok, 0, D, BD).to(CT)
        scores_c = load_tile(scores + (at * H + head) * C, row, H * C, ok, 0, C, C).to(CT)
        inverse_c = load_tile(inverse + (at * H + head) * C, row, H * C, ok, 0, C, C).to(CT)
        start = tl.zeros([C], tl.int32)
        if PACKED:
            start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
            edge = document_edges(positions, base, t0, length, C, True)
        c_q = early if BEFORE else c_k
        narrow = state
        if DECAY == INNER:
            h, h2 = ends_of(ends, here, 0, D, BD)
            narrow = state * h[:, None]

        # z, from what follows the chunk and from its own reads
        taken = tl.dot(k_c, narrow.to(CT), input_precision=PRECISION)
        if DECAY == SCALAR:
            taken = taken * tl.exp2(total - c_k)[:, None]
        if PACKED:
            taken = tl.where((row >= edge)[:, None], taken, 0.0)
        if STRENGTH:
            taken = taken * strength[:, None]
        taken = tl.dot(tl.trans(scores_c), o_c, acc=taken, input_precision=PRECISION)
        solved = tl.dot(tl.trans(inverse_c), taken.to(CT), input_precision=PRECISION)

        # the adjoint state at the chunk's first edge
        first = o_c
        second = solved
        if STRENGTH:
            second = -second
        if DECAY == SCALAR:
            first = o_c * tl.exp2(c_q)[:, None]
            second = second * tl.exp2(c_k if DECAYED else early)[:, None]
            state = state * tl.exp2(total)
        elif DECAY == INNER:
            state = state * h2[:, None]
        if PACKED:
            first = tl.where((start < 0)[:, None], first, 0.0)
            second = tl.where((start < 0)[:, None], second, 0.0)
            state = state * (edge < 0).to(tl.float32)
        state = tl.dot(tl.trans(q_c), first.to(CT), acc=state, input_precision=PRECISION)
        state = tl.dot(tl.trans(b_c), second.to(CT), acc=state, input_precision=PRECISION)
        if DECAY == INNER:
            state = state * h[:, None]
        store_tile(z + (at * H + head) * E, row, H * E, ok, column, solved, E, BE)
        c_k, early, total, strength = next_c_k, next_early, next_total, next_strength
    tl.store(marks + (slot * H + head) * (D * E) + tile, state.to(marks.dtype.element_ty), mask=state_mask)
    if FINAL:
        tl.store(r_out + (n * H + head).to(tl.int64) * (D * E) + tile, state, mask=state_mask)
