"""Muon: the iteration against float64, matrices in any order of axes, split weights and their kernels, and runs with every flag."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lsm_torch.checkpoint import checkpoint as checkpoints
from lsm_torch.train.muon import Muon
from lsm_torch.train.orthogonal import Layout, orthogonalise
from lsm_torch.train.split import now
from test_trainer import losses, on_ranks, train
from tiny_project import write_project

SETTINGS = {"decay": 0.1, "muon": {"momentum": 0.95, "iterations": 5}}
AXES = {"a": 3, "b": 4, "c": 5, "d": 2}


def spec(axes: str, batch: str, rows: str, columns: str) -> dict[str, Any]:
    sizes = [{"name": name, "size": AXES[name]} for name in axes]
    return {"axes": sizes, "decay": True, "matrix": {"batch": [*batch], "rows": [*rows], "columns": [*columns]}}


def newton_schulz(u: Tensor) -> Tensor:
    """One matrix, as the paper writes it."""
    a, b, c = 3.4445, -4.775, 2.0315
    x = u.double() / (u.double().norm() + 1e-7)
    if x.shape[0] > x.shape[1]:
        x = x.mT
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x if u.shape[0] <= u.shape[1] else x.mT


@pytest.mark.parametrize("shape", [(1, 6, 6), (4, 3, 8), (2, 9, 4), (3, 1, 5)])
def test_matrices_become_orthogonal(shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    u = torch.randn(shape)
    found = orthogonalise(u, 5)
    for one, x in zip(u, found, strict=True):
        assert (x - newton_schulz(one)).norm() < 1e-4 * x.norm()
    values = torch.linalg.svdvals(found.double())
    assert float(values.max()) < 1.25
    rough = orthogonalise(u.bfloat16(), 5).float()
    assert (rough - found).norm() < 0.1 * found.norm()
    assert torch.equal(orthogonalise(torch.zeros(shape), 5), torch.zeros(shape))


@pytest.mark.parametrize(
    "axes,batch,rows,columns",
    [
        ("bc", "", "b", "c"),
        ("abc", "a", "b", "c"),
        ("bac", "a", "b", "c"),
        ("cbd", "", "bd", "c"),
        ("dbac", "da", "c", "b"),
    ],
)
def test_layouts_are_of_the_matrices(axes: str, batch: str, rows: str, columns: str) -> None:
    layout = Layout.of(spec(axes, batch, rows, columns))
    torch.manual_seed(2)
    x = torch.randn(layout.shape)
    assert torch.equal(layout.stored(layout.arranged(x)), x)
    found = layout.stored(orthogonalise(layout.arranged(x), 5))
    order = [axes.index(name) for name in batch + rows + columns]
    sizes = [-1, *(torch.Size(AXES[name] for name in side).numel() for side in (rows, columns))]
    want = torch.stack([newton_schulz(one) for one in x.permute(order).reshape(sizes)])
    have = found.permute(order).reshape(sizes)
    assert (have - want).norm() < 1e-4 * want.norm()


def steps(apart: bool, kernels: str, moments: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> tuple[Muon, Tensor]:
    """Four steps by ours and by the formula in float64; and a fifth that must change nothing."""
    monkeypatch.setenv("LSM_KERNELS", kernels)
    torch.manual_seed(3)
    own = spec("abc", "a", "b", "c")
    start = torch.randn(3, 4, 5)
    weight = torch.nn.Parameter(start.clone())
    ours = Muon(
        {"w": weight}, {"w": own}, SETTINGS, apart={"w"} if apart else set(), dtype=torch.float32, moments=moments
    )
    w, m = start.double(), torch.zeros(3, 4, 5, dtype=torch.float64)
    for step in range(1, 5):
        weight.grad = torch.randn(3, 4, 5).to(weight.dtype)
        g = weight.grad.double() * 0.5
        ours.step(now(1e-2, step, (0.9, 0.95)), torch.tensor(0.5))
        m = 0.95 * m + g
        update = torch.stack([newton_schulz(one) for one in g + 0.95 * m])
        w = w - 1e-2 * (0.2 * 5**0.5 * update + 0.1 * w)
    before = ours.master("w") if apart else weight.detach().clone()
    momentum = ours.state["w"].clone()
    ours.step(now(1e-2, 5, (0.9, 0.95)), torch.tensor(-1.0))
    assert torch.equal(ours.master("w") if apart else weight, before)
    assert torch.equal(ours.state["w"], momentum)
    return ours, w


@pytest.mark.parametrize("apart,kernels", [(False, "reference"), (True, "reference"), (True, "triton")])
def test_it_is_muon(apart: bool, kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, want = steps(apart, kernels, torch.float32, monkeypatch)
    found = ours.master("w") if apart else ours.weights["w"]
    assert (found.double() - want).abs().max() < 2e-6


@pytest.mark.parametrize("kernels", ["reference", "triton"])
def test_the_momentum_may_be_bfloat16(kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, want = steps(True, kernels, torch.bfloat16, monkeypatch)
    assert (ours.master("w").double() - want).norm() < 5e-3 * want.norm()
    other, _ = steps(True, "reference", torch.bfloat16, monkeypatch)
    assert torch.equal(ours.state["w"], other.state["w"])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("muon"), muon=True)
    assert train(folder, out="plain") == 0
    return folder


def test_runs_go_on_and_losses_are_the_same(plain: Path) -> None:
    found = losses(plain, "plain")
    assert len(found) == 6 and found[-1] < found[0]
    where = str(plain / "plain" / "checkpoints" / "step-00000004.safetensors")
    saved = checkpoints.read(Path(where)).optimizer
    assert {"blocks.0.q.weight", "blocks.1.gate.weight"} <= saved["momentum"].keys()
    assert not saved["momentum"].keys() & saved["m"].keys() and saved["m"].keys() == saved["v"].keys()
    assert train(plain, "--resume", where, out="again") == 0
    assert losses(plain, "again") == found[4:]
    for flags in (["--accumulate", "2"], ["--recompute"]):
        out = flags[0].lstrip("-")
        assert train(plain, *flags, out=out) == 0
        assert losses(plain, out) == pytest.approx(found, rel=1e-5)


@pytest.mark.parametrize("moments", ["fp32", "bf16"])
def test_bfloat16_with_split_weights(plain: Path, moments: str) -> None:
    flags = ["--precision", "bf16", "--moments", moments]
    assert train(plain, *flags, out=moments) == 0
    assert losses(plain, moments) == pytest.approx(losses(plain, "plain"), rel=2e-2)
    where = str(plain / moments / "checkpoints" / "step-00000004.safetensors")
    again = f"{moments}-again"
    assert train(plain, *flags, "--resume", where, out=again) == 0
    assert losses(plain, again) == pytest.approx(losses(plain, moments)[4:], rel=1e-6 if moments == "fp32" else 1e-3)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_two_ranks_share_the_matrices(plain: Path, precision: str) -> None:
    """An odd number of some, so that one rank has fewer."""
    out = f"two-{precision}"
    on_ranks(2, plain, "--precision", precision, out=out)
    want = pytest.approx(losses(plain, "plain"), rel=1e-5 if precision == "fp32" else 2e-2)
    assert losses(plain, out) == want


def test_weights_parted_over_two_ranks(plain: Path) -> None:
    """What is parted is made whole where a matrix is cut; going on from the checkpoint of one rank."""
    where = str(plain / "plain" / "checkpoints" / "step-00000002.safetensors")
    on_ranks(2, plain, "--shard", "--resume", where, out="parted")
    assert losses(plain, "parted") == pytest.approx(losses(plain, "plain")[2:], rel=1e-5)
    ours, theirs = (checkpoints.read(plain / out / "checkpoints" / "final.safetensors") for out in ("parted", "plain"))
    for mine, other in ((ours.weights, theirs.weights), (ours.optimizer["momentum"], theirs.optimizer["momentum"])):
        assert mine.keys() == other.keys()
        assert all(torch.allclose(mine[name], other[name], rtol=1e-3, atol=1e-5) for name in other)


def test_a_run_with_adamw_is_not_gone_on_with(plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write_project(tmp_path / "adamw")
    assert train(other, "--steps", "2") == 0
    where = str(other / "run" / "checkpoints" / "final.safetensors")
    assert train(plain, "--resume", where, out="wrong") == 1
    assert "lacks the momentum of `blocks.0.q.weight`" in capsys.readouterr().err
