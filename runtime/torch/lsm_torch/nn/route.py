"""Routes: tokens sorted by expert, and back. B rows, T tokens a row, S slots a row (a token has one for each pick)."""

from __future__ import annotations

import torch
from torch import Tensor


def take(table: Tensor, ids: Tensor, shared: int = 1) -> Tensor:
    """table [*shared, N, ..] at ids [*shared, *own]: [*shared, *own, ..]."""
    outer, own = ids.shape[:shared], ids.shape[shared:]
    rows = table.reshape(-1, *table.shape[shared:])
    flat = ids.reshape(rows.shape[0], -1)
    index = flat.view(*flat.shape, *[1] * (rows.dim() - 2)).expand(-1, -1, *rows.shape[2:])
    return rows.gather(1, index).view(*outer, *own, *table.shape[shared + 1 :])


def put(ids: Tensor, values: Tensor, size: int, shared: int = 1) -> Tensor:
    """The adjoint of take: values [*shared, *own, ..] summed at ids [*shared, *own] of zeros [*shared, size, ..]."""
    outer, rest = ids.shape[:shared], values.shape[ids.dim() :]
    rows = values.reshape(outer.numel(), -1, *rest)
    flat = ids.reshape(rows.shape[0], -1)
    index = flat.view(*flat.shape, *[1] * len(rest)).expand_as(rows)
    zeros = values.new_zeros(rows.shape[0], size, *rest)
    return zeros.scatter_add(1, index, rows).view(*outer, size, *rest)


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
    ends = torch.searchsorted(
        group if order is None else group[order],
        torch.arange(weight.shape[0], device=group.device),
        right=True,
    )
    y = _grouped(flat, weight, ends.to(torch.int32))
    if order is not None:
        y = torch.empty_like(y).index_copy(0, order, y)
    return y.view(*ids.shape, -1)


def _grouped(x: Tensor, weight: Tensor, ends: Tensor) -> Tensor:
    """x [N, D] sorted by expert, expert e's rows ending at ends[e]."""
    if x.is_cuda:
        dtype = torch.bfloat16
        return torch._grouped_mm(x.to(dtype), weight.to(dtype), offs=ends)
    counts = torch.diff(ends, prepend=ends.new_zeros(1)).tolist()
    parts = zip(x.split(counts), weight.unbind(0), strict=True)
    return torch.cat([rows @ matrix.to(x.dtype) for rows, matrix in parts])
