"""The command line of kernels.py: what a model's recurrences run as on this device, how right they are there, and how long they take."""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..checkpoint.paths import named_tensors
from ..data.rows import Batch
from ..errors import RunError
from ..kernels.schedule import chunk_length, shards, sweep_tiles
from ..ops.choice import chosen
from ..ops.heard import Call, listening
from .arguments import add_device, positive, settle_device
from .check import differences, first_operand, leaves_of
from .project import Project
from .resume import fill
from .tasks import open_task

#: Runs that a time is the median of, after one more.
RUNS = {"cuda": 20, "cpu": 1}
STATES_OF_MATRICES = ("recurrence", "delta_rule")
HEAD = ("layer", "recurrence", "operands", "runs as", "error", "forward", "and backward")


def main(model: Callable[[], nn.Module], folder: Path) -> None:
    """Prints a line for every kind of recurrence that a step of `model` computes; ends the process."""
    project = Project.read(folder)
    options = _options(project)
    device = torch.device(options.device)
    try:
        with device:
            own = model()
        fill(named_tensors(own), project.parameters, None, project.config["train"]["seed"])
        batch = _batch(project, options).to(device)
    except RunError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    half = options.precision == "bf16"
    precision = torch.autocast(device.type, torch.bfloat16) if half else contextlib.nullcontext()
    with torch.no_grad(), precision, _labelled(own) as found:
        own.losses(batch.tokens, batch.targets, batch.weights, batch.positions)  # type: ignore[operator]
    kinds: dict[tuple[Any, ...], list[tuple[str, Call]]] = {}
    for label, call in found:
        kinds.setdefault((label, *call.signature()), []).append((label, call))
    rows = [_row(*same[0], len(same), precision, device) for same in kinds.values()]
    print(f"{project.config['model']} on {_name(device)}, {batch.tokens.shape[0]} × {batch.tokens.shape[1]} tokens")
    if not rows:
        print("no recurrences: it has none, or they run token by token in plain torch")
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    for row in [HEAD, *rows] if rows else []:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    sys.exit(0)


def _options(project: Project) -> Any:
    data = project.config["train"]["data"]
    parser = argparse.ArgumentParser(description=f"The kernels of {project.config['model']}.")
    add_device(parser)
    parser.add_argument("--rows", type=positive, help="of a batch (default: the program's, on the processor 1)")
    parser.add_argument("--tokens", type=positive, default=data.get("seq"), help="of a row (default: the program's)")
    options = parser.parse_args()
    settle_device(parser, options, project)
    if options.rows is None:
        options.rows = project.config["batch"] if options.device.startswith("cuda") else 1
    return options


def _batch(project: Project, options: Any) -> Batch:
    """Tokens drawn at random, or the first windows of the program's series."""
    if not project.config["vocabulary"]:
        data = project.folder / project.config["data"]
        return open_task(project.config["train"]["data"], data, 0).train.batch(0, options.rows)
    drawn = torch.randint(project.config["vocabulary"], (options.rows, options.tokens + 1))
    places = torch.arange(options.tokens).repeat(options.rows, 1)
    return Batch(drawn[:, :-1], drawn[:, 1:], torch.ones(places.shape), places)


@contextmanager
def _labelled(model: nn.Module) -> Iterator[list[tuple[str, Call]]]:
    """The calls made inside, each with the class of the innermost module that made it."""
    found: list[tuple[str, Call]] = []
    within = [model]
    with listening() as calls:

        def label() -> None:
            found.extend((type(within[-1]).__name__, call) for call in calls[len(found) :])

        def enter(module: nn.Module, _: object) -> None:
            label()
            within.append(module)

        def leave(*_: object) -> None:
            label()
            within.pop()

        hooks = [
            hook
            for m in model.modules()
            for hook in (m.register_forward_pre_hook(enter), m.register_forward_hook(leave))
        ]
        try:
            yield found
            label()
        finally:
            for hook in hooks:
                hook.remove()


def _row(label: str, call: Call, count: int, precision: Any, device: torch.device) -> tuple[str, ...]:
    fused = chosen(None, first_operand(call)) == "triton"
    worst = ""
    if fused:
        worst = f"{max(differences(call, precision, device).values()):.1e}"
    with precision:
        forward, both = _times(call, device)
    name = label if count == 1 else f"{label} × {count}"
    runs_as = _schedule(call) if fused else "plain torch"
    return name, _family(call), _operands(call), runs_as, worst, f"{forward:.3f} ms", f"{both:.3f} ms"


def _family(call: Call) -> str:
    """What makes the recurrence: its decay and its erase."""
    x = call.arguments
    if call.function.__name__ not in STATES_OF_MATRICES:
        return call.function.__name__.replace("_", " ")
    decay = x.get("log_decay")
    kinds = {1: "a decay a head", 3: "a decay a head", 4: f"a decay a {x.get('decay_on', 'key')}"}
    parts = ["no decay" if decay is None else kinds[decay.ndim]]
    if call.function.__name__ == "delta_rule":
        parts.insert(0, "delta rule")
    elif x.get("erase") is not None:
        parts.append("erase")
    return ", ".join(parts)


def _operands(call: Call) -> str:
    x = call.arguments
    return " ".join(f"{name} {list(x[name].shape)}" for name in ("q", "v") if name in x) or str(
        list(first_operand(call).shape)
    )


def _schedule(call: Call) -> str:
    """Chunk, the part of a state that one program holds, and how many shards time has."""
    if call.function.__name__ not in STATES_OF_MATRICES:
        return "a scan in tiles"
    x = call.arguments
    batch, length, heads, key = x["q"].shape
    value, single = x["v"].shape[-1], x["q"].dtype != torch.bfloat16
    chunk = chunk_length(key, value, 1, single)
    if x.get("erase") is not None or call.function.__name__ == "delta_rule":
        return f"chunks of {chunk}, solved in order"
    tiles = sweep_tiles(chunk, key, value, single)
    chunks = -(-length // chunk)
    count = shards(chunks, -(-value // tiles.be) * max(heads, x["v"].shape[-2]) * batch, x["q"].device).count
    return f"chunks of {chunk}, state {tiles.bd} × {tiles.be}, time in {count}"


def _times(call: Call, device: torch.device) -> tuple[float, float]:
    """Milliseconds of the forward pass alone, and with the backward pass."""
    arguments, leaves = leaves_of(call, None)

    def forward() -> torch.Tensor:
        with torch.no_grad():
            return call.function(**arguments)  # type: ignore[no-any-return]

    weigh = torch.ones_like(forward())

    def both() -> None:
        torch.autograd.grad(call.function(**arguments), list(leaves.values()), weigh, allow_unused=True)

    return _milliseconds(forward, device), _milliseconds(both, device)


def _milliseconds(run: Callable[[], object], device: torch.device) -> float:
    found = []
    for _ in range(1 + RUNS.get(device.type, 1)):
        _finish(device)
        begin = time.perf_counter()
        run()
        _finish(device)
        found.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(found[1:])


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
