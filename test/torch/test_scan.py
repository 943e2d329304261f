"""The elementwise scans against their step as it is written, in float64: states and every gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lsm_torch.ops import linear_scan, maxplus_scan


def written(a: Tensor, b: Tensor, positions: Tensor, restart: float, step: object, initial: Tensor) -> Tensor:
    h = initial
    a = a.expand(b.shape)
    states = []
    for t in range(b.shape[1]):
        h = torch.where((positions[:, t] == 0)[:, None], restart, h)
        h = step(a[:, t], h, b[:, t])  # type: ignore[operator]
        states.append(h)
    return torch.stack(states, 1)


def linear(a: Tensor, h: Tensor, b: Tensor) -> Tensor:
    return a * h + b


def largest(a: Tensor, h: Tensor, b: Tensor) -> Tensor:
    return torch.where(a + h >= b, a + h, b)


def strictly(a: Tensor, h: Tensor, b: Tensor) -> Tensor:
    return torch.where(a + h > b, a + h, b)


@pytest.fixture(params=["reference", "triton"])
def kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """In Triton's interpreter tiles are small, so that there are several."""
    from lsm_torch.kernels import schedule

    monkeypatch.setattr(schedule, "SCAN_TILE", 64)
    schedule.scan_tile.cache_clear()
    yield request.param
    schedule.scan_tile.cache_clear()


@pytest.mark.parametrize("time", [1, 2, 7, 37])
@pytest.mark.parametrize("kind", ["linear", "state", "input"])
@pytest.mark.parametrize("restart", [0.0, 0.5])
@pytest.mark.parametrize("fixed", [False, True])
def test_states_and_gradients(time: int, kind: str, restart: float, fixed: bool, kernels: str) -> None:
    torch.manual_seed(time)
    # eighths, so that sums are exact and sides of a maximum are often equal
    shapes = ((3,) if fixed else (2, time, 3), (2, time, 3), (2, 3))
    given = [(torch.randint(-8, 9, shape) / 8).double() for shape in shapes]
    positions = torch.arange(1, time + 1).repeat(2, 1)
    positions[1, time // 2 :] -= time // 2 + 1
    weights = torch.randn(2, time, 3, dtype=torch.float64)
    step = {"linear": linear, "state": largest, "input": strictly}[kind]

    def result(dtype: torch.dtype, ours: bool) -> list[Tensor]:
        a, b, initial = own = [x.to(dtype).requires_grad_() for x in given]
        if not ours:
            h = written(a, b, positions, restart, step, initial)
        elif kind == "linear":
            h = linear_scan(a, b, positions, restart=restart, initial=initial, kernels=kernels)  # type: ignore[arg-type]
        else:
            how = {"restart": restart, "ties": kind, "initial": initial, "kernels": kernels}
            h = maxplus_scan(a, b, positions, **how)  # type: ignore[arg-type]
        return [h, *torch.autograd.grad((h * weights.to(dtype)).sum(), own)]

    dtype, bar = (torch.float64, 1e-11) if kernels == "reference" else (torch.float32, 1e-5)
    for one, other in zip(result(dtype, True), result(torch.float64, False), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=bar, atol=bar)


def test_an_angle_stays_exact(kernels: str) -> None:
    time = 90 if kernels == "triton" else 5000
    step = torch.full((1, time, 1), 2.5)
    found = linear_scan(1.0, step, torch.arange(time)[None], modulus=2 * torch.pi, kernels=kernels)  # type: ignore[arg-type]
    expected = torch.remainder(torch.arange(1, time + 1, dtype=torch.float64) * 2.5, 2 * torch.pi)
    torch.testing.assert_close(found[0, :, 0].double(), expected, rtol=0, atol=1e-6)
