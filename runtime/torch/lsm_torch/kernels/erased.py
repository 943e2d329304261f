"""F3 and F4: the erase's triangular systems solved in order of the chunks, all else by sweeps that start at marks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .gated import decay_axes, finished, sequences
from .launch import DECAYS, Sequences, compute_type, head_stride, steps, strided, sweep
from .schedule import power_of_two, solve_block
from .solve import pairs_kernel, solve_kernel


def pairs(s: Sequences, x: Tensor, y: Tensor, axis: str, *, exclusive: bool, strict: bool, invert: bool) -> Tensor:
    """Scores of the pairs of rows in each chunk, or the inverse of I minus them: [B, rows, H, C]."""
    out = torch.empty(*x.shape[:3], s.chunk, device=x.device, dtype=x.dtype)
    compute, precision = compute_type(x)
    chunks = -(-s.rows // s.chunk)
    pairs_kernel[(s.count * chunks * s.heads,)](
        x, y, out, s.decay, s.positions, s.bounds, s.rows, s.heads, chunks,
        *steps(x), *steps(y), *steps(s.decay),
        D=x.shape[-1], BD=power_of_two(x.shape[-1]), C=s.chunk, M=s.sub_rows,
        DECAY=DECAYS[axis], EXCLUSIVE=exclusive, STRICT=strict, INVERT=invert,
        PACKED=s.positions is not None, VARLEN=s.bounds is not None, CT=compute, PRECISION=precision,
        num_warps=4,
    )  # fmt: skip
    return out


def solve(
    s: Sequences,
    k: Tensor,
    v: Tensor,
    b: Tensor,
    inverse: Tensor,
    axis: str,
    *,
    decayed: bool,
    initial: Tensor | None,
    final: Tensor | None,
    marks: Tensor | None,
    adjoint: tuple[Tensor, Tensor] | None = None,
    before: bool = False,
) -> Tensor:
    """e; or, with `adjoint` (q and the scores of q with k) and dO for v, z."""
    key, value = k.shape[-1], v.shape[-1]
    q, scores = (None, None) if adjoint is None else adjoint
    e = torch.empty(*k.shape[:3], value, device=k.device, dtype=k.dtype)
    compute, precision = compute_type(k)
    be = solve_block(key, value, s.count * s.heads, s.single, k.device)
    stages = 2 if power_of_two(key) <= 128 and not s.single else 1
    solve_kernel[(-(-value // be) * s.heads * s.count,)](
        k, v, b, q, inverse, scores, e,
        s.decay, s.positions, s.bounds, initial, final, marks, s.rows, s.heads,
        *steps(k), *steps(v), *steps(b), *steps(q), *steps(s.decay), head_stride(initial), head_stride(marks),
        D=key, E=value, BD=power_of_two(key), BE=be, C=s.chunk, M=s.sub_rows,
        DECAY=DECAYS[axis], REVERSE=adjoint is not None, BEFORE=before, DECAYED=decayed,
        PACKED=s.positions is not None, VARLEN=s.bounds is not None,
        INITIAL=initial is not None, FINAL=final is not None, MARK=0 if marks is None else s.fine.chunks,
        CT=compute, PRECISION=precision, STAGES=stages, num_warps=4, num_stages=stages,
    )  # fmt: skip
    return e


def erased_forward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    b: Tensor,
    decay: Tensor | None,
    before: bool,
    decayed: bool,
    sub_rows: int,
    initial: Tensor | None,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """o, the final state, and for the backward: e, the inverses, the states at marks."""
    q, k, v, b = strided(q), strided(k), strided(v), strided(b)
    s = sequences(q, v, decay, sub_rows, positions, bounds)
    axis, _ = decay_axes(decay, False)
    key, value = q.shape[-1], v.shape[-1]
    marks = s.marks(key, value, q)
    final = s.states(1, key, value, q.device).squeeze(2)
    if initial is not None:
        initial = initial.float().contiguous()
    inverse = pairs(s, b, k, axis, exclusive=not decayed, strict=True, invert=True)
    e = solve(s, k, v, b, inverse, axis, decayed=decayed, initial=initial, final=final, marks=marks)
    (o,) = sweep(s, [(k, e)], [q], decay=axis, before=before, initial=marks[:, :, :-1], shards=s.fine)
    return o, final, e, inverse, marks


def erased_backward(
    d_o: Tensor,
    d_final: Tensor | None,
    q: Tensor,
    k: Tensor,
    b: Tensor,
    decay: Tensor | None,
    e: Tensor,
    inverse: Tensor,
    marks: Tensor,
    before: bool,
    decayed: bool,
    sub_rows: int,
    has_initial: bool,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """dq, dk, dv, db, d_decay (empty without a decay), d_initial (empty without an initial state)."""
    q, k, b, d_o = strided(q), strided(k), strided(b), strided(d_o)
    s = sequences(q, e, decay, sub_rows, positions, bounds)
    over_values, over_keys = decay_axes(decay, False)
    key, value = q.shape[-1], e.shape[-1]
    scores = pairs(s, q, k, over_values, exclusive=before, strict=before, invert=False)
    adjoint_marks = s.marks(key, value, q)
    d_initial = s.states(1, key, value, q.device).squeeze(2) if has_initial else None
    z = solve(
        s, k, d_o, b, inverse, over_values, decayed=decayed, before=before, adjoint=(q, scores),
        initial=None if d_final is None else d_final.contiguous(), final=d_initial, marks=adjoint_marks,
    )  # fmt: skip
    how: dict[str, Any] = {
        "decay": over_keys,
        "before": before,
        "decayed": decayed,
        "transposed": True,
        "shards": s.fine,
    }
    forward: dict[str, Any] = {}
    reverse: dict[str, Any] = {}
    d_decay: Tensor | None = None
    late: Tensor | None = None
    if decay is not None:
        last = key if decay.shape[-1] > 1 else s.blocks(value, key)
        p, d_decay = torch.empty(2, *q.shape[:3], last, device=q.device, dtype=torch.float32).unbind(0)
        late = torch.empty_like(p) if before or not decayed else None
        forward = {"products": [q, b], "p": p, "late": late}
        reverse = {"products": [k], "p": p, "d_decay": d_decay, "boundary": marks[:, :, 1:]}
        if sub_rows == 1:
            reverse["late"], late = late, None
    dq, db = sweep(s, [(e, k)], [d_o, z], initial=marks[:, :, :-1], **how, **forward)
    (dk,) = sweep(s, [(d_o, q), (z, b)], [e], reverse=True, initial=adjoint_marks[:, :, 1:], **how, **reverse)
    d_decay = finished(decay, d_decay, late, sub_rows, q)
    return dq, dk, z, db, d_decay, q.new_empty(0) if d_initial is None else d_initial
