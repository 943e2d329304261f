"""Texts that a model writes while it learns and at the end: shown, and kept in samples.jsonl."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from ..generate import write
from ..nn import Cache
from .measure import Evaluator
from .tasks import Task

_LENGTH, _TEMPERATURE = 200, 0.8


class Sampler:
    """With parted weights all ranks must call `record` together, as each computes its share; otherwise the first alone writes."""

    def __init__(self, evaluator: Evaluator, task: Task, settings: dict[str, Any], seed: int, folder: Path) -> None:
        self.evaluator, self.task, self.seed, self.folder = evaluator, task, seed, folder
        self.sample: dict[str, Any] = settings.get("sample") or {}

    def prompt(self, short: bool = False) -> str:
        return str(self.sample.get("prompt") or (None if short else self.task.opening) or "The ")

    def record(self, step: int, first: bool, show: bool = False) -> None:
        if self.task.tokenizer is None:
            return
        text = ""
        length, temperature = self.sample.get("length", _LENGTH), self.sample.get("temperature", _TEMPERATURE)
        device, own = self.evaluator.device, (self.task.tokenizer, self.prompt(), length, temperature, self.seed)
        if first and show:
            print(flush=True)
        with torch.compiler.set_stance("force_eager"):  # caches grow: nothing would be compiled twice alike
            for part in write(self._forward, *own, device):
                text += part
                if first and show:
                    sys.stdout.write(part)
                    sys.stdout.flush()
        if first:
            if show:
                print(flush=True)
            with (self.folder / "samples.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, "text": text.strip()}, ensure_ascii=False) + "\n")

    def _forward(self, tokens: torch.Tensor, positions: torch.Tensor, cache: Cache) -> torch.Tensor:
        with self.evaluator.precision():
            found: torch.Tensor = self.evaluator.model(tokens, positions, cache)
            return found
