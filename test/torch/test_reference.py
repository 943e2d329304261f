"""The eager reference is the recurrence as written: values, final state, every gradient, in float64."""

import pytest
import torch

from definition import CASES, Case, definition, draw, floats, leaves
from lsm_torch.ops import recurrence, recurrence_step


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


def test_what_does_not_fit_is_named() -> None:
    x = torch.zeros(1, 2, 3, 4)
    with pytest.raises(ValueError, match=r"v is \[1, 5, 1, 3, 4\] where"):
        recurrence(x, x, torch.zeros(1, 5, 3, 4))
    with pytest.raises(ValueError, match="positions or cu_seqlens, not both"):
        recurrence(x, x, x, positions=torch.zeros(1, 2), cu_seqlens=torch.tensor([0, 2]))
