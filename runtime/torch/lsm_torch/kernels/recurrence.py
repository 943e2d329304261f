"""From the op's operands to the kernels' rows and back.

The kernels know one kind of row: a key, a value and, with an erase, a reader b, M rows a token. A token's several writes
are its rows; an erase a (bᵀS) is a row with key a, value 0 and reader b; q stands at a token's last row, the decay at its first.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..ops.arguments import Operands
from ..ops.reference import recurrence_reference
from .erased_operator import erased
from .gated_operator import gated
from .schedule import LARGEST_WIDTH, power_of_two


def recurrence_triton(x: Operands, return_state: bool) -> tuple[Tensor, Tensor]:
    """o [B, T, H, V] and the final state [B or N, H, K, V], of which the latter may be wrong unless it is asked for."""
    _, time, _, key, value = x.sizes
    if max(key, value) > LARGEST_WIDTH or time == 0:
        return recurrence_reference(x)
    positions, bounds = documents(x, time, return_state)
    k, v, b = joined_rows(x)
    m = k.shape[2]
    q, decay = x.q, x.log_decay
    if m > 1:
        q = pad(q.unsqueeze(2), (0, 0, 0, 0, m - 1, 0)).flatten(1, 2)
        decay = None if decay is None else pad(decay.unsqueeze(2), (0, 0, 0, 0, 0, m - 1)).flatten(1, 2)
        if positions is not None:
            sub = torch.arange(m, device=q.device)
            positions = (positions.unsqueeze(-1) * m + sub).flatten(1, 2)
        bounds = None if bounds is None else bounds * m
    positions = None if positions is None else positions.to(torch.int32).contiguous()
    k, v = k.flatten(1, 2), v.flatten(1, 2)
    on_value = x.decay_on == "value"
    before = x.read == "before"
    if b is None:
        o, final = gated(q, k, v, decay, on_value, before, m, x.initial_state, positions, bounds)
    else:
        o, final = erased(q, k, v, b.flatten(1, 2), None, decay, before, False, m, x.initial_state, positions, bounds)
    return (o[:, m - 1 :: m] if m > 1 else o), final


def delta_rule_triton(x: Operands, beta: Tensor, return_state: bool) -> tuple[Tensor, Tensor]:
    """S_t = Λ_t∘S_{t-1} + β k (v - pᵀ(Λ_t∘S_{t-1}))ᵀ, where the erase is (k, p): one row a token."""
    _, time, _, key, value = x.sizes
    assert x.erase is not None
    k, p = x.k.squeeze(2), x.erase[1].squeeze(2)
    if max(key, value) > LARGEST_WIDTH or time == 0:
        return recurrence_reference(x.as_delta_rule(beta))
    positions, bounds = documents(x, time, return_state)
    positions = None if positions is None else positions.to(torch.int32).contiguous()
    v = x.v.squeeze(2)
    how = (False, True, 1, x.initial_state, positions, bounds)
    if x.erase[0] is x.erase[1]:
        return erased(x.q, k, v, None, beta.unsqueeze(-1), x.log_decay, *how)
    return erased(x.q, (beta.unsqueeze(-1) * k).to(k.dtype), v, -p, None, x.log_decay, *how)


def documents(x: Operands, time: int, return_state: bool) -> tuple[Tensor | None, Tensor | None]:
    """Positions or bounds. One row with document starts fills the chip better than one program a document."""
    if x.cu_seqlens is not None and x.initial_state is None and not return_state:
        return positions_of(x.cu_seqlens, time), None
    return x.positions, x.cu_seqlens


def positions_of(bounds: Tensor, time: int) -> Tensor:
    """cu_seqlens [N + 1] -> each token's place in its document [1, T], without asking the device for a number."""
    index = torch.arange(time, device=bounds.device, dtype=bounds.dtype)
    document = torch.searchsorted(bounds, index, right=True) - 1
    return (index - bounds[document]).unsqueeze(0)


def joined_rows(x: Operands) -> tuple[Tensor, Tensor, Tensor | None]:
    """Keys, values and readers [B, T, M, H, ·], M a power of two."""
    k, v, b = x.k, x.v, None
    if x.erase is not None:
        a, reader = x.erase
        b = torch.cat([torch.zeros_like(k), reader], 2)
        zero = v.new_zeros(()).expand(*a.shape[:-1], v.shape[-1])
        k, v = torch.cat([k, a], 2), torch.cat([v, zero], 2)
    missing = power_of_two(k.shape[2], 1) - k.shape[2]
    if missing:
        k, v = (pad(y, (0, 0, 0, 0, 0, missing)) for y in (k, v))
        b = None if b is None else pad(b, (0, 0, 0, 0, 0, missing))
    return k, v, b
