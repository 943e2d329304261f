"""The pairs of chunks whose keys decay too much for products of factors (decay.py): pair by pair, added to what is there.

A program whose chunk is weak ends at once. dv, dq, dk, db and the decay's gradient of a chunk's pairs are those of gradients.py.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .decay import factors
from .gradients import suffix_sum
from .tiles import INNER, load_tile, span, store_tile, visible


@triton.jit
def pair_scores(x, y, cx, cy, C: tl.constexpr):
    """Σ_d x_td y_sd exp(cx_td - cy_sd), right where the exponent is at most 0."""
    scores = tl.zeros([C, C], tl.float32)
    row = tl.arange(0, C)
    for s in range(C):
        here = row[:, None] == s
        ys = tl.sum(tl.where(here, y, 0.0), 0)
        cs = tl.sum(tl.where(here, cy, 0.0), 0)
        column = tl.sum(x * ys[None, :] * tl.exp(tl.minimum(cx - cs[None, :], 0.0)), 1)
        scores = tl.where(row[None, :] == s, column[:, None], scores)
    return scores


@triton.jit
def pair_sum(scores, z, cx, cz, C: tl.constexpr):
    """Σ_s scores_ts z_sd exp(cx_td - cz_sd), right where the exponent is at most 0 or the score is 0."""
    out = tl.zeros_like(z)
    row = tl.arange(0, C)
    for s in range(C):
        here = row[:, None] == s
        zs = tl.sum(tl.where(here, z, 0.0), 0)
        cs = tl.sum(tl.where(here, cz, 0.0), 0)
        column = tl.sum(tl.where(row[None, :] == s, scores, 0.0), 1)
        out += column[:, None] * zs[None, :] * tl.exp(tl.minimum(cx - cs[None, :], 0.0))
    return out


@triton.jit
def add_tile(pointer, row, stride, ok, value, D: tl.constexpr, BD: tl.constexpr):
    before = load_tile(pointer, row, stride, ok, 0, D, BD).to(tl.float32)
    store_tile(pointer, row, stride, ok, 0, before + value, D, BD)


@triton.jit
def strong_forward_kernel(
    q, k, v, o, beta, decay, weak, positions, bounds, T, H, CHUNKS,
    q_t, q_h, k_t, k_h, v_t, v_h, beta_t, beta_h, g_t, g_h,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, BEFORE: tl.constexpr, STRENGTH: tl.constexpr, PACKED: tl.constexpr, VARLEN: tl.constexpr,
    PRECISION: tl.constexpr,
):  # fmt: skip
    """o += the chunk's pairs."""
    program = tl.program_id(0)
    head = program % H
    chunk = (program // H) % CHUNKS
    base, length, slot = span(bounds, program // (H * CHUNKS), T, C, VARLEN)
    if chunk * C >= length:
        return
    if tl.load(weak + (slot + chunk) * H + head) != 0:
        return
    row = tl.arange(0, C)
    at = base + chunk * C
    ok = chunk * C + row < length
    q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(tl.float32)
    k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(tl.float32)
    if STRENGTH:
        strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
        k_c = k_c * strength[:, None]
    v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, 0, E, BE).to(tl.float32)
    start = tl.zeros([C], tl.int32)
    if PACKED:
        start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
    down = visible(start, C, M, BEFORE, False, PACKED)
    at_g = decay + at * g_t + head * g_h
    if DECAY == INNER:
        c, early, _ = factors(at_g, row, g_t, ok, 0, BEFORE, M, D, BD)
        scores = tl.where(down, pair_scores(q_c, k_c, early, c, C), 0.0)
        out = tl.dot(scores, v_c, input_precision=PRECISION)
    else:
        c, early, _ = factors(at_g, row, g_t, ok, 0, BEFORE, M, E, BE)
        scores = tl.where(down, tl.dot(q_c, tl.trans(k_c), input_precision=PRECISION), 0.0)
        out = pair_sum(scores, v_c, early, c, C)
    add_tile(o + (at * H + head) * E, row, H * E, ok, out, E, BE)


@triton.jit
def strong_gradients_kernel(
    q, k, v, d_o, b, z, beta, decay, weak, positions, bounds, dq, dk, dv, db, d_beta, d_decay, T, H, CHUNKS,
    q_t, q_h, k_t, k_h, v_t, v_h, o_t, o_h, b_t, b_h, beta_t, beta_h, g_t, g_h,
    D: tl.constexpr, E: tl.constexpr, BD: tl.constexpr, BE: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    BEFORE: tl.constexpr, DECAYED: tl.constexpr, ERASE: tl.constexpr, STRENGTH: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, READ: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """dq, dk, dv (or db) and the decay's gradient += those of the chunk's pairs; keys decay."""
    program = tl.program_id(0)
    head = program % H
    chunk = (program // H) % CHUNKS
    base, length, slot = span(bounds, program // (H * CHUNKS), T, C, VARLEN)
    if chunk * C >= length:
        return
    if tl.load(weak + (slot + chunk) * H + head) != 0:
        return
    row = tl.arange(0, C)
    at = base + chunk * C
    ok = chunk * C + row < length
    out = (at * H + head) * D
    q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(tl.float32)
    k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(tl.float32)
    if STRENGTH:
        strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
        b_c = -k_c
        k_c = k_c * strength[:, None]
    v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, 0, E, BE).to(tl.float32)
    o_c = load_tile(d_o + at * o_t + head * o_h, row, o_t, ok, 0, E, BE).to(tl.float32)
    start = tl.zeros([C], tl.int32)
    if PACKED:
        start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
    down = visible(start, C, M, BEFORE, False, PACKED)
    up = visible(start, C, M, BEFORE, True, PACKED)
    follows = visible(start, C, M, False, True, PACKED)
    after = visible(start, C, M, True, True, PACKED)
    at_g = decay + at * g_t + head * g_h
    c, early, _ = factors(at_g, row, g_t, ok, 0, BEFORE or (ERASE and not DECAYED), M, D, BD)
    c_q = early if BEFORE else c
    pairs = tl.where(down, tl.dot(o_c, tl.trans(v_c), input_precision=PRECISION), 0.0)
    grad_q = pair_sum(pairs, k_c, c_q, c, C)
    gain = q_c * grad_q
    if READ:
        add_tile(dq + out, row, H * D, ok, grad_q, D, BD)
    pairs = tl.where(up, tl.dot(v_c, tl.trans(o_c), input_precision=PRECISION), 0.0)
    grad = pair_sum(pairs, q_c, -c, -c_q, C)
    slope = suffix_sum(gain, after if BEFORE else follows, CT)
    if ERASE:
        if not STRENGTH:
            b_c = load_tile(b + at * b_t + head * b_h, row, b_t, ok, 0, D, BD).to(tl.float32)
        z_c = load_tile(z + (at * H + head) * E, row, H * E, ok, 0, E, BE).to(tl.float32)
        c_b = c if DECAYED else early
        pairs = tl.where(
            visible(start, C, M, True, False, PACKED), tl.dot(z_c, tl.trans(v_c), input_precision=PRECISION), 0.0
        )
        grad_b = pair_sum(pairs, k_c, c_b, c, C)
        slope += suffix_sum(b_c * grad_b, follows if DECAYED else after, CT)
        if not STRENGTH:
            add_tile(db + out, row, H * D, ok, grad_b, D, BD)
        pairs = tl.where(after, tl.dot(v_c, tl.trans(z_c), input_precision=PRECISION), 0.0)
        grad += pair_sum(pairs, b_c, -c, -c_b, C)
    else:
        pairs = tl.where(up, pair_scores(k_c, q_c, -c, -c_q, C), 0.0)
        add_tile(dv + (at * H + head) * E, row, H * E, ok, tl.dot(pairs, o_c, input_precision=PRECISION), E, BE)
    slope -= suffix_sum(k_c * grad, follows, CT)
    if STRENGTH:
        at_beta = d_beta + at * H + head + row * H
        tl.store(at_beta, tl.load(at_beta, mask=ok, other=0.0) - tl.sum(b_c * grad, 1), mask=ok)
        grad = strength[:, None] * grad - grad_b
    add_tile(dk + out, row, H * D, ok, grad, D, BD)
    add_tile(d_decay + out, row, H * D, ok, slope, D, BD)
