"""F0, F1, F2: no erase. Forward one pass; backward one in reverse for the adjoint states, then every gradient at once (gradients.py).

Where values decay, the gradients are those of the recurrence with keys and values exchanged: its state is Sᵀ, its query dO,
its key V, its value K and its dO q; so its dk is dv, its dv is dk, and its output is dq.
Where heads alone do not fill the chip, both passes are split into shards of time, too (recurrences.md, §4).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .adjoint import gradients, strong_forward
from .launch import Call, Decayed, adjoint_of, call_of, decayed, edge_states, edges, forward, strided
from .schedule import Shards, gradient_tiles, in_order, shards, sweep_tiles

Saved = tuple[Tensor, ...]


def split(x: Call, blocks: int, a_processor: int) -> Shards:
    """The shards of time of a pass with so many blocks of columns."""
    if x.bounds is not None:
        return Shards(1, x.chunks)
    return shards(x.chunks, blocks * x.heads * x.count, a_processor, x.device)


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
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """o [B, T, H, V], the final state [N, H, K, V], and for the backward, where it is saved: the states at the edges of chunks, and
    the operands with their decays."""
    q, k, v = strided(q), strided(k), strided(v)
    x = call_of(q, v, decay, on_value, before, sub_rows, positions, bounds)
    if x.axis == "outer":
        raised = decayed(x, v, v, decay, save=True)
        g, source = Decayed(q, k, None, None, raised.q_factor, None, None, raised.ends, raised.weak), raised.k
    else:
        g, source = decayed(x, q, k, decay, save=save), v
    ordered = in_order(x.key, x.value, x.axis == "none")
    marks = x.marks() if save and (ordered or x.axis != "none") else None
    o = torch.empty(*q.shape[:3], x.value, device=q.device, dtype=q.dtype)
    final = x.states()
    time = split(x, -(-x.value // sweep_tiles(x.chunk, x.key, x.value, x.single).be), 2)
    if time.count > 1:
        initial = edge_states(x, g, g.k, source, x.axis, initial, time, reverse=False)[:, :-1]
    elif initial is not None:
        initial = initial.float().contiguous().unsqueeze(1)
    forward(
        x, g, source, o, axis=x.axis, shards=time, initial=initial, final=final, marks=marks, save=marks is not None
    )
    if x.axis in ("inner", "outer"):
        strong_forward(x, g, q, k, v, decay, o, x.axis)
    if save and marks is None:
        marks = None if initial is None else initial.contiguous() if time.count > 1 else initial.clone()
    kept: list[Tensor | None] = [None] * 6
    if save:
        inner = x.axis == "inner"
        kept = [g.q, g.k, g.q_factor, g.k_factor, g.ends, g.weak] if inner else [None, None, g.c, None, None, None]
    return o, final, *(q.new_empty(0) if y is None else y for y in (marks, *kept))  # type: ignore[return-value]


def by_sweeps(
    x: Call, q: Tensor, k: Tensor, v: Tensor, d_o: Tensor, d_final: Tensor | None, states: Tensor, has_initial: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradients without a decay, where the states of gradients.py would cost more than they save: three more forward passes with
    roles exchanged, dq of (dO, v, k), and backwards dv of (k, q, dO) and dk of (v, dO, q). `states` begin each shard."""
    time = split(x, -(-x.value // sweep_tiles(x.chunk, x.key, x.value, x.single).be), 2)
    adjoint = None if d_final is None else d_final.unsqueeze(1)
    if time.count > 1:
        adjoint = edge_states(x, Decayed(q, k), q, d_o, "none", d_final, time, reverse=True)[:, 1:]
    d_initial = x.states() if has_initial else None
    dq, dk, dv = (torch.empty(y.shape, device=y.device, dtype=y.dtype) for y in (q, k, v))

    def other_way(y: Tensor | None) -> Tensor | None:
        return None if y is None else y.transpose(3, 4)

    begin = states if states.numel() else None
    forward(x, Decayed(d_o, v), k, dq, axis="none", shards=time, initial=other_way(begin))
    forward(x, Decayed(k, q), d_o, dv, axis="none", shards=time, initial=adjoint, final=d_initial, reverse=True)
    forward(x, Decayed(v, d_o), q, dk, axis="none", shards=time, initial=other_way(adjoint), reverse=True)
    return dq, dk, dv, q.new_empty(0), q.new_empty(0) if d_initial is None else d_initial


def gated_backward(
    d_o: Tensor,
    d_final: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    decay: Tensor | None,
    saved: list[Tensor],
    on_value: bool,
    before: bool,
    sub_rows: int,
    has_initial: bool,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """dq, dk, dv, d_decay (empty without a decay), d_initial (empty without an initial state)."""
    q, k, v, d_o = strided(q), strided(k), strided(v), strided(d_o)
    x = call_of(q, v, decay, on_value, before, sub_rows, positions, bounds)
    if x.axis == "none" and not in_order(x.key, x.value, True):
        return by_sweeps(x, q, k, v, d_o, d_final, saved[0], has_initial)
    marks = saved[0]
    exchanged = x.axis == "outer"
    read, source, value, given = (d_o, v, k, q) if exchanged else (q, k, v, d_o)
    axis = "inner" if exchanged else x.axis
    if exchanged:
        g = decayed(x, read, source, decay, save=True)
    elif axis == "inner":
        g = Decayed(saved[1], saved[2], None, None, saved[3], saved[4], None, saved[5], saved[6])
    else:
        g = Decayed(q, k, c=saved[3] if axis == "scalar" else None)
    d_initial = x.states() if has_initial else None
    d, e = read.shape[-1], value.shape[-1]
    ordered = in_order(d, e, axis == "none")
    be = (gradient_tiles(d, e, x.single, True) if ordered else sweep_tiles(x.chunk, d, e, x.single)).be
    time = split(x, -(-e // be), 2)
    initial: Tensor | None = None
    if time.count > 1:
        initial = edge_states(x, g, g.q, given, axis, d_final, time, reverse=True, transposed=exchanged)[:, 1:]
    elif d_final is not None:
        initial = d_final.transpose(2, 3).unsqueeze(1) if exchanged else d_final.unsqueeze(1)
    if ordered:
        found = gradients(x, g, q, k, v, d_o, decay, marks, axis=axis, shards=time, initial=initial, final=d_initial)
    else:
        adjoint = adjoint_of(x, d, e, be, axis != "none")
        states = torch.empty(x.count, time.count + 1, x.heads, d, e, device=x.device, dtype=torch.float32)
        edges(
            x, g, g.q, given, axis, time, states,
            reverse=True, initial=initial, adjoint=adjoint, s_marks=marks, transposed=exchanged,
        )  # fmt: skip
        if has_initial:
            d_initial = states[:, 0].transpose(2, 3).contiguous() if exchanged else states[:, 0].contiguous()
        found = gradients(
            x, g, read, source, value, given, decay, marks,
            axis=axis, shards=Shards(x.chunks, 1), adjoint=adjoint, transposed=exchanged, read=not exchanged,
        )  # fmt: skip
    dq, dk, dv = found.dq, found.dk, found.dv
    assert dv is not None
    if exchanged:
        dq, dk, dv = torch.empty(q.shape, device=q.device, dtype=q.dtype), dv, dk
        once = Shards(x.chunks, 1)
        forward(x, g, value, dq, axis=axis, shards=once, marks=marks, transposed=True)
        strong_forward(x, g, read, source, value, decay, dq, axis)
    assert dq is not None
    d_decay = q.new_empty(0) if found.d_decay is None else found.d_decay
    return dq, dk, dv, d_decay, q.new_empty(0) if d_initial is None else d_initial


def first_states(x: Call, initial: Tensor | None) -> Tensor:
    """An empty tensor of the shape of the states that gated_forward saves."""
    if x.axis != "none" or in_order(x.key, x.value, True):
        return x.marks()
    time = split(x, -(-x.value // sweep_tiles(x.chunk, x.key, x.value, x.single).be), 2)
    there = time.count > 1 or initial is not None
    shape = (x.count, time.count, x.heads, x.key, x.value) if there else (0,)
    return torch.empty(shape, device=x.device, dtype=torch.float32)
