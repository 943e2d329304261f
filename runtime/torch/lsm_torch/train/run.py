"""A run: from its start, or from a checkpoint, to its last step or a signal."""

from __future__ import annotations

import json
import signal
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from ..checkpoint import checkpoint as checkpoints
from ..checkpoint.paths import named_tensors
from ..errors import RunError
from .check import check
from .ids import check_ids
from .measure import Evaluator, Measured
from .memory import estimate, refuse_impossible, too_little
from .mesh import parts_of
from .metrics import Metrics
from .optimizer import optimizer_of
from .overrides import Overrides
from .progress import duration
from .project import Project
from .recorder import Recorder
from .report import Speed, report, row
from .resume import fill, find_saved, overrides_of, seed_of
from .samples import Sampler
from .schedule import learning_rate
from .shard import shard
from .step import Stepper, StepResult
from .tasks import open_task


class Run:
    """Everything of one run on one rank; rank 0 alone writes."""

    def __init__(self, model: nn.Module, project: Project, options: Any, rank: int, ranks: int) -> None:
        self.project, self.options, self.rank, self.ranks = project, options, rank, ranks
        self.folder: Path = options.out
        self.recorder: Recorder | None = None
        self.signal: int | None = None  # that any rank was told to stop by
        self.told: float | None = None  # when this one was
        saved, self.remarks = find_saved(options.resume, self.folder)
        self.overrides = Overrides.of(options, overrides_of(saved))
        self.settings = self.overrides.applied(project.config["train"])
        self.seed = seed_of(saved, options.seed, self.settings["seed"])
        self.device = torch.device(options.device)
        self.model = model.to(self.device)
        self.tensors = named_tensors(self.model)
        self.task = open_task(self.settings["data"], project.folder / project.config["data"], self.seed)
        # minutes for billions, so behind what can fail
        fill(self.tensors, project.parameters, saved, self.seed)
        self.rows: int = project.config["batch"]
        self.parted = options.shard and dist.is_initialized()
        if self.parted:
            shard(self.model, self.device, ranks)
            self.tensors = named_tensors(self.model)
        self.autocast = torch.bfloat16 if options.precision == "bf16" else None
        self.optimizer = optimizer_of(
            self.model,
            project.parameters,
            self.settings["optimizer"],
            split=self.autocast is not None and not self.parted,
            dtype=self.autocast or torch.float32,
            moments=torch.bfloat16 if options.moments == "bf16" else torch.float32,
        )
        self.memory = estimate(self.optimizer, self.device)
        refuse_impossible(self.memory, options)
        self.step = 0
        self.position = 0
        if saved is not None:
            self.step = saved.state["step"]
            data = saved.state["data"] or {"position": 0, "fingerprint": ""}  # nothing yet of an imported model
            self.position = data["position"]
            self.optimizer.restore(saved.optimizer, self.step)
            before = data["fingerprint"]
            if before and before != self.task.fingerprint:
                now = self.task.fingerprint
                self.remarks.append(f"the data has changed since the checkpoint ({before} then, {now} now)")
        self.stepper = Stepper(
            self.model,
            self.optimizer,
            self.settings["clip"],
            parts_of(project, options.accumulate, ranks),
            self.autocast,
            self.device,
            rank,
            ranks,
            options.graph,
            self.say,
        )
        size = max(1, self.rows // self.stepper.parts)
        self.evaluator = Evaluator(
            self.model, self.device, self.stepper.precision, size, self.rows, rank, ranks, self.say
        )
        self.sampler = Sampler(self.evaluator, self.task, self.settings, self.seed, self.folder)

    def say(self, text: str) -> None:
        if self.recorder is not None:
            self.recorder.progress.note(text)
        elif self.rank == 0:
            print(text, flush=True)

    def train(self) -> int:
        """Trains to the end; gives the exit status: 0, or 128 + the signal that stopped it."""
        try:
            return self._train()
        except torch.OutOfMemoryError as error:
            what = f"step {self.step + 1} does not fit: {self.memory.text()} ({str(error).split('. ')[0]})"
            raise too_little(self.memory, what, self.options) from None
        finally:
            if self.recorder is not None:
                self.recorder.close()

    def _train(self) -> int:
        if self.rank == 0:
            self._describe()
        report(self)
        if self.options.check:
            check(self)
        speed = Speed(self)
        if self.rank == 0:
            self.recorder = self._recorder(speed)
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._stop)
        began, first = time.monotonic(), self.step
        self._steps(speed)
        finished = self.step >= self.settings["steps"]
        held = self._measured(False) if finished else None
        path = self.save(finished)
        files, rows = (
            self.task.finish(self.evaluator, self.folder, self.project.config["model"]) if finished else ([], [])
        )
        if self.recorder is not None:
            self.recorder.draw()
            self.recorder.close()
            loss, self.recorder = self.recorder.training_loss, None
            if finished:
                made = self.step - first
                pace = f"{made} steps in {duration(time.monotonic() - began)}, {speed.rate:,.0f} tokens/s"
                self.say(row("done", pace if made > 0 else "the run had ended already"))
                for name, text in [*self.task.ending(loss, held), *rows]:
                    self.say(row(name, text))
                kept = ", ".join(["metrics.jsonl", "loss.svg", *files, "checkpoints"])
                self.say(row("run", f"{self.folder}: {kept}"))
            else:
                self.say(row("stopped", f"at step {self.step} of {self.settings['steps']}, saved {path}"))
                self.say(row("go on", "the same command with --resume"))
        if finished:
            self._last_words()
        return 0 if finished else 128 + (self.signal or 0)

    def _steps(self, speed: Speed) -> None:
        steps, settings = self.settings["steps"], self.settings
        waiting: deque[tuple[int, int, float, Callable[[], StepResult]]] = deque()

        def settle(most: int) -> None:
            while len(waiting) > most:
                step, tokens, rate, result = waiting.popleft()
                found = result()  # raises when the step could not be made
                if self.recorder is not None:
                    self.recorder.step(step, tokens, rate, found)

        while self.step < steps and not self._stopping():
            rate = learning_rate(settings["schedule"], settings["optimizer"]["lr"], self.step, steps)
            batch = self.task.train.batch(self.position, self.rows)
            check_ids(batch, self.project)
            result = self.stepper.begin(batch, self.step + 1, rate)
            self.position += self.rows
            self.step += 1
            waiting.append((self.step, batch.positions.numel(), rate, result))
            measures, saves = self._due("evaluateEvery"), self._due("checkpointEvery")
            pauses = measures or saves or self.step == steps or self.device.type == "cpu"
            settle(0 if pauses else 1)  # on a GPU the step before the last is asked how it went
            if measures:
                self._measured(True)
                if self.options.samples:
                    self.sampler.record(self.step, self.rank == 0)
            if saves:
                self.save(False)
            if measures or saves:
                speed.skip()
        settle(0)

    def _due(self, name: str) -> bool:
        every = self.settings[name]
        return every is not None and self.step < self.settings["steps"] and self.step % every == 0

    def _stopping(self) -> bool:
        """Whether any rank was told to stop: all of them stop after the same step."""
        if self.ranks == 1:
            return self.signal is not None
        told = torch.tensor(self.signal or 0)
        dist.all_reduce(told, dist.ReduceOp.MAX)
        if int(told) > 0:
            self.signal = int(told)
        return self.signal is not None

    def _measured(self, on_the_way: bool) -> Measured | None:
        found = self.task.measure(self.evaluator, on_the_way)
        if found is not None and self.recorder is not None:
            self.recorder.measured(self.step, found)
            if on_the_way:
                self.say(f"step {self.step}: {self.task.note(found)}")
        return found

    def _last_words(self) -> None:
        """What to do with the model, and a text that it writes."""
        if self.task.tokenizer is not None:
            self.say(row("write", f'lsm generate {self.folder} --prompt "{self.sampler.prompt(short=True)}"'))
        if self.settings["data"]["kind"] == "series":
            self.say(row("write", f"lsm generate {self.folder} --csv FILE"))
        script = self.project.folder / "export_hf.py"
        if script.exists():
            self.say(row("export", f"python {script} {self.folder} OUT"))
        self.sampler.record(self.step, self.rank == 0, show=True)

    def save(self, final: bool) -> Path | None:
        if self.rank != 0 and not self.parted:
            return None
        config, settings, task = self.project.config, self.settings, self.task
        state = {
            "model": config["model"],
            "train": settings["name"],
            "step": self.step,
            "schedule": {**settings["schedule"], "lr": settings["optimizer"]["lr"], "steps": settings["steps"]},
            "data": {"position": self.position, "seed": self.seed, "fingerprint": task.fingerprint},
            "random": {},
            "tokenizer": None if task.tokenizer is None else task.tokenizer.describe(),
            "compiler": config["compiler"],
            "notes": {"overrides": self.overrides.kept(), **task.notes},
        }
        folder, source = self.folder / "checkpoints", self.project.source
        weights, moments = self.optimizer.weights(), self.optimizer.moments()
        return checkpoints.write(folder, source, state, weights, moments, final, writes=self.rank == 0)

    def _recorder(self, speed: Speed) -> Recorder:
        config = {**self.project.config, "train": self.settings}
        metrics = Metrics(
            self.folder, self.step, tensorboard=self.options.tensorboard, wandb=config if self.options.wandb else None
        )
        steps, task = self.settings["steps"], self.task
        return Recorder(self.folder, metrics, speed, steps, config["model"], task.unit, task.baselines)

    def _describe(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot make this folder: {error.strerror}"
            raise RunError(
                "file-access", what, str(self.folder), "give a folder that can be written with --out"
            ) from None
        base = str((self.project.folder / self.project.config["data"]).resolve())  # where the data's paths start
        config = {**self.project.config, "train": self.settings, "backend": f"torch {self.device}", "base": base}
        (self.folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        (self.folder / "model.lsm").write_text(self.project.source)

    def _stop(self, number: int, _: FrameType | None) -> None:
        """A second signal ends the run at once; but torchrun passes on what the terminal has sent already."""
        now = time.monotonic()
        if self.told is not None and now - self.told > 1:
            raise KeyboardInterrupt
        if self.told is None:
            self.told, self.signal = now, number
            self.say(f"{signal.Signals(number).name}: saving after this step …")
