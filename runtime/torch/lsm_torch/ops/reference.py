"""The recurrence in plain torch: the chunk form, exact, readable, differentiated by autograd.

With c_t the sum of the log decays up to and including token t of the chunk, S_0 the state before it, and every pair factor
taken as exp(c_t - c_s) with s <= t, which is at most 1 (never as a quotient, which overflows):

    U   = (I - tril(B~ A~ᵀ, -1))⁻¹ (B~ S_0 + tril(B~ K~ᵀ, -1) V)
    O   = Q~ S_0 + tril(Q~ K~ᵀ) V + tril(Q~ A~ᵀ) U
    S_C = G_C ∘ (S_0 + K~ᵀ V + A~ᵀ U)

It runs on any device and dtype, and is what the Triton kernels are compared with. A token may have several rows (writes,
erases): rows carry the index of their token, and `tril` compares tokens.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from .arguments import Operands, state_dtype

# exp(-200) is 0 beside anything, and sums of such logs keep their precision where -inf would give nan
SMALLEST_LOG_DECAY = -200.0


def recurrence_reference(x: Operands) -> tuple[Tensor, Tensor]:
    """o [B, T, H, V] in q's dtype, and the final state [B or N, H, K, V]."""
    if x.cu_seqlens is None:
        return rows_of_batch(x, x.initial_state, x.positions)
    bounds = x.cu_seqlens.tolist()
    outs, states = [], []
    for n, (begin, end) in enumerate(pairwise(bounds)):
        part = slice_time(x, begin, end)
        initial = None if x.initial_state is None else x.initial_state[n : n + 1]
        o, state = rows_of_batch(part, initial, None)
        outs.append(o)
        states.append(state)
    return torch.cat(outs, 1), torch.cat(states, 0)


def slice_time(x: Operands, begin: int, end: int) -> Operands:
    def cut(y: Tensor) -> Tensor:
        return y[:, begin:end]

    return Operands(
        cut(x.q),
        cut(x.k),
        cut(x.v),
        None if x.log_decay is None else cut(x.log_decay),
        x.decay_on,
        None if x.erase is None else (cut(x.erase[0]), cut(x.erase[1])),
        x.read,
        None,
        None,
        None,
    )


def rows_of_batch(x: Operands, initial: Tensor | None, positions: Tensor | None) -> tuple[Tensor, Tensor]:
    batch, time, heads, key, value = x.sizes
    dtype = state_dtype(x.q)
    q, k, v = (head_first(y.unsqueeze(2) if y.ndim == 4 else y, dtype) for y in (x.q, x.k, x.v))
    erase = None if x.erase is None else tuple(head_first(y, dtype) for y in x.erase)
    decay = None if x.log_decay is None else x.log_decay.movedim(2, 1).to(dtype).clamp(min=SMALLEST_LOG_DECAY)
    state = q.new_zeros(batch, heads, key, value) if initial is None else initial.to(dtype)
    scalar = decay is None or decay.shape[-1] == 1
    length = 64 if scalar else 16
    index = torch.arange(time, device=q.device)
    start = None if positions is None else index - positions.to(index.dtype)
    outs = []
    for begin in range(0, time, length):
        end = min(begin + length, time)
        o, state = chunk(
            q[:, :, begin:end],
            k[:, :, begin:end],
            v[:, :, begin:end],
            None if decay is None else decay[:, :, begin:end],
            None if erase is None else (erase[0][:, :, begin:end], erase[1][:, :, begin:end]),
            state,
            None if start is None else (start[:, begin:end] - begin),
            before=x.read == "before",
            on_value=x.decay_on == "value" and not scalar,
        )
        outs.append(o)
    o = torch.cat(outs, 2) if outs else v.new_zeros(batch, heads, 0, value)
    return o.movedim(1, 2).to(x.q.dtype), state


def head_first(x: Tensor, dtype: torch.dtype) -> Tensor:
    """[B, T, W, H, D] -> [B, H, T, W, D]."""
    return x.movedim(3, 1).to(dtype)


