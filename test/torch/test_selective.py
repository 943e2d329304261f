"""The selective scan against its step as it is written, in float64: the eager reference, and the kernels in Triton's interpreter."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from lsm_torch.ops import selective_scan


@dataclass(frozen=True)
class Case:
    name: str
    time: int = 37
    heads: int = 1
    fixed: tuple[str, ...] = ()  # of q, k: the same for every token
    decay: tuple[str, ...] = ("step", "rate")
    read: str = "after"
    documents: bool = False
    initial: bool = True
    strength: float = 1.0
    key: int = 3
    value: int = 5


CASES = [
    Case("a step and a rate (Mamba-1)"),
    Case("documents", documents=True),
    Case("read before, documents", read="before", documents=True),
    Case("a rate alone, fixed reads and writes (S4D)", fixed=("q", "k"), decay=("rate",)),
    Case("fixed reads, read before, documents", fixed=("q",), decay=("rate",), read="before", documents=True),
    Case("gates of key and value (gated fast weights)", 33, 2, decay=("log_key", "log_value"), documents=True),
    Case("strong decays, no state before", decay=("step", "rate", "log_value"), strength=80.0, initial=False),
    Case("one token", 1),
    Case("one key", 17, key=1, decay=("log_key",)),
    Case("no decay", 16, decay=()),
]


def draw(case: Case, dtype: torch.dtype = torch.float64, device: str = "cpu", seed: int = 1) -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(seed)
    b, t, h, k, v = 2, case.time, case.heads, case.key, case.value

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    def gate(*shape: int) -> Tensor:
        return -torch.rand(*shape, generator=g, dtype=torch.float64) * case.strength

    shapes = {"q": (b, t, h, k), "k": (b, t, h, k), "v": (b, t, h, v)}
    shapes |= {name: (h, k, v) for name in case.fixed}
    x = {name: normal(*shape) for name, shape in shapes.items()}
    decays = {"step": (b, t, h, v), "rate": (h, k, v), "log_key": (b, t, h, k), "log_value": (b, t, h, v)}
    x |= {name: gate(*decays[name]) for name in case.decay}
    if "step" in x:
        x["step"] = -x["step"]
    if case.initial:
        x["initial_state"] = normal(b, h, k, v)
    precise = {*decays, *case.fixed, "initial_state"} if dtype != torch.float64 else set()
    return {name: y.to(device, torch.float32 if name in precise else dtype) for name, y in x.items()}


def places(case: Case, device: str = "cpu") -> Tensor | None:
    """The second row's documents begin anywhere, the first one's at its first token only."""
    if not case.documents:
        return None
    index = torch.arange(case.time).repeat(2, 1)
    index[1] = (index[1] + 4) % 9
    return index.to(device)


def definition(
    q: Tensor, k: Tensor, v: Tensor, step=None, rate=None, log_key=None, log_value=None, initial_state=None,
    positions=None, read="after",
) -> tuple[Tensor, Tensor]:  # fmt: skip
    b, t, h, value = v.shape
    key = q.shape[-2] if q.ndim == 3 else q.shape[-1]
    state = v.new_zeros(b, h, key, value) if initial_state is None else initial_state
    outs = []
    for i in range(t):
        if positions is not None:
            state = torch.where((positions[:, i] == 0)[:, None, None, None], 0, state)
        log = v.new_zeros(())
        if rate is not None:
            log = rate if step is None else step[:, i, :, None] * rate
        if log_key is not None:
            log = log + log_key[:, i, ..., None]
        if log_value is not None:
            log = log + log_value[:, i, :, None]
        new = log.exp() * state + (k if k.ndim == 3 else k[:, i, ..., None]) * v[:, i, :, None]
        query = q if q.ndim == 3 else q[:, i, ..., None]
        outs.append((query * (new if read == "after" else state)).sum(-2))
        state = new
    return torch.stack(outs, 1), state


def run(function, case: Case, given: dict[str, Tensor], dtype: torch.dtype | None) -> dict[str, Tensor]:
    """The results, and every gradient of a random weighting of both."""
    own = {name: x.detach().to(dtype or x.dtype).requires_grad_() for name, x in given.items()}
    device = given["v"].device
    positions = places(case, str(device))
    o, state = function(**own, read=case.read, positions=positions)
    g = torch.Generator().manual_seed(3)
    weights = [torch.randn(x.shape, generator=g, dtype=torch.float64).to(device) for x in (o, state)]
    loss = sum((x.double() * w).sum() for x, w in zip((o, state), weights, strict=True))
    found = torch.autograd.grad(loss, list(own.values()))
    return {"o": o, "state": state} | {f"d{name}": x for name, x in zip(own, found, strict=True)}


def agree(actual: dict[str, Tensor], expected: dict[str, Tensor], bar: float) -> None:
    errors = {
        name: float((actual[name].detach().double() - x.detach()).norm() / x.detach().norm().clamp(min=1e-6))
        for name, x in expected.items()
    }
    bad = {name: error for name, error in errors.items() if not error <= bar}
    assert not bad, bad


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_reference_is_the_definition(case: Case) -> None:
    x = draw(case)
    expected = run(definition, case, x, torch.float64)
    agree(
        run(lambda **y: selective_scan(**y, return_state=True, kernels="reference"), case, x, torch.float64),
        expected,
        1e-9,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_triton_is_the_definition(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    from lsm_torch.kernels import schedule

    monkeypatch.setattr(schedule, "SELECTIVE_TILE", 64)
    schedule.selective_tile.cache_clear()
    x = draw(case, torch.float32)
    expected = run(definition, case, x, torch.float64)
    agree(run(lambda **y: selective_scan(**y, return_state=True, kernels="triton"), case, x, None), expected, 1e-4)
    schedule.selective_tile.cache_clear()
