"""The folder of a run: chosen so that no run is ever written over another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch.distributed as dist

from ..errors import RunError
from .project import Project


def choose_folder(options: Any, project: Project, rank: int, ranks: int) -> Path:
    """Of all ranks together: the first one chooses."""
    chosen: list[Any] = [_chosen(options, str(project.config["train"]["name"])) if rank == 0 else None]
    if ranks > 1:
        dist.broadcast_object_list(chosen, src=0)
    if isinstance(chosen[0], RunError):
        raise chosen[0]
    return Path(chosen[0])


def _chosen(options: Any, name: str, parent: Path = Path("runs")) -> str | RunError:
    """`--out`, where no run is in it but one to go on with; else runs/<name>, <name>-2, … beside older ones."""
    if options.out is not None:
        if options.resume is None and _has_run(options.out):
            help = "give another --out, or add --resume to go on with the run inside"
            return RunError("run-folder-not-empty", "there is a run in this folder", str(options.out), help)
        return str(options.out)
    pattern = re.compile(rf"{re.escape(name)}(?:-([1-9]\d{{0,8}}))?")
    found = [pattern.fullmatch(path.name) for path in parent.iterdir()] if parent.is_dir() else []
    newest = max((int(match[1] or 1) for match in found if match), default=0)
    if options.resume == "auto" and newest > 0:
        return str(parent / _numbered(name, newest))
    return str(parent / _numbered(name, newest + 1))


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _has_run(folder: Path) -> bool:
    """A start that failed leaves no line of metrics, and stands in nobody's way."""
    metrics = folder / "metrics.jsonl"
    return (folder / "checkpoints").exists() or (metrics.is_file() and metrics.stat().st_size > 0)
