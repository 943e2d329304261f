"""A project as `lsm build --target torch` writes one, small enough to train in a test: gated linear attention, byte by byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MODEL = """
import torch
from torch import nn
from lsm_torch.nn import Linear, RMSNorm, linear_cross_entropy, note_load, recurrence, silu_mul


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = RMSNorm(16)
        self.q, self.k, self.v = (Linear(16, (2, 8)) for _ in range(3))
        self.gate = Linear(16, 16)
        self.out = Linear(16, 16)

    def forward(self, x, positions, cache=None):
        h = self.norm(x)
        note_load(self, self.gate(h).softmax(-1).mean((0, 1)), "r.load")
        decay = -torch.nn.functional.softplus(-self.q(h)).float()
        o = recurrence(self.q(h), self.k(h), self.v(h), decay, positions=positions, cache=cache)
        return x + self.out(silu_mul(self.gate(h), o.flatten(2).to(h.dtype)))


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.empty(300, 16))
        self.blocks = nn.ModuleList([Block(), Block()])
        self.logits = Linear(16, 300)

    def features(self, tokens, positions, cache=None):
        x = self.table[tokens]
        for block in self.blocks:
            x = block(x, positions, cache)
        return x

    def forward(self, tokens, positions, cache=None):
        if cache is not None:
            cache.rewind()
        return self.logits(self.features(tokens, positions, cache))

    def losses(self, tokens, targets, weights, positions):
        x = self.features(tokens, positions)
        loss = linear_cross_entropy(x, self.logits.weight, targets, weights)
        loss = loss.sum() / weights.sum().clamp(min=1)
        return loss, loss
"""

TRAIN = """
import sys
from pathlib import Path

sys.path.insert(0, {runtime!r})
from lsm_torch.train import main
from model import Tiny

if __name__ == "__main__":
    main(Tiny, Path(__file__).resolve().parent)
"""


def parameters() -> list[dict[str, Any]]:
    def one(path: str, axes: dict[str, int], gain: bool = False) -> dict[str, Any]:
        small = {"kind": "map", "fn": "mul", "inputs": [{"kind": "normal"}, {"kind": "constant", "value": 0.1}]}
        rule = {"kind": "constant", "value": 1} if gain else small
        own = [{"name": name, "size": size} for name, size in axes.items()]
        return {"path": path, "axes": own, "initializer": rule, "trainable": True, "decay": not gain}

    found = [one("table", {"vocab": 300, "width": 16}), one("logits.weight", {"width": 16, "vocab": 300})]
    for i in range(2):
        found.append(one(f"blocks.{i}.norm.weight", {"width": 16}, True))
        found += [one(f"blocks.{i}.{n}.weight", {"width": 16, "heads": 2, "key": 8}) for n in "qkv"]
        found += [one(f"blocks.{i}.{n}.weight", {"width": 16, "other": 16}) for n in ("gate", "out")]
    return found


def with_muon(own: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Matrices of every kind: one axis against two, a matrix a head, matrices along the first axis, which ranks part; an odd number
    of those that ranks exchange."""
    kinds: dict[str, tuple[list[str], list[str], list[str]]] = {
        "q": ([], ["width"], ["heads", "key"]),
        "k": (["heads"], ["width"], ["key"]),
        "v": (["width"], ["heads"], ["key"]),
        "gate": ([], ["width"], ["other"]),
    }

    def one(spec: dict[str, Any]) -> dict[str, Any]:
        name = spec["path"].removesuffix(".weight").split(".")[-1]
        if name not in kinds or spec["path"] == "blocks.1.q.weight":
            return spec
        return {**spec, "matrix": dict(zip(("batch", "rows", "columns"), kinds[name], strict=True))}

    return [one(spec) for spec in own]


def write_project(
    folder: Path, text: str = "text.txt", tokenizer: Any = "bytes", pack: bool = True, muon: bool = False
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    data = {"kind": "text", "text": [text], "tokenizer": tokenizer, "seq": 12, "pack": pack, "heldOut": 0.1}
    train = {
        "name": "tiny",
        "data": data,
        "optimizer": {"lr": 3e-3, "betas": [0.9, 0.95], "epsilon": 1e-8, "decay": 0.1},
        "schedule": {"kind": "cosine", "warmup": 2, "floor": 1e-4},
        "steps": 6,
        "clip": 1.0,
        "seed": 7,
        "accumulate": 1,
        "checkpointEvery": 2,
        "evaluateEvery": 3,
        "sample": {"prompt": "The ", "length": 3, "temperature": 0.8},
    }
    if muon:
        train["optimizer"] |= {"muon": {"momentum": 0.95, "iterations": 5}}  # type: ignore[operator]
    config = {"model": "Tiny", "vocabulary": 300, "activated": 9000, "train": train, "batch": 4, "precision": "bf16"}
    config |= {"source": "tiny.lsm", "data": ".", "compiler": "test"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "parameters.json").write_text(json.dumps(with_muon(parameters()) if muon else parameters()))
    (folder / "tiny.lsm").write_text("// a model\n")
    (folder / "model.py").write_text(MODEL)
    runtime = str(Path(__file__).parents[2] / "runtime" / "torch")
    (folder / "train.py").write_text(TRAIN.format(runtime=runtime))
    lines = [f"The {i} whales of chapter {i * i} swam to the {i % 7} seas; Call me Ishmael.\n" for i in range(30)]
    if text == "text.txt":
        (folder / "text.txt").write_text("".join(lines))
    return folder


def texts() -> list[str]:
    return [f"Document {i}: some years ago, never mind how long precisely, {i * 17}." for i in range(24)]
