"""F3 and F4, the erase: rows S_t = Λ_t∘S_{t-1} + k_t (v_t + b_tᵀ S_{t-1})ᵀ, so with e = v + Sᵀb a plain sum of k eᵀ.

Within a chunk e solves a unit triangular system (recurrences.md, §2), whose inverse depends on b, k and the decays only:

    E = T (V + B~ S_0),      T = (I - tril(B~ K~ᵀ, -1))⁻¹

inverse.py makes T for all chunks at once; this goes through the chunks in order with the state in registers. The adjoint is the
same system transposed, in reverse (§3): with z = dL/de = dL/dv,

    Z = Tᵀ (K~ R + tril(Q~ K~ᵀ)ᵀ dO),      R' = Λ∘R + Q~ᵀ dO + B~ᵀ Z

With e and z known, o is forward.py's and every other gradient gradients.py's, from the states that both leave at each edge.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .forward import before_decay, ends_of
from .tiles import INNER, NONE, SCALAR, document_edges, load_tile, span, store_tile


@triton.jit
def solve_kernel(
    q, k, v, b, beta, inverse, scores, e,
    c, ends, positions, bounds, s_in, s_out, marks, s_marks, beyond, T, H, ROWS,
    q_t, q_h, k_t, k_h, v_t, v_h, b_t, b_h, beta_t, beta_h, in_n,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, REVERSE: tl.constexpr, BEFORE: tl.constexpr, DECAYED: tl.constexpr, STRENGTH: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, INITIAL: tl.constexpr, FINAL: tl.constexpr, MARK: tl.constexpr,
    CT: tl.constexpr, PRECISION: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """Forward: e from k, v, b. In reverse: v is dO, and e receives z. marks [slots, H, D, E] take the state at each edge;
    s_in and s_out [N, H, D, E]; beyond as in edges.py. STRENGTH: k is to be taken times beta, and b is -k. Grid: E-blocks × heads × sequences."""
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
    if INITIAL:
        state = tl.load(s_in + at_sequence + tile, mask=state_mask, other=0.0).to(tl.float32)
    else:
        state = tl.zeros([BD, BE], tl.float32)
    for i in tl.range(0, chunks, num_stages=STAGES):
        chunk = chunks - 1 - i if REVERSE else i
        here = (slot + chunk) * H + head
        t0 = chunk * C
        at = base + t0
        ok = t0 + row < length
        if MARK:
            at_mark = here + H if REVERSE else here
            tl.store(marks + at_mark * (D * E) + tile, state.to(marks.dtype.element_ty), mask=state_mask)
            if REVERSE and DECAY != NONE:
                s_c = tl.load(s_marks + at_mark * (D * E) + tile, mask=state_mask, other=0.0)
                at_beyond = beyond + (at_mark * blocks + program % blocks) * D
                tl.store(at_beyond + d, tl.sum(s_c.to(tl.float32) * state, 1), mask=d < D)
        k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(CT)
        v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, column, E, BE).to(CT)
        if STRENGTH:
            strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
            b_c = k_c
        else:
            b_c = load_tile(b + at * b_t + head * b_h, row, b_t, ok, 0, D, BD).to(CT)
        inverse_c = load_tile(inverse + (at * H + head) * C, row, H * C, ok, 0, C, C).to(CT)
        if REVERSE:
            q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(CT)
            scores_c = load_tile(scores + (at * H + head) * C, row, H * C, ok, 0, C, C).to(CT)
        narrow = state
        if DECAY == SCALAR:
            at_c = c + head.to(tl.int64) * ROWS + at
            total = tl.load(at_c + tl.minimum(length - t0, C) - 1)
            c_k = tl.load(at_c + row, mask=ok, other=total)
            early = c_k
            if BEFORE or not DECAYED:
                early = before_decay(at_c, row, ok, total, M)
            b_side = tl.exp2(c_k if DECAYED else early)
            k_side = tl.exp2(total - c_k)
            q_side = tl.exp2(early if BEFORE else c_k)
        else:
            b_side = tl.full([C], 1.0, tl.float32)
            k_side = b_side
            q_side = b_side
        if DECAY == INNER:
            h, h2 = ends_of(ends, here, 0, D, BD)
            narrow = state * h[:, None]
        if STRENGTH:
            # k times beta, and b = -k, as factors of the rows that meet them
            b_side = -b_side
            k_side = k_side * strength

        # what the chunk takes from the state at its edge
        if REVERSE:
            taken = tl.dot(k_c, narrow.to(CT), input_precision=PRECISION)
            if DECAY == SCALAR or STRENGTH:
                taken = taken * k_side[:, None]
        else:
            taken = tl.dot(b_c, narrow.to(CT), input_precision=PRECISION)
            if DECAY == SCALAR or STRENGTH:
                taken = taken * b_side[:, None]
        if DECAY == SCALAR:
            state = state * tl.exp2(total)
        elif DECAY == INNER:
            state = state * h2[:, None]
        if PACKED:
            start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
            edge = document_edges(positions, base, t0, length, C, REVERSE)
            carried = row >= edge if REVERSE else start < 0
            kept = start < 0 if REVERSE else row >= edge
            taken = tl.where(carried[:, None], taken, 0.0)
            state = state * (edge < 0).to(tl.float32)

        # the triangular system, and the state at the other edge
        if REVERSE:
            taken = tl.dot(tl.trans(scores_c), v_c, acc=taken, input_precision=PRECISION)
            solved = tl.dot(tl.trans(inverse_c), taken.to(CT), input_precision=PRECISION)
            first = v_c
            second = solved
            if DECAY == SCALAR:
                first = v_c * q_side[:, None]
            if DECAY == SCALAR or STRENGTH:
                second = second * b_side[:, None]
            if PACKED:
                first = tl.where(kept[:, None], first, 0.0)
                second = tl.where(kept[:, None], second, 0.0)
            state = tl.dot(tl.trans(q_c), first.to(CT), acc=state, input_precision=PRECISION)
            state = tl.dot(tl.trans(b_c), second.to(CT), acc=state, input_precision=PRECISION)
        else:
            solved = tl.dot(inverse_c, (taken + v_c).to(CT), input_precision=PRECISION)
            written = solved
            if DECAY == SCALAR or STRENGTH:
                written = written * k_side[:, None]
            if PACKED:
                written = tl.where(kept[:, None], written, 0.0)
            state = tl.dot(tl.trans(k_c), written.to(CT), acc=state, input_precision=PRECISION)
        if DECAY == INNER:
            state = state * h[:, None]
        store_tile(e + (at * H + head) * E, row, H * E, ok, column, solved, E, BE)
    if MARK:
        at_mark = slot * H + head if REVERSE else (slot + chunks) * H + head
        tl.store(marks + at_mark * (D * E) + tile, state.to(marks.dtype.element_ty), mask=state_mask)
    if FINAL:
        tl.store(s_out + (n * H + head).to(tl.int64) * (D * E) + tile, state, mask=state_mask)
