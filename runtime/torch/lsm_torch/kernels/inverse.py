"""The triangular matrices of each chunk, for all chunks at once: pairs of rows with their decays, and the erase's inverse."""

# mypy: ignore-errors

import triton
import triton.language as tl

from .decay import factors
from .forward import before_decay
from .strong import pair_scores
from .tiles import INNER, SCALAR, load_tile, span, store_tile, visible


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
def pairs_kernel(
    q, k, b, plain_q, plain_k, plain_b, beta, inverse, scores, c, decay, weak, positions, bounds, T, H, CHUNKS, ROWS,
    q_t, q_h, k_t, k_h, b_t, b_h, q0_t, q0_h, k0_t, k0_h, b0_t, b0_h, beta_t, beta_h, g_t, g_h,
    D: tl.constexpr, BD: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, BEFORE: tl.constexpr, DECAYED: tl.constexpr, STRENGTH: tl.constexpr, STRONG: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Of each chunk (I - tril(b kᵀ, -1))⁻¹ and tril(q kᵀ), with decays: inverse, scores [rows, H, C]. STRENGTH: k is to be taken times
    beta, and b is -k. Where keys decay, q, k and b are raised (decay.py) and hold that; STRONG, launched beside, does the strong chunks
    alone, from the plain ones. Grid: heads × chunks × sequences."""
    program = tl.program_id(0)
    head = program % H
    chunk = (program // H) % CHUNKS
    base, length, slot = span(bounds, program // (H * CHUNKS), T, C, VARLEN)
    t0 = chunk * C
    if t0 >= length:
        return
    if DECAY == INNER:  # noqa: SIM102  a constant of the compiler and a number of the device
        if (tl.load(weak + (slot + chunk) * H + head) == 0) != STRONG:
            return
    row = tl.arange(0, C)
    at = base + t0
    ok = t0 + row < length
    start = tl.zeros([C], tl.int32)
    if PACKED:
        start = row - tl.load(positions + at + row, mask=ok, other=0).to(tl.int32)
    below = visible(start, C, M, True, False, PACKED)
    down = visible(start, C, M, BEFORE, False, PACKED)
    OWN_K: tl.constexpr = STRENGTH and (STRONG or DECAY != INNER)
    EARLY: tl.constexpr = BEFORE or not DECAYED
    if STRONG:
        q_p = load_tile(plain_q + at * q0_t + head * q0_h, row, q0_t, ok, 0, D, BD).to(tl.float32)
        k_p = load_tile(plain_k + at * k0_t + head * k0_h, row, k0_t, ok, 0, D, BD).to(tl.float32)
        b_p = k_p
        if not STRENGTH:
            b_p = load_tile(plain_b + at * b0_t + head * b0_h, row, b0_t, ok, 0, D, BD).to(tl.float32)
        c_p, early, _ = factors(decay + at * g_t + head * g_h, row, g_t, ok, 0, EARLY, M, D, BD)
        erased = pair_scores(b_p, k_p, c_p if DECAYED else early, c_p, C)
        read = pair_scores(q_p, k_p, early if BEFORE else c_p, c_p, C)
    else:
        q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(CT)
        k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(CT)
        b_c = k_c
        if not OWN_K:
            b_c = load_tile(b + at * b_t + head * b_h, row, b_t, ok, 0, D, BD).to(CT)
        read = tl.dot(q_c, tl.trans(k_c), input_precision=PRECISION)
        erased = tl.dot(b_c, tl.trans(k_c), input_precision=PRECISION)
    if DECAY == SCALAR:
        at_c = c + head.to(tl.int64) * ROWS + at
        total = tl.load(at_c + tl.minimum(length - t0, C) - 1)
        c_k = tl.load(at_c + row, mask=ok, other=total)
        early = c_k
        if EARLY:
            early = before_decay(at_c, row, ok, total, M)
        c_q = early if BEFORE else c_k
        c_b = c_k if DECAYED else early
        fall = tl.exp2(tl.where(down, c_q[:, None] - c_k[None, :], 0.0))
        read = read * fall
        if BEFORE == DECAYED:
            fall = tl.exp2(tl.where(below, c_b[:, None] - c_k[None, :], 0.0))
        erased = erased * fall
    if OWN_K:
        strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
        read = read * strength[None, :]
        erased = erased * -strength[None, :]
    store_tile(scores + (at * H + head) * C, row, H * C, ok, 0, tl.where(down, read, 0.0), C, C)
    whole = unit_inverse(tl.where(below, erased, 0.0), C, PRECISION)
    store_tile(inverse + (at * H + head) * C, row, H * C, ok, 0, whole, C, C)
