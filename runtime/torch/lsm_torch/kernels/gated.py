"""F0, F1, F2: no erase. Forward one sweep, backward three.

The forward sweep leaves the state at marks, every 128 rows, in the operands' type; the backward's reverse sweep leaves the
adjoint state there. Between marks the sweeps for dq and for dk with the decay's gradient are then independent, and the
decay's gradient, a suffix sum that cancels, starts anew at each mark from S∘R, so its error does not grow with time.
Where heads alone do not fill the chip the sequential sweeps are split into shards of time, too (recurrences.md, §4).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .launch import Sequences, join, strided, sweep
from .schedule import MARKED_ROWS, Shards, chunk_length, shards, sweep_tiles


def sequences(
    q: Tensor, v: Tensor, decay: Tensor | None, sub_rows: int, positions: Tensor | None, bounds: Tensor | None
) -> Sequences:
    """What the kernels of this call share."""
    batch, rows, heads, key = q.shape
    value = v.shape[-1]
    single = q.dtype != torch.bfloat16
    wide = decay is not None and decay.shape[-1] > 1
    c = chunk_length(key, value, sub_rows, wide, single)
    chunks = -(-rows // c)
    if bounds is None:
        blocks = -(-value // sweep_tiles(c, key, value, single).be)
        mark = max(1, MARKED_ROWS // c)
        split = shards(chunks, mark, blocks * heads * batch, q.device)
        count = batch
    else:
        mark, split, count = chunks, Shards(1, chunks), bounds.numel() - 1
    fine = Shards(-(-chunks // mark), mark)
    return Sequences(count, rows, heads, sub_rows, c, decay, positions, bounds, split, fine, single)


def decay_axes(decay: Tensor | None, on_value: bool) -> tuple[str, str]:
    """Where the decay lies in sweeps over [K, V] and in those over [V, K]."""
    if decay is None:
        return "none", "none"
    if decay.shape[-1] == 1:
        return "scalar", "scalar"
    return ("outer", "inner") if on_value else ("inner", "outer")


def edge_states(
    s: Sequences, y: Tensor, z: Tensor, axis: str, edge: Tensor | None, *, reverse: bool, before: bool
) -> Tensor:
    """States [N, H, P + 1, K, V] at the edges of the shards; `edge` is the one given at the end that time begins from."""
    key, value = y.shape[-1], z.shape[-1]
    count = s.shards.count
    states = s.states(count + 1, key, value, y.device)
    at = count if reverse else 0
    if edge is None:
        states[:, :, at].zero_()
    else:
        states[:, :, at] = edge
    width = key if axis == "inner" else value if axis == "outer" else 1
    factors = torch.empty(s.count, s.heads, count, width, device=y.device, dtype=torch.float32)
    slots = states[:, :, :count] if reverse else states[:, :, 1:]
    sweep(s, [(y, z)], [], decay=axis, reverse=reverse, before=before, final=slots, factors=factors, shards=s.shards)
    join(s, states, factors, decay=axis, reverse=reverse)
    return states


def gated_forward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    decay: Tensor | None,
    on_value: bool,
    before: bool,
    sub_rows: int,
    initial: Tensor | None,
    positions: Tensor | None,
    bounds: Tensor | None,
    save: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """o [B, T, H, V], the final state [N, H, K, V], and the states at marks where they are saved for the backward."""
    q, k, v = strided(q), strided(k), strided(v)
    s = sequences(q, v, decay, sub_rows, positions, bounds)
    axis, _ = decay_axes(decay, on_value)
    key, value = q.shape[-1], v.shape[-1]
    marks = s.marks(key, value, q) if save else None
    if s.shards.count > 1:
        states = edge_states(s, k, v, axis, initial, reverse=False, before=before)
        initial = states[:, :, :-1]
        final, out = states[:, :, -1].clone(), None
    else:
        initial = None if initial is None else initial.float().contiguous().unsqueeze(2)
        out = s.states(1, key, value, q.device)
        final = out.squeeze(2)
    (o,) = sweep(s, [(k, v)], [q], decay=axis, before=before, initial=initial, final=out, marks=marks, shards=s.shards)
    return o, final, q.new_empty(0) if marks is None else marks


def gated_backward(
    d_o: Tensor,
    d_final: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    decay: Tensor | None,
    marks: Tensor,
    on_value: bool,
    before: bool,
    sub_rows: int,
    has_initial: bool,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """dq, dk, dv, d_decay (empty without a decay), d_initial (empty without an initial state)."""
    q, k, v, d_o = strided(q), strided(k), strided(v), strided(d_o)
    s = sequences(q, v, decay, sub_rows, positions, bounds)
    over_values, over_keys = decay_axes(decay, on_value)
    key, value = q.shape[-1], v.shape[-1]
    # the decay's gradient is taken where its axis is the output's: with dq and dk for keys, with o and dv for values
    with_values = over_values == "outer"
    forward: dict[str, Any] = {"before": before, "initial": marks[:, :, :-1], "shards": s.fine}
    p: Tensor | None = None
    d_decay: Tensor | None = None
    if decay is not None:
        last = (value if with_values else key) if decay.shape[-1] > 1 else s.blocks(value, key)
        p, d_decay = torch.empty(2, *q.shape[:3], last, device=q.device, dtype=torch.float32).unbind(0)
    record: dict[str, Any] = {} if p is None else {"products": [d_o if with_values else q], "p": p}
    (dq,) = sweep(s, [(v, k)], [d_o], decay=over_keys, transposed=True, **forward, **({} if with_values else record))
    if with_values:
        # o again, for do∘o in float32: what the forward gave is rounded
        sweep(s, [(k, v)], [q], decay=over_values, **forward, **record)

    adjoint_marks = s.marks(key, value, q)
    d_initial: Tensor | None = None
    out: Tensor | None = None
    initial: Tensor | None
    if s.shards.count > 1:
        adjoints = edge_states(s, q, d_o, over_values, d_final, reverse=True, before=before)
        initial = adjoints[:, :, 1:]
        d_initial = adjoints[:, :, 0].clone() if has_initial else None
    else:
        initial = None if d_final is None else d_final.contiguous().unsqueeze(2)
        if has_initial:
            out = s.states(1, key, value, q.device)
            d_initial = out.squeeze(2)
    in_order: dict[str, Any] = {
        "before": before,
        "initial": initial,
        "final": out,
        "marks": adjoint_marks,
        "shards": s.shards,
    }
    at_once: dict[str, Any] = {"before": before, "initial": adjoint_marks[:, :, 1:], "shards": s.fine}
    if p is not None:
        at_once |= {"products": [v if with_values else k], "p": p, "late": p if before and sub_rows == 1 else None}
        at_once |= {"d_decay": d_decay, "boundary": marks[:, :, 1:]}
    dv_how, dk_how = (at_once, in_order) if with_values else (in_order, at_once)

    def make_dv() -> Tensor:
        return sweep(s, [(q, d_o)], [k], decay=over_values, reverse=True, **dv_how)[0]

    def make_dk() -> Tensor:
        return sweep(s, [(d_o, q)], [v], decay=over_keys, reverse=True, transposed=True, **dk_how)[0]

    if with_values:
        dk, dv = make_dk(), make_dv()
    else:
        dv, dk = make_dv(), make_dk()
    late = p if before and sub_rows > 1 else None
    return dq, dk, dv, finished(decay, d_decay, late, sub_rows, q), q.new_empty(0) if d_initial is None else d_initial


def finished(decay: Tensor | None, d_decay: Tensor | None, late: Tensor | None, sub_rows: int, like: Tensor) -> Tensor:
    """The decay's gradient as the operator gives it: over all blocks of columns, and without what a token reads before its
    own decay, which a sweep itself leaves out only where a token is one row."""
    if decay is None or d_decay is None:
        return like.new_empty(0)
    if late is not None:
        d_decay[:, ::sub_rows] -= late.unflatten(1, (-1, sub_rows)).sum(2)
    return d_decay.sum(-1, keepdim=True) if decay.shape[-1] == 1 else d_decay
