"""One token's kernels in Triton's interpreter against the step as it is written: outputs and states, over a few tokens."""

from __future__ import annotations

import pytest
import torch

from definition import CASES, definition, definition_of_delta, draw
from lsm_torch.ops import selective_scan
from lsm_torch.ops.step import delta_step, recurrence_step
from test_selective import CASES as SELECTIVE
from test_selective import definition as selective_definition
from test_selective import draw as draw_selective

#: Each case token by token is the same step: what differs between these is its parts.
STEPS = [case for case in CASES if case.documents != "cu_seqlens" and case.time > 1]


def agree(found: torch.Tensor, expected: torch.Tensor) -> None:
    error = (found.double() - expected.double()).norm() / expected.double().norm().clamp(min=1e-6)
    assert error < 1e-5, float(error)


@pytest.mark.parametrize("case", STEPS, ids=lambda c: c.name)
@pytest.mark.parametrize("in_place", [True, False])
def test_steps(case, in_place: bool) -> None:
    time = 4
    x = draw(case.with_sizes(time=time), seed=2, dtype=torch.float32)
    positions = torch.tensor([[3, 4, 0, 1]]).expand(x["q"].shape[0], -1)
    x["positions"] = positions
    wide = {name: tuple(e.double() for e in y) if isinstance(y, tuple) else y.double() if isinstance(y, torch.Tensor) and y.is_floating_point() else y for name, y in x.items()}  # fmt: skip
    expected, final = definition(**wide)
    given = x.get("initial_state")
    state = None if given is None else given.clone()
    for t in range(time):
        decay = x.get("log_decay")
        before = state
        out, state = recurrence_step(
            state,
            x["q"][:, t],
            x["k"][:, t],
            x["v"][:, t],
            decay if decay is None or decay.ndim == 1 else decay[:, t],
            decay_on=x.get("decay_on", "key"),
            erase=None if "erase" not in x else tuple(e[:, t] for e in x["erase"]),
            read=x["read"],
            positions=positions[:, t],
            in_place=in_place,
            kernels="triton",
        )
        assert before is None or (state is before) == in_place
        agree(out, expected[:, t])
    agree(state, final)


@pytest.mark.parametrize("decay", ["none", "scalar", "key"])
@pytest.mark.parametrize("own_erase_key", [False, True])
def test_delta_steps(decay: str, own_erase_key: bool) -> None:
    from definition import Case

    x = draw(Case(decay, time=3, decay=decay, delta=True), seed=4, dtype=torch.float32)
    if own_erase_key:
        x["erase_key"] = torch.nn.functional.normalize(torch.randn_like(x["k"]), dim=-1)
    expected, final = definition_of_delta(**{name: y.double() for name, y in x.items() if isinstance(y, torch.Tensor)})
    for kernels in ("triton", "reference"):
        state = x["initial_state"].clone()
        for t in range(3):
            now = {name: x[name][:, t] for name in ("log_decay", "erase_key") if x.get(name) is not None}
            operands = (x[name][:, t] for name in ("q", "k", "v", "beta"))
            out, state = delta_step(state, *operands, **now, kernels=kernels)
            agree(out, expected[:, t])
        agree(state, final)


@pytest.mark.parametrize("case", [c for c in SELECTIVE if c.time > 1], ids=lambda c: c.name)
def test_selective_steps(case) -> None:
    x = draw_selective(case, torch.float32)
    x = {name: y[:, :4] if y.ndim == 4 and name != "initial_state" else y for name, y in x.items()}
    positions = torch.tensor([[3, 4, 0, 1]]).expand(2, -1)
    expected, final = selective_definition(
        **{name: y.double() for name, y in x.items()}, positions=positions, read=case.read
    )
    state = x.pop("initial_state", None)
    for t in range(4):
        now = {name: y[:, t : t + 1] if y.ndim == 4 else y for name, y in x.items()}
        how = {"initial_state": state, "positions": positions[:, t : t + 1], "in_place": True, "kernels": "triton"}
        out, state = selective_scan(**now, **how, read=case.read, return_state=True)
        agree(out[:, 0], expected[:, t])
    agree(state, final)
