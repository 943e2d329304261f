"""Routes: tokens sorted by expert, and back. B rows, T tokens a row, S slots a row (a token has one for each pick)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from ..kernels.grouped import grouped
from ..ops.choice import HAS_TRITON, chosen
from .functional import silu_mul

if HAS_TRITON:
    from ..kernels.experts import RoutedSwiglu
    from ..kernels.slots import Combine, Dispatch

    _operator: Callable[..., Tensor] = RoutedSwiglu.apply


class Weighted(Protocol):
    """A layer with a weight for every expert [E, ..]."""

    weight: Tensor


def take(table: Tensor, ids: Tensor, shared: int = 1) -> Tensor:
    """table [*shared, N, ..] at ids [*shared, *own]: [*shared, *own, ..]."""
    outer, own = ids.shape[:shared], ids.shape[shared:]
    rows = table.reshape(outer.numel(), *table.shape[shared:])
    flat = ids.reshape(outer.numel(), own.numel())
    index = flat.view(*flat.shape, *[1] * (rows.dim() - 2)).expand(-1, -1, *rows.shape[2:])
    return rows.gather(1, index).view(*outer, *own, *table.shape[shared + 1 :])


def put(ids: Tensor, values: Tensor, size: int, shared: int = 1) -> Tensor:
    """The adjoint of take: values [*shared, *own, ..] summed at ids [*shared, *own] of zeros [*shared, size, ..]."""
    outer, rest = ids.shape[:shared], values.shape[ids.dim() :]
    count = ids.shape[shared:].numel()
    rows = values.reshape(outer.numel(), count, *rest)
    flat = ids.reshape(outer.numel(), count)
    index = flat.view(*flat.shape, *[1] * len(rest)).expand_as(rows)
    zeros = values.new_zeros(rows.shape[0], size, *rest)
    return zeros.scatter_add(1, index, rows).view(*outer, size, *rest)


def dispatch(x: Tensor, order: Tensor, picks: int) -> Tensor:
    """Tokens x [B, T, ..] to slots [B, S, ..]: slot s holds token order[s] // picks; order [B, S] sorts a row's picks."""
    if not _by_kernel(x):
        return take(x, order // picks)
    _, slots = _places(order, x.shape[1], picks)
    rows = Dispatch.apply(x.flatten(0, 1).flatten(1), slots)
    return rows.view(*order.shape, *x.shape[2:])


def combine(y: Tensor, weights: Tensor, order: Tensor, picks: int) -> Tensor:
    """Slots y [B, S, ..] back to tokens [B, T, ..]: Σ over a token's picks of weight · y; weights, order [B, S]."""
    tokens_a_row = order.shape[1] // picks
    if not _by_kernel(y):
        weighted = y * weights.view(*weights.shape, *[1] * (y.dim() - 2))
        return put(order // picks, weighted, tokens_a_row)
    tokens, slots = _places(order, tokens_a_row, picks)
    rows = Combine.apply(y.flatten(0, 1).flatten(1), weights.flatten(), tokens, slots)
    return rows.view(order.shape[0], tokens_a_row, *y.shape[2:])


def routed_swiglu(
    x: Tensor, weights: Tensor, order: Tensor, ids: Tensor, picks: int, gate: Weighted, up: Weighted, down: Weighted
) -> Tensor:
    """Tokens x [B, T, D] through their picked experts: Σ over picks of weight · down(silu(gate x) · up x).

    weights, order, ids [B, S] are the slots' weights, their places among a row's picks, and their experts.
    """
    if x.shape[0] != 1 or not _by_kernel(x):
        rows = dispatch(x, order, picks)
        h = silu_mul(grouped_dot(rows, gate.weight, ids), grouped_dot(rows, up.weight, ids))
        return combine(grouped_dot(h, down.weight, ids), weights, order, picks)
    device = x.device.type
    if torch.is_autocast_enabled(device):
        x = x.to(torch.get_autocast_dtype(device))
    _, slots = _places(order, x.shape[1], picks)
    ends = group_ends(ids.reshape(-1), gate.weight.shape[0])
    own = (gate.weight.to(x.dtype), up.weight.to(x.dtype), down.weight.to(x.dtype))
    return _operator(x[0], weights.flatten(), *own, slots, ends).unsqueeze(0)


def leave_operators_whole() -> None:
    """torch.compile then calls the experts' operator as it is: taken apart, its backward pass would keep all it makes again."""
    global _operator
    _operator = torch.compiler.disable(_operator)


def group_ends(group: Tensor, count: int) -> Tensor:
    """Where each of `count` groups ends in sorted ids: int32."""
    every = torch.arange(count, device=group.device, dtype=group.dtype)
    if torch.compiler.is_compiling():  # inductor has no search in a view
        return (group[None, :] <= every[:, None]).sum(1).to(torch.int32)
    return torch.searchsorted(group, every, right=True, out_int32=True)


def _by_kernel(x: Tensor) -> bool:
    return chosen(None, x) == "triton" and x.dtype != torch.float64 and x.numel() > 0


def _places(order: Tensor, tokens: int, picks: int) -> tuple[Tensor, Tensor]:
    """Of rows laid end to end: each slot's token, int32 [B * S], and each token's slots, int32 [B * T, C]."""
    batch, count = order.shape
    row = torch.arange(batch, device=order.device)[:, None]
    place = torch.arange(batch * count, device=order.device, dtype=torch.int32)
    token = (order // picks + row * tokens).view(-1).to(torch.int32)
    inverse = torch.empty_like(place).scatter_(0, (order + row * count).view(-1), place)
    return token, inverse.view(batch * tokens, picks)


def one_row(x: Tensor) -> Tensor:
    """[B, T, ..] as one row of B * T tokens: for experts that look at single tokens, rows mean nothing."""
    return x.flatten(0, 1).unsqueeze(0)


def grouped_dot(x: Tensor, weight: Tensor, ids: Tensor) -> Tensor:
    """Every slot times its own expert's matrix: x [B, S, D], weight [E, D, F], ids [B, S] to [B, S, F].

    In one row, ids are sorted already; rows of a batch are brought together first, so that every expert's slots are one
    block of one grouped matrix product.
    """
    flat = x.reshape(-1, x.shape[-1])
    group = ids.reshape(-1)
    order = None
    if ids.shape[0] > 1:
        order = group.argsort(stable=True)
        flat = flat[order]
    y = grouped(flat, weight, group_ends(group if order is None else group[order], weight.shape[0]))
    if order is not None:
        y = torch.empty_like(y).index_copy(0, order, y)
    return y.view(*ids.shape, y.shape[-1])
