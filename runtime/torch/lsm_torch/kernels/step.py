"""One token of a recurrence, for decoding: every head and sequence in one launch, the state in place.

    S' = Λ∘S + Σ a (bᵀ S) + Σ k vᵀ,  or the delta rule's  Λ∘S + β k (v − pᵀ(Λ∘S))ᵀ,  or with Λ of every element;  o = qᵀ S' (or qᵀ S)

A program has all keys of a tile of values: what contracts keys stays within it, and reading and writing the state once is all there is.
"""

# mypy: ignore-errors

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from .schedule import step_tile
from .tiles import INNER, OUTER, SCALAR

AXES = {"none": 0, "scalar": 1, "key": 2, "value": 3}


@triton.jit
def state_of(state, positions, n, batch, key, col, K, V, FRESH: tl.constexpr, BK: tl.constexpr, BV: tl.constexpr):
    """The tile before this token: zero where a document begins."""
    if FRESH:
        return tl.zeros([BK, BV], tl.float32)
    else:
        mask = (key < K)[:, None] & (col < V)[None, :] & (tl.load(positions + batch) != 0)
        return tl.load(state + (n * K + key)[:, None] * V + col[None, :], mask=mask, other=0.0)


@triton.jit
def vector(x, batch, w, h, at, size, sb, sw, sh):
    return tl.load(x + batch * sb + w * sw + h * sh + at, mask=at < size, other=0.0).to(tl.float32)


@triton.jit
def step_kernel(
    state, positions, q, k, v, decay, a, b, beta, new, o, H, K, V,
    qb, qh, kb, kw, kh, vb, vw, vh, db, dh, ab, aw, ah, bb, bw, bh, tb, th,
    W: tl.constexpr, R: tl.constexpr, AXIS: tl.constexpr, BEFORE: tl.constexpr, DELTA: tl.constexpr, FRESH: tl.constexpr,
    BK: tl.constexpr, BV: tl.constexpr,
):  # fmt: skip
    """With DELTA b is the erase key p."""
    n = tl.program_id(0).to(tl.int64)
    batch, h = n // H, n % H
    key = tl.arange(0, BK)
    col = tl.program_id(1) * BV + tl.arange(0, BV)
    old = state_of(state, positions, n, batch, key, col, K, V, FRESH, BK, BV)
    s = old
    if AXIS == SCALAR:
        s = s * tl.exp(tl.load(decay + batch * db + h * dh).to(tl.float32))
    if AXIS == INNER:
        s = s * tl.exp(vector(decay, batch, 0, h, key, K, db, 0, dh))[:, None]
    if AXIS == OUTER:
        s = s * tl.exp(vector(decay, batch, 0, h, col, V, db, 0, dh))[None, :]
    if DELTA:
        seen = tl.sum(vector(b, batch, 0, h, key, K, bb, bw, bh)[:, None] * s, 0)
        strength = tl.load(beta + batch * tb + h * th).to(tl.float32)
        error = vector(v, batch, 0, h, col, V, vb, vw, vh) - seen
        s += (strength * vector(k, batch, 0, h, key, K, kb, kw, kh))[:, None] * error[None, :]
    else:
        for r in tl.static_range(R):
            seen = tl.sum(vector(b, batch, r, h, key, K, bb, bw, bh)[:, None] * old, 0)
            s += vector(a, batch, r, h, key, K, ab, aw, ah)[:, None] * seen[None, :]
        for w in tl.static_range(W):
            written = vector(v, batch, w, h, col, V, vb, vw, vh)
            s += vector(k, batch, w, h, key, K, kb, kw, kh)[:, None] * written[None, :]
    query = vector(q, batch, 0, h, key, K, qb, 0, qh)[:, None]
    read = tl.sum(query * old, 0) if BEFORE else tl.sum(query * s, 0)
    tl.store(o + n * V + col, read.to(o.dtype.element_ty), mask=col < V)
    tl.store(new + (n * K + key)[:, None] * V + col[None, :], s, mask=(key < K)[:, None] & (col < V)[None, :])


@triton.jit
def of_keys(x, n, h, key, col, K, V, FIXED: tl.constexpr):
    """[.., H, K] of this token, or [H, K, V] of every token."""
    if FIXED:
        mask = (key < K)[:, None] & (col < V)[None, :]
        return tl.load(x + (h * K + key)[:, None] * V + col[None, :], mask=mask, other=0.0).to(tl.float32)
    else:
        return tl.load(x + n * K + key, mask=key < K, other=0.0).to(tl.float32)[:, None]


