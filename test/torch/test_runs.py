"""How runs start, stop, go on and refuse to: folders, signals, ranks, flags for data, schedules, and what is shown."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lsm_torch.checkpoint import checkpoint as checkpoints
from lsm_torch.errors import RunError
from lsm_torch.train.mesh import refuse_impossible_mesh
from lsm_torch.train.progress import Progress, State, duration
from lsm_torch.train.project import Project
from lsm_torch.train.schedule import learning_rate
from test_trainer import losses, on_ranks, records, train
from tiny_project import write_project

#: train.py, but that one rank is told to stop within a step.
STOPPING = """
import os, signal
from lsm_torch.train.step import Stepper

begin = Stepper.begin

def stopped(self, batch, step, rate):
    if step == {step} and os.environ.get("RANK", "0") == "{rank}":
        os.kill(os.getpid(), signal.SIGTERM)
    return begin(self, batch, step, rate)

Stepper.begin = stopped
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("plain"))
    assert train(folder, out="plain") == 0
    return folder


def stop_on_two_ranks(folder: Path, step: int, out: str) -> str:
    text = (folder / "train.py").read_text()
    head, rest = text.split("from lsm_torch", 1)
    script = folder / "stopping.py"
    script.write_text(f"{head}{STOPPING.format(step=step, rank=1)}from lsm_torch{rest}")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    command += ["--device", "cpu", "--out", str(folder / out), "--resume"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_it_goes_on_twice_on_other_numbers_of_ranks(plain: Path) -> None:
    """One rank, then two of which the second alone is told to stop, then one again: the losses of a run that never stopped."""
    run = plain / "twice" / "checkpoints"
    shutil.copytree(plain / "plain", plain / "twice")
    for name in ("final", "step-00000004"):  # as if it had been killed in step 4
        (run / f"{name}.safetensors").unlink()
    said = stop_on_two_ranks(plain, 4, "twice")
    assert "stopped" in said and "at step 4 of 6" in said
    assert [path.name for path in sorted(run.iterdir())] == ["step-00000002.safetensors", "step-00000004.safetensors"]
    assert losses(plain, "twice") == pytest.approx(losses(plain, "plain")[:4], rel=1e-5)
    assert train(plain, "--resume", "auto", out="twice") == 0
    assert losses(plain, "twice") == pytest.approx(losses(plain, "plain"), rel=1e-5)
    assert train(plain, "--resume", out="twice") == 0  # it had ended already
    assert len(losses(plain, "twice")) == 6


def test_a_damaged_checkpoint_is_passed_over(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(plain / "plain", plain / "damaged")
    final = plain / "damaged" / "checkpoints" / "final.safetensors"
    final.write_bytes(final.read_bytes()[:-1000])
    assert train(plain, "--resume", out="damaged") == 0
    assert losses(plain, "damaged") == losses(plain, "plain")
    assert "passing it over" in capsys.readouterr().out
    files = list((plain / "damaged" / "checkpoints").iterdir())
    for path in files:
        path.write_bytes(path.read_bytes()[:-1000])
    before = (plain / "damaged" / "metrics.jsonl").read_bytes()
    assert train(plain, "--resume", out="damaged") == 1  # and nothing begins anew over it
    assert "error[checkpoint-damaged]: no checkpoint here can be read" in capsys.readouterr().err
    assert (plain / "damaged" / "metrics.jsonl").read_bytes() == before and sorted(files) == sorted(
        (plain / "damaged" / "checkpoints").iterdir()
    )


def test_a_start_that_failed_stands_in_nobodys_way(
    plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert train(plain, "--wandb", "--steps", "1", out="logged") == 1
    assert train(plain, "--steps", "1", out="logged") == 0


def test_an_error_reaches_other_ranks_whole() -> None:
    error = RunError("code", "what", "where", "help")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_measuring_says_how_far_it_is(
    plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["lsm_torch.train.measure"], "_REPORT", -1.0)
    assert train(plain, "--steps", "1", out="slow") == 0
    said = capsys.readouterr()
    assert re.search(r"measuring what is held out: \d+%, 0:00 left", said.out + said.err)


def test_where_the_data_lies_is_kept(plain: Path) -> None:
    """lsm evaluate finds a run's data from anywhere."""
    assert json.loads((plain / "plain" / "config.json").read_text())["base"] == str(plain.resolve())


def test_an_impossible_mesh_is_refused_before_ranks_meet(
    plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def meet(*_: Any) -> None:
        raise AssertionError("a process group was started")

    monkeypatch.setattr(torch.distributed, "init_process_group", meet)
    for environment, flags, help in (
        ({"WORLD_SIZE": "3"}, [], "run on 2 or 4 ranks"),
        ({"WORLD_SIZE": "8"}, [], "run on 4 ranks"),
        ({"WORLD_SIZE": "2"}, ["--accumulate", "3"], "--accumulate one of 2, 4"),
    ):
        with monkeypatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            assert train(plain, *flags, out="refused") == 1
        said = capsys.readouterr().err
        assert "error[uneven-batch]" in said and help in said
    assert not (plain / "refused").exists()


def test_more_ranks_than_gpus(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = types.SimpleNamespace(accumulate=None, device="cuda:0")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    refuse_impossible_mesh(Project.read(plain), options, 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(RunError, match="has 1 GPU, and 2 ranks were started on it"):
        refuse_impossible_mesh(Project.read(plain), options, 2)


def test_no_run_goes_over_another(
    plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert train(plain, out="plain") == 1
    assert "error[run-folder-not-empty]" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    for name in ("tiny", "tiny-2"):
        assert train(plain, "--steps", "1", out="") == 0
        assert (tmp_path / "runs" / name / "metrics.jsonl").exists()
    assert train(plain, "--steps", "2", "--resume", out="") == 0  # the newest
    assert [len(losses(tmp_path / "runs", name)) for name in ("tiny", "tiny-2")] == [1, 2]


def test_data_of_another_file(plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.txt").write_text("Another text, which nobody has seen before. " * 40)
    folder = write_project(tmp_path / "same", "../other.txt")
    assert train(folder) == 0
    assert train(plain, "--data", str(tmp_path / "other.txt"), out="other") == 0
    assert losses(plain, "other") == losses(folder)
    (plain / "other" / "checkpoints" / "final.safetensors").unlink()
    capsys.readouterr()
    assert train(plain, "--resume", out="other") == 0  # with the data it was started with
    assert "the data has changed" not in capsys.readouterr().out
    assert losses(plain, "other") == losses(folder)
    (tmp_path / "more.txt").write_text("x" * 1000)
    again = str(plain / "other" / "checkpoints" / "step-00000004.safetensors")
    assert train(plain, "--resume", again, "--data", str(tmp_path / "more.txt"), out="changed") == 0
    assert "the data has changed since the checkpoint" in capsys.readouterr().out


def test_ids_that_the_model_has_no_row_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_project(tmp_path, "tokens.bin", pack=False)
    ids = np.arange(400, dtype=np.uint16) % 300
    ids.tofile(folder / "tokens.bin")
    assert train(folder, out="fits") == 0
    ids[ids == 7] = 300
    ids.tofile(folder / "tokens.bin")
    assert train(folder, out="large") == 1
    assert "the data has the id 300, and the model takes those from 0 to 299" in capsys.readouterr().err


def test_gradients_are_clipped(tmp_path: Path) -> None:
    """The first moment after one step is (1 − β₁) g, whose norm is the limit's."""
    folder = write_project(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["train"]["clip"] = 0.01
    (folder / "config.json").write_text(json.dumps(config))
    assert train(folder, "--steps", "1") == 0
    assert records(folder)[0]["grad_norm"] > 0.1  # before
    moments = checkpoints.read(folder / "run" / "checkpoints" / "final.safetensors").optimizer["m"]
    norm = math.sqrt(sum(float(m.square().sum()) for m in moments.values()))
    assert norm / (1 - 0.9) == pytest.approx(0.01, rel=1e-4)


def test_schedules() -> None:
    """runtime/format.md: learning rates for update `step` (from 0) of 10, with a warm-up of 2."""

    def rates(kind: str, **more: float) -> list[float]:
        return [learning_rate({"kind": kind, "warmup": 2, **more}, 3.0, step, 10) for step in range(10)]

    warm = [1.0, 2.0]
    assert rates("constant") == [*warm, *[3.0] * 8]
    cosine = [1 + (3 - 1) * (1 + math.cos(math.pi * i / 8)) / 2 for i in range(8)]
    assert rates("cosine", floor=1) == pytest.approx([*warm, *cosine])
    assert rates("linear", floor=1) == pytest.approx([*warm, *[3 - 2 * i / 8 for i in range(8)]])
    assert rates("wsd", floor=1, decay=4) == pytest.approx([*warm, *[3.0] * 4, 3, 2.5, 2, 1.5])


def test_tensorboard_by_flag(plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    made: list[str] = []
    board = types.SimpleNamespace(add_scalar=lambda *_: None, close=lambda: None)
    module = types.SimpleNamespace(SummaryWriter=lambda folder: made.append(folder) or board)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    assert train(plain, "--no-tensorboard", "--steps", "1", out="without board") == 0
    assert made == []
    assert train(plain, "--tensorboard", "--steps", "1", out="with board") == 0
    assert made == [str(plain / "with board" / "tensorboard")]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert train(plain, "--tensorboard", out="no board") == 1
    assert "error[tensorboard-missing]" in capsys.readouterr().err


def test_texts_on_the_way(plain: Path) -> None:
    assert train(plain, "--samples", out="samples") == 0
    lines = [json.loads(line) for line in (plain / "samples" / "samples.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 6]
    assert all(line["text"].startswith("The") for line in lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_line(monkeypatch: pytest.MonkeyPatch) -> None:
    state = State(5, 2.71828, 3e-4, 12345, 754)
    out = io.StringIO()
    progress = Progress(100, out)
    progress.update(state)
    progress.done()
    assert out.getvalue() == "step   5/100  loss 2.718  lr 3.00e-04  12.3k tokens/s  12:34 left\n"
    monkeypatch.setenv("NO_COLOR", "1")
    for columns, shown in (
        (120, "step   5/100  ━───────────────────  loss 2.718  lr 3.00e-04  12.3k tokens/s  12:34 left"),
        (60, "step   5/100  loss 2.718  12.3k tokens/s  12:34 left"),
        (20, "step   5/100"),
    ):
        monkeypatch.setenv("COLUMNS", str(columns))
        out = Terminal()
        progress = Progress(100, out)
        progress.update(state)
        assert out.getvalue() == f"\r{shown}\x1b[K"
        progress.note("saved")
        assert out.getvalue().endswith(f"\r\x1b[Ksaved\n\r{shown}\x1b[K")
    assert [duration(s) for s in (0, 61, 11100, math.nan)] == ["0:00", "1:01", "3:05:00", "–:––"]


def test_two_ranks_measure_what_one_does(plain: Path) -> None:
    on_ranks(2, plain, "--steps", "3", out="measured")
    assert train(plain, "--steps", "3", out="measured alone") == 0
    two, one = (
        [r["eval_loss"] for r in records(plain, out) if "eval_loss" in r] for out in ("measured", "measured alone")
    )
    assert two == pytest.approx(one, rel=1e-5)
