"""A run: from its start, or from a checkpoint, to its last step or a signal."""

from __future__ import annotations

import json
import signal
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from ..checkpoint import checkpoint as checkpoints
from ..checkpoint.paths import named_tensors
from ..data import OpenedData, open_data
from ..errors import RunError
from ..nn import documents
from .check import check
from .initialise import initialise
from .loads import router_figures, shows_loads
from .memory import estimate, refuse_impossible, too_little
from .metrics import Metrics
from .optimizer import optimizer_of
from .project import Project
from .report import Speed, report
from .schedule import learning_rate
from .shard import shard
from .step import Stepper, StepResult


class Run:
    """Everything of one run on one rank; rank 0 alone writes."""

    def __init__(self, model: nn.Module, project: Project, options: Any, rank: int, ranks: int) -> None:
        self.project, self.options, self.rank = project, options, rank
        self.settings = dict(project.config["train"])
        self.signal: int | None = None
        self.saved = self._saved()
        if options.steps is not None:
            self.settings["steps"] = options.steps
        self.seed = self._seed()
        self.device = torch.device(options.device)
        self.model = model.to(self.device)
        self.tensors = named_tensors(self.model)
        self._fill()
        base = project.folder / project.config["data"]
        self.data: OpenedData = open_data(self.settings["data"], base, self.seed)
        self.rows: int = project.config["batch"]
        self.parted = options.shard and ranks > 1
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
        refuse_impossible(self.memory)
        self.step = 0
        self.position = 0
        if self.saved is not None:
            self.step = self.saved.state["step"]
            data = self.saved.state["data"] or {"position": 0, "fingerprint": ""}  # nothing yet of an imported model
            self.position = data["position"]
            self.optimizer.restore(self.saved.optimizer, self.step)
            before = data["fingerprint"]
            if before and before != self.data.fingerprint:
                self.say(f"warning: the data has changed since the checkpoint ({before} then)")
        parts = self._parts(ranks)
        self.stepper = Stepper(
            self.model,
            self.optimizer,
            self.settings["clip"],
            parts,
            self.autocast,
            self.device,
            rank,
            ranks,
            options.graph,
            self.say,
        )

    def say(self, text: str) -> None:
        if self.rank == 0:
            print(text, flush=True)

    def train(self) -> int:
        """Trains to the end; gives the exit status: 0, or 128 + the signal that stopped it."""
        try:
            return self._train()
        except torch.OutOfMemoryError as error:
            what = f"step {self.step + 1} does not fit: {self.memory.text()} ({str(error).split('. ')[0]})"
            raise too_little(self.memory, what, self.options) from None

    def _train(self) -> int:
        folder: Path = self.options.out
        steps = self.settings["steps"]
        if self.rank == 0:
            self._describe(folder)
        report(self)
        if self.options.check:
            check(self)
        metrics = Metrics(folder, self.step, steps, self._wandb()) if self.rank == 0 else None
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._stop)
        speed = Speed(self)
        waiting: deque[Callable[[], None]] = deque()  # on a GPU the step before the last is asked how it went
        while self.step < steps and self.signal is None:
            rate = learning_rate(self.settings["schedule"], self.settings["optimizer"]["lr"], self.step, steps)
            batch = self.data.train.batch(self.position, self.rows)
            result = self.stepper.begin(batch, self.step + 1, rate)
            self.position += self.rows
            self.step += 1
            waiting.append(partial(self._note, result, self.step, rate, batch.tokens.numel(), speed, metrics))
            pauses = self.step >= steps or self.signal is not None or self._pauses()
            while len(waiting) > (0 if pauses or self.device.type == "cpu" else 1):
                waiting.popleft()()
            if self.step < steps and self._pauses():
                self._pause(metrics)
                speed.skip()
        while waiting:
            waiting.popleft()()
        if self.step >= steps:
            self._measured(metrics, None)
        path = self.save(self.signal is None)
        if metrics is not None:
            metrics.close()
        if self.signal is not None:
            self.say(f"stopped after step {self.step}: go on with --resume")
            return 128 + self.signal
        self.say(f"checkpoint {path}")
        return 0

    def _wandb(self) -> dict[str, Any] | None:
        return {**self.project.config, "train": self.settings} if self.options.wandb else None

    def _note(
        self,
        result: Callable[[], StepResult],
        step: int,
        rate: float,
        tokens: int,
        speed: Speed,
        metrics: Metrics | None,
    ) -> None:
        """One line of metrics; raises when the step could not be made."""
        found = result()
        record = {
            "step": step,
            "loss": found.loss,
            "lr": rate,
            "grad_norm": found.gradient_norm,
            **speed.tick(tokens),
            **router_figures(found.loads, shows_loads(step, self.settings["steps"])),
        }
        if metrics is not None:
            metrics.append(record)
            metrics.progress(record, speed.seconds(self.settings["steps"] - step))

    def _pauses(self) -> bool:
        return any(
            self.settings[name] is not None and self.step % self.settings[name] == 0
            for name in ("evaluateEvery", "checkpointEvery")
        )

    def _pause(self, metrics: Metrics | None) -> None:
        every, measures = self.settings["checkpointEvery"], self.settings["evaluateEvery"]
        if measures is not None and self.step % measures == 0:
            self._measured(metrics, 16)
        if every is not None and self.step % every == 0:
            self.save(False)

    @torch.no_grad()
    def measure(self, batches: int | None) -> float | None:
        """The mean loss on held-out rows, in nats a prediction."""
        held = self.data.held_out
        if held is None:
            return None
        limit = held.rows if batches is None else min(held.rows, batches * self.rows)
        size = max(1, self.rows // self.stepper.parts)
        loss, count = 0.0, 0.0
        for start in range(0, limit, size):
            batch = held.batch(start, min(size, limit - start))
            share = float(batch.weights.sum())
            positions = batch.positions
            batch = batch.to(self.device)
            with documents(positions, self.device), self.stepper.precision():
                own, _ = self.model.losses(  # type: ignore[operator]
                    batch.tokens, batch.targets, batch.weights, batch.positions
                )
            loss, count = loss + float(own) * share, count + share
        return loss / count if count > 0 else None

    def _measured(self, metrics: Metrics | None, batches: int | None) -> None:
        if self.rank != 0 and not self.parted:  # parted weights are gathered by all ranks together
            return
        loss = self.measure(batches)
        if loss is not None and metrics is not None:
            metrics.append({"step": self.step, "eval_loss": loss})
            self.say(f"step {self.step}: held-out loss {loss:.3f}")

    def save(self, final: bool) -> Path | None:
        if self.rank != 0 and not self.parted:
            return None
        config, settings = self.project.config, self.settings
        state = {
            "model": config["model"],
            "train": settings["name"],
            "step": self.step,
            "schedule": {
                **settings["schedule"],
                "lr": settings["optimizer"]["lr"],
                "steps": settings["steps"],
            },
            "data": {
                "position": self.position,
                "seed": self.seed,
                "fingerprint": self.data.fingerprint,
            },
            "random": {},
            "tokenizer": self.data.tokenizer,
            "compiler": config["compiler"],
            "notes": {"overrides": {"steps": self.options.steps, "seed": self.options.seed}},
        }
        return checkpoints.write(
            self.options.out / "checkpoints",
            self.project.source,
            state,
            self.optimizer.weights(),
            self.optimizer.moments(),
            final,
            writes=self.rank == 0,
        )

    def _saved(self) -> checkpoints.Checkpoint | None:
        resume = self.options.resume
        if resume is None:
            return None
        folder = self.options.out / "checkpoints"
        path = checkpoints.latest(folder) if resume == "auto" else Path(resume)
        if path is None:
            self.say("no checkpoint yet: from the start")
            return None
        found = checkpoints.read(path)
        notes = (found.state.get("notes") or {}).get("overrides") or {}
        if self.options.steps is None and notes.get("steps") is not None:
            self.settings["steps"] = notes["steps"]
        return found

    def _seed(self) -> int:
        data = None if self.saved is None else self.saved.state["data"]
        saved = None if data is None else data["seed"]
        given = self.options.seed
        if saved is not None and given is not None and saved != given:
            what = f"the run was started with seed {saved}, and cannot go on with {given}"
            raise RunError("seed-changed", what, "--seed", "leave out --seed")
        for seed in (saved, given):
            if seed is not None:
                return int(seed)
        return int(self.settings["seed"])

    @torch.no_grad()
    def _fill(self) -> None:
        """Initial weights, or the checkpoint's."""
        for spec in self.project.parameters:
            own: Tensor = self.tensors[spec["path"]]
            if self.saved is None:
                initialise(own, spec, self.seed)
                continue
            value = self.saved.weights.get(spec["path"])
            if value is None or value.shape != own.shape:
                found = "nothing" if value is None else f"{list(value.shape)}"
                what = f"`{spec['path']}` is {list(own.shape)} in the model and {found} in it"
                raise RunError("checkpoint-mismatch", what, "the checkpoint")
            own.copy_(value)

    def _parts(self, ranks: int) -> int:
        """Pieces that a batch is computed in: as many as the program or the ranks need."""
        parts = max(self.options.accumulate or self.settings.get("accumulate") or 1, ranks)
        if self.rows % parts != 0 or parts % ranks != 0:
            what = f"a batch of {self.rows} rows has no {parts} equal parts for {ranks} ranks"
            raise RunError("uneven-batch", what, "batch", "choose another batch, --accumulate or rank count")
        return parts

    def _describe(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config = {**self.project.config, "train": self.settings, "backend": f"torch {self.device}"}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        (folder / "model.lsm").write_text(self.project.source)

    def _stop(self, number: int, _: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number
        self.say("\nstopping after this step")
