"""Every gradient of a chunk at once, from the state S before it and the adjoint state R after it (recurrences.md, §3).

    P = dO Vᵀ,  A = Q~ K~ᵀ  on the mask;    dQ = P K~ + dO Sᵀ,    dK = Pᵀ Q~ + V Rᵀ,    dV = Aᵀ dO + K~ R,
    R' = Λ∘R + Q~ᵀ dO,      d log Λ_t = Σ_{s >= t} (q_s∘dq_s - k_s∘dk_s) + S_C∘R_C

S is what the forward left at each chunk's edge, R what a pass in reverse left there (edges.py), so all chunks go at
once; without a decay they may go in reverse with R in registers. An erase has a kernel of its own (erased_gradients.py).

Products with the transpose of a computed tile are taken as transposed products: Triton 3.4 to 3.7 gets tl.dot(tl.trans(x), y)
wrong on Hopper where x is an accumulator. The pairs of q∘dq and k∘dk come from the same rounded P, so they cancel exactly.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .forward import before_decay, ends_of
from .tiles import INNER, NONE, SCALAR, document_edges, load_tile, span, store_tile, visible


@triton.jit
def suffix_sum(x, mask, CT: tl.constexpr):
    """Σ_s x_s over the s on the mask [t, s]; x is [C, D], for bf16 in two parts, which hold 16 bits."""
    if CT == tl.bfloat16:
        high = x.to(tl.bfloat16)
        out = tl.dot(mask.to(tl.bfloat16), high)
        out = tl.dot(mask.to(tl.bfloat16), (x - high).to(tl.bfloat16), acc=out)
    else:
        out = tl.dot(mask.to(tl.float32), x, input_precision="tf32x3")
    return out


@triton.jit
def suffix_of_rows(x, mask):
    """The same of x [C], with the mask transposed, [s, t]: so that a thread sums its own rows."""
    return tl.sum(tl.where(mask, x[:, None], 0.0), 0)


@triton.jit
def part_of_slope(x, grad, DECAY: tl.constexpr):
    """x∘dx: of every key, or of all together where a head has one decay."""
    product = x.to(tl.float32) * grad
    if DECAY == SCALAR:
        product = tl.sum(product, 1)
    return product


@triton.jit
def gradients_kernel(
    q, k, v, d_o, s_marks, r_marks, r_in, r_out, beyond,
    q_factor, k_factor, c, ends, weak, positions, bounds,
    dq, dk, dv, d_decay,
    T, H, P, SHARD, ROWS,
    q_t, q_h, k_t, k_h, v_t, v_h, o_t, o_h,
    s_d, s_e, in_n, in_p, in_h, in_d, in_e, out_n, out_d, out_e,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, BEFORE: tl.constexpr, PACKED: tl.constexpr, VARLEN: tl.constexpr, FROM_MARKS: tl.constexpr, INITIAL: tl.constexpr, FINAL: tl.constexpr,
    READ: tl.constexpr, PARTS: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """q, k [rows, H, D], v, d_o [rows, H, E]; outputs contiguous, with a block of columns of E before the rows (each gives a part of
    dq, dk, d_decay; their sum is the gradient). Grid: E-blocks × shards × heads × sequences.
    READ: dq is wanted (where values decay the roles are exchanged, and it would be o)."""
    program = tl.program_id(0)
    blocks: tl.constexpr = (E + BE - 1) // BE
    block = program % blocks
    column = block * BE
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
    s_tile = d[:, None] * s_d + e[None, :] * s_e
    part = block.to(tl.int64) * ROWS * H
    edge_slot = slot + first_chunk + tl.maximum(chunks, 0)
    there = state_mask & (chunks > 0)
    if FROM_MARKS:
        r_tile = d[:, None] * E + e[None, :]
        state = tl.load(r_marks + (edge_slot * H + head) * (D * E) + r_tile, mask=there, other=0.0)
    elif INITIAL:
        at_state = r_in + n.to(tl.int64) * in_n + shard.to(tl.int64) * in_p + head.to(tl.int64) * in_h
        state = tl.load(at_state + d[:, None] * in_d + e[None, :] * in_e, mask=state_mask, other=0.0).to(tl.float32)
    else:
        state = tl.zeros([BD, BE], tl.float32)
    tl.static_assert(DECAY == NONE or FROM_MARKS, "with a decay the adjoint states are found first")
    for i in tl.range(0, chunks, num_stages=STAGES):
        chunk = first_chunk + chunks - 1 - i
        here = (slot + chunk) * H + head
        t0 = chunk * C
        at = base + t0
        ok = t0 + row < length
        out = (part + at * H + head) * D
        q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(CT)
        k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(CT)
        v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, column, E, BE).to(CT)
        o_c = load_tile(d_o + at * o_t + head * o_h, row, o_t, ok, column, E, BE).to(CT)
        start = tl.zeros([C], tl.int32)
        if PACKED:
            start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
            edge = document_edges(positions, base, t0, length, C, True)
            carried = (start < 0)[:, None]
            kept = (row >= edge)[:, None]
            keep = (edge < 0).to(tl.float32)
        down = visible(start, C, M, BEFORE, False, PACKED)
        up = visible(start, C, M, BEFORE, True, PACKED)
        narrow = state
        if DECAY == SCALAR:
            at_c = c + head.to(tl.int64) * ROWS + at
            total = tl.load(at_c + tl.minimum(length - t0, C) - 1)
            c_k = tl.load(at_c + row, mask=ok, other=total)
            early = c_k
            if BEFORE:
                early = before_decay(at_c, row, ok, total, M)
            c_q = early if BEFORE else c_k
            from_s = tl.exp2(c_q)[:, None]
            from_r = tl.exp2(total - c_k)[:, None]
            fall = tl.exp2(tl.where(down, c_q[:, None] - c_k[None, :], 0.0))
            rise = tl.exp2(tl.where(up, c_q[None, :] - c_k[:, None], 0.0))
        elif DECAY == INNER:
            h, _ = ends_of(ends, here, 0, D, BD)
            narrow = state.to(tl.float32) * h[:, None]
            is_weak = tl.load(weak + here) != 0
            down = down & is_weak
            up = up & is_weak
        r_c = narrow.to(CT)

        # dv
        pairs = tl.dot(k_c, tl.trans(q_c), input_precision=PRECISION)
        if DECAY == SCALAR:
            pairs = pairs * rise
        pairs = tl.where(up, pairs, 0.0).to(CT)
        grad = tl.dot(k_c, r_c, input_precision=PRECISION)
        if DECAY == SCALAR:
            grad = grad * from_r
        if PACKED:
            grad = tl.where(kept, grad, 0.0)
        grad = tl.dot(pairs, o_c, acc=grad, input_precision=PRECISION)
        store_tile(dv + (at * H + head) * E, row, H * E, ok, column, grad, E, BE)

        # dk
        pairs = tl.dot(v_c, tl.trans(o_c), input_precision=PRECISION)
        if DECAY == SCALAR:
            pairs = pairs * rise
        pairs = tl.where(up, pairs, 0.0).to(CT)
        grad = tl.dot(v_c, tl.trans(r_c), input_precision=PRECISION)
        if DECAY == SCALAR:
            grad = grad * from_r
        if PACKED:
            grad = tl.where(kept, grad, 0.0)
        grad = tl.dot(pairs, q_c, acc=grad, input_precision=PRECISION)
        if DECAY != NONE:
            change = -part_of_slope(k_c, grad, DECAY)
        if DECAY == INNER:
            at_q = q_factor + (at * H + head) * D
            at_f = k_factor + (at * H + head) * D
            if BEFORE:
                k_up = load_tile(at_f, row, H * D, ok, 0, D, BD).to(tl.float32)
            else:
                k_up = load_tile(at_f, row, H * D, ok & (is_weak == 0), 0, D, BD).to(tl.float32)
                q_up = load_tile(at_q, row, H * D, ok, 0, D, BD).to(tl.float32)
                k_up = tl.where(is_weak, 1.0 / tl.where(q_up == 0.0, 1.0, q_up), k_up)
            grad = grad * k_up
        store_tile(dk + out, row, H * D, ok, 0, grad, D, BD)

        # dq, from S: loaded in a branch, so that Triton keeps one buffer of it, and only from here on
        s_c = tl.zeros([BD, BE], CT)
        if chunks > 0:
            s_c = tl.load(s_marks + here * (D * E) + s_tile, mask=state_mask, other=0.0).to(CT)
        if READ or DECAY != NONE:
            pairs = tl.dot(o_c, tl.trans(v_c), input_precision=PRECISION)
            if DECAY == SCALAR:
                pairs = pairs * fall
            pairs = tl.where(down, pairs, 0.0).to(CT)
            grad_q = tl.dot(o_c, tl.trans(s_c), input_precision=PRECISION)
            if DECAY == SCALAR:
                grad_q = grad_q * from_s
            elif DECAY == INNER:
                grad_q = grad_q * h[None, :]
            if PACKED:
                grad_q = tl.where(carried, grad_q, 0.0)
            grad_q = tl.dot(pairs, k_c, acc=grad_q, input_precision=PRECISION)
            if DECAY != NONE:
                gain = part_of_slope(q_c, grad_q, DECAY)
                if not BEFORE:
                    change += gain
            if READ:
                if DECAY == INNER:
                    grad_q = grad_q * load_tile(at_q, row, H * D, ok, 0, D, BD).to(tl.float32)
                store_tile(dq + out, row, H * D, ok, 0, grad_q, D, BD)

        # the decay's own: what a token reads before its decay counts from the next token on
        if DECAY != NONE:
            follows = visible(start, C, M, False, DECAY != SCALAR, PACKED)
            after = visible(start, C, M, True, DECAY != SCALAR, PACKED)
            # Σ_{s after the chunk} of the decay's gradient is S∘R there
            at_beyond = beyond + (here + H) * (PARTS * D) + d
            past = tl.zeros([BD], tl.float32)
            for index in tl.static_range(PARTS):
                past += tl.load(at_beyond + index * D, mask=(d < D) & (block == 0), other=0.0)
            if DECAY == SCALAR:
                ends_on = tl.sum(past, 0)
                slope = suffix_of_rows(change, follows)
                slope += tl.where(row >= edge, ends_on, 0.0) if PACKED else ends_on
                if BEFORE:
                    slope += suffix_of_rows(gain, after)
                tl.store(d_decay + part + at * H + head + row * H, slope, mask=ok)
            else:
                slope = suffix_sum(change, follows, CT)
                slope += tl.where(kept, past[None, :], 0.0) if PACKED else past[None, :]
                if BEFORE:
                    slope += suffix_sum(gain, after, CT)
                store_tile(d_decay + out, row, H * D, ok, 0, slope, D, BD)

        # the adjoint state at the chunk's other edge
        if not FROM_MARKS:
            if PACKED:
                state = state * keep
                o_c = tl.where(carried, o_c, 0.0).to(CT)
            state = tl.dot(tl.trans(q_c), o_c, acc=state, input_precision=PRECISION)
    if FINAL:  # noqa: SIM102  a constant of the compiler and a number of the device
        if shard == 0:
            at_state = r_out + n.to(tl.int64) * out_n + head.to(tl.int64) * (D * E)
            tl.store(at_state + d[:, None] * out_d + e[None, :] * out_e, state, mask=state_mask)
