"""The elementwise scans against their step as it is written, in float64: states and every gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lsm_torch.nn import linear_scan, maxplus_scan


def written(a: Tensor, b: Tensor, positions: Tensor, restart: float, step: object) -> Tensor:
    h = torch.full_like(b[:, 0], restart)
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


@pytest.mark.parametrize("time", [1, 2, 7, 64, 131])
@pytest.mark.parametrize("kind", ["linear", "state", "input"])
@pytest.mark.parametrize("restart", [0.0, 0.5])
def test_states_and_gradients(time: int, kind: str, restart: float) -> None:
    torch.manual_seed(time)
    # eighths, so that sums are exact and sides of a maximum are often equal
    a, b = ((torch.randint(-8, 9, (2, time, 3)) / 8).double().requires_grad_() for _ in range(2))
    positions = torch.arange(time).repeat(2, 1)
    positions[1, time // 2 :] -= time // 2
    weights = torch.randn(2, time, 3, dtype=torch.float64)
    step = {"linear": linear, "state": largest, "input": strictly}[kind]
    expected = written(a, b, positions, restart, step)
    if kind == "linear":
        found = linear_scan(a, b, positions, restart=restart)
    else:
        found = maxplus_scan(a, b, positions, restart=restart, ties=kind)  # type: ignore[arg-type]
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    gradients = torch.autograd.grad((found * weights).sum(), (a, b))
    for one, other in zip(gradients, torch.autograd.grad((expected * weights).sum(), (a, b)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


def test_an_angle_stays_exact() -> None:
    step = torch.full((1, 5000, 1), 2.5)
    found = linear_scan(1.0, step, torch.arange(5000)[None], modulus=2 * torch.pi)
    expected = torch.remainder(torch.arange(1, 5001, dtype=torch.float64) * 2.5, 2 * torch.pi)
    torch.testing.assert_close(found[0, :, 0].double(), expected, rtol=0, atol=1e-6)
