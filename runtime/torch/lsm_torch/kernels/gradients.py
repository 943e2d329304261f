"""Every gradient of a chunk but dv, from the state S before it and the adjoint state R after it (recurrences.md, §3).

What is written is known from the forward (values V, or with an erase E of solve.py), dv from the pass in reverse that left R
(forward.py; Z of solve_adjoint.py), so all chunks go at once, in blocks of keys:

    P = dO Vᵀ on its mask;    dQ = P K~ + dO Sᵀ,    dK = V Rᵀ + Pᵀ Q~,    d log Λ_t = Σ_{s >= t} (q_s∘dq_s - k_s∘dk_s) + S'∘R
    with an erase  P2 = Z Eᵀ;    dB = P2 K~ + Z Sᵀ,    dK += P2ᵀ B~,    the sum's terms + b_s∘db_s
    S'∘R = Λ∘S∘R + Σ_s k_s∘(V Rᵀ)_s

The products over the values are summed in one loop, whose tiles Triton loads ahead. Pᵀ Q~ is taken as (Q~ᵀ P)ᵀ: Triton 3.4 to 3.7 gets
tl.dot(tl.trans(x), y) wrong on Hopper where x is an accumulator. The pairs of q∘dq and k∘dk come from one rounded P, so they cancel.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .forward import before_decay, ends_of
from .slope import part_of_slope, suffix_of_rows, suffix_sum
from .tiles import INNER, NONE, SCALAR, document_edges, load_tile, span, store_tile, visible


@triton.jit
def gradients_kernel(
    q, k, v, d_o, b, z, beta, plain_k, s_marks, r_marks,
    q_factor, k_factor, b_factor, c, ends, weak, positions, bounds,
    dq, dk, db, d_beta, d_decay,
    T, H, CHUNKS, ROWS,
    q_t, q_h, k_t, k_h, v_t, v_h, o_t, o_h, b_t, b_h, beta_t, beta_h, k0_t, k0_h, s_d, s_e,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, BEFORE: tl.constexpr, ERASE: tl.constexpr, DECAYED: tl.constexpr, STRENGTH: tl.constexpr, READ: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """q, k, b [rows, H, D]; v (of an erase E), d_o, z [rows, H, E]; s_marks by the strides s_d, s_e; outputs contiguous; d_beta, and
    d_decay [.., 1] where a head has one, with a block of keys before the rows (each gives a part; their sum is the gradient).
    STRENGTH: k is to be taken times beta and b is -k (raised ones hold that), dk is plain_k's gradient, d_beta beta's. READ: dq is wanted
    (where values decay the roles are exchanged, and it would be o). Grid: D-blocks × heads × chunks × sequences."""
    program = tl.program_id(0)
    key_blocks: tl.constexpr = (D + BD - 1) // BD
    first_key = (program % key_blocks) * BD
    head = (program // key_blocks) % H
    chunk = (program // (key_blocks * H)) % CHUNKS
    base, length, slot = span(bounds, program // (key_blocks * H * CHUNKS), T, C, VARLEN)
    t0 = chunk * C
    if t0 >= length:
        return
    here = (slot + chunk) * H + head
    at = base + t0
    row = tl.arange(0, C)
    ok = t0 + row < length
    d = first_key + tl.arange(0, BD)
    out = (at * H + head) * D
    small = (program % key_blocks).to(tl.int64) * ROWS * H + at * H + head + row * H
    OWN_K: tl.constexpr = STRENGTH and DECAY != INNER
    q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, first_key, D, BD).to(CT)
    k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, first_key, D, BD).to(CT)

    # over the values
    pairs = tl.zeros([C, C], tl.float32)
    grad = tl.zeros([C, BD], tl.float32)
    grad_q = tl.zeros([C, BD], tl.float32)
    past = tl.zeros([BD], tl.float32)
    if ERASE:
        pairs2 = tl.zeros([C, C], tl.float32)
        grad_b = tl.zeros([C, BD], tl.float32)
    for block in tl.range(0, (E + BE - 1) // BE, num_stages=STAGES):
        column = block * BE
        col = column + tl.arange(0, BE)
        state_mask = (d[:, None] < D) & (col[None, :] < E)
        v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, column, E, BE).to(CT)
        o_c = load_tile(d_o + at * o_t + head * o_h, row, o_t, ok, column, E, BE).to(CT)
        s_c = tl.load(s_marks + here * (D * E) + d[:, None] * s_d + col[None, :] * s_e, mask=state_mask, other=0.0)
        s_c = s_c.to(CT)
        at_r = r_marks + (here + H) * (D * E) + d[:, None] * E + col[None, :]
        r_c = tl.load(at_r, mask=state_mask, other=0.0).to(CT)
        pairs = tl.dot(o_c, tl.trans(v_c), acc=pairs, input_precision=PRECISION)
        grad_q = tl.dot(o_c, tl.trans(s_c), acc=grad_q, input_precision=PRECISION)
        grad = tl.dot(v_c, tl.trans(r_c), acc=grad, input_precision=PRECISION)
        if ERASE:
            z_c = load_tile(z + (at * H + head) * E, row, H * E, ok, column, E, BE).to(CT)
            pairs2 = tl.dot(z_c, tl.trans(v_c), acc=pairs2, input_precision=PRECISION)
            grad_b = tl.dot(z_c, tl.trans(s_c), acc=grad_b, input_precision=PRECISION)
        if DECAY != NONE:
            past += tl.sum(s_c.to(tl.float32) * r_c.to(tl.float32), 1)

    # masks and decays
    start = tl.zeros([C], tl.int32)
    if PACKED:
        start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
        edge = document_edges(positions, base, t0, length, C, True)
        carried = (start < 0)[:, None]
        kept = (row >= edge)[:, None]
        past = past * (edge < 0).to(tl.float32)
        grad = tl.where(kept, grad, 0.0)
        grad_q = tl.where(carried, grad_q, 0.0)
        if ERASE:
            grad_b = tl.where(carried, grad_b, 0.0)
    down = visible(start, C, M, BEFORE, False, PACKED)
    if ERASE:
        down2 = visible(start, C, M, True, False, PACKED)
    if STRENGTH:
        strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
    if DECAY == SCALAR:
        at_c = c + head.to(tl.int64) * ROWS + at
        total = tl.load(at_c + tl.minimum(length - t0, C) - 1)
        c_k = tl.load(at_c + row, mask=ok, other=total)
        early = c_k
        if BEFORE or (ERASE and not DECAYED):
            early = before_decay(at_c, row, ok, total, M)
        c_q = early if BEFORE else c_k
        grad = grad * tl.exp2(total - c_k)[:, None]
        grad_q = grad_q * tl.exp2(c_q)[:, None]
        past = past * tl.exp2(total)
        fall = tl.exp2(tl.where(down, c_q[:, None] - c_k[None, :], 0.0))
        pairs = pairs * fall
        if ERASE:
            c_b = c_k if DECAYED else early
            grad_b = grad_b * tl.exp2(c_b)[:, None]
            if BEFORE == DECAYED:
                fall = tl.exp2(tl.where(down2, c_b[:, None] - c_k[None, :], 0.0))
            pairs2 = pairs2 * fall
    elif DECAY == INNER:
        h, h2 = ends_of(ends, here, first_key, D, BD)
        grad = grad * h[None, :]
        grad_q = grad_q * h[None, :]
        past = past * (h * h2)
        is_weak = tl.load(weak + here) != 0
        down = down & is_weak
        if ERASE:
            grad_b = grad_b * h[None, :]
            down2 = down2 & is_weak
    pairs = tl.where(down, pairs, 0.0).to(CT)
    if ERASE:
        pairs2 = tl.where(down2, pairs2, 0.0).to(CT)
    if DECAY == SCALAR:
        from_state = part_of_slope(k_c, grad, DECAY)
        if OWN_K:
            from_state = from_state * strength
        ends_on = tl.sum(past, 0) + tl.sum(from_state, 0)
    elif DECAY == INNER:
        past += tl.sum(part_of_slope(k_c, grad, DECAY), 0)

    # dq and db
    sources = k_c
    if OWN_K:
        sources = (k_c * strength[:, None]).to(CT)
    grad_q = tl.dot(pairs, sources, acc=grad_q, input_precision=PRECISION)
    if ERASE:
        grad_b = tl.dot(pairs2, sources, acc=grad_b, input_precision=PRECISION)
        if OWN_K:
            b_c = k_c
            grad_b = -grad_b
        else:
            b_c = load_tile(b + at * b_t + head * b_h, row, b_t, ok, first_key, D, BD).to(CT)

    # dk
    if ERASE:
        transposed = tl.dot(tl.trans(b_c), pairs2, input_precision=PRECISION)
        if OWN_K:
            transposed = -transposed
        transposed = tl.dot(tl.trans(q_c), pairs, acc=transposed, input_precision=PRECISION)
    else:
        transposed = tl.dot(tl.trans(q_c), pairs, input_precision=PRECISION)
    grad += tl.trans(transposed)
    if OWN_K:
        of_beta = tl.sum(k_c.to(tl.float32) * grad, 1)
        tl.store(d_beta + small, of_beta, mask=ok)
    if DECAY != NONE:
        gain = part_of_slope(q_c, grad_q, DECAY)
        change = -strength * of_beta if OWN_K else -part_of_slope(k_c, grad, DECAY)
        if not BEFORE:
            change += gain
        if ERASE:
            gain_b = part_of_slope(b_c, grad_b, DECAY)
            if DECAYED:
                change += gain_b
    # from the raised operands to the plain ones
    if DECAY == INNER:
        at_f = (at * H + head) * D
        q_up = load_tile(q_factor + at_f, row, H * D, ok, first_key, D, BD).to(tl.float32)
        if BEFORE:
            k_up = load_tile(k_factor + at_f, row, H * D, ok, first_key, D, BD).to(tl.float32)
        else:
            k_up = load_tile(k_factor + at_f, row, H * D, ok & (is_weak == 0), first_key, D, BD).to(tl.float32)
            k_up = tl.where(is_weak, 1.0 / tl.where(q_up == 0.0, 1.0, q_up), k_up)
        grad = grad * k_up
        grad_q = grad_q * q_up
        if ERASE:
            if BEFORE == DECAYED:
                grad_b = grad_b * load_tile(b_factor + at_f, row, H * D, ok, first_key, D, BD).to(tl.float32)
            else:
                grad_b = grad_b * q_up
    if READ:
        store_tile(dq + out, row, H * D, ok, first_key, grad_q, D, BD)
    if STRENGTH:
        if DECAY == INNER:
            k0 = load_tile(plain_k + at * k0_t + head * k0_h, row, k0_t, ok, first_key, D, BD).to(tl.float32)
            tl.store(d_beta + small, tl.sum(k0 * grad, 1), mask=ok)
            grad_b = -grad_b
        store_tile(dk + out, row, H * D, ok, first_key, strength[:, None] * grad + grad_b, D, BD)
    else:
        store_tile(dk + out, row, H * D, ok, first_key, grad, D, BD)
        if ERASE:
            store_tile(db + out, row, H * D, ok, first_key, grad_b, D, BD)

    # the decay's own: what a token reads before its decay counts from the next token on
    if DECAY != NONE:
        follows = visible(start, C, M, False, DECAY != SCALAR, PACKED)
        after = visible(start, C, M, True, DECAY != SCALAR, PACKED)
        if DECAY == SCALAR:
            slope = suffix_of_rows(change, follows)
            slope += tl.where(row >= edge, ends_on, 0.0) if PACKED else ends_on
            if BEFORE:
                slope += suffix_of_rows(gain, after)
            if ERASE and not DECAYED:
                slope += suffix_of_rows(gain_b, after)
            tl.store(d_decay + small, slope, mask=ok)
        else:
            slope = suffix_sum(change, follows, CT)
            slope += tl.where(kept, past[None, :], 0.0) if PACKED else past[None, :]
            if BEFORE:
                slope += suffix_sum(gain, after, CT)
            if ERASE and not DECAYED:
                slope += suffix_sum(gain_b, after, CT)
            store_tile(d_decay + out, row, H * D, ok, first_key, slope, D, BD)
