"""AdamW over weights held as a bfloat16 and its lower bits: exact, as torch's own, and the kernel as the reference."""

import pytest
import torch

from lsm_torch.train.split import SplitAdamW, join, now, rounded, split

SETTINGS = {"betas": (0.9, 0.95), "epsilon": 1e-8}


def test_split_weights_are_exact_and_round() -> None:
    torch.manual_seed(1)
    x = torch.cat((torch.randn(5000) * 10.0 ** torch.randint(-30, 30, (5000,)), torch.tensor([0.0, -0.0, 1.0, -1.0])))
    high, low = split(x)
    assert torch.equal(join(high, low), x)
    assert ((high.float() - x).abs() <= x.abs() * 2**-8).all()


def test_stochastic_rounding_keeps_the_mean() -> None:
    x = torch.full((40000,), 1 + 2.0**-9)  # a quarter of the way between two bfloat16
    found = rounded(x, 12345).float()
    assert set(found.tolist()) == {1.0, 1 + 2.0**-7}
    assert abs(float(found.mean()) - float(x[0])) < 4 * 2.0**-7 * (3 / 16 / 40000) ** 0.5


def steps(moments: torch.dtype, kernels: str, monkeypatch: pytest.MonkeyPatch) -> tuple[SplitAdamW, torch.Tensor]:
    monkeypatch.setenv("LSM_KERNELS", kernels)
    torch.manual_seed(2)
    start, weight = torch.randn(37, 130), torch.nn.Parameter(torch.empty(0))
    weight.data = start.clone()
    plain = torch.nn.Parameter(start.clone())
    ours = SplitAdamW({"w": weight}, {"w": 0.1}, SETTINGS, moments)
    theirs = torch.optim.AdamW([plain], lr=1e-2, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    for step in range(1, 5):
        weight.grad = torch.randn(37, 130).to(torch.bfloat16)
        plain.grad = weight.grad.float() * 0.5
        ours.step(now(1e-2, step, SETTINGS["betas"]), torch.tensor(0.5))
        theirs.step()
    before = ours.master("w")
    ours.step(now(1e-2, 5, SETTINGS["betas"]), torch.tensor(-1.0))
    assert torch.equal(before, ours.master("w"))  # skipped
    return ours, plain.detach()


@pytest.mark.parametrize("kernels", ["reference", "triton"])
def test_it_is_adamw(kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, plain = steps(torch.float32, kernels, monkeypatch)
    assert (ours.master("w") - plain).abs().max() < 1e-6
    assert torch.equal(ours.weights["w"].detach(), split(ours.master("w"))[0])


@pytest.mark.parametrize("kernels", ["reference", "triton"])
def test_moments_may_be_bfloat16(kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, plain = steps(torch.bfloat16, kernels, monkeypatch)
    assert (ours.master("w") - plain).norm() < 2e-3 * plain.norm()
    other, _ = steps(torch.bfloat16, "reference", monkeypatch)
    for a, b in zip(ours.state["w"], other.state["w"], strict=True):
        assert (a.float() - b.float()).abs().max() < 0.05 * float(b.float().abs().max())
    assert torch.allclose(ours.master("w"), other.master("w"), atol=1e-5)


def test_parts_are_summed_in_float32() -> None:
    weight = torch.nn.Parameter(torch.empty(0))
    weight.data = torch.zeros(3)
    ours = SplitAdamW({"w": weight}, {"w": 0.0}, SETTINGS, torch.float32)
    for _ in range(300):
        weight.grad = torch.full((3,), 1.0, dtype=torch.bfloat16)
        ours.accumulate()
    assert ours.sums["w"].tolist() == [300.0] * 3  # bfloat16 would stop at 256
