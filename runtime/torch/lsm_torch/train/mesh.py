"""Whether a batch can be computed on so many ranks: refused before any process group starts."""

from __future__ import annotations

import os
from typing import Any

import torch

from ..errors import RunError
from .project import Project


def parts_of(project: Project, accumulate: int | None, ranks: int) -> int:
    """Pieces that a batch is computed in: as many as the program or the ranks need."""
    rows: int = project.config["batch"]
    given = accumulate or project.config["train"].get("accumulate") or 1
    parts = max(given, ranks)
    if rows % parts == 0 and parts % ranks == 0:
        return parts
    where = f"batch {rows} of train {project.config['train']['name']}"
    fitting = [n for n in range(1, rows + 1) if rows % n == 0]
    if ranks not in fitting:
        near = " or ".join(
            str(n) for n in (max(n for n in fitting if n < ranks), *(n for n in fitting if n > ranks))[:2]
        )
        what = f"a batch of {rows} rows has no equal parts for {ranks} ranks"
        raise RunError("uneven-batch", what, where, f"run on {near} ranks, or make `batch` a multiple of {ranks}")
    what = f"a batch of {rows} rows has no {parts} equal parts for {ranks} rank{'s' if ranks > 1 else ''}"
    choices = ", ".join(str(n) for n in fitting if n % ranks == 0)
    raise RunError("uneven-batch", what, where, f"give --accumulate one of {choices}")


def refuse_impossible_mesh(project: Project, options: Any, ranks: int) -> None:
    parts_of(project, options.accumulate, ranks)
    if not options.device.startswith("cuda"):
        return
    count, wanted = torch.cuda.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    index = torch.device(options.device).index or 0
    if max(wanted, index + 1) > count:
        asked = f"{wanted} ranks were started on it" if wanted > count else f"number {index} was asked for"
        help = f"give torchrun --nproc-per-node {count}, or train on the processor with --device cpu"
        what = f"this host has {count} GPU{'' if count == 1 else 's'}, and {asked}"
        raise RunError("too-few-gpus", what, f"--device {options.device}", help)
