"""What a run says before it starts, and how fast it goes."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import torch

from ..errors import RunError
from ..ops.choice import chosen

if TYPE_CHECKING:
    from .run import Run

#: Dense bf16 peaks in TFLOP/s, for the share of it that a run reaches.
_PEAKS = {"H200": 989.0, "H100": 989.0, "A100": 312.0, "L40S": 362.0, "4090": 165.0}


def peak_flops(device: torch.device) -> float | None:
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((tera * 1e12 for key, tera in _PEAKS.items() if key in name), None)


def flops_per_token(activated: int) -> float:
    """Forward and backward: 6 for every weight that a token meets; recurrences and attention come on top."""
    return 6.0 * activated


def row(name: str, text: str) -> str:
    """`name  text`, the names in one column."""
    return f"{name:<11}{text}"


def report(run: Run) -> None:
    config, settings = run.project.config, run.settings
    count = sum(x.numel() for x in run.tensors.values())
    activated = config["activated"]
    some = "" if activated == count else f"; a token is multiplied with {activated:,} of them"
    seq, steps = run.task.tokens_per_row, settings["steps"]
    tokens = run.rows * seq
    flops = flops_per_token(activated)
    rows = [
        ("model", f"{config['model']}, {count:,} parameters{some}"),
        ("device", _device(run)),
        *run.task.about,
        ("steps", f"{steps:,} of {tokens:,} tokens: {_batch(run, seq)}"),
        ("optimiser", _optimiser(run)),
        ("rate", _rate(settings)),
        (
            "compute",
            f"{_scaled(flops)}FLOPs a token in products with weights, {_scaled(flops * tokens * steps)}FLOPs in all",
        ),
        ("memory", run.memory.text()),
        ("run", f"{run.folder}{f', on from step {run.step}' if run.step > 0 else ''}"),
        *(("note", text) for text in run.remarks),
    ]
    for name, text in rows:
        run.say(row(name, text))
    if config["vocabulary"] < run.task.vocabulary:
        what = f"the data has {run.task.vocabulary} different ids, and the model takes {config['vocabulary']}"
        help = f"make the model's `vocab` {run.task.vocabulary} or more"
        raise RunError("vocabulary-too-small", what, f"model {config['model']}", help)


def _device(run: Run) -> str:
    name = torch.cuda.get_device_name(run.device) if run.device.type == "cuda" else "this machine's processor"
    precision = "bf16 with float32 weights" if run.autocast else "float32"
    kernels = (
        "Triton kernels" if chosen(None, torch.empty(0, device=run.device)) == "triton" else "no kernels of its own"
    )
    return f"{run.device}, {name}: {precision}, {kernels}, torch {torch.__version__}"


def _batch(run: Run, seq: int) -> str:
    parts, ranks = run.stepper.parts, run.ranks
    text = f"{run.rows} row{'' if run.rows == 1 else 's'} of {seq:,}"
    if ranks > 1:
        text += f" on {ranks} ranks, whose weights are {'parted (FSDP2)' if run.parted else 'the same'}"
    return text if parts == ranks else f"{text}, in {parts} parts one after the other"


def _optimiser(run: Run) -> str:
    muon, decay = run.optimizer.muon, run.settings["optimizer"]["decay"]
    if muon is None:
        return f"AdamW, decay {decay:g}"
    theirs = [x for path, x in run.tensors.items() if x.requires_grad and path not in muon.weights]
    ours = sum(x.numel() for x in muon.weights.values())
    rest = f"AdamW on {len(theirs)} ({sum(x.numel() for x in theirs):,})"
    return f"Muon on {len(muon.weights)} tensors ({ours:,} weights), {rest}, decay {decay:g}"


def _rate(settings: dict[str, Any]) -> str:
    schedule, peak = settings["schedule"], settings["optimizer"]["lr"]
    text = f"{peak:g}, {schedule['kind']}"
    if schedule.get("warmup"):
        text += f" after {schedule['warmup']:,} steps of warm-up"
    if schedule.get("decay"):
        text += f", falling over the last {schedule['decay']:,}"
    if schedule.get("floor") is not None and schedule["kind"] != "constant":
        text += f", to {schedule['floor']:g}"
    return text if settings["clip"] is None else f"{text}; gradients clipped at {settings['clip']:g}"


def _scaled(value: float) -> str:
    """With three digits and a prefix: `3.24 M`."""
    power = min(6, max(0, int(math.log10(max(value, 1))) // 3))
    return f"{value / 1000**power:.3g} {['', 'k', 'M', 'G', 'T', 'P', 'E'][power]}"


class Speed:
    """Tokens a second over the last steps, without the pauses between them."""

    def __init__(self, run: Run) -> None:
        self.flops = flops_per_token(run.project.config["activated"])
        self.peak, self.device, self.ranks = peak_flops(run.device), run.device, run.stepper.ranks
        self.recent: list[tuple[float, int]] = []
        self.last = time.perf_counter()

    def skip(self) -> None:
        self.last = time.perf_counter()

    def tick(self, tokens: int) -> dict[str, Any]:
        now = time.perf_counter()
        self.recent = [*self.recent[-19:], (now - self.last, tokens)]
        self.last = now
        rate = self.rate
        found: dict[str, Any] = {
            "tokens_per_second": round(rate),
            "throughput(tps)": round(rate / self.ranks),
            "tflops": rate * self.flops / self.ranks / 1e12,
        }
        if self.peak is not None:
            found["mfu(%)"] = 100 * rate * self.flops / self.ranks / self.peak
            reserved = torch.cuda.max_memory_reserved(self.device)
            found["memory/max_reserved(GiB)"] = reserved / 2**30
        return found

    @property
    def rate(self) -> float:
        seconds = sum(s for s, _ in self.recent)
        return sum(n for _, n in self.recent) / seconds if seconds > 0 else 0.0

    def seconds(self, steps: int) -> float:
        return steps * sum(s for s, _ in self.recent) / max(1, len(self.recent))
