"""The pairs of chunks whose keys decay too much for products of factors (decay.py): pair by pair, added to what is there.

A program takes a group of chunks and ends at once where all of them are weak. It goes through keys (or the values that decay) in blocks of
BLOCK, which keeps its code small: all models with such decays compile it, few need it. dv, dq, dk, db and the decay's gradient of a chunk's pairs are those of gradients.py.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .decay import factors
from .slope import suffix_sum
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
def add_tile(pointer, row, stride, ok, column, value, D: tl.constexpr, BD: tl.constexpr):
    before = load_tile(pointer, row, stride, ok, column, D, BD).to(tl.float32)
    store_tile(pointer, row, stride, ok, column, before + value, D, BD)


@triton.jit
def strong_forward_kernel(
    q, k, v, o, beta, decay, weak, positions, bounds, T, H, GROUPS,
    q_t, q_h, k_t, k_h, v_t, v_h, beta_t, beta_h, g_t, g_h,
    D: tl.constexpr, E: tl.constexpr, BLOCK: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, BEFORE: tl.constexpr, STRENGTH: tl.constexpr, GROUP: tl.constexpr, PACKED: tl.constexpr,
    VARLEN: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """o += the chunk's pairs."""
    program = tl.program_id(0)
    head = program % H
    first = (program // H) % GROUPS * GROUP
    base, length, slot = span(bounds, program // (H * GROUPS), T, C, VARLEN)
    chunks = tl.cdiv(length, C)
    group = first + tl.arange(0, GROUP)
    flags = tl.load(weak + (slot + group) * H + head, mask=group < chunks, other=1)
    if tl.min(flags, 0) != 0:
        return
    row = tl.arange(0, C)
    for chunk in range(first, tl.minimum(first + GROUP, chunks)):
        if tl.load(weak + (slot + chunk) * H + head) == 0:
            at = base + chunk * C
            ok = chunk * C + row < length
            start = tl.zeros([C], tl.int32)
            if PACKED:
                start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
            down = visible(start, C, M, BEFORE, False, PACKED)
            at_g = decay + at * g_t + head * g_h
            at_o = o + (at * H + head) * E
            scores = tl.zeros([C, C], tl.float32)
            for column in range(0, D, BLOCK):
                q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, column, D, BLOCK).to(tl.float32)
                k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, column, D, BLOCK).to(tl.float32)
                if STRENGTH:
                    strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0)
                    k_c = k_c * strength.to(tl.float32)[:, None]
                if DECAY == INNER:
                    c, early, _ = factors(at_g, row, g_t, ok, column, BEFORE, M, D, BLOCK)
                    scores += pair_scores(q_c, k_c, early, c, C)
                else:
                    scores = tl.dot(q_c, tl.trans(k_c), acc=scores, input_precision=PRECISION)
            scores = tl.where(down, scores, 0.0)
            for column in range(0, E, BLOCK):
                v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, column, E, BLOCK).to(tl.float32)
                if DECAY == INNER:
                    out = tl.dot(scores, v_c, input_precision=PRECISION)
                else:
                    c, early, _ = factors(at_g, row, g_t, ok, column, BEFORE, M, E, BLOCK)
                    out = pair_sum(scores, v_c, early, c, C)
                add_tile(at_o, row, H * E, ok, column, out, E, BLOCK)


