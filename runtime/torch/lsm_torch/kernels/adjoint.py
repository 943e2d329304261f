"""Starts the kernels of all gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .gradients import gradients_kernel
from .launch import DECAYS, Call, Decayed, steps
from .schedule import STRONG_GROUP, gradient_tiles, power_of_two
from .strong import strong_forward_kernel, strong_gradients_kernel


@dataclass(frozen=True)
class Gradients:
    """dq where it is wanted, dk in [rows, H, D], dv in [rows, H, E] where there is no erase, db or d_beta where there is one, d_decay."""

    dq: Tensor | None
    dk: Tensor
    dv: Tensor | None
    db: Tensor | None
    d_beta: Tensor | None
    d_decay: Tensor | None


@dataclass(frozen=True)
class Erase:
    """The reader b before its decay, or beta where it is -k; and the adjoint z of e."""

    b: Tensor
    z: Tensor
    beta: Tensor | None
    decayed: bool


def gradients(
    x: Call,
    g: Decayed,
    plain_q: Tensor,
    plain_k: Tensor,
    v: Tensor,
    d_o: Tensor,
    decay: Tensor | None,
    s_marks: Tensor,
    r_marks: Tensor,
    dv: Tensor | None,
    erase: Erase | None = None,
    *,
    transposed: bool = False,
    read: bool = True,
) -> Gradients:
    """All but dv, from the states and their adjoints at the edges of chunks; with an erase v is e. `transposed`: s_marks are [E, D];
    not `read`: without dq."""
    d, e = g.q.shape[-1], v.shape[-1]
    axis = "none" if decay is None else "scalar" if decay.shape[-1] == 1 else "inner"
    tiles = gradient_tiles(d, e, axis == "inner", erase is not None, x.single)
    key_blocks = -(-d // tiles.bd)
    z, beta = (None, None) if erase is None else (erase.z, erase.beta)

    def empty(there: bool, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.empty(*shape, device=x.device, dtype=dtype) if there else None  # type: ignore[return-value]

    rows = plain_q.shape[:3]
    dq, dk = empty(read, *plain_q.shape, dtype=x.dtype), x.like(plain_k)
    db = empty(erase is not None and beta is None, *plain_q.shape, dtype=x.dtype)
    d_beta = empty(beta is not None, key_blocks, *rows)
    d_decay = empty(decay is not None, *((key_blocks, *rows, 1) if axis == "scalar" else (1, *plain_q.shape)))
    gradients_kernel[(key_blocks * x.heads * x.chunks * x.count,)](
        g.q, g.k, v, d_o, g.b, z, beta, plain_k, s_marks, r_marks,
        g.q_factor, g.k_factor, g.b_factor, g.c, g.ends, g.weak, x.positions, x.bounds,
        dq, dk, db, d_beta, d_decay, x.rows, x.heads, x.chunks, x.total,
        *steps(g.q), *steps(g.k), *steps(v), *steps(d_o), *steps(g.b), *steps(beta), *steps(plain_k),
        *((1, d) if transposed else (e, 1)),
        D=d, E=e, BD=tiles.bd, BE=tiles.be, **x.flags(), DECAY=DECAYS[axis], ERASE=erase is not None,
        DECAYED=erase is not None and erase.decayed, STRENGTH=beta is not None, READ=read,
        VARLEN=x.bounds is not None, **x.products, STAGES=tiles.stages, num_warps=tiles.warps, num_stages=tiles.stages,
    )  # fmt: skip
    found = Gradients(dq, dk, dv, db, whole(d_beta), whole(d_decay))
    if axis == "inner":
        strong_gradients(x, g, plain_q, plain_k, v, d_o, decay, erase, found)
    return found


def whole(parts: Tensor | None) -> Tensor | None:
    """The blocks' sum; None stays None."""
    return None if parts is None else parts[0] if parts.shape[0] == 1 else parts.sum(0)


def strong_gradients(
    x: Call,
    g: Decayed,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    d_o: Tensor,
    decay: Tensor | None,
    erase: Erase | None,
    found: Gradients,
) -> None:
    d, e = q.shape[-1], v.shape[-1]
    groups = -(-x.chunks // STRONG_GROUP)
    b, z, strength = (None, None, None) if erase is None else (erase.b, erase.z, erase.beta)
    strong_gradients_kernel[(x.count * groups * x.heads,)](
        q, k, v, d_o, b, z, strength, decay, g.weak, x.positions, x.bounds,
        found.dq, found.dk, found.dv, found.db, found.d_beta, found.d_decay, x.rows, x.heads, groups,
        *steps(q), *steps(k), *steps(v), *steps(d_o), *steps(b), *steps(strength), *steps(decay),
        D=d, E=e, BLOCK=min(32, power_of_two(max(d, e))), **x.flags(),
        DECAYED=erase is not None and erase.decayed, ERASE=erase is not None, STRENGTH=strength is not None, GROUP=STRONG_GROUP,
        VARLEN=x.bounds is not None, READ=found.dq is not None, **x.products, num_warps=8,
    )  # fmt: skip


def strong_forward(x: Call, g: Decayed, q: Tensor, k: Tensor, v: Tensor, decay: Tensor | None, out: Tensor, axis: str,
    beta: Tensor | None = None,
) -> None:  # fmt: skip
    """out += the pairs of strong chunks."""
    d, e = q.shape[-1], v.shape[-1]
    groups = -(-x.chunks // STRONG_GROUP)
    strong_forward_kernel[(x.count * groups * x.heads,)](
        q, k, v, out, beta, decay, g.weak, x.positions, x.bounds, x.rows, x.heads, groups,
        *steps(q), *steps(k), *steps(v), *steps(beta), *steps(decay),
        D=d, E=e, BLOCK=min(32, power_of_two(max(d, e))), **x.flags(), DECAY=DECAYS[axis],
        STRENGTH=beta is not None, GROUP=STRONG_GROUP, VARLEN=x.bounds is not None, PRECISION=x.products["PRECISION"], num_warps=8,
    )  # fmt: skip
