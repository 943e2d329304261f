"""Brings the arguments of `recurrence` into one layout and says what is wrong with them.

Layout after this: q [B, T, H, K]; k [B, T, W, H, K]; v [B, T, W, H, V]; log_decay None or [B, T, H, D] with D = 1 (scalar),
K (key) or V (value); erase None or a pair of [B, T, R, H, K]; positions None or integer [B, T]. Broadcast heads and times
are views, so nothing is copied and autograd sums what was shared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

DecayOn = Literal["key", "value"]
Read = Literal["after", "before"]


@dataclass(frozen=True)
class Operands:
    """One recurrence, every operand in its full layout."""

    q: Tensor
    k: Tensor
    v: Tensor
    log_decay: Tensor | None
    decay_on: DecayOn
    erase: tuple[Tensor, Tensor] | None
    read: Read
    initial_state: Tensor | None
    positions: Tensor | None
    cu_seqlens: Tensor | None

    @property
    def sizes(self) -> tuple[int, int, int, int, int]:
        """B, T, H, K, V."""
        b, t, h, k = self.q.shape
        return b, t, h, k, self.v.shape[-1]

    def as_delta_rule(self, beta: Tensor) -> Operands:
        """The delta rule's k, v and erase key p, held as the erase (k, p), in the normal form: a = -β k, b = Λ∘p, write β k."""
        assert self.erase is not None
        written = (beta[:, :, None, :, None] * self.k).to(self.k.dtype)
        p = self.erase[1]
        p = p if self.log_decay is None else (self.log_decay.exp().unsqueeze(2) * p).to(p.dtype)
        return replace(self, k=written, erase=(-written, p))


def operands(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_decay: Tensor | None,
    decay_on: DecayOn,
    erase: tuple[Tensor, Tensor] | None,
    read: Read,
    initial_state: Tensor | None,
    positions: Tensor | None,
    cu_seqlens: Tensor | None,
) -> Operands:
    """Checks and expands; see `recurrence` for the shapes that are taken."""
    if q.ndim != 4:
        raise ValueError(f"q must be [batch, time, heads, key], but it is {shape(q)}")
    if decay_on not in ("key", "value"):
        raise ValueError(f'decay_on must be "key" or "value", not {decay_on!r}')
    if read not in ("after", "before"):
        raise ValueError(f'read must be "after" or "before", not {read!r}')
    batch, time, _, key = q.shape
    heads = max([q.shape[2], k.shape[-2], v.shape[-2]] + ([e.shape[-2] for e in erase] if erase is not None else []))
    q = rows(q, "q", (batch, time, heads, key))
    k = rows(with_writes(k), "k", (batch, time, None, heads, key))
    v = rows(with_writes(v), "v", (batch, time, k.shape[2], heads, None))
    value = v.shape[-1]
    if erase is not None:
        same = erase[0] is erase[1]
        a = rows(with_writes(erase[0]), "erase[0]", (batch, time, None, heads, key))
        b = a if same else rows(with_writes(erase[1]), "erase[1]", (batch, time, a.shape[2], heads, key))
        erase = (a, b)
        if log_decay is not None and decay_on == "value":
            raise ValueError('an erase needs the decay on the keys: use decay_on="key", or exchange keys and values')
    if log_decay is not None:
        log_decay = full_decay(log_decay, batch, time, heads, key if decay_on == "key" else value)
    if positions is not None and cu_seqlens is not None:
        raise ValueError("give positions or cu_seqlens, not both: each says where the documents begin")
    documents = batch
    if cu_seqlens is not None:
        if batch != 1:
            raise ValueError(f"cu_seqlens packs the documents into one row, so the batch must be 1, but it is {batch}")
        documents = cu_seqlens.numel() - 1
    if positions is not None:
        positions = positions.expand(batch, time)
    if initial_state is not None:
        initial_state = rows(initial_state, "initial_state", (documents, heads, key, value))
    return Operands(q, k, v, log_decay, decay_on, erase, read, initial_state, positions, cu_seqlens)


def with_writes(x: Tensor) -> Tensor:
    """[B, T, H, D] -> [B, T, 1, H, D]: one row a token."""
    return x.unsqueeze(2) if x.ndim == 4 else x


def rows(x: Tensor, name: str, wanted: tuple[int | None, ...]) -> Tensor:
    """Expands x to `wanted`, where None takes what is there."""
    fits = x.ndim == len(wanted) and all(w is None or w == s or s == 1 for s, w in zip(x.shape, wanted))
    if not fits:
        text = ", ".join("any" if w is None else str(w) for w in wanted)
        raise ValueError(f"{name} is {shape(x)} where [{text}] is needed")
    return x.expand(*[s if w is None else w for s, w in zip(x.shape, wanted)])


def full_decay(log_decay: Tensor, batch: int, time: int, heads: int, width: int) -> Tensor:
    """[H], [B, T, H] or [B, T, H, D] -> [B, T, H, 1 or D]."""
    if log_decay.ndim == 1:
        log_decay = log_decay.view(1, 1, -1)
    if log_decay.ndim == 3:
        log_decay = log_decay.unsqueeze(-1)
    last = log_decay.shape[-1] if log_decay.ndim == 4 else 0
    wanted = (batch, time, heads, width if last != 1 or width == 1 else 1)
    return rows(log_decay, "log_decay", wanted)


def shape(x: Tensor) -> str:
    return "[" + ", ".join(map(str, x.shape)) + "]"


def state_dtype(q: Tensor) -> torch.dtype:
    """States and sums are float32, or float64 where the inputs are."""
    return torch.float64 if q.dtype == torch.float64 else torch.float32
