"""Starts the kernels of all gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .gradients import gradients_kernel
from .launch import DECAYS, Adjoint, Call, Decayed, steps
from .schedule import Shards, gradient_tiles, power_of_two
from .strong import strong_forward_kernel, strong_gradients_kernel


@dataclass(frozen=True)
class Gradients:
    """dq, dk in [rows, H, D], dv in [rows, H, E] where there is no erase, db or d_beta where there is one, d_decay."""

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
    *,
    axis: str,
    shards: Shards,
    initial: Tensor | None = None,
    final: Tensor | None = None,
    adjoint: Adjoint | None = None,
    transposed: bool = False,
    read: bool = True,
) -> Gradients:
    """From the marks S and the adjoint at each shard's end: `initial` [N, P, H, D, E], or `adjoint`, one chunk a shard. `transposed`:
    s_marks are [E, D]."""
    d, e = g.q.shape[-1], v.shape[-1]
    tiles = gradient_tiles(d, e, x.single, adjoint is None)
    blocks = -(-e // tiles.be)
    grid = (blocks * shards.count * x.heads * x.count,)
    part = x.dtype if blocks == 1 else torch.float32

    def parts(there: bool, width: int, dtype: torch.dtype) -> Tensor | None:
        return torch.empty(blocks, *plain_q.shape[:3], width, device=x.device, dtype=dtype) if there else None

    dq, dk = parts(read, d, part), parts(True, d, part)
    d_decay = parts(decay is not None, 1 if axis == "scalar" else d, torch.float32)
    dv = torch.empty(*plain_q.shape[:3], e, device=x.device, dtype=x.dtype)
    of_s = (1, d) if transposed else (e, 1)
    of_in = (0, 0, 0, 0, 0) if initial is None else initial.stride()
    of_out = 0 if final is None else final.stride(0)
    r_marks, beyond = (None, None) if adjoint is None else (adjoint.marks, adjoint.beyond)
    gradients_kernel[grid](
        g.q, g.k, v, d_o, s_marks, r_marks, initial, final, beyond,
        g.q_factor, g.k_factor, g.c, g.ends, g.weak, x.positions, x.bounds,
        dq, dk, dv, d_decay,
        x.rows, x.heads, shards.count, shards.chunks, x.total,
        *steps(g.q), *steps(g.k), *steps(v), *steps(d_o),
        *of_s, *of_in, of_out, e, 1,
        D=d, E=e, BD=tiles.bd, BE=tiles.be, **x.flags(), DECAY=DECAYS[axis],
        VARLEN=x.bounds is not None, FROM_MARKS=r_marks is not None, INITIAL=initial is not None,
        FINAL=final is not None, READ=read,
        PARTS=1 if adjoint is None else adjoint.parts, **x.products, STAGES=tiles.stages,
        num_warps=tiles.warps, num_stages=tiles.stages,
    )  # fmt: skip
    found = Gradients(whole(dq, x.dtype), whole(dk, x.dtype), dv, None, None, whole(d_decay))
    if axis == "inner":
        strong_gradients(x, g, plain_q, plain_k, v, d_o, decay, None, found)
    return found


def whole(parts: Tensor | None, dtype: torch.dtype = torch.float32) -> Tensor:
    """The blocks' sum; None stays None."""
    if parts is None:
        return None  # type: ignore[return-value]
    return parts[0] if parts.shape[0] == 1 else parts.sum(0).to(dtype)


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
    b, z, strength = (None, None, None) if erase is None else (erase.b, erase.z, erase.beta)
    strong_gradients_kernel[(x.count * x.chunks * x.heads,)](
        q, k, v, d_o, b, z, strength, decay, g.weak, x.positions, x.bounds,
        found.dq, found.dk, found.dv, found.db, found.d_beta, found.d_decay, x.rows, x.heads, x.chunks,
        *steps(q), *steps(k), *steps(v), *steps(d_o), *steps(b), *steps(strength), *steps(decay),
        D=d, E=e, BD=power_of_two(d), BE=power_of_two(e), **x.flags(),
        DECAYED=erase is not None and erase.decayed, ERASE=erase is not None, STRENGTH=strength is not None,
        VARLEN=x.bounds is not None, READ=found.dq is not None, **x.products, num_warps=8,
    )  # fmt: skip


def strong_forward(x: Call, g: Decayed, q: Tensor, k: Tensor, v: Tensor, decay: Tensor | None, out: Tensor, axis: str,
    beta: Tensor | None = None,
) -> None:  # fmt: skip
    """out += the pairs of strong chunks."""
    d, e = q.shape[-1], v.shape[-1]
    strong_forward_kernel[(x.count * x.chunks * x.heads,)](
        q, k, v, out, beta, decay, g.weak, x.positions, x.bounds, x.rows, x.heads, x.chunks,
        *steps(q), *steps(k), *steps(v), *steps(beta), *steps(decay),
        D=d, E=e, BD=power_of_two(d), BE=power_of_two(e), **x.flags(), DECAY=DECAYS[axis],
        STRENGTH=beta is not None, VARLEN=x.bounds is not None, PRECISION=x.products["PRECISION"], num_warps=8,
    )  # fmt: skip
