"""The recurrence as it is written, token by token in float64, and random operands to compare implementations on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor


@dataclass(frozen=True)
class Case:
    """Sizes and parts of one recurrence; every number in it is drawn from a seed."""

    name: str
    batch: int = 2
    time: int = 37
    heads: int = 2
    key: int = 8
    value: int = 5
    decay: str = "none"  # none | head | scalar | key | value
    strength: float = 0.3  # the mean log decay is about minus this
    writes: int = 1
    erases: int = 0
    read: str = "after"
    initial: bool = True
    documents: str = "none"  # none | positions | cu_seqlens
    shared_queries: bool = False
    delta: bool = False  # the arguments of `delta_rule`: no reads or erases, but beta and keys of norm 1

    def with_sizes(self, **sizes: int) -> Case:
        return replace(self, **sizes)


def draw(case: Case, seed: int, dtype: torch.dtype = torch.float64, device: str = "cpu") -> dict:
    """Arguments of `recurrence`; floats are float64 leaves rounded to `dtype`, so that both sides see one value."""
    g = torch.Generator().manual_seed(seed)
    b, t, h, k, v = case.batch, case.time, case.heads, case.key, case.value
    if case.documents == "cu_seqlens":
        b = 1

    def normal(*shape: int, scale: float = 1.0, dt: torch.dtype = dtype) -> Tensor:
        return (torch.randn(*shape, generator=g, dtype=torch.float64) * scale).to(dt)

    def rows(n: int, width: int, scale: float = 1.0) -> Tensor:
        return normal(b, t, n, h, width, scale=scale) if n > 1 else normal(b, t, h, width, scale=scale)

    out: dict = {
        "q": normal(b, t, 1 if case.shared_queries else h, k, scale=k**-0.5),
        "k": rows(case.writes, k),
        "v": rows(case.writes, v),
        "read": case.read,
    }
    shape = {"none": None, "head": (h,), "scalar": (b, t, h), "key": (b, t, h, k), "value": (b, t, h, v)}[case.decay]
    if shape is not None:
        # log sigmoid, as gates are made: mild for most, strong for a few
        raw = torch.randn(*shape, generator=g, dtype=torch.float64)
        out["log_decay"] = (torch.nn.functional.logsigmoid(raw) * (case.strength / 0.8)).to(
            torch.promote_types(dtype, torch.float32)
        )
    if case.delta:
        del out["read"]
        out["k"] = torch.nn.functional.normalize(out["k"].double(), dim=-1).to(dtype)
        out["beta"] = torch.rand(out["k"].shape[:-1], generator=g, dtype=torch.float64).to(dtype)
    if case.decay == "value":
        out["decay_on"] = "value"
    if case.erases:
        p = torch.nn.functional.normalize(rows(case.erases, k).double(), dim=-1)
        gate = torch.rand(p.shape[:-1], generator=g, dtype=torch.float64).unsqueeze(-1) / case.erases
        other = torch.nn.functional.normalize(p + 0.3 * rows(case.erases, k).double(), dim=-1)
        out["erase"] = ((-gate * p).to(dtype), other.to(dtype))
    if case.documents == "positions":
        # an empty-looking, a one-token and longer documents; the first row continues the initial state's document
        lengths = torch.randint(1, max(2, t // 2), (b, t), generator=g)
        positions = torch.zeros(b, t, dtype=torch.int64)
        for row in range(b):
            place, left = (3 if row == 0 else 0), int(lengths[row, 0])
            for i in range(t):
                if left == 0:
                    place, left = 0, int(lengths[row, i])
                positions[row, i] = place
                place, left = place + 1, left - 1
        out["positions"] = positions
    documents = b
    if case.documents == "cu_seqlens":
        cuts = [0, min(1, t), t // 3, t // 3, (3 * t) // 4, t]
        out["cu_seqlens"] = torch.tensor(cuts, dtype=torch.int32)
        documents = len(cuts) - 1
    if case.initial:
        out["initial_state"] = normal(documents, h, k, v, dt=torch.promote_types(dtype, torch.float32))
    return {name: to(value, device) for name, value in out.items()}


def to(value: object, device: str) -> object:
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        return tuple(to(x, device) for x in value)
    return value


def floats(arguments: dict) -> dict[str, Tensor]:
    """Every float tensor among the arguments, by name."""
    out = {}
    for name, value in arguments.items():
        if isinstance(value, tuple):
            out |= {f"{name}[{i}]": x for i, x in enumerate(value)}
        elif isinstance(value, Tensor) and value.is_floating_point():
            out[name] = value
    return out


def leaves(arguments: dict, dtype: torch.dtype | None = None) -> dict:
    """The same arguments as leaves that want gradients."""

    def leaf(x: object) -> object:
        if isinstance(x, tuple):
            return tuple(leaf(y) for y in x)
        if isinstance(x, Tensor) and x.is_floating_point():
            return x.detach().to(dtype or x.dtype).clone().requires_grad_()
        return x

    return {name: leaf(value) for name, value in arguments.items()}


def definition(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_decay: Tensor | None = None,
    decay_on: str = "key",
    erase: tuple[Tensor, Tensor] | None = None,
    read: str = "after",
    initial_state: Tensor | None = None,
    positions: Tensor | None = None,
    cu_seqlens: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """S_t = Λ_t∘S_{t-1} + Σ_r a_r (b_rᵀ S_{t-1}) + Σ_w k_w v_wᵀ, one token after another."""
    b, t, _, key = q.shape
    k, v = (x.unsqueeze(2) if x.ndim == 4 else x for x in (k, v))
    h, value = v.shape[-2:]
    q = q.expand(b, t, h, key)
    factor = None
    if log_decay is not None:
        log_decay = log_decay.expand(b, t, h) if log_decay.ndim == 1 else log_decay
        log_decay = log_decay.unsqueeze(-1) if log_decay.ndim == 3 else log_decay
        factor = log_decay.exp().unsqueeze(-1 if decay_on == "key" else -2)  # [B, T, H, K, 1] or [B, T, H, 1, V]
    if erase is not None:
        erase = tuple(x.unsqueeze(2) if x.ndim == 4 else x for x in erase)
    bounds = [0, t] if cu_seqlens is None else cu_seqlens.tolist()
    outs, finals = [], []
    for n, (begin, end) in enumerate(pairwise(bounds)):
        state = q.new_zeros(b, h, key, value)
        if initial_state is not None:
            state = initial_state if cu_seqlens is None else initial_state[n : n + 1]
        for i in range(begin, end):
            if positions is not None:
                state = state * (positions[:, i] != 0).to(q.dtype)[:, None, None, None]
            new = state if factor is None else factor[:, i] * state
            if erase is not None:
                new = new + torch.einsum("brhk,brhl,bhlv->bhkv", erase[0][:, i], erase[1][:, i], state)
            new = new + torch.einsum("bwhk,bwhv->bhkv", k[:, i], v[:, i])
            outs.append(torch.einsum("bhk,bhkv->bhv", q[:, i], new if read == "after" else state))
            state = new
        finals.append(state)
    return torch.stack(outs, 1), torch.cat(finals, 0)


def definition_of_delta(
    q: Tensor, k: Tensor, v: Tensor, beta: Tensor, log_decay: Tensor | None = None, **rest
) -> tuple[Tensor, Tensor]:
    """S_t = (I - β k pᵀ)(Λ∘S_{t-1}) + β k vᵀ, brought to the normal form."""
    written = beta.unsqueeze(-1) * k
    p = rest.pop("erase_key", k)
    if log_decay is not None:
        p = (log_decay if log_decay.ndim == 4 else log_decay.unsqueeze(-1)).exp() * p
    return definition(q, written, v, log_decay, erase=(-written, p), **rest)


CASES = [
    Case("sum"),
    Case("sum, two writes, read before", writes=2, read="before"),
    Case("fixed decay a head", decay="head", shared_queries=True),
    Case("scalar decay", decay="scalar", time=150),
    Case("scalar decay, documents", decay="scalar", time=150, documents="positions"),
    Case("scalar decay, cu_seqlens", decay="scalar", time=90, documents="cu_seqlens"),
    Case("scalar decay, strong, read before", decay="scalar", strength=20.0, read="before", time=70),
    Case("key decay", decay="key", time=70),
    Case("key decay, read before, documents", decay="key", read="before", documents="positions"),
    Case("key decay, strong", decay="key", strength=30.0, writes=2),
    Case("key decay, cu_seqlens, no state", decay="key", documents="cu_seqlens", initial=False),
    Case("value decay", decay="value", documents="positions"),
    Case("value decay, read before, strong", decay="value", strength=30.0, read="before"),
    Case("one token", time=1, decay="key"),
    Case("erase", erases=1, time=80),
    Case("erase, scalar decay", erases=1, decay="scalar", time=80),
    Case("erase, scalar decay, documents", erases=1, decay="scalar", documents="positions"),
    Case("erase, key decay", erases=1, decay="key"),
    Case("erase, key decay, cu_seqlens", erases=1, decay="key", documents="cu_seqlens"),
    Case("erase, strong key decay, read before", erases=1, decay="key", strength=30.0, read="before"),
    Case("two erases, three writes", erases=2, writes=3, decay="key", documents="positions"),
]
