"""What a run needs to go on: weights, the optimiser's moments, and where everything stood (runtime/format.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import RunError
from . import safetensors
from .safetensors import Pending

_OPTIMIZER = "optimizer/"


@dataclass(frozen=True)
class Checkpoint:
    source: str  # the .lsm file's text
    state: dict[str, Any]  # model, train, step, schedule, data, random, tokenizer, compiler, notes
    weights: dict[str, Tensor]
    optimizer: dict[str, dict[str, Tensor]]  # by slot (m, v), then by the weight's path


def write(
    folder: Path,
    source: str,
    state: dict[str, Any],
    weights: Mapping[str, Pending],
    optimizer: Mapping[str, Mapping[str, Pending]],
    final: bool,
    writes: bool,
) -> Path:
    """Writes step-<n>.safetensors or final.safetensors, and keeps the last two of the former.

    `writes` is False on ranks that only give their parts of the tensors.
    """
    name = "final" if final else f"step-{state['step']:08d}"
    tensors = dict(weights)
    for slot, values in optimizer.items():
        tensors.update((f"{_OPTIMIZER}{slot}/{path}", x) for path, x in values.items())
    text = json.dumps(state, separators=(",", ":"), ensure_ascii=False)
    metadata = {"lsm.checkpoint": "1", "lsm.source": source, "lsm.state": text}
    path = folder / f"{name}.safetensors"
    if not writes:
        safetensors.save(None, tensors, metadata)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.save(path, tensors, metadata)
    for old in sorted(folder.glob("step-*.safetensors"))[:-2]:
        old.unlink()
    return path


def read(path: Path) -> Checkpoint:
    tensors, metadata = safetensors.load(path)
    if metadata.get("lsm.checkpoint") != "1":
        raise RunError("not-a-checkpoint", "this is no checkpoint of lsm", str(path))
    optimizer: dict[str, dict[str, Tensor]] = {}
    weights = {}
    for name, x in tensors.items():
        if name.startswith(_OPTIMIZER):
            slot, own = name[len(_OPTIMIZER) :].split("/", 1)
            optimizer.setdefault(slot, {})[own] = x
        else:
            weights[name] = x
    return Checkpoint(metadata.get("lsm.source", ""), json.loads(metadata["lsm.state"]), weights, optimizer)


def latest(folder: Path) -> Path | None:
    """The newest checkpoint that is whole: the final one, or that of the latest step; None where there is none at all."""
    found = [*sorted(folder.glob("step-*.safetensors")), *folder.glob("final.safetensors")]
    for number, path in enumerate(reversed(found), 1):
        try:
            safetensors.load(path)
            return path
        except RunError as error:
            if number < len(found):
                print(f"{error}\nnote: passing it over for the one before it")
                continue
            what = f"no checkpoint here can be read, the last one because: {error.what}"
            help = "see whether the disk can be read; nothing was changed. Start a new run with another --out"
            raise RunError("checkpoint-damaged", what, str(folder), help) from None
    return None
