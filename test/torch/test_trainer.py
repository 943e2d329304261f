"""The trainer's command line, in this process where it can be: every flag, every format of data, every way to stop."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch

import lsm_torch.ops.recurrence  # noqa: F401  the module, whose name its function hides
from lsm_torch.checkpoint import checkpoint as checkpoints
from lsm_torch.checkpoint import safetensors
from lsm_torch.errors import RunError
from lsm_torch.train import main
from lsm_torch.train import metrics as metrics_module
from lsm_torch.train.kernels import main as tell_kernels
from lsm_torch.train.memory import Memory, refuse_impossible
from lsm_torch.train.step import Stepper
from tiny_project import write_project

Losses = list[float]

main_module: Any = sys.modules["lsm_torch.train.main"]
recurrence_module: Any = sys.modules["lsm_torch.ops.recurrence"]


def model_of(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("tiny_model", folder / "model.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Tiny


def train(folder: Path, *flags: str, out: str = "run") -> int:
    """The exit status of `python train.py --device cpu --out … FLAGS`, run here."""
    before = sys.argv, signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    sys.argv = ["train.py", "--device", "cpu", *(["--out", str(folder / out)] if out else []), *flags]
    try:
        main(model_of(folder), folder)
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv = before[0]
        signal.signal(signal.SIGTERM, before[1])
        signal.signal(signal.SIGINT, before[2])
    return -1


def records(folder: Path, out: str = "run") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / out / "metrics.jsonl").read_text().splitlines()]


def losses(folder: Path, out: str = "run") -> Losses:
    return [line["loss"] for line in records(folder, out) if "loss" in line]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("plain"))
    assert train(folder, out="plain") == 0
    return folder


def test_it_learns_and_leaves_a_run(plain: Path) -> None:
    found = losses(plain, "plain")
    assert len(found) == 6 and found[-1] < found[0]
    run = plain / "plain"
    lines = records(plain, "plain")
    assert {"router_max_load", "router_entropy", "loads"} <= lines[0].keys()
    assert {"step", "lr", "grad_norm", "tokens_per_second", "throughput(tps)", "tflops"} <= lines[0].keys()
    assert [line["step"] for line in lines if "eval_loss" in line] == [3, 6]
    assert {"config.json", "model.lsm", "metrics.jsonl", "loss.svg", "samples.jsonl", "checkpoints"} <= {
        p.name for p in run.iterdir()
    }
    names = sorted(p.name for p in (run / "checkpoints").iterdir())
    assert names == ["final.safetensors", "step-00000002.safetensors", "step-00000004.safetensors"]


@pytest.mark.parametrize("flags", [["--accumulate", "2"], ["--accumulate", "4"], ["--recompute"]])
def test_losses_are_the_same(plain: Path, flags: list[str]) -> None:
    out = "".join(flags)
    assert train(plain, *flags, out=out) == 0
    assert losses(plain, out) == pytest.approx(losses(plain, "plain"), rel=1e-5)


def test_compiled_blocks_have_the_same_losses(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without inductor, whose C++ would take longest: what it would get is traced without a break."""
    compiled: list[Any] = []

    def compile(self: torch.nn.Module) -> None:
        compiled.append(self)
        self._compiled_call_impl = torch.compile(self._call_impl, backend="aot_eager", fullgraph=True)

    monkeypatch.setattr(torch.nn.Module, "compile", compile)
    assert train(plain, "--compile", "--steps", "2", out="compiled") == 0
    assert len(compiled) == 2
    assert losses(plain, "compiled")[0] == pytest.approx(losses(plain, "plain")[0], rel=1e-5)


@pytest.mark.parametrize("moments", ["fp32", "bf16"])
def test_bfloat16_with_split_weights(plain: Path, moments: str) -> None:
    flags = ["--precision", "bf16", "--moments", moments]
    assert train(plain, *flags, out=moments) == 0
    assert losses(plain, moments) == pytest.approx(losses(plain, "plain"), rel=2e-2)
    where = str(plain / moments / "checkpoints" / "step-00000004.safetensors")
    assert train(plain, *flags, "--resume", where, out=f"again-{moments}") == 0
    assert losses(plain, f"again-{moments}") == pytest.approx(
        losses(plain, moments)[4:], rel=1e-6 if moments == "fp32" else 1e-3
    )
    assert train(plain, *flags, "--accumulate", "2", out=f"parts-{moments}") == 0
    assert losses(plain, f"parts-{moments}") == pytest.approx(losses(plain, moments), rel=5e-3)


def on_ranks(count: int, folder: Path, *flags: str, out: str) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    command += [str(folder / "train.py"), "--device", "cpu", "--out", str(folder / out), *flags]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr[-12000:]