@triton.jit
def selective_step_kernel(
    state, positions, q, k, v, lk, lv, step, rate, new, o, H, K, V,
    QF: tl.constexpr, KF: tl.constexpr, LK: tl.constexpr, LV: tl.constexpr, STEP: tl.constexpr, RATE: tl.constexpr,
    BEFORE: tl.constexpr, FRESH: tl.constexpr, BK: tl.constexpr, BV: tl.constexpr,
):  # fmt: skip
    n = tl.program_id(0).to(tl.int64)
    batch, h = n // H, n % H
    key = tl.arange(0, BK)
    col = tl.program_id(1) * BV + tl.arange(0, BV)
    ok = col < V
    old = state_of(state, positions, n, batch, key, col, K, V, FRESH, BK, BV)
    log = tl.zeros([BK, BV], tl.float32)
    if RATE:
        rates = of_keys(rate, n, h, key, col, K, V, True)
        if STEP:
            rates = rates * tl.load(step + n * V + col, mask=ok, other=0.0).to(tl.float32)[None, :]
        log += rates
    if LK:
        log += of_keys(lk, n, h, key, col, K, V, False)
    if LV:
        log += tl.load(lv + n * V + col, mask=ok, other=0.0).to(tl.float32)[None, :]
    value = tl.load(v + n * V + col, mask=ok, other=0.0).to(tl.float32)[None, :]
    s = tl.exp(log) * old + of_keys(k, n, h, key, col, K, V, KF) * value
    query = of_keys(q, n, h, key, col, K, V, QF)
    read = tl.sum(query * old, 0) if BEFORE else tl.sum(query * s, 0)
    tl.store(o + n * V + col, read.to(o.dtype.element_ty), mask=ok)
    tl.store(new + (n * K + key)[:, None] * V + col[None, :], s, mask=(key < K)[:, None] & ok[None, :])


def target(state: Tensor | None, shape: tuple[int, ...], like: Tensor, in_place: bool) -> Tensor:
    """Where the new state goes: into the old one, if it may and can take it."""
    if in_place and state is not None and state.is_contiguous() and state.dtype == torch.float32:
        return state
    return like.new_empty(shape, dtype=torch.float32)


def strides(x: Tensor | None) -> tuple[Tensor | None, int, int, int]:
    """x [B, H, D] or [B, W, H, D], its last axis dense, and the strides of B, W and H."""
    if x is None:
        return None, 0, 0, 0
    x = x if x.stride(-1) == 1 or x.shape[-1] == 1 else x.contiguous()
    return x, x.stride(0), x.stride(1) if x.ndim == 4 else 0, x.stride(-2)


def step_triton(
    state: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    decay: Tensor | None,
    axis: str,
    erase: tuple[Tensor | None, Tensor] | None,
    beta: Tensor | None,
    before: bool,
    positions: Tensor,
    in_place: bool,
) -> tuple[Tensor, Tensor]:
    """q [B, H, K]; k, v, erase [B, W, H, ·]; decay [B, H] of axis "scalar", [B, H, K] or [B, H, V]; beta [B, H] for a delta rule,
    whose erase is (None, p); positions [B]. Gives o [B, H, V] and the new state."""
    batch, heads, key = q.shape
    value = v.shape[-1]
    bk, bv = step_tile(key, value, batch * heads, q.device)
    o = torch.empty(batch, heads, value, dtype=q.dtype, device=q.device)
    old = state if state is None else state.contiguous().float()
    new = target(state, (batch, heads, key, value), q, in_place)
    q, qb, _, qh = strides(q)
    k, kb, kw, kh = strides(k)
    v, vb, vw, vh = strides(v)
    a, ab, aw, ah = strides(None if erase is None else erase[0])
    b, bb, bw, bh = strides(None if erase is None else erase[1])
    decay_strides = (0, 0) if decay is None else (decay.stride(0), decay.stride(1))
    beta_strides = (0, 0) if beta is None else beta.stride()
    if axis != "scalar" and decay is not None and decay.stride(-1) != 1:
        decay = decay.contiguous()
        decay_strides = (decay.stride(0), decay.stride(1))
    step_kernel[(batch * heads, -(-value // bv))](
        old, positions, q, k, v, decay, a, b, beta, new, o, heads, key, value,
        qb, qh, kb, kw, kh, vb, vw, vh, *decay_strides, ab, aw, ah, bb, bw, bh, *beta_strides,
        W=k.shape[1], R=0 if b is None else b.shape[1], AXIS=AXES["none" if decay is None else axis], BEFORE=before,
        DELTA=beta is not None, FRESH=state is None, BK=bk, BV=bv, num_warps=4,
    )  # fmt: skip
    return o, new


def selective_step_triton(
    state: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lk: Tensor | None,
    lv: Tensor | None,
    step: Tensor | None,
    rate: Tensor | None,
    before: bool,
    positions: Tensor,
    in_place: bool,
) -> tuple[Tensor, Tensor]:
    """v, step, lv [B, 1, H, V]; lk [B, 1, H, K]; q, k like it, or like rate [H, K, V]; positions [B]. Gives o [B, 1, H, V]."""
    fixed = q.ndim == 3, k.ndim == 3
    q, k, v, lk, lv, step, rate = (x if x is None else x.contiguous() for x in (q, k, v, lk, lv, step, rate))
    batch, _, heads, value = v.shape
    key = q.shape[-2 if fixed[0] else -1]
    bk, bv = step_tile(key, value, batch * heads, v.device)
    o = torch.empty_like(v)
    old = state if state is None else state.contiguous().float()
    new = target(state, (batch, heads, key, value), v, in_place)
    selective_step_kernel[(batch * heads, -(-value // bv))](
        old, positions, q, k, v, lk, lv, step, rate, new, o, heads, key, value,
        QF=fixed[0], KF=fixed[1], LK=lk is not None, LV=lv is not None, STEP=step is not None, RATE=rate is not None,
        BEFORE=before, FRESH=state is None, BK=bk, BV=bv, num_warps=4,
    )  # fmt: skip
    return o, new
