"""Emitted models against the interpreter: values, every gradient, three training steps, causality, generation.

python test/torch/conformance.py FOLDER     prints one JSON line a case; test/support/models/torch-cases.ts writes FOLDER
"""

from __future__ import annotations

import importlib.util
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "runtime" / "torch"))

from lsm_torch.checkpoint.paths import named_tensors
from lsm_torch.nn import Cache, apply_updates

INTEGERS = ("tokens", "targets", "positions")


def tensors(given: dict[str, Any]) -> dict[str, Tensor]:
    return {name: torch.tensor(x["data"], dtype=torch.float64).reshape(x["shape"]) for name, x in given.items()}


def norm(x: Tensor) -> float:
    return float(x.double().norm())


def worst(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> tuple[float, str]:
    """The largest relative error and whose it is; what is 0 in exact arithmetic is measured by the largest."""
    floor = 1e-4 * max(norm(x) for x in expected.values())
    errors = [(norm(actual[name].double() - x) / max(norm(x), floor), name) for name, x in expected.items()]
    return max(errors, default=(0.0, ""))


def module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def run(path: Path) -> dict[str, Any]:
    facts = json.loads(path.with_suffix(".json").read_text())
    model = getattr(module(path), facts["className"])()
    own = named_tensors(model)
    given = tensors(facts["parameters"])
    assert own.keys() == given.keys(), own.keys() ^ given.keys()
    for name, value in given.items():
        assert own[name].shape == value.shape, (name, own[name].shape, value.shape)
        own[name].data.copy_(value)
    adamw, rate = facts["adamw"], facts["rate"]
    trained = {name: x for name, x in own.items() if x.requires_grad}
    moments = {name: (torch.zeros_like(x), torch.zeros_like(x)) for name, x in trained.items()}
    values, whose, steps = 0.0, "", 0.0
    tokenwise: dict[str, float] = {}  # what a model of windows has not
    for count, step in enumerate(facts["steps"], 1):
        batch = {name: x.long() if name in INTEGERS else x.float() for name, x in tensors(step["inputs"]).items()}
        given, truth = ("series", "future") if facts["reads"] == "windows" else ("tokens", "targets")
        expected = tensors(step["outputs"])
        loss, objective = model.losses(batch[given], batch[truth], batch["weights"], batch["positions"])
        model.zero_grad()
        objective.backward()
        if count == 1:
            with torch.no_grad():
                logits = model(batch[given], batch["positions"])
            results = {"prediction": logits, "loss": loss.detach(), "objective": objective.detach()}
            gradients = {name: x.grad if x.grad is not None else torch.zeros_like(x) for name, x in trained.items()}
            values, whose = max(worst(results, expected), worst(gradients, tensors(step["gradients"])))
            if facts["reads"] == "tokens":
                tokenwise = {"causality": causality(model, batch, logits), **generation(model, batch, logits)}
        steps = max(steps, abs(float(loss.detach()) / float(expected["loss"]) - 1))
        with torch.no_grad():
            for name, x in trained.items():
                m, v = moments[name]
                g = x.grad if x.grad is not None else torch.zeros_like(x)
                m.lerp_(g, 1 - adamw["beta1"])
                v.mul_(adamw["beta2"]).addcmul_(g, g, value=1 - adamw["beta2"])
                move = m / (1 - adamw["beta1"] ** count)
                move = move / ((v / (1 - adamw["beta2"] ** count)).sqrt() + adamw["epsilon"])
                x -= rate * (move + adamw["decay"] * x)
        apply_updates(model)
    return {
        "label": facts["label"],
        "values": values,
        "worst": whose,
        "steps": steps,
        **tokenwise,
    }


def causality(model: Any, batch: dict[str, Tensor], logits: Tensor) -> float:
    """How far predictions before the middle move when the tokens from there on are others."""
    middle = logits.shape[1] // 2
    tokens = batch["tokens"].clone()
    tokens[:, middle:] = (tokens[:, middle:] + 1) % logits.shape[-1]
    with torch.no_grad():
        other = model(tokens, batch["positions"])
    return norm(other[:, :middle] - logits[:, :middle]) / norm(logits)


@torch.no_grad()
def generation(model: Any, batch: dict[str, Tensor], logits: Tensor) -> dict[str, float]:
    """How far the logits are off when the tokens come in pieces, and what the cache holds after the half and the whole."""
    tokens, positions = batch["tokens"], batch["positions"]
    rows, length = tokens.shape
    middle = length // 2
    plans = ([*range(length + 1)], [0, 4, middle, *range(middle + 1, length + 1)], [0, 0, 1, 3, 3, length])
    errors = []
    for plan in plans:
        cache = Cache()
        parts = []
        for a, b in pairwise(plan):
            parts.append(model(tokens[:, a:b], positions[:, a:b], cache))
            if b == middle:
                held = cache.bytes()
        errors.append(norm(torch.cat(parts, 1) - logits) / norm(logits))
        if plan is plans[0]:
            growth = (cache.bytes() - held) / rows / (length - middle)
    # rows of unequal length, padded on their left, and taken in another order half way
    pad = 3
    moved = torch.cat((tokens[:, :pad], tokens), 1), torch.cat((torch.zeros_like(positions[:, :pad]), positions), 1)
    cache = Cache()
    parts = [model(moved[0][:, : pad + 2], moved[1][:, : pad + 2], cache)[:, pad:]]
    order = torch.arange(rows).flip(0)
    cache.select(order)
    for t in range(pad + 2, pad + length):
        parts.append(model(moved[0][order, t : t + 1], moved[1][order, t : t + 1], cache)[order])
    errors.append(norm(torch.cat(parts, 1) - logits) / norm(logits))
    return {"decoding": max(errors), "growth": growth}


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for file in sorted(Path(sys.argv[1]).glob("case_*.py"), key=lambda p: int(p.stem[5:])):
        try:
            print(json.dumps(run(file)), flush=True)
        except Exception as error:
            label = json.loads(file.with_suffix(".json").read_text())["label"]
            print(json.dumps({"label": label, "error": f"{file.name}: {error!r}"}), flush=True)
            if "--trace" in sys.argv:
                raise
