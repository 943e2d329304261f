"""What a run begins with: a checkpoint, where it goes on from one, or fresh weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoint import checkpoint as checkpoints
from ..errors import RunError
from .initialise import initialise


def find_saved(resume: str | None, folder: Path) -> tuple[checkpoints.Checkpoint | None, list[str]]:
    """The checkpoint that `--resume` names, if any, and what is to be said of it."""
    if resume is None:
        return None, []
    path = Path(resume)
    if resume != "auto" and not path.is_dir():
        return checkpoints.read(path), []
    run = folder if resume == "auto" else path
    newest = checkpoints.latest(run / "checkpoints")
    if newest is not None:
        return checkpoints.read(newest), []
    if resume == "auto":
        return None, [f"{folder} has no checkpoint yet, so the run begins anew"]
    help = "give a checkpoint, or the folder of a run that has one"
    raise RunError("file-missing", "there is no checkpoint in this folder", str(path), help)


def overrides_of(saved: checkpoints.Checkpoint | None) -> dict[str, Any]:
    """The flags that took the place of settings when the run was started."""
    notes = {} if saved is None else saved.state.get("notes") or {}
    return dict(notes.get("overrides") or {})


def seed_of(saved: checkpoints.Checkpoint | None, given: int | None, otherwise: int) -> int:
    if saved is None or saved.state.get("data") is None:
        return otherwise if given is None else given
    before = int(saved.state["data"]["seed"])
    if given is not None and given != before:
        what = f"the run was started with seed {before}, and cannot go on with {given}"
        raise RunError("seed-changed", what, "--seed", "leave out --seed, or start a new run without --resume")
    return before


@torch.no_grad()
def fill(
    tensors: dict[str, Tensor], specs: list[dict[str, Any]], saved: checkpoints.Checkpoint | None, seed: int
) -> None:
    """Initial weights, or the checkpoint's."""
    if saved is not None:
        stranger = next((path for path in saved.weights if path not in tensors), None)
        if stranger is not None:
            raise _mismatch(f"it has `{stranger}`, and the model has not")
    for spec in specs:
        own = tensors[spec["path"]]
        if saved is None:
            initialise(own, spec, seed)
            continue
        value = saved.weights.get(spec["path"])
        if value is None:
            raise _mismatch(f"it lacks `{spec['path']}`")
        if value.shape != own.shape:
            raise _mismatch(f"`{spec['path']}` is {list(value.shape)} there and {list(own.shape)} in the model")
        own.copy_(value)


def _mismatch(what: str) -> RunError:
    help = "go on with the program it was made with, or start a new run with another --out"
    return RunError("checkpoint-mismatch", f"the checkpoint is not of this model: {what}", "--resume", help)
