"""metrics.jsonl, TensorBoard where it is installed, and wandb where it is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import RunError

Record = dict[str, Any]


class Metrics:
    """Lines of later steps than `step` are dropped, so that the file reads as if the run had never stopped."""

    def __init__(
        self, folder: Path, step: int, *, tensorboard: bool | None = None, wandb: dict[str, Any] | None = None
    ) -> None:
        """`tensorboard`: events are written, or not, or (None) where it is installed; `wandb`: what it is told of the run."""
        self.path = folder / "metrics.jsonl"
        self.records = _read(self.path, step) if step > 0 else []
        self.path.write_text("".join(map(_line, self.records)))
        self.file = self.path.open("a")
        self.board = None if tensorboard is False else _tensorboard(folder, tensorboard is True)
        self.wandb = None if wandb is None else _wandb(folder, wandb)

    def append(self, record: Record) -> None:
        self.records.append(record)
        self.file.write(_line(record))
        self.file.flush()
        figures = {name: x for name, x in record.items() if name not in ("step", "loads")}
        if self.wandb is not None:
            self.wandb.log(figures, step=record["step"])
        if self.board is not None:
            for name, value in figures.items():
                self.board.add_scalar(name, value, record["step"])

    def close(self) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()
        if self.wandb is not None:
            self.wandb.finish()


def _line(record: Record) -> str:
    return json.dumps(record, separators=(",", ":")) + "\n"


def _read(path: Path, step: int) -> list[Record]:
    """The records of all whole lines up to a step; a line cut short by a crash is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text().splitlines():
        try:
            record = json.loads(line)
            if record["step"] <= step:
                found.append(record)
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
    return found


def _tensorboard(folder: Path, needed: bool) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        if not needed:
            return None
        what = "--tensorboard was given, and tensorboard is not installed"
        help = "run `pip install tensorboard`, or leave the flag out"
        raise RunError("tensorboard-missing", what, "--tensorboard", help) from None
    return SummaryWriter(str(folder / "tensorboard"))  # type: ignore[no-untyped-call]


def _wandb(folder: Path, config: dict[str, Any]) -> Any:
    try:
        import wandb  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        what = "--wandb was given, and wandb is not installed"
        raise RunError("wandb-missing", what, "--wandb", "run `pip install wandb`, or leave the flag out") from None
    return wandb.init(project=str(config["model"]), name=folder.name, dir=str(folder), config=config, resume="allow")
