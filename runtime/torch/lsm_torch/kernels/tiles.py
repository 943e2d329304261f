"""What every recurrence kernel is built from: tiles of rows, and the masks of documents.

A chunk holds C rows; M rows make a token (several writes or erases), so `row // M` is the token. Offsets within a chunk
are 32-bit, the chunk's own offset is 64-bit.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

# Decays of one step below exp(-100) are 0 in float32; sums of such logs stay finite.
SMALLEST = tl.constexpr(-100.0)
# Factors exp(c_t) and exp(-c_s) are taken apart only where a chunk decays by less than exp(-60) in all.
SAFE = tl.constexpr(-60.0)

NONE = tl.constexpr(0)  # no decay
SCALAR = tl.constexpr(1)  # one a head
INNER = tl.constexpr(2)  # on the axis that x and y contract
OUTER = tl.constexpr(3)  # on the axis of z and o


@triton.jit
def load_tile(pointer, row, stride, ok, column, D: tl.constexpr, BD: tl.constexpr):
    """Rows `row` [C], columns column.. [BD] below D."""
    col = column + tl.arange(0, BD)
    if D % BD == 0:
        mask = ok[:, None]
    else:
        mask = ok[:, None] & (col[None, :] < D)
    return tl.load(pointer + row[:, None] * stride + col[None, :], mask=mask, other=0.0)


@triton.jit
def store_tile(pointer, row, stride, ok, column, value, D: tl.constexpr, BD: tl.constexpr):
    col = column + tl.arange(0, BD)
    if D % BD == 0:
        mask = ok[:, None]
    else:
        mask = ok[:, None] & (col[None, :] < D)
    tl.store(pointer + row[:, None] * stride + col[None, :], value.to(pointer.dtype.element_ty), mask=mask)


@triton.jit
def load_decay(pointer, row, stride, ok, column, WIDTH: tl.constexpr, D: tl.constexpr, BD: tl.constexpr):
    """Log decays [C] (WIDTH 1) or [C, BD], float32, no smaller than SMALLEST."""
    if WIDTH == 1:
        value = tl.load(pointer + row * stride, mask=ok, other=0.0)
    else:
        value = load_tile(pointer, row, stride, ok, column, D, BD)
    return tl.maximum(value.to(tl.float32), SMALLEST)


@triton.jit
def visible(start, C: tl.constexpr, M: tl.constexpr, STRICT: tl.constexpr, REVERSE: tl.constexpr, PACKED: tl.constexpr):
    """[C, C]: may row x take from row y? Forward x is the later one, in reverse the earlier. `start` is the first row of
    the document of each later row, counted from the chunk's first."""
    row = tl.arange(0, C)
    token = row // M
    if REVERSE:
        mask = token[:, None] < token[None, :] if STRICT else token[:, None] <= token[None, :]
        if PACKED:
            mask = mask & (row[:, None] >= start[None, :])
    else:
        mask = token[:, None] > token[None, :] if STRICT else token[:, None] >= token[None, :]
        if PACKED:
            mask = mask & (row[None, :] >= start[:, None])
    return mask


@triton.jit
def suffix_sum(x, mask, PACKED: tl.constexpr):
    """Σ_{t >= s} x_t over the rows of a chunk, or those on the mask [s, t]; x is [C] or [C, E]."""
    if PACKED:
        if len(x.shape) == 1:
            out = tl.sum(tl.where(mask, x[None, :], 0.0), 1)
        else:
            out = tl.dot(mask.to(tl.float32), x, input_precision="tf32x3")
    else:
        out = tl.sum(x, 0, keep_dims=True) - tl.cumsum(x, 0) + x
    return out
