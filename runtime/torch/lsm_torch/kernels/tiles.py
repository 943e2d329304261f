"""What every recurrence kernel is built from: tiles of rows, and the masks of documents.

A chunk holds C rows; M rows make a token (several writes or erases), so `row // M` is the token. Offsets within a chunk
are 32-bit, the chunk's own offset is 64-bit.
"""

# mypy: ignore-errors

import triton
import triton.language as tl

# Decays of one step below exp(-100) are 0 in float32; sums of such logs stay finite.
SMALLEST = tl.constexpr(-100.0)

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
def span(bounds, n, T, C: tl.constexpr, VARLEN: tl.constexpr):
    """Where sequence n begins, its length, and the first of its slots: one for each edge of its chunks, so that the chunk i
    lies between the slots i and i + 1. Packed sequences leave slots unused rather than be counted on the host."""
    if VARLEN:
        base = tl.load(bounds + n).to(tl.int64)
        length = (tl.load(bounds + n + 1) - base).to(tl.int32)
        slot = base // C + 2 * n
    else:
        base = n.to(tl.int64) * T
        length = T
        slot = n.to(tl.int64) * (tl.cdiv(T, C) + 1)
    return base, length, slot


@triton.jit
def document_edges(positions, base, t0, length, row, REVERSE: tl.constexpr):
    """Of the document at the chunk's end (in reverse: just after it): its first row, counted from the chunk's first."""
    if REVERSE:
        at = tl.minimum(t0 + row, length - 1)
    else:
        at = tl.minimum(t0 + row, length) - 1
    return at - tl.load(positions + base + at).to(tl.int32) - t0


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
