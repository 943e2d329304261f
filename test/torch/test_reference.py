"""The eager reference is the recurrence as written: values, final state, every gradient, in float64."""

import pytest
import torch

from definition import CASES, Case, definition, draw, floats, leaves
from lsm_torch.ops import linear_scan, maxplus_scan, recurrence, recurrence_step, selective_scan


def run(function, arguments: dict, seed: int) -> dict[str, torch.Tensor]:
    """Outputs and the gradients of a random weighting of both outputs."""
    arguments = leaves(arguments)
    o, state = function(**arguments)
    g = torch.Generator().manual_seed(seed)
    loss = sum((x * torch.randn(x.shape, generator=g, dtype=x.dtype)).sum() for x in (o, state))
    named = floats(arguments)
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    grads = {name: x if x is not None else torch.zeros_like(named[name]) for name, x in zip(named, gradients)}
    return {"o": o, "state": state} | {f"d{name}": x for name, x in grads.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_reference_is_the_definition(case: Case) -> None:
    arguments = draw(case, seed=len(case.name))
    expected = run(definition, arguments, 1)
    actual = run(lambda **x: recurrence(**x, return_state=True, kernels="reference"), arguments, 1)
    for name, value in expected.items():
        torch.testing.assert_close(actual[name], value, rtol=1e-9, atol=1e-9, msg=lambda m, name=name: f"{name}: {m}")


@pytest.mark.parametrize("case", [c for c in CASES if c.documents == "none"], ids=lambda c: c.name)
def test_steps_are_the_recurrence(case: Case) -> None:
    x = draw(case.with_sizes(time=5), seed=3)
    o, final = recurrence(**x, return_state=True, kernels="reference")
    state = x["initial_state"]
    for t in range(5):
        decay = x.get("log_decay")
        out, state = recurrence_step(
            state,
            x["q"][:, t],
            x["k"][:, t],
            x["v"][:, t],
            decay if decay is None or decay.ndim == 1 else decay[:, t],
            decay_on=x.get("decay_on", "key"),
            erase=None if "erase" not in x else tuple(e[:, t] for e in x["erase"]),
            read=x["read"],
        )
        torch.testing.assert_close(out, o[:, t])
    torch.testing.assert_close(state, final)


def test_a_later_token_changes_nothing_before_it() -> None:
    for case in CASES:
        x = draw(case.with_sizes(time=30), seed=4)
        before = recurrence(**x, kernels="reference")
        for name in ("q", "k", "v"):
            x[name][:, 20:] += 1
        after = recurrence(**x, kernels="reference")
        assert torch.equal(before[:, :20], after[:, :20]), case.name
        assert not torch.equal(before[:, 20:], after[:, 20:]), case.name


def positions_for_scans(time: int) -> torch.Tensor:
    return torch.tensor([[(i + 2) % 7 for i in range(time)], [i for i in range(time)]])


@pytest.mark.parametrize("time", [1, 2, 13])
@pytest.mark.parametrize("packed", [False, True])
def test_scans_are_their_loops(time: int, packed: bool) -> None:
    g = torch.Generator().manual_seed(time)
    a, b = (torch.randn(2, time, 3, generator=g, dtype=torch.float64) for _ in range(2))
    a = -a.abs()
    initial = torch.randn(2, 3, generator=g, dtype=torch.float64)
    positions = positions_for_scans(time) if packed else None
    h = m = initial
    hs, ms = [], []
    for t in range(time):
        begins = (positions[:, t] == 0)[:, None] if packed else torch.zeros(2, 1, dtype=torch.bool)
        h = torch.where(begins, b[:, t], a[:, t].exp() * h + b[:, t])
        m = torch.where(begins, b[:, t], torch.maximum(a[:, t] + m, b[:, t]))
        hs.append(h)
        ms.append(m)
    torch.testing.assert_close(linear_scan(a, b, initial, positions), torch.stack(hs, 1))
    torch.testing.assert_close(maxplus_scan(a, b, initial, positions), torch.stack(ms, 1))


def test_selective_scan_is_its_loop() -> None:
    g = torch.Generator().manual_seed(1)
    q, k = (torch.randn(2, 9, 3, 4, generator=g, dtype=torch.float64) for _ in range(2))
    v, step = (torch.randn(2, 9, 3, 5, generator=g, dtype=torch.float64).abs() for _ in range(2))
    rate = -torch.rand(3, 4, 5, generator=g, dtype=torch.float64)
    state = torch.zeros(2, 3, 4, 5, dtype=torch.float64)
    o, final = selective_scan(q, k, v, step, rate)
    for t in range(9):
        state = (step[:, t, :, None] * rate).exp() * state + k[:, t, :, :, None] * v[:, t, :, None]
        torch.testing.assert_close(o[:, t], torch.einsum("bhk,bhkv->bhv", q[:, t], state))
    torch.testing.assert_close(final, state)


def test_what_does_not_fit_is_named() -> None:
    x = torch.zeros(1, 2, 3, 4)
    with pytest.raises(ValueError, match=r"v is \[1, 5, 1, 3, 4\] where"):
        recurrence(x, x, torch.zeros(1, 5, 3, 4))
    with pytest.raises(ValueError, match="positions or cu_seqlens, not both"):
        recurrence(x, x, x, positions=torch.zeros(1, 2), cu_seqlens=torch.tensor([0, 2]))
