"""F0, F1, F2: no erase. Forward one pass. Backward: one in reverse for dv, which leaves the adjoint states, then all other gradients for
every chunk at once (gradients.py); without a decay three more forward passes with roles exchanged read and write less.

Where values decay, the gradients are those of the recurrence with keys and values exchanged: its state is Sᵀ, its query dO,
its key V, its value K and its dO q; so its dk is dv, its dv is dk, and its output is dq.
Where heads alone do not fill the chip, passes in order are split into shards of time, too (recurrences.md, §4).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .adjoint import Gradients, gradients, strong_forward
from .launch import Call, Decayed, call_of, decayed, edge_states, forward, strided
from .schedule import Shards, shards, sweep_tiles


def in_shards(x: Call, key: int, value: int) -> Shards:
    """The shards of time of a pass in order over a state of so many keys and values."""
    if x.bounds is not None:
        return Shards(1, x.chunks)
    blocks = -(-value // sweep_tiles(x.chunk, key, value, x.single).be)
    return shards(x.chunks, blocks * x.heads * x.count, x.device)


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
    marks = x.marks() if save and x.axis != "none" else None
    o = torch.empty(*q.shape[:3], x.value, device=q.device, dtype=q.dtype)
    final = x.states()
    time = in_shards(x, x.key, x.value)
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
    """The gradients without a decay: three more forward passes with roles exchanged, dq of (dO, v, k), and backwards dv of (k, q, dO)
    and dk of (v, dO, q). `states` begin each shard."""
    time = in_shards(x, x.key, x.value)
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
    if decay is None:
        return by_sweeps(x, q, k, v, d_o, d_final, saved[0], has_initial)
    d_initial = x.states() if has_initial else None
    if x.axis == "outer":
        found = by_exchange(x, q, k, v, d_o, decay, saved[0], d_final, d_initial)
    else:
        g = Decayed(q, k, c=saved[3])
        if x.axis == "inner":
            g = Decayed(saved[1], saved[2], None, None, saved[3], saved[4], None, saved[5], saved[6])
        found = from_marks(x, g, q, k, v, d_o, decay, saved[0], d_final, d_initial, exchanged=False)
    assert found.dq is not None and found.dv is not None and found.d_decay is not None
    return found.dq, found.dk, found.dv, found.d_decay, q.new_empty(0) if d_initial is None else d_initial


def by_exchange(
    x: Call, q: Tensor, k: Tensor, v: Tensor, d_o: Tensor, decay: Tensor, marks: Tensor, d_final: Tensor | None,
    d_initial: Tensor | None,
) -> Gradients:  # fmt: skip
    """Where values decay; fills d_initial."""
    g = decayed(x, d_o, v, decay, save=True)
    d_final = None if d_final is None else d_final.transpose(2, 3)
    found = from_marks(x, g, d_o, v, k, q, decay, marks, d_final, d_initial, exchanged=True)
    assert found.dv is not None
    dq = torch.empty(q.shape, device=q.device, dtype=q.dtype)
    forward(x, g, k, dq, axis="inner", shards=Shards(x.chunks, 1), marks=marks, transposed=True)
    strong_forward(x, g, d_o, v, k, decay, dq, "inner")
    return Gradients(dq, found.dv, found.dk, None, None, found.d_decay)


def from_marks(
    x: Call, g: Decayed, q: Tensor, k: Tensor, v: Tensor, d_o: Tensor, decay: Tensor, marks: Tensor,
    d_final: Tensor | None, d_initial: Tensor | None, exchanged: bool
) -> Gradients:  # fmt: skip
    """The gradients from the states at the edges of chunks; fills d_initial. `exchanged`: marks and d_initial are [V, K] of these roles."""
    axis = "inner" if exchanged else x.axis
    d, e = q.shape[-1], v.shape[-1]
    time = in_shards(x, d, e)
    initial = None if d_final is None else d_final.unsqueeze(1)
    if time.count > 1:
        initial = edge_states(x, g, g.q, d_o, axis, d_final, time, reverse=True)[:, 1:]
    dv, adjoint = torch.empty(*q.shape[:3], e, device=q.device, dtype=q.dtype), x.marks()
    first = None if d_initial is None else torch.empty(x.count, x.heads, d, e, device=q.device, dtype=torch.float32)
    back = replace(g, q=g.k, k=g.q)
    forward(
        x, back, d_o, dv, axis=axis, shards=time, initial=initial, final=first, marks=adjoint, save=True, reverse=True
    )
    if d_initial is not None and first is not None:
        d_initial.copy_(first.transpose(2, 3) if exchanged else first)
    return gradients(x, g, q, k, v, d_o, decay, marks, adjoint, dv, transposed=exchanged, read=not exchanged)


def first_states(x: Call, initial: Tensor | None) -> Tensor:
    """An empty tensor of the shape of the states that gated_forward saves."""
    if x.axis != "none":
        return x.marks()
    time = in_shards(x, x.key, x.value)
    there = time.count > 1 or initial is not None
    shape = (x.count, time.count, x.heads, x.key, x.value) if there else (0,)
    return torch.empty(shape, device=x.device, dtype=torch.float32)
