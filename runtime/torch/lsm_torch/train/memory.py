"""How much of a device's memory a run takes before any activation, and what helps when it is too little."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from ..errors import RunError
from .optimizer import Optimizer
from .shard import local

_GIB = 2**30


@dataclass(frozen=True)
class Memory:
    """Bytes a rank holds through the whole run, and of what it makes in each step its gradients."""

    weights: int
    moments: int
    gradients: int
    capacity: int | None  # of the device, where it is known

    @property
    def total(self) -> int:
        return self.weights + self.moments + self.gradients

    def text(self) -> str:
        parts = f"{_size(self.weights)} weights, {_size(self.moments)} moments, {_size(self.gradients)} gradients"
        of = "" if self.capacity is None else f" of {_size(self.capacity)}"
        return f"{_size(self.total)}{of} a rank: {parts}; activations come on top"


def estimate(optimizer: Optimizer, device: torch.device) -> Memory:
    def size(x: Tensor) -> int:
        return local(x).numel() * x.element_size()

    trained = [x for x in optimizer.tensors.values() if x.requires_grad]
    split, muon = optimizer.split, optimizer.muon
    low = sum(size(x) for one in optimizer.owners for x in one.low.values())
    moments = 0 if split is None else sum(size(x) for pair in split.state.values() for x in pair)
    moments += 0 if muon is None else sum(map(size, muon.state.values()))
    apart = {id(x) for one in optimizer.owners for x in one.weights.values()}
    moments += sum(2 * size(x) for x in trained if id(x) not in apart)
    capacity = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else None
    weights = sum(map(size, optimizer.tensors.values())) + low
    return Memory(weights, moments, sum(map(size, trained)), capacity)


def foreseen(parameters: list[dict[str, Any]], options: Any) -> Memory:
    """The same of a model that is not built yet, whole on every rank."""
    sizes = [(prod(axis["size"] for axis in one["axes"]), one["trainable"]) for one in parameters]
    trained = sum(size for size, trains in sizes if trains)
    half = options.precision == "bf16"
    moments = 2 * (2 if half and options.moments == "bf16" else 4) * trained
    device = torch.device(options.device)
    capacity = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else None
    return Memory(4 * sum(size for size, _ in sizes), moments, (2 if half else 4) * trained, capacity)


def refuse_impossible(memory: Memory, options: Any) -> None:
    """Before anything is computed."""
    if memory.capacity is not None and memory.total > memory.capacity:
        raise does_not_fit(memory, options)


def does_not_fit(memory: Memory, options: Any) -> RunError:
    """What no smaller batch would help with."""
    knobs = []
    if options.precision != "bf16":
        knobs.append("give --precision bf16 (gradients of half the size)")
    elif options.moments == "fp32" and not options.shard:
        knobs.append(f"give --moments bf16 (saves {_size(memory.moments // 2)})")
    if not options.shard:
        knobs.append("give --shard on several GPUs, which parts all of it over them")
    knobs.append("make the model smaller")
    what = f"the model does not fit on this device: {memory.text()}"
    return RunError("out-of-memory", what, "the device's memory", "; or ".join(knobs))


def too_little(memory: Memory, what: str, options: Any) -> RunError:
    """What is short of memory, with the knobs that help most, those not turned yet."""
    knobs = []
    if options.precision == "bf16" and options.moments == "fp32" and not options.shard:
        knobs.append(f"--moments bf16 (saves {_size(memory.moments // 2)})")
    if not options.recompute:
        knobs.append("--recompute (a block's activations instead of all; about a third more computing)")
    parts = 2 * (options.accumulate or 1)
    knobs.append(f"--accumulate {parts} (half the activations), or a smaller `seq`")
    return RunError("out-of-memory", what, "the device's memory", "give " + "; or ".join(knobs))


def _size(count: int) -> str:
    if count >= _GIB / 10:
        return f"{count / _GIB:.2f} GiB"
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 / 10 else f"{count / 2**10:.1f} KiB"
