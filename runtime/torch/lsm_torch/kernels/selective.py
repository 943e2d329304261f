"""States that decay elementwise and are read by a contraction (Mamba-1, S4D, gated fast weights), forward and backward.

    a_t = exp(lk_t + lv_t + step_t∘rate)          [K, V], what is absent is 0
    S_t = a_t∘S_{t-1} + k_t v_tᵀ,   o_t = q_tᵀ S_t

A program takes a tile of values and goes through time in tiles, [BV, BT], time contiguous in memory, so that a scan along it runs
in a thread's own registers first. For one key after the other the tile's states are made, contracted and forgotten: what lies in
memory is the state at the edges of tiles. Going back, a tile's states are made again from its edge, and with g the adjoint,

    g_t = q_t do_tᵀ + a_{t+1}∘g_{t+1},   dq_t = S_t do_t,   dk_t = g_t v_t,   dv_t = g_tᵀ k_t,   d log a_t = g_t∘a_t∘S_{t-1}

where scans that also give what was before each token hand out S_{t-1} and a_{t+1}∘g_{t+1} (S_t − k_t v_tᵀ would lose all digits of
a_t∘S_{t-1} where the decay is strong).
"""

# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def affine(a, b, c, d):
    """x ↦ a x + b, then x ↦ c x + d."""
    return c * a, c * b + d


@triton.jit
def affine_and_before(a, b, x, y, c, d, z, w):
    """The same, and beside it the map without its last token: of one token, 1 and 0."""
    return c * a, c * b + d, z * a, z * b + w


@triton.jit
def factor(x, at, of, j, v, t, inside, T, K, V, FIXED: tl.constexpr):
    """Key j's, for a tile: of every token, [.., K, T], or fixed, [H, K, V]."""
    if FIXED:
        return tl.load(x + (of * K + j) * V + v, mask=v < V, other=0.0).to(tl.float32)[:, None]
    else:
        return tl.load(x + (at * K + j) * T + t, mask=inside, other=0.0).to(tl.float32)[None, :]


@triton.jit
def decay(lk, rate, lv, step, keeps, at, of, j, v, t, inside, T, K, V, LK: tl.constexpr, RATE: tl.constexpr):
    """Key j's a_t for a tile, of which `lv` and `step` are given: 0 where a document begins, 1 where there is no token."""
    log = lv
    if RATE:
        log += step * factor(rate, at, of, j, v, t, inside, T, K, V, True)
    if LK:
        log += factor(lk, at, of, j, v, t, inside, T, K, V, False)
    return tl.where(inside[None, :], tl.where(keeps[None, :], tl.exp(log), 0.0), 1.0)


@triton.jit
def tile_of(
    pointer, at, v, t, mask, T, V, GIVEN: tl.constexpr, DEFAULT: tl.constexpr, BV: tl.constexpr, BT: tl.constexpr
):
    """[BV, BT] of [.., V, T], or a number throughout."""
    if GIVEN:
        return tl.load(pointer + (at * V + v)[:, None] * T + t[None, :], mask=mask, other=0.0).to(tl.float32)
    else:
        return tl.full([BV, BT], DEFAULT, tl.float32)


@triton.jit
def selective_forward_kernel(
    q, k, v, lk, lv, step, rate, starts, edges, o, H, T, K, V,
    QF: tl.constexpr, KF: tl.constexpr, LK: tl.constexpr, LV: tl.constexpr, STEP: tl.constexpr, RATE: tl.constexpr,
    PACKED: tl.constexpr, BV: tl.constexpr, BT: tl.constexpr,
):  # fmt: skip
    """edges [B, H, tiles + 1, K, V]: the first is the initial state."""
    at = tl.program_id(0).to(tl.int64)
    b, of = at // H, at % H
    col = tl.program_id(1) * BV + tl.arange(0, BV)
    row = tl.arange(0, BT)
    tiles = tl.cdiv(T, BT)
    for i in range(tiles):
        t = i * BT + row
        inside = t < T
        mask = (col < V)[:, None] & inside[None, :]
        values = tile_of(v, at, col, t, mask, T, V, True, 0.0, BV, BT)
        logs = tile_of(lv, at, col, t, mask, T, V, LV, 0.0, BV, BT)
        steps = tile_of(step, at, col, t, mask, T, V, STEP, 1.0, BV, BT)
        keeps = inside
        if PACKED:
            keeps = tl.load(starts + b * T + t, mask=inside, other=0) == 0
        total = tl.zeros([BV, BT], tl.float32)
        for j in range(K):
            edge = edges + ((at * (tiles + 1) + i) * K + j) * V + col
            before = tl.load(edge, mask=col < V, other=0.0)
            a = decay(lk, rate, logs, steps, keeps, at, of, j, col, t, inside, T, K, V, LK, RATE)
            key = factor(k, at, of, j, col, t, inside, T, K, V, KF)
            x = tl.where(row[None, :] == 0, a * before[:, None], 0.0) + key * values
            _, state = tl.associative_scan((a, x), 1, affine)
            total += factor(q, at, of, j, col, t, inside, T, K, V, QF) * state
            last = tl.sum(tl.where(row[None, :] == BT - 1, state, 0.0), 1)
            tl.store(edge + K * V, last, mask=col < V)
        tl.store(o + (at * V + col)[:, None] * T + t[None, :], total.to(o.dtype.element_ty), mask=mask)
        tl.debug_barrier()  # a later tile's edges are written by other threads


