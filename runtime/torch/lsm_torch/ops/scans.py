"""Scans over time without a matrix form: states that are changed elementwise.

    linear_scan      h_t = a_t h_{t-1} + b_t
    maxplus_scan     h_t = max(a_t + h_{t-1}, b_t)
    selective_scan   S_t = a_t∘S_{t-1} + k_t v_tᵀ, o_t = q_tᵀ S_t: the states are never held for all tokens

`kernels` and LSM_KERNELS choose an implementation as in `recurrence`.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from .arguments import Read, rows, state_dtype
from .choice import HAS_TRITON, Kernels, chosen
from .doubling import doubled_linear, doubled_maxplus
from .heard import hear

if HAS_TRITON:  # here, not at the first call, so that its operators are registered for whoever counts them
    from ..kernels.scan_operator import scan_triton
    from ..kernels.selective_operator import selective_triton
    from ..kernels.step import selective_step_triton
    from ..kernels.watched import wants_gradients

Ties = Literal["state", "input"]


def linear_scan(
    a: Tensor | float,
    b: Tensor,
    positions: Tensor | None = None,
    *,
    restart: float = 0.0,
    modulus: float | None = None,
    initial: Tensor | None = None,
    kernels: Kernels | None = None,
) -> Tensor:
    """All states [B, T, ..], float32 (float64 of float64): h_t = a_t h_{t-1} + b_t of b [B, T, ..], to which a is broadcast.

    Where a position [B, T] is 0, h_{t-1} is `restart`; before the first token it is `initial` [B, ..], or `restart`. With a modulus,
    h stays in [0, modulus), and a is 1; its sums are taken in float64, as long texts need.
    """
    if kernels is None:
        hear(linear_scan, a=a, b=b, positions=positions, restart=restart, modulus=modulus, initial=initial)
    a, b, starts, before = opened(a, b, positions, restart, initial)
    if runs_triton(kernels, b):
        return scan_triton(a, b, before, starts, restart, modulus, False, False)
    start, kind = spread(starts, b), b.dtype
    a = a.expand(b.shape)
    if modulus is not None:
        a, b, before = a.double(), b.double(), before.double()
    b = torch.where(start, b + a * restart, b)
    a = torch.where(start, 0.0, a)
    h = doubled_linear(a, torch.cat((b[:, :1] + a[:, :1] * before.unsqueeze(1), b[:, 1:]), 1))
    return h if modulus is None else torch.remainder(h, modulus).to(kind)


def maxplus_scan(
    a: Tensor | float,
    b: Tensor,
    positions: Tensor | None = None,
    *,
    restart: float = 0.0,
    ties: Ties = "state",
    initial: Tensor | None = None,
    kernels: Kernels | None = None,
) -> Tensor:
    """h_t = max(a_t + h_{t-1}, b_t), otherwise as linear_scan; `ties` says whose gradient equal sides take."""
    if kernels is None:
        hear(maxplus_scan, a=a, b=b, positions=positions, restart=restart, ties=ties, initial=initial)
    a, b, starts, before = opened(a, b, positions, restart, initial)
    if runs_triton(kernels, b):
        return scan_triton(a, b, before, starts, restart, None, True, ties == "state")
    first = torch.arange(b.shape[1], device=b.device) == 0
    begins = spread(starts | first, b)
    a = a.expand(b.shape)
    begun = a + torch.where(spread(starts, b), restart, before.unsqueeze(1))
    alone = begun >= b if ties == "state" else begun > b
    return doubled_maxplus(a, torch.where(begins & alone, begun, b), begins, ties == "state")


def selective_scan(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    step: Tensor | None = None,
    rate: Tensor | None = None,
    log_key: Tensor | None = None,
    log_value: Tensor | None = None,
    read: Read = "after",
    initial_state: Tensor | None = None,
    positions: Tensor | None = None,
    return_state: bool = False,
    in_place: bool = False,
    kernels: Kernels | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """S_t = exp(step_t∘rate + log_key_t + log_value_t)∘S_{t-1} + k_t v_tᵀ, o_t = q_tᵀ S_t (or S_{t-1} with read="before").

    q, k [B, T, H, K], or [H, K, V] where they are the same for every token; v, step, log_value [B, T, H, V]; log_key [B, T, H, K];
    rate [H, K, V], alone where there is no step; initial_state [B, H, K, V]; positions [B, T], where 0 resets the state to zero.
    Mamba-1 has step Δ and rate −e^A; S4D a rate, q and k alone. Gives o [B, T, H, V] in v's dtype; with return_state also the
    final state [B, H, K, V], float32. Under autocast q, k and v of tokens are cast; what is fixed, and decays, keep their precision. One token
    takes a kernel of its own where no gradient is asked for, which with in_place changes the state given.
    """
    if kernels is None:
        hear(
            selective_scan,
            q=q,
            k=k,
            v=v,
            step=step,
            rate=rate,
            log_key=log_key,
            log_value=log_value,
            read=read,
            initial_state=initial_state,
            positions=positions,
        )
    if torch.is_autocast_enabled(v.device.type):
        dtype = torch.get_autocast_dtype(v.device.type)
        v = v.to(dtype)
        q, k = (x if x.ndim == 3 else x.to(dtype) for x in (q, k))
    operands = fitted(q, k, v, log_key, log_value, step, rate)
    batch, time, heads, value = v.shape
    key = q.shape[-2 if q.ndim == 3 else -1]
    initial = None if initial_state is None else rows(initial_state, "initial_state", (batch, heads, key, value))
    if time == 1 and runs_triton(kernels, v) and not wants_gradients(*operands, initial):
        first = torch.ones_like(v[:, 0, 0, 0], dtype=torch.int32) if positions is None else positions.expand(batch, 1)
        o, state = selective_step_triton(initial, *operands, read == "before", first.contiguous(), in_place)
        return (o, state) if return_state else o
    starts = None if positions is None else positions.expand(batch, time) == 0
    if read == "before":
        return read_before(operands, initial, starts, return_state, kernels)
    o, state = over_time(operands, initial, starts, kernels)
    return (o, state) if return_state else o


#: q, k, v, log_key, log_value, step, rate
Operands = tuple[Tensor, Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None, Tensor | None]


def fitted(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_key: Tensor | None,
    log_value: Tensor | None,
    step: Tensor | None,
    rate: Tensor | None,
) -> Operands:
    """Every operand in its full shape, or None."""
    if v.ndim != 4:
        raise ValueError(f"v must be [batch, time, heads, value], but it is {list(v.shape)}")
    if step is not None and rate is None:
        raise ValueError("a step needs a rate: without one give log_value")
    batch, time, heads, value = v.shape
    key = q.shape[-2] if q.ndim == 3 else q.shape[-1]

    def of_keys(x: Tensor, name: str) -> Tensor:
        return rows(x, name, (heads, key, value) if x.ndim == 3 else (batch, time, heads, key))

    def of_values(x: Tensor | None, name: str) -> Tensor | None:
        return None if x is None else rows(x, name, (batch, time, heads, value))

    return (
        of_keys(q, "q"),
        of_keys(k, "k"),
        v,
        None if log_key is None else of_keys(log_key, "log_key"),
        of_values(log_value, "log_value"),
        of_values(step, "step"),
        None if rate is None else rows(rate, "rate", (heads, key, value)),
    )


def over_time(
    operands: Operands, initial: Tensor | None, starts: Tensor | None, kernels: Kernels | None
) -> tuple[Tensor, Tensor]:
    q, k, v, log_key, log_value, step, rate = operands
    if runs_triton(kernels, v):
        return selective_triton(*operands, initial, starts)
    dtype = state_dtype(v)

    def of_keys(x: Tensor) -> Tensor:
        """[B, T, H, K, V], or without B and T where it is fixed."""
        return x.to(dtype) if x.ndim == 3 else x.to(dtype).unsqueeze(-1)

    log = torch.zeros((), dtype=dtype, device=v.device)
    if rate is not None:
        log = rate.to(dtype) if step is None else step.to(dtype).unsqueeze(-2) * rate.to(dtype)
    if log_key is not None:
        log = log + of_keys(log_key)
    if log_value is not None:
        log = log + log_value.to(dtype).unsqueeze(-2)
    written = of_keys(k) * v.to(dtype).unsqueeze(-2)
    index = torch.arange(v.shape[1], device=v.device)
    positions = (index > -1).expand(v.shape[:2]) if starts is None else ~starts
    states = linear_scan(log.exp(), written, positions, initial=initial, kernels="reference")
    o = (of_keys(q) * states).sum(-2).to(v.dtype)
    empty = states.new_zeros(v.shape[0], *written.shape[2:]) if initial is None else initial.to(dtype)
    return o, states[:, -1] if v.shape[1] > 0 else empty


def read_before(
    operands: Operands, initial: Tensor | None, starts: Tensor | None, return_state: bool, kernels: Kernels | None
) -> Tensor | tuple[Tensor, Tensor]:
    """q_tᵀ S_{t-1}: each token's query is the one of the token before, whose answer is handed on."""
    q = operands[0]
    moved = q if q.ndim == 3 else torch.cat((q[:, 1:], torch.zeros_like(q[:, :1])), 1)
    o, state = over_time((moved, *operands[1:]), initial, starts, kernels)
    first = torch.zeros_like(o[:, :1])
    if initial is not None and o.shape[1] > 0:
        query = q if q.ndim == 3 else q[:, 0].unsqueeze(-1)
        first = (query.to(initial.dtype) * initial).sum(-2).to(o.dtype).unsqueeze(1)
    o = torch.cat((first, o[:, :-1]), 1)
    if starts is not None:
        o = torch.where(starts[..., None, None], 0, o)
    return (o, state) if return_state else o


def runs_triton(kernels: Kernels | None, x: Tensor) -> bool:
    return x.numel() > 0 and chosen(kernels, x) == "triton"


def opened(
    a: Tensor | float, b: Tensor, positions: Tensor | None, restart: float, initial: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """a, b as float32 (or float64); where documents begin, bool [B, T]; the state before the first token."""
    b = b.to(state_dtype(b))
    a = torch.as_tensor(a, dtype=b.dtype, device=b.device)
    starts = torch.zeros(b.shape[:2], dtype=torch.bool, device=b.device)
    if positions is not None:
        starts = positions.expand(b.shape[:2]) == 0
    before = b.new_full((b.shape[0], *b.shape[2:]), restart) if initial is None else initial.to(b.dtype)
    return a, b, starts, before


def spread(x: Tensor, like: Tensor) -> Tensor:
    """[B, T] with dimensions of size 1 for those of `like` [B, T, ..]."""
    return x.view(*x.shape, *[1] * (like.dim() - 2))
