"""F3 and F4: the erase's triangular systems solved in order of the chunks, all else for every chunk at once."""

from __future__ import annotations

import torch
from torch import Tensor

from .adjoint import Erase, gradients, strong_forward
from .inverse import pairs_kernel
from .launch import DECAYS, Call, Decayed, adjoint_of, call_of, decayed, forward, steps, strided
from .schedule import Shards, power_of_two, solve_block
from .solve import solve_kernel


def pairs(
    x: Call, reads: Tensor, keys: Tensor, plain: tuple[Tensor, Tensor], g: Decayed, decay: Tensor | None,
    beta: Tensor | None, *, early: bool, strict: bool, invert: bool,
) -> Tensor:  # fmt: skip
    """Scores of the pairs of rows in each chunk, or the inverse of I minus them: [B, rows, H, C]."""
    out = torch.empty(*reads.shape[:3], x.chunk, device=x.device, dtype=x.compute)
    for strong in (False, True) if x.axis == "inner" else (False,):
        pairs_kernel[(x.count * x.chunks * x.heads,)](
            reads, keys, *plain, beta, out, g.c, decay, g.weak, x.positions, x.bounds, x.rows, x.heads, x.chunks, x.total,
            *steps(reads), *steps(keys), *steps(plain[0]), *steps(plain[1]), *steps(beta), *steps(decay),
            D=x.key, BD=power_of_two(x.key), C=x.chunk, M=x.sub_rows, DECAY=DECAYS[x.axis], EARLY=early, STRICT=strict,
            STRENGTH=beta is not None, INVERT=invert, STRONG=strong, PACKED=x.positions is not None, VARLEN=x.bounds is not None,
            **x.products, num_warps=8 if strong else 4,
        )  # fmt: skip
    return out


def block_of(x: Call) -> int:
    """Columns of the state that a program of the solve takes."""
    return solve_block(x.key, x.value, x.count * x.heads, x.single, x.device)


def solve(
    x: Call, g: Decayed, v: Tensor, beta: Tensor | None, inverse: Tensor, *, is_decayed: bool, marks: Tensor | None,
    initial: Tensor | None, final: Tensor | None, scores: Tensor | None = None,
    s_marks: Tensor | None = None, beyond: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """e; or, with the scores of q with k and dO for v, z."""
    e = torch.empty(*g.k.shape[:3], x.value, device=x.device, dtype=x.compute)
    raised_beta = None if x.axis == "inner" else beta  # raised keys hold it already
    be = block_of(x)
    stages = 2 if power_of_two(x.key) <= 128 and not x.single else 1
    b = g.k if g.b is None else g.b
    solve_kernel[(-(-x.value // be) * x.heads * x.count,)](
        g.q, g.k, v, b, raised_beta, inverse, scores, e,
        g.c, g.ends, x.positions, x.bounds, initial, final, marks, s_marks, beyond, x.rows, x.heads, x.total,
        *steps(g.q), *steps(g.k), *steps(v), *steps(b), *steps(raised_beta),
        0 if initial is None else initial.stride(0),
        D=x.key, E=x.value, BD=power_of_two(x.key), BE=be, **x.flags(), DECAY=DECAYS[x.axis],
        REVERSE=scores is not None, DECAYED=is_decayed, STRENGTH=raised_beta is not None, VARLEN=x.bounds is not None,
        INITIAL=initial is not None, FINAL=final is not None, MARK=marks is not None, **x.products, STAGES=stages,
        num_warps=4, num_stages=stages,
    )  # fmt: skip
    return e


def erased_forward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    b: Tensor | None,
    beta: Tensor | None,
    decay: Tensor | None,
    before: bool,
    is_decayed: bool,
    sub_rows: int,
    initial: Tensor | None,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """o, the final state, and for the backward: e, the inverses, the states at edges, the operands with their decays. With
    `beta` (and no b) k is written times beta and b is -k."""
    q, k, v, b = strided(q), strided(k), strided(v), None if b is None else strided(b)
    x = call_of(q, v, decay, False, before, sub_rows, positions, bounds)
    g = decayed(x, q, k, decay, b=b, beta=beta, decayed_reader=is_decayed, save=True)
    marks, final = x.marks(), x.states()
    if initial is not None:
        initial = initial.float().contiguous()
    reader = k if b is None else b
    inverse = pairs(
        x, reader if g.b is None else g.b, g.k, (reader, k), g, decay, beta, early=not is_decayed, strict=True, invert=True
    )  # fmt: skip
    e = solve(x, g, v, beta, inverse, is_decayed=is_decayed, marks=marks, initial=initial, final=final)
    o = torch.empty(*q.shape[:3], x.value, device=q.device, dtype=q.dtype)
    inner = x.axis == "inner"
    forward(x, g, e, o, axis=x.axis, shards=Shards(x.chunks, 1), beta=None if inner else beta, marks=marks)
    if inner:
        strong_forward(x, g, q, k, e, decay, o, x.axis, beta)
    kept: list[Tensor | None] = [None, None, None, g.c, None, None, None, None]
    if inner:
        kept = [g.q, g.k, g.b, g.q_factor, g.k_factor, g.b_factor, g.ends, g.weak]
    empty = (q.new_empty(0) if y is None else y for y in kept)
    return o, final, e, inverse, marks, *empty  # type: ignore[return-value]


def erased_backward(
    d_o: Tensor,
    d_final: Tensor | None,
    q: Tensor,
    k: Tensor,
    b: Tensor | None,
    beta: Tensor | None,
    decay: Tensor | None,
    saved: list[Tensor],
    before: bool,
    is_decayed: bool,
    sub_rows: int,
    has_initial: bool,
    positions: Tensor | None,
    bounds: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """dq, dk, dv, db or d_beta, d_decay (empty without a decay), d_initial (empty without an initial state)."""
    q, k, d_o, b = strided(q), strided(k), strided(d_o), None if b is None else strided(b)
    e, inverse, marks, *kept = saved
    x = call_of(q, e, decay, False, before, sub_rows, positions, bounds)
    if x.axis == "inner":
        g = Decayed(kept[0], kept[1], kept[2], None, *kept[3:])
    else:
        g = Decayed(q, k, b, kept[3] if x.axis == "scalar" else None)
    scores = pairs(x, g.q, g.k, (q, k), g, decay, beta, early=before, strict=before, invert=False)
    adjoint = adjoint_of(x, x.key, x.value, block_of(x), x.axis != "none")
    d_initial = x.states() if has_initial else None
    z = solve(
        x, g, d_o, beta, inverse, is_decayed=is_decayed, marks=adjoint.marks, scores=scores,
        s_marks=marks, beyond=adjoint.beyond,
        initial=None if d_final is None else d_final.contiguous(), final=d_initial,
    )  # fmt: skip
    found = gradients(
        x, g, q, k, e, d_o, decay, marks, axis=x.axis, shards=Shards(x.chunks, 1), adjoint=adjoint,
        erase=Erase(k if b is None else b, z, beta, is_decayed),
    )  # fmt: skip
    dq, last = found.dq, found.db if beta is None else found.d_beta
    assert dq is not None and last is not None
    d_decay = q.new_empty(0) if found.d_decay is None else found.d_decay
    return dq, found.dk, z.to(q.dtype), last, d_decay, q.new_empty(0) if d_initial is None else d_initial
