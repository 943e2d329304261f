"""Decays, summed over each chunk once, before any sweep.

A decay a head: c_t, the sum of the chunk's log decays up to t, in base 2. A decay a key: the operands themselves, so that
every later kernel works as if there were no decay. With c_t and the chunk's whole decay c_C,

    q~_t = q_t exp(c_t - m),    k~_s = k_s exp(m - c_s),    m = c_C / 2

the chunk's pairs are q~·k~, its reads of the state q~·(h∘S), and the state after it h∘(h∘S + K~ᵀV) with h = exp(c_C / 2).
Factors stay within exp(±70); a chunk that decays more (`weak` 0) takes q exp(c) and k exp(c_C - c), which reach the state
exactly, and strong.py adds its pairs.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

from .tiles import SMALLEST, load_tile, span, store_tile

# natural logarithm of the most that a chunk decays by where pairs are products of factors
WEAKEST = tl.constexpr(-140.0)
LOG2_E = tl.constexpr(1.4426950408889634)


@triton.jit
def cumulate_kernel(
    decay, c, bounds, T, H, CHUNKS, ROWS, g_t, g_h,
    C: tl.constexpr, VARLEN: tl.constexpr,
):  # fmt: skip
    """decay [rows, H] -> c [H, rows], base 2."""
    program = tl.program_id(0)
    head = program % H
    chunk = (program // H) % CHUNKS
    base, length, _ = span(bounds, program // (H * CHUNKS), T, C, VARLEN)
    row = tl.arange(0, C)
    at = base + chunk * C
    ok = chunk * C + row < length
    steps = tl.load(decay + at * g_t + head * g_h + row * g_t, mask=ok, other=0.0).to(tl.float32)
    steps = tl.maximum(steps, SMALLEST) * LOG2_E
    tl.store(c + head.to(tl.int64) * ROWS + at + row, tl.cumsum(steps, 0), mask=ok)


@triton.jit
def factors(decay, row, g_t, ok, column, BEFORE: tl.constexpr, M: tl.constexpr, D: tl.constexpr, BD: tl.constexpr):
    """c, c where a read does not see its own token's decay, and the total: [C, BD] and [BD]."""
    steps = tl.maximum(load_tile(decay, row, g_t, ok & (row % M == 0), column, D, BD).to(tl.float32), SMALLEST)
    c = tl.cumsum(steps, 0)
    total = tl.sum(steps, 0)
    early = c
    if BEFORE:
        own = steps
        if M > 1:
            own = tl.maximum(load_tile(decay, row - row % M, g_t, ok, column, D, BD).to(tl.float32), SMALLEST)
        early = c - own
    return c, early, total


@triton.jit
def raise_kernel(
    q, k, b, beta, decay, q_raised, k_raised, b_raised, q_factor, k_factor, b_factor, ends, weak, bounds,
    T, H, CHUNKS, q_t, q_h, k_t, k_h, b_t, b_h, beta_t, beta_h, g_t, g_h,
    D: tl.constexpr, BD: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    BEFORE: tl.constexpr, DECAYED: tl.constexpr, ERASE: tl.constexpr, STRENGTH: tl.constexpr, SAVE: tl.constexpr, VARLEN: tl.constexpr,
):  # fmt: skip
    """q~, k~ (and b~, decayed like q~ but by what its own read sees) and the factors themselves, for the gradients: of keys
    only where they are not the inverse of q's. STRENGTH: k is written times beta, and b is -k. ends [slots, H, 2, D] is h twice, or 1 and exp(c_C); weak [slots, H]."""
    program = tl.program_id(0)
    head = program % H
    chunk = (program // H) % CHUNKS
    base, length, slot = span(bounds, program // (H * CHUNKS), T, C, VARLEN)
    if chunk * C >= length:
        return
    row = tl.arange(0, C)
    d = tl.arange(0, BD)
    at = base + chunk * C
    ok = chunk * C + row < length
    at_g = decay + at * g_t + head * g_h
    c, early, total = factors(at_g, row, g_t, ok, 0, BEFORE or (ERASE and not DECAYED), M, D, BD)
    here = (slot + chunk) * H + head
    is_weak = tl.min(tl.where(d < D, total, 0.0), 0) > WEAKEST
    tl.store(weak + here, is_weak.to(tl.int32))
    middle = tl.where(is_weak, 0.5 * total, 0.0)
    upper = total - middle
    tl.store(ends + here * (2 * D) + d, tl.exp(middle), mask=d < D)
    tl.store(ends + here * (2 * D) + D + d, tl.exp(upper), mask=d < D)
    q_up = tl.exp((early if BEFORE else c) - middle[None, :])
    k_up = tl.exp(tl.where(is_weak, middle, total)[None, :] - c)
    out = (at * H + head) * D
    q_c = load_tile(q + at * q_t + head * q_h, row, q_t, ok, 0, D, BD).to(tl.float32)
    store_tile(q_raised + out, row, H * D, ok, 0, q_c * q_up, D, BD)
    k_c = load_tile(k + at * k_t + head * k_h, row, k_t, ok, 0, D, BD).to(tl.float32)
    if STRENGTH:
        strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
        store_tile(k_raised + out, row, H * D, ok, 0, k_c * (strength[:, None] * k_up), D, BD)
    else:
        store_tile(k_raised + out, row, H * D, ok, 0, k_c * k_up, D, BD)
    if ERASE:
        b_up = tl.exp((c if DECAYED else early) - middle[None, :])
        if STRENGTH:
            b_c = -k_c
        else:
            b_c = load_tile(b + at * b_t + head * b_h, row, b_t, ok, 0, D, BD).to(tl.float32)
        store_tile(b_raised + out, row, H * D, ok, 0, b_c * b_up, D, BD)
    if SAVE:
        store_tile(q_factor + out, row, H * D, ok, 0, q_up, D, BD)
        if BEFORE:
            store_tile(k_factor + out, row, H * D, ok, 0, k_up, D, BD)
        else:
            store_tile(k_factor + out, row, H * D, ok & (is_weak == 0), 0, k_up, D, BD)
        if ERASE and BEFORE == DECAYED:
            store_tile(b_factor + out, row, H * D, ok, 0, b_up, D, BD)
