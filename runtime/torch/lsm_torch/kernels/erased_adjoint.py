"""F3 and F4 backward: the adjoint systems solved in reverse order of the chunks, all gradients for every chunk at once."""

from __future__ import annotations

import torch
from torch import Tensor

from .adjoint import Erase, gradients
from .erased import shape_of
from .erased_schedule import solve_tiles
from .launch import DECAYS, Call, Decayed, call_of, steps, strided
from .schedule import power_of_two
from .solve_adjoint import solve_adjoint_kernel


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
    e, inverse, scores, marks, *kept = saved
    x = call_of(q, e, decay, False, before, sub_rows, positions, bounds)
    if x.axis == "inner":
        g = Decayed(kept[0], kept[1], kept[2], None, *kept[3:])
    else:
        g = Decayed(q, k, b, kept[3] if x.axis == "scalar" else None)
    d_initial = x.states() if has_initial else None
    how = Erase(k if b is None else b, torch.empty_like(e), beta, is_decayed)
    adjoint_marks = solve_adjoint(x, g, d_o, inverse, scores, how, d_final, d_initial)
    found = gradients(x, g, q, k, e, d_o, decay, marks, adjoint_marks, None, how)
    last = found.db if beta is None else found.d_beta
    assert found.dq is not None and last is not None
    d_decay = q.new_empty(0) if found.d_decay is None else found.d_decay
    return found.dq, found.dk, how.z.to(q.dtype), last, d_decay, q.new_empty(0) if d_initial is None else d_initial


def solve_adjoint(
    x: Call, g: Decayed, d_o: Tensor, inverse: Tensor, scores: Tensor, erase: Erase, d_final: Tensor | None,
    d_initial: Tensor | None,
) -> Tensor:  # fmt: skip
    """Fills erase.z; the adjoint states at the edges of chunks."""
    how = solve_tiles(shape_of(x, g), True, x.device)
    marks = x.marks()
    beta = None if x.axis == "inner" else erase.beta
    b = g.k if g.b is None else g.b
    initial = None if d_final is None else d_final.contiguous()
    solve_adjoint_kernel[(-(-x.value // how.be) * x.heads * x.count,)](
        g.q, g.k, d_o, b, beta, inverse, scores, erase.z,
        g.c, g.ends, x.positions, x.bounds, initial, d_initial, marks, x.rows, x.heads, x.total,
        *steps(g.q), *steps(g.k), *steps(d_o), *steps(b), *steps(beta), 0 if initial is None else initial.stride(0),
        D=x.key, E=x.value, BD=power_of_two(x.key), BE=how.be, **x.flags(), DECAY=DECAYS[x.axis], DECAYED=erase.decayed,
        STRENGTH=beta is not None, VARLEN=x.bounds is not None, INITIAL=initial is not None,
        FINAL=d_initial is not None, **x.products, STAGES=how.stages, num_warps=how.warps, num_stages=how.stages,
    )  # fmt: skip
    return marks
