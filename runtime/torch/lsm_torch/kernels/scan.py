"""h_t = a_t ⊗ h_{t-1} ⊕ b_t for all tokens, in (×, +) and in (+, max): angles, stabilisers, states that are read whole.

A program goes through time in tiles [BT, BC] with the state in registers; within a tile both are scans. Going back,

    g_t = dh_t + s_{t+1} g_{t+1},   (×, +): s = a, da_t = g_t h_{t-1}, db_t = g_t;   (+, max): s is 1 where a_t + h_{t-1} was the
    larger side, and 0 where b_t was, da_t = s_t g_t, db_t = (1 − s_t) g_t

and nothing is kept but a, b and h.
"""

# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl

from .selective import affine

#: b of a token that is not there: below whatever a program adds to it.
LOWEST = tl.constexpr(-1e30)


@triton.jit
def highest(a, b, c, d):
    """x ↦ max(a + x, b), then x ↦ max(c + x, d)."""
    return a + c, tl.maximum(c + b, d)


@triton.jit
def factor(a, n, T, C, t, col, mask, FIXED: tl.constexpr, other):
    """a of [B, T, C], or of [C] for all tokens."""
    if FIXED:
        x = tl.load(a + col, mask=col < C, other=0.0)[None, :] + tl.zeros([t.shape[0], 1], tl.float32)
        return tl.where(mask, x, other)
    else:
        return tl.load(a + (n * T + t)[:, None] * C + col[None, :], mask=mask, other=other).to(tl.float32)


@triton.jit
def scan_kernel(
    a, b, starts, initial, h, T, C, restart,
    MAX: tl.constexpr, FIXED: tl.constexpr, MODULUS: tl.constexpr, BT: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """b, h [B, T, C]; starts int8 [B, T]; initial [B, C]. With a modulus (0: none) sums are taken in float64, as long texts need."""
    n = tl.program_id(0).to(tl.int64)
    col = tl.program_id(1) * BC + tl.arange(0, BC)
    row = tl.arange(0, BT)
    before = tl.load(initial + n * C + col, mask=col < C, other=0.0)
    if MODULUS != 0.0:
        before = before.to(tl.float64)
    for i in range(tl.cdiv(T, BT)):
        t = i * BT + row
        mask = (t < T)[:, None] & (col < C)[None, :]
        begins = (tl.load(starts + n * T + t, mask=t < T, other=0) != 0)[:, None]
        place = (n * T + t)[:, None] * C + col[None, :]
        first = (row == 0)[:, None]
        if MAX:
            x = factor(a, n, T, C, t, col, mask, FIXED, 0.0)
            y = tl.load(b + place, mask=mask, other=LOWEST).to(tl.float32)
            begun = tl.where(begins, restart, before[None, :])
            y = tl.where(begins | first, tl.maximum(x + begun, y), y)
            x = tl.where(begins, LOWEST, x)
            _, states = tl.associative_scan((x, y), 0, highest)
        else:
            x = factor(a, n, T, C, t, col, mask, FIXED, 1.0)
            y = tl.load(b + place, mask=mask, other=0.0).to(tl.float32)
            if MODULUS != 0.0:
                x, y = x.to(tl.float64), y.to(tl.float64)
            begun = tl.where(begins, restart, before[None, :])
            y = tl.where(begins | first, x * begun + y, y)
            x = tl.where(begins, 0.0, x)
            _, states = tl.associative_scan((x, y), 0, affine)
            if MODULUS != 0.0:
                states = states - tl.floor(states / MODULUS) * MODULUS
        before = tl.sum(tl.where((row == BT - 1)[:, None], states, 0.0), 0)
        tl.store(h + place, states.to(h.dtype.element_ty), mask=mask)


@triton.jit
def share(
    a, b, h, before, starts, n, T, C, t, col, restart, MAX: tl.constexpr, FIXED: tl.constexpr, TIES: tl.constexpr
):
    """s_t and the h_{t-1} it multiplies; behind the last token s is 1."""
    mask = (t < T)[:, None] & (col < C)[None, :]
    past = mask & (t > 0)[:, None]
    previous = tl.load(h + (n * T + t - 1)[:, None] * C + col[None, :], mask=past, other=0.0).to(tl.float32)
    begins = (tl.load(starts + n * T + t, mask=t < T, other=0) != 0)[:, None]
    previous = tl.where((t == 0)[:, None], before[None, :], previous)
    previous = tl.where(begins, restart, previous)
    x = factor(a, n, T, C, t, col, mask, FIXED, 1.0)
    if MAX:
        y = tl.load(b + (n * T + t)[:, None] * C + col[None, :], mask=mask, other=0.0).to(tl.float32)
        moved = x + previous
        if TIES:
            larger = moved >= y
        else:
            larger = moved > y
        x = tl.where(mask, tl.where(larger, 1.0, 0.0), 1.0)
    return x, previous, begins


@triton.jit
def scan_backward_kernel(
    a, b, starts, initial, h, dh, da, db, d_initial, T, C, restart,
    MAX: tl.constexpr, FIXED: tl.constexpr, TIES: tl.constexpr, DA: tl.constexpr, BT: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """da is [B, T, C], or parts [B, C] where a is of all tokens."""
    n = tl.program_id(0).to(tl.int64)
    col = tl.program_id(1) * BC + tl.arange(0, BC)
    row = tl.arange(0, BT)
    before = tl.load(initial + n * C + col, mask=col < C, other=0.0).to(tl.float32)
    after = tl.zeros([BC], tl.float32)
    sums = tl.zeros([BC], tl.float32)
    tiles = tl.cdiv(T, BT)
    for back in range(tiles):
        t = (tiles - 1 - back) * BT + row
        mask = (t < T)[:, None] & (col < C)[None, :]
        place = (n * T + t)[:, None] * C + col[None, :]
        next_s, _, next_begins = share(a, b, h, before, starts, n, T, C, t + 1, col, restart, MAX, FIXED, TIES)
        next_s = tl.where(next_begins, 0.0, next_s)
        c = tl.load(dh + place, mask=mask, other=0.0).to(tl.float32)
        c += tl.where((row == BT - 1)[:, None], next_s * after[None, :], 0.0)
        _, g = tl.associative_scan((next_s, c), 0, affine, reverse=True)
        after = tl.sum(tl.where((row == 0)[:, None], g, 0.0), 0)
        s, previous, begins = share(a, b, h, before, starts, n, T, C, t, col, restart, MAX, FIXED, TIES)
        to_first = tl.sum(tl.where((t == 0)[:, None] & (begins == 0), s * g, 0.0), 0)
        if MAX:
            tl.store(db + place, ((1 - s) * g).to(db.dtype.element_ty), mask=mask)
            d_factor = s * g
        else:
            tl.store(db + place, g.to(db.dtype.element_ty), mask=mask)
            d_factor = previous * g
        if DA:
            if FIXED:
                sums += tl.sum(tl.where(mask, d_factor, 0.0), 0)
            else:
                tl.store(da + place, d_factor.to(da.dtype.element_ty), mask=mask)
        tl.store(d_initial + n * C + col, to_first, mask=col < C)  # the last tile taken is the first of time
    if DA and FIXED:
        tl.store(da + n * C + col, sums, mask=col < C)
