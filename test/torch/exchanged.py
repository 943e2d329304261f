"""Checkpoints of Node in PyTorch, and back: one JSON list of what each model computes.

    python test/torch/exchanged.py FOLDER     FOLDER/<i> is an emitted project with node/, a checkpoint, and batch.json

Takes a step, writes FOLDER/<i>/torch, exports that for transformers, and reads it back from there.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "runtime" / "torch"))

from transformers import AutoModelForCausalLM
from transformers.utils import logging

from lsm_torch.checkpoint import checkpoint as checkpoints
from lsm_torch.checkpoint.paths import named_tensors
from lsm_torch.checkpoint.safetensors import Pending
from lsm_torch.hf.export import export, fill
from lsm_torch.nn import apply_updates
from lsm_torch.train.project import Project

logging.disable_progress_bar()
WRITTEN = 5


def emitted(home: Path) -> nn.Module:
    spec = importlib.util.spec_from_file_location(f"model_{home.name}", home / "model.py")
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    (own,) = (x for x in vars(found).values() if isinstance(x, type) and hasattr(x, "losses"))
    return own()


def batch_of(home: Path) -> dict[str, Tensor]:
    given = json.loads((home / "batch.json").read_text())
    found = {name: torch.tensor(x["data"]).reshape(x["shape"]) for name, x in given.items()}
    floats = ("series", "future", "weights")
    return {name: x.float() if name in floats else x.long() for name, x in found.items()}


def step(model: Any, batch: dict[str, Tensor]) -> None:
    """Every parameter a little down its gradient, and what is no parameter as a step of training leaves it."""
    given, truth = ("series", "future") if "series" in batch else ("tokens", "targets")
    _, objective = model.losses(batch[given], batch[truth], batch["weights"], batch["positions"])
    objective.backward()
    with torch.no_grad():
        for x in model.parameters():
            if x.grad is not None:
                x -= 0.03 * x.grad / (x.grad.abs().max() + 1e-6)
    apply_updates(model)


def saved(home: Path, model: nn.Module, project: Project, before: checkpoints.Checkpoint) -> checkpoints.Checkpoint:
    """The model as PyTorch's trainer writes it, read again."""
    weights = {
        path: Pending(torch.float32, x.shape, lambda x=x: x.detach().float())
        for path, x in named_tensors(model).items()
    }
    path = checkpoints.write(home / "torch", project.source, before.state, weights, {}, True, True)
    return checkpoints.read(path)


@torch.no_grad()
def transformers_of(
    home: Path, project: Project, after: checkpoints.Checkpoint, ids: Tensor, logits: Tensor
) -> tuple[float, bool]:
    tokenizer = {"kind": "bytes"}
    after = replace(after, state={**after.state, "tokenizer": tokenizer})
    export(emitted(home), project, after, home / "hf")
    model = AutoModelForCausalLM.from_pretrained(home / "hf", trust_remote_code=True)
    apart = float((model(ids).logits - logits).norm() / logits.norm())
    liked = ids
    for _ in range(WRITTEN):
        liked = torch.cat([liked, model(liked, use_cache=False).logits[:, -1:].argmax(-1)], 1)
    return apart, torch.equal(
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=WRITTEN, do_sample=False), liked
    )


def exchanged(home: Path) -> dict[str, Any]:
    project, batch = Project.read(home), batch_of(home)
    model: Any = emitted(home)
    before = checkpoints.read(home / "node" / "step-00000000.safetensors")
    fill(model, before.weights)
    given = batch["series"] if "series" in batch else batch["tokens"]
    with torch.no_grad():
        first = model(given, batch["positions"])
    step(model, batch)
    with torch.no_grad():
        second = model(given, batch["positions"])
    after = saved(home, model, project, before)
    exported, writes = (None, None) if "series" in batch else transformers_of(home, project, after, given, second)
    return {
        "before": first.flatten().tolist(),
        "after": second.flatten().tolist(),
        "moved": float((second - first).norm() / first.norm()),
        "exported": exported,
        "writes": writes,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    homes = sorted((x for x in folder.iterdir() if x.name.isdigit()), key=lambda x: int(x.name))
    print(json.dumps([exchanged(home) for home in homes]))