def test_two_ranks_have_the_losses_of_one(plain: Path) -> None:
    on_ranks(2, plain, out="two")
    assert losses(plain, "two") == pytest.approx(losses(plain, "plain"), rel=1e-5)
    assert train(plain, "--accumulate", "2", out="halves") == 0
    loads = [records(plain, out)[0]["loads"] for out in ("two", "halves")]
    assert list(loads[0]) == ["blocks.0.r", "blocks.1.r"]
    for route, load in loads[0].items():
        assert sum(load) == pytest.approx(1, abs=1e-3)
        assert load == pytest.approx(loads[1][route], rel=2e-3)


def test_weights_parted_over_two_ranks(plain: Path) -> None:
    """And going on from the checkpoint of one rank, with the moments parted."""
    where = str(plain / "plain" / "checkpoints" / "step-00000002.safetensors")
    on_ranks(2, plain, "--shard", "--resume", where, out="parted")
    assert losses(plain, "parted") == pytest.approx(losses(plain, "plain")[2:], rel=1e-5)
    on_ranks(1, plain, "--shard", "--resume", where, out="alone")  # parted, too: what a single GPU can try
    assert losses(plain, "alone") == pytest.approx(losses(plain, "plain")[2:], rel=1e-5)
    again = str(plain / "parted" / "checkpoints" / "step-00000004.safetensors")
    assert train(plain, "--resume", again, out="whole") == 0
    assert losses(plain, "whole") == pytest.approx(losses(plain, "plain")[4:], rel=1e-5)
    ours, theirs = (checkpoints.read(plain / out / "checkpoints" / "final.safetensors") for out in ("parted", "plain"))
    for mine, other in ((ours.weights, theirs.weights), (ours.optimizer["m"], theirs.optimizer["m"])):
        assert mine.keys() == other.keys()
        assert all(torch.allclose(mine[name], other[name], rtol=1e-4, atol=1e-6) for name in other)


