"""F3 and F4 forward: the erase's triangular systems solved in order of the chunks, all else for every chunk at once."""

from __future__ import annotations

import torch
from torch import Tensor

from .erased_schedule import Shape, solve_tiles
from .inverse import pairs_kernel
from .launch import DECAYS, Call, Decayed, call_of, decayed, steps, strided
from .schedule import power_of_two
from .solve import solve_kernel


def pairs(
    x: Call, g: Decayed, q: Tensor, k: Tensor, b: Tensor | None, beta: Tensor | None, decay: Tensor | None, is_decayed: bool
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The inverses of I minus the erase's pairs and the scores of q with k, of each chunk: [B, rows, H, C]."""
    shape = (*q.shape[:3], x.chunk)
    inverse, scores = (torch.empty(shape, device=x.device, dtype=x.compute) for _ in range(2))
    for strong in (False, True) if x.axis == "inner" else (False,):
        pairs_kernel[(x.count * x.chunks * x.heads,)](
            g.q, g.k, g.b, q, k, b, beta, inverse, scores, g.c, decay, g.weak, x.positions, x.bounds,
            x.rows, x.heads, x.chunks, x.total,
            *steps(g.q), *steps(g.k), *steps(g.b), *steps(q), *steps(k), *steps(b), *steps(beta), *steps(decay),
            D=x.key, BD=power_of_two(x.key), **x.flags(), DECAY=DECAYS[x.axis], DECAYED=is_decayed,
            STRENGTH=beta is not None, STRONG=strong, VARLEN=x.bounds is not None,
            **x.products, num_warps=8 if strong else 4,
        )  # fmt: skip
    return inverse, scores


def shape_of(x: Call, g: Decayed) -> Shape:
    return Shape(x.key, x.value, x.chunk, x.count * x.heads, x.axis, g.b is not None, x.single)


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
) -> tuple[
    Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor
]:
    """o, the final state, and for the backward: e, the inverses and scores, the states at edges, the operands with their decays. With
    `beta` (and no b) k is written times beta and b is -k."""
    q, k, v, b = strided(q), strided(k), strided(v), None if b is None else strided(b)
    x = call_of(q, v, decay, False, before, sub_rows, positions, bounds)
    g = decayed(x, q, k, decay, b=b, beta=beta, decayed_reader=is_decayed, save=True)
    inner = x.axis == "inner"
    inverse, scores = pairs(x, g, q, k, b, beta, decay, is_decayed)
    marks, final = x.marks(), x.states()
    e = torch.empty(*q.shape[:3], x.value, device=x.device, dtype=x.compute)
    o = torch.empty(*q.shape[:3], x.value, device=q.device, dtype=q.dtype)
    if initial is not None:
        initial = initial.float().contiguous()
    raised_beta = None if inner else beta  # raised keys hold it already
    how = solve_tiles(shape_of(x, g), False, x.device)
    raised_b = g.k if g.b is None else g.b
    solve_kernel[(-(-x.value // how.be) * x.heads * x.count,)](
        g.q, g.k, v, raised_b, raised_beta, inverse, scores, e, o,
        g.c, g.ends, x.positions, x.bounds, initial, final, marks, x.rows, x.heads, x.total,
        *steps(g.q), *steps(g.k), *steps(v), *steps(raised_b), *steps(raised_beta), 0 if initial is None else initial.stride(0),
        D=x.key, E=x.value, BD=power_of_two(x.key), BE=how.be, **x.flags(), DECAY=DECAYS[x.axis], DECAYED=is_decayed,
        STRENGTH=raised_beta is not None, VARLEN=x.bounds is not None, INITIAL=initial is not None,
        **x.products, STAGES=how.stages, num_warps=how.warps, num_stages=how.stages,
    )  # fmt: skip
    kept: list[Tensor | None] = [None, None, None, g.c, None, None, None, None]
    if inner:
        kept = [g.q, g.k, g.b, g.q_factor, g.k_factor, g.b_factor, g.ends, g.weak]
    empty = (q.new_empty(0) if y is None else y for y in kept)
    return o, final, e, inverse, scores, marks, *empty  # type: ignore[return-value]
