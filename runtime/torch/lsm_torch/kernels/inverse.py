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
    x, y, plain_x, plain_y, beta, out, c, decay, weak, positions, bounds, T, H, CHUNKS, ROWS,
    x_t, x_h, y_t, y_h, px_t, px_h, py_t, py_h, beta_t, beta_h, g_t, g_h,
    D: tl.constexpr, BD: tl.constexpr, C: tl.constexpr, M: tl.constexpr,
    DECAY: tl.constexpr, EARLY: tl.constexpr, STRICT: tl.constexpr, STRENGTH: tl.constexpr, INVERT: tl.constexpr, STRONG: tl.constexpr,
    PACKED: tl.constexpr, VARLEN: tl.constexpr, CT: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """x_t · y_s with decays for the pairs of each chunk, out [rows, H, C]; or, with INVERT, (I - that)⁻¹. EARLY: x does not see
    its own token's decay. STRENGTH: y is to be taken times beta; with INVERT x is -x. Where keys decay, x and y are raised
    (decay.py); STRONG, launched beside, does the strong chunks alone, from plain_x and plain_y."""
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
    mask = visible(start, C, M, STRICT, False, PACKED)
    if STRENGTH:
        strength = tl.load(beta + at * beta_t + head * beta_h + row * beta_t, mask=ok, other=0.0).to(tl.float32)
        strength = -strength if INVERT else strength
    if STRONG:
        x_p = load_tile(plain_x + at * px_t + head * px_h, row, px_t, ok, 0, D, BD).to(tl.float32)
        y_p = load_tile(plain_y + at * py_t + head * py_h, row, py_t, ok, 0, D, BD).to(tl.float32)
        c_p, early, _ = factors(decay + at * g_t + head * g_h, row, g_t, ok, 0, EARLY, M, D, BD)
        scores = pair_scores(x_p, y_p, early, c_p, C)
    else:
        x_c = load_tile(x + at * x_t + head * x_h, row, x_t, ok, 0, D, BD).to(CT)
        y_c = load_tile(y + at * y_t + head * y_h, row, y_t, ok, 0, D, BD).to(CT)
        scores = tl.dot(x_c, tl.trans(y_c), input_precision=PRECISION)
    if DECAY == SCALAR:
        at_c = c + head.to(tl.int64) * ROWS + at
        total = tl.load(at_c + tl.minimum(length - t0, C) - 1)
        c_y = tl.load(at_c + row, mask=ok, other=total)
        c_x = before_decay(at_c, row, ok, total, M) if EARLY else c_y
        scores = scores * tl.exp2(tl.where(mask, c_x[:, None] - c_y[None, :], 0.0))
    if STRENGTH and (STRONG or DECAY != INNER):
        scores = scores * strength[None, :]
    scores = tl.where(mask, scores, 0.0)
    if INVERT:
        scores = unit_inverse(scores, C, PRECISION)
    store_tile(out + (at * H + head) * C, row, H * C, ok, 0, scores, C, C)
