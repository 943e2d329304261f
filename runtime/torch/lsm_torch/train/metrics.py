"""metrics.jsonl, TensorBoard where it is installed, wandb where it is asked for, and the progress line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from ..errors import RunError


class Metrics:
    """Lines of later steps than `step` are dropped, so that the file reads as if the run had never stopped."""

    def __init__(self, folder: Path, step: int, steps: int, wandb: dict[str, Any] | None = None) -> None:
        self.path, self.steps = folder / "metrics.jsonl", steps
        kept: list[str] = []
        if step > 0 and self.path.exists():
            lines = self.path.read_text().splitlines()
            kept = [line for line in lines if line and json.loads(line)["step"] <= step]
        self.path.write_text("".join(f"{line}\n" for line in kept))
        self.file = self.path.open("a")
        self.board = _tensorboard(folder)
        self.wandb = None if wandb is None else _wandb(folder, wandb)
        self.terminal = sys.stderr.isatty()
        self.shown = 0.0

    def append(self, record: dict[str, Any]) -> None:
        self.file.write(json.dumps(record, separators=(",", ":")) + "\n")
        self.file.flush()
        if self.wandb is not None:
            self.wandb.log(
                {name: x for name, x in record.items() if name not in ("step", "loads")}, step=record["step"]
            )
        for name, value in record.items():
            if self.board is not None and name != "step" and not isinstance(value, dict):
                self.board.add_scalar(name, value, record["step"])

    def progress(self, record: dict[str, Any], left: float) -> None:
        """One line that is rewritten on a terminal; elsewhere a line every ten seconds."""
        now = time.monotonic()
        last = record["step"] == self.steps
        if not last and now - self.shown < (0.1 if self.terminal else 10):
            return
        self.shown = now
        text = (
            f"step {record['step']}/{self.steps}  loss {record['loss']:.4f}  lr {record['lr']:.2e}  "
            f"{record['tokens_per_second']:,} tokens/s  {_duration(left)} left"
        )
        end = "\n" if last or not self.terminal else ""
        start = "\r\x1b[2K" if self.terminal else ""
        print(f"{start}{text}", end=end, file=sys.stderr, flush=True)

    def close(self) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()
        if self.wandb is not None:
            self.wandb.finish()


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"))  # type: ignore[no-untyped-call]


def _wandb(folder: Path, config: dict[str, Any]) -> Any:
    try:
        import wandb  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        what = "--wandb was given, and wandb is not installed"
        raise RunError("wandb-missing", what, "--wandb", "run `pip install wandb`, or leave the flag out") from None
    return wandb.init(project=str(config["model"]), name=folder.name, dir=str(folder), config=config, resume="allow")


def _duration(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole / 3600:.1f} h"