def test_a_signal_saves_and_the_run_goes_on(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append = metrics_module.Metrics.append

    def stop_at_three(self: Any, record: dict[str, Any]) -> None:
        append(self, record)
        if record["step"] == 3 and "loss" in record:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(metrics_module.Metrics, "append", stop_at_three)
        assert train(plain, out="stopped") == 128 + signal.SIGTERM
    assert losses(plain, "stopped") == losses(plain, "plain")[:3]
    assert (plain / "stopped" / "checkpoints" / "step-00000003.safetensors").exists()
    assert train(plain, "--resume", out="stopped") == 0
    assert losses(plain, "stopped") == losses(plain, "plain")


def test_a_loss_that_is_no_number_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_project(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["train"] |= {"clip": None, "schedule": {"kind": "constant"}}
    config["train"]["optimizer"]["lr"] = 1e30
    (folder / "config.json").write_text(json.dumps(config))
    assert train(folder) == 1
    said = capsys.readouterr().err
    assert "error[training-diverged]: at step 2" in said and "the loss over it that is not" in said
    assert "clip the gradients" in said
    assert len(losses(folder)) == 1


def test_a_weight_that_is_no_number_is_named(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(plain / "plain", plain / "spoilt")
    folder = plain / "spoilt" / "checkpoints"
    path = folder / "step-00000004.safetensors"
    tensors, metadata = safetensors.load(path)
    tensors["blocks.1.gate.weight"][0, 0] = torch.nan
    safetensors.save(path, tensors, {name: text for name, text in metadata.items() if name != "lsm.crc32"})
    (folder / "final.safetensors").unlink()
    assert train(plain, "--resume", out="spoilt") == 1
    said = capsys.readouterr().err
    assert "at step 5 the loss is nan" in said and "the weight `blocks.1.gate.weight` is not finite" in said
    assert "clip the gradients" not in said  # they are


def test_flags_that_cannot_be_meant(plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags, said in (
        (["--steps", "abc"], "'abc' is no whole number"),
        (["--seed", "-1"], "-1 is not from 0 to 2^53 - 1"),
        (["--seed", "99999999999999999999"], "is not from 0 to 2^53 - 1"),
        (["--moments", "bf16"], "--moments bf16 needs --precision bf16"),
    ):
        assert train(plain, *flags, out="never") == 2
        assert said in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert train(plain, out=str(tmp_path / "file")) == 1
    assert "error[file-access]: cannot make this folder" in capsys.readouterr().err
    assert train(plain, "--resume", str(tmp_path), out="never") == 1
    assert "error[file-missing]: there is no checkpoint in this folder" in capsys.readouterr().err
    assert train(plain, "--eot", "9", out="never") == 1
    assert "error[data-flags]: documents that an id ends are those of .bin files" in capsys.readouterr().err
    assert not (plain / "never").exists()


def test_too_little_memory_names_the_knobs(
    plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has")

    monkeypatch.setattr(Stepper, "begin", full)
    assert train(plain, "--precision", "bf16", out="full") == 1
    said = capsys.readouterr().err
    assert "error[out-of-memory]: step 1 does not fit" in said and "CUDA out of memory)" in said
    assert all(knob in said for knob in ("--moments bf16", "--recompute", "--accumulate 2"))
    assert train(plain, "--accumulate", "2", "--recompute", out="full again") == 1
    said = capsys.readouterr().err
    assert "--accumulate 4" in said and "--recompute" not in said and "--moments" not in said


def test_kernels_py_tells_what_recurrences_run_as(
    plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kernels, runs_as in (("reference", "plain torch"), ("triton", "chunks of 64, state 16 × 16, time in 1")):
        monkeypatch.setenv("LSM_KERNELS", kernels)
        monkeypatch.setattr(sys, "argv", ["kernels.py", "--device", "cpu"])
        with pytest.raises(SystemExit) as stop:
            tell_kernels(model_of(plain), plain)
        assert not stop.value.code
        title, _, row = capsys.readouterr().out.splitlines()
        assert title == "Tiny on the processor, 1 × 12 tokens"
        assert row.startswith("Block × 2  a decay a key  q [1, 12, 2, 8] v [1, 12, 2, 8]  " + runs_as)
        if kernels == "triton":
            assert float(row.split(runs_as)[1].split()[0]) < 1e-4


def test_kernels_are_checked(plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In Triton's interpreter; then with one whose gradients are off, without which training goes on."""
    assert train(plain, "--check", "--steps", "1", out="unchecked") == 0
    assert "no kernels to check" in capsys.readouterr().out
    monkeypatch.setenv("LSM_KERNELS", "triton")
    assert train(plain, "--check", "--steps", "1", out="right") == 0
    assert "the kernels agree with the reference" in capsys.readouterr().out
    right = recurrence_module.recurrence_triton

    def wrong(*arguments: Any) -> Any:
        o, state = right(*arguments)
        return o * 1.1, state

    monkeypatch.setattr(recurrence_module, "recurrence_triton", wrong)
    assert train(plain, "--check", "--steps", "2", out="checked") == 0
    said = capsys.readouterr().out
    assert "warning[kernels-differ]" in said and "`o` differs by" in said
    assert losses(plain, "checked") == pytest.approx(losses(plain, "plain")[:2], rel=1e-6)


def test_what_cannot_fit_is_refused(
    plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the estimate, and what helps: before a step is made, and where building the model fails already."""
    options = types.SimpleNamespace(precision="bf16", moments="fp32", shard=False)
    refuse_impossible(Memory(weights=4, moments=8, gradients=2, capacity=14), options)
    with pytest.raises(RunError, match="does not fit") as error:
        refuse_impossible(Memory(weights=4, moments=8, gradients=3, capacity=14), options)
    assert all(knob in error.value.help for knob in ("--moments bf16 (saves 0.0 KiB)", "--shard", "smaller"))

    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(main_module, "Run", full)
    assert train(plain, "--precision", "bf16", out="no room") == 1
    said = capsys.readouterr().err
    assert "error[out-of-memory]: the model does not fit" in said
    assert "47.6 KiB weights, 95.2 KiB moments, 23.8 KiB gradients" in said  # of 12,192 parameters
    assert "--moments bf16 (saves 47.6 KiB)" in said


def test_wandb_and_tensorboard(
    plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, str]] = []

    class Board:
        def __init__(self, folder: str) -> None:
            assert folder.endswith("tensorboard")

        def add_scalar(self, name: str, value: float, step: int) -> None:
            seen.append((step, name))

        def close(self) -> None:
            seen.append((0, "closed"))

    logged: list[int] = []
    run = types.SimpleNamespace(log=lambda record, step: logged.append(step), finish=lambda: logged.append(0))
    board = types.SimpleNamespace(SummaryWriter=Board)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", board)
    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=lambda **_: run))
    assert train(plain, "--wandb", "--steps", "2", out="logged") == 0
    assert (1, "loss") in seen and (2, "eval_loss") in seen and seen[-1] == (0, "closed")
    assert logged == [1, 2, 2, 0]
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert train(plain, "--wandb", out="without") == 1
    assert "error[wandb-missing]" in capsys.readouterr().err