def chunk(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    decay: Tensor | None,
    erase: tuple[Tensor, Tensor] | None,
    state: Tensor,
    start: Tensor | None,
    *,
    before: bool,
    on_value: bool,
) -> tuple[Tensor, Tensor]:
    """One chunk of C tokens: q [B, H, C, 1, K], k [B, H, C, W, K], …; `start` [B, C] is each token's document's first token."""
    tokens = q.shape[2]
    c = q.new_zeros(*q.shape[:3], 1) if decay is None else decay.cumsum(2)
    exclusive = c if decay is None else c - decay
    read = exclusive if before else c
    index = torch.arange(tokens, device=q.device)
    first = index.new_full((q.shape[0], tokens), -1) if start is None else start
    # [B, 1, C, C]: may token t see what token s wrote? and may it see the state before the chunk?
    same = (index[None, None, :] >= first[:, :, None]).unsqueeze(1)
    carried = (first < 0)[:, None, :, None].to(q.dtype)
    earlier = (index[:, None] > index[None, :]) & same
    up_to = (index[:, None] >= index[None, :]) & same
    kept = same[:, :, -1, :, None].to(q.dtype)  # what the last token's document wrote lasts

    mask = earlier if before else up_to
    if on_value:
        scores = torch.einsum("bhtik,bhswk->bhtsw", q, k)
        o = torch.einsum("bhtsw,bhtsv,bhswv->bhtv", scores, pair(read, c, mask), v)
        o = o + carried * read.exp() * (q.squeeze(3) @ state)
        last = c[:, :, -1:, :]
        written = torch.einsum("bhswk,bhsv,bhswv->bhkv", k, kept * (last - c).exp(), v)
        return o, carried[:, :, -1:] * last.exp() * state + written

    sources = [(k, v)]
    if erase is not None:
        a, b = erase
        strict = row_scores(b, a, exclusive, c, earlier)
        right = row_scores(b, k, exclusive, c, earlier) @ flat(v)
        right = right + flat(b * (carried * exclusive.exp())[:, :, :, None]) @ state
        eye = torch.eye(strict.shape[-1], dtype=q.dtype, device=q.device)
        u = torch.linalg.solve_triangular(eye - strict, right, upper=False, unitriangular=True)
        sources.append((a, u.unflatten(2, b.shape[2:4])))
    o = (q.squeeze(3) * (carried * read.exp())) @ state
    last = c[:, :, -1:, :]
    state = (carried[:, :, -1:] * last.exp()).transpose(2, 3) * state
    for y, z in sources:
        o = o + row_scores(q, y, read, c, mask) @ flat(z)
        state = state + flat(y * (kept * (last - c).exp())[:, :, :, None]).transpose(2, 3) @ flat(z)
    return o, state


def pair(ct: Tensor, cs: Tensor, mask: Tensor) -> Tensor:
    """exp(ct - cs) where the mask is true, else 0: [B, H, C, C, D]."""
    return (ct[:, :, :, None] - cs[:, :, None]).masked_fill(~mask[..., None], float("-inf")).exp()


def row_scores(x: Tensor, y: Tensor, cx: Tensor, cy: Tensor, mask: Tensor) -> Tensor:
    """sum_k x_k y_k exp(cx_k - cy_k) for each pair of rows: [B, H, C*R, C*W]."""
    factor = pair(cx, cy, mask)
    if factor.shape[-1] == 1:
        both = torch.einsum("bhtrk,bhswk->bhtrsw", x, y) * factor[..., 0][:, :, :, None, :, None]
    else:
        both = torch.einsum("bhtrk,bhtsk,bhswk->bhtrsw", x, factor, y)
    return both.flatten(4, 5).flatten(2, 3)


def flat(x: Tensor) -> Tensor:
    """[B, H, C, W, D] -> [B, H, C*W, D]: the rows of a chunk."""
    return x.flatten(2, 3)