@triton.jit
def add_to(pointer, value, mask, fresh):
    old = tl.load(pointer, mask=mask & (not fresh), other=0.0)
    tl.store(pointer, old + value, mask=mask)


@triton.jit
def selective_backward_kernel(
    q, k, v, lk, lv, step, rate, starts, edges, d_o,
    dq, dk, dv, dlk, dlv, dstep, drate, adjoint, H, T, K, V,
    QF: tl.constexpr, KF: tl.constexpr, LK: tl.constexpr, LV: tl.constexpr, STEP: tl.constexpr, RATE: tl.constexpr,
    PACKED: tl.constexpr, BV: tl.constexpr, BT: tl.constexpr,
):  # fmt: skip
    """dq, dk, dlk [value tiles, B, H, K, T], and the gradients of what is fixed [B, H, K, V], are parts to be added up. `adjoint`
    [2, B, H, K, V] comes with the final state's gradient and leaves, in the half that was written last, with the initial one's."""
    at = tl.program_id(0).to(tl.int64)
    b, of = at // H, at % H
    part = tl.program_id(1).to(tl.int64) * tl.num_programs(0) + at
    col = tl.program_id(1) * BV + tl.arange(0, BV)
    row = tl.arange(0, BT)
    ok = col < V
    tiles = tl.cdiv(T, BT)
    for back in range(tiles):
        i = tiles - 1 - back
        t = i * BT + row
        inside = t < T
        mask = ok[:, None] & inside[None, :]
        values = tile_of(v, at, col, t, mask, T, V, True, 0.0, BV, BT)
        d_out = tile_of(d_o, at, col, t, mask, T, V, True, 0.0, BV, BT)
        logs = tile_of(lv, at, col, t, mask, T, V, LV, 0.0, BV, BT)
        steps = tile_of(step, at, col, t, mask, T, V, STEP, 1.0, BV, BT)
        keeps = inside
        if PACKED:
            keeps = tl.load(starts + b * T + t, mask=inside, other=0) == 0
        d_values = tl.zeros([BV, BT], tl.float32)
        d_logs = tl.zeros([BV, BT], tl.float32)
        d_steps = tl.zeros([BV, BT], tl.float32)
        for j in range(K):
            before = tl.load(edges + ((at * (tiles + 1) + i) * K + j) * V + col, mask=ok, other=0.0)
            a = decay(lk, rate, logs, steps, keeps, at, of, j, col, t, inside, T, K, V, LK, RATE)
            key = factor(k, at, of, j, col, t, inside, T, K, V, KF)
            one, none = tl.full([BV, BT], 1.0, tl.float32), tl.zeros([BV, BT], tl.float32)
            x = tl.where(row[None, :] == 0, a * before[:, None], 0.0) + key * values
            _, state, _, past = tl.associative_scan((a, x, one, none), 1, affine_and_before)
            past += tl.where(row[None, :] == 0, before[:, None], 0.0)

            # r_t = a_t∘g_t = a_t∘(c_t + r_{t+1}), handed from one half into the other: warps that hold the same column read it
            # at times of their own
            query = factor(q, at, of, j, col, t, inside, T, K, V, QF)
            behind = adjoint + (((back % 2) * tl.num_programs(0) + at) * K + j) * V + col
            after = tl.load(behind, mask=ok, other=0.0)
            c = query * d_out
            x = a * (c + tl.where(row[None, :] == BT - 1, after[:, None], 0.0))
            _, r, _, later = tl.associative_scan((a, x, one, none), 1, affine_and_before, reverse=True)
            later += tl.where(row[None, :] == BT - 1, after[:, None], 0.0)
            ahead = adjoint + ((((back + 1) % 2) * tl.num_programs(0) + at) * K + j) * V + col
            tl.store(ahead, tl.sum(tl.where(row[None, :] == 0, r, 0.0), 1), mask=ok)

            g = tl.where(mask, c + later, 0.0)
            d_query = d_out * state
            d_key = g * values
            d_values += g * key
            d_log = tl.where(mask, r * past, 0.0)
            fixed = (at * K + j) * V + col
            if QF:
                add_to(dq + fixed, tl.sum(d_query, 1), ok, back == 0)
            else:
                tl.store(dq + (part * K + j) * T + t, tl.sum(d_query, 0), mask=inside)
            if KF:
                add_to(dk + fixed, tl.sum(d_key, 1), ok, back == 0)
            else:
                tl.store(dk + (part * K + j) * T + t, tl.sum(d_key, 0), mask=inside)
            if LK:
                tl.store(dlk + (part * K + j) * T + t, tl.sum(d_log, 0), mask=inside)
            if LV:
                d_logs += d_log
            if RATE:
                add_to(drate + fixed, tl.sum(d_log * steps, 1), ok, back == 0)
                if STEP:
                    d_steps += d_log * factor(rate, at, of, j, col, t, inside, T, K, V, True)
        out = (at * V + col)[:, None] * T + t[None, :]
        tl.store(dv + out, d_values.to(dv.dtype.element_ty), mask=mask)
        if LV:
            tl.store(dlv + out, d_logs.to(dlv.dtype.element_ty), mask=mask)
        if STEP:
            tl.store(dstep + out, d_steps.to(dstep.dtype.element_ty), mask=mask)
        tl.debug_barrier()