@triton.jit
def strong_gradients_kernel(
    q, k, v, d_o, b, z, beta, decay, weak, positions, bounds, dq, dk, dv, db, d_beta, d_decay, T, H, GROUPS,
    q_t, q_h, k_t, k_h, v_t, v_h, o_t, o_h, b_t, b_h, beta_t, beta_h, g_t, g_h,
    D: tl.constexpr, E: tl.constexpr, BLOCK: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    BEFORE: tl.constexpr, DECAYED: tl.constexpr, ERASE: tl.constexpr, STRENGTH: tl.constexpr, GROUP: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, READ: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """dq, dk, dv (or db) and the decay's gradient += those of the chunk's pairs; keys decay."""
    program = tl.program_id(0)
    head = program % H
    first = (program // H) % GROUPS * GROUP
    base, length, slot = span(bounds, program // (H * GROUPS), T, C, VARLEN)
    chunks = tl.cdiv(length, C)
    group = first + tl.arange(0, GROUP)
    flags = tl.load(weak + (slot + group) * H + head, mask=group < chunks, other=1)
    if tl.min(flags, 0) != 0:
        return
    row = tl.arange(0, C)
    for chunk in range(first, tl.minimum(first + GROUP, chunks)):
        if tl.load(weak + (slot + chunk) * H + head) == 0:
            at = base + chunk * C
            ok = chunk * C + row < length
            out = (at * H + head) * D
            start = tl.zeros([C], tl.int32)
            if PACKED:
                start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
            down = visible(start, C, M, BEFORE, False, PACKED)
            up = visible(start, C, M, BEFORE, True, PACKED)
            follows = visible(start, C, M, False, True, PACKED)
            after = visible(start, C, M, True, True, PACKED)
            if STRENGTH:
                strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)

            # over the values
            of_q = tl.zeros([C, C], tl.float32)
            of_k = tl.zeros([C, C], tl.float32)
            if ERASE:
                of_b = tl.zeros([C, C], tl.float32)
                of_z = tl.zeros([C, C], tl.float32)
            for column in range(0, E, BLOCK):
                v_c = load_tile(v + at * v_t + head * v_h, row, v_t, ok, column, E, BLOCK).to(tl.float32)
                o_c = load_tile(d_o + at * o_t + head * o_h, row, o_t, ok, column, E, BLOCK).to(tl.float32)
                of_q = tl.dot(o_c, tl.trans(v_c), acc=of_q, input_precision=PRECISION)
                of_k = tl.dot(v_c, tl.trans(o_c), acc=of_k, input_precision=PRECISION)
                if ERASE:
                    z_c = load_tile(z + (at * H + head) * E, row, H * E, ok, column, E, BLOCK).to(tl.float32)
                    of_b = tl.dot(z_c, tl.trans(v_c), acc=of_b, input_precision=PRECISION)
                    of_z = tl.dot(v_c, tl.trans(z_c), acc=of_z, input_precision=PRECISION)
            of_q = tl.where(down, of_q, 0.0)
            of_k = tl.where(up, of_k, 0.0)
            if ERASE:
                of_b = tl.where(visible(start, C, M, True, False, PACKED), of_b, 0.0)
                of_z = tl.where(after, of_z, 0.0)

            # over the keys
            scores = tl.zeros([C, C], tl.float32)
            of_beta = tl.zeros([C], tl.float32)
            for column in range(0, D, BLOCK):
                q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, column, D, BLOCK).to(tl.float32)
                k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, column, D, BLOCK).to(tl.float32)
                if STRENGTH:
                    b_c = -k_c
                    k_c = k_c * strength[:, None]
                at_g = decay + at * g_t + head * g_h
                c, early, _ = factors(at_g, row, g_t, ok, column, BEFORE or (ERASE and not DECAYED), M, D, BLOCK)
                c_q = early if BEFORE else c
                grad_q = pair_sum(of_q, k_c, c_q, c, C)
                if READ:
                    add_tile(dq + out, row, H * D, ok, column, grad_q, D, BLOCK)
                slope = suffix_sum(q_c * grad_q, after if BEFORE else follows, CT)
                grad = pair_sum(of_k, q_c, -c, -c_q, C)
                if ERASE:
                    if not STRENGTH:
                        b_c = load_tile(b + at * b_t + head * b_h, row, b_t, ok, column, D, BLOCK).to(tl.float32)
                    c_b = c if DECAYED else early
                    grad_b = pair_sum(of_b, k_c, c_b, c, C)
                    slope += suffix_sum(b_c * grad_b, follows if DECAYED else after, CT)
                    if not STRENGTH:
                        add_tile(db + out, row, H * D, ok, column, grad_b, D, BLOCK)
                    grad += pair_sum(of_z, b_c, -c, -c_b, C)
                else:
                    scores += pair_scores(k_c, q_c, -c, -c_q, C)
                slope -= suffix_sum(k_c * grad, follows, CT)
                if STRENGTH:
                    of_beta -= tl.sum(b_c * grad, 1)
                    grad = strength[:, None] * grad - grad_b
                add_tile(dk + out, row, H * D, ok, column, grad, D, BLOCK)
                add_tile(d_decay + out, row, H * D, ok, column, slope, D, BLOCK)
            if STRENGTH:
                at_beta = d_beta + at * H + head + row * H
                tl.store(at_beta, tl.load(at_beta, mask=ok, other=0.0) + of_beta, mask=ok)
            if not ERASE:
                scores = tl.where(up, scores, 0.0)
                for column in range(0, E, BLOCK):
                    o_c = load_tile(d_o + at * o_t + head * o_h, row, o_t, ok, column, E, BLOCK).to(tl.float32)
                    grad_v = tl.dot(scores, o_c, input_precision=PRECISION)
                    add_tile(dv + (at * H + head) * E, row, H * E, ok, column, grad_v, E, BLOCK)
