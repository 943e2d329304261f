"""What a run says before it starts, and how fast it goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch

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


def report(run: Run) -> None:
    config, settings = run.project.config, run.settings
    count = sum(x.numel() for x in run.tensors.values())
    activated = config["activated"]
    tokens = run.rows * settings["data"]["seq"]
    rows = [
        ("model", f"{config['model']}, {count:,} parameters, {activated:,} activated"),
        ("data", run.data.summary),
        ("step", f"{tokens:,} tokens in {run.stepper.parts} parts on {run.stepper.ranks} ranks"),
        ("compute", f"{flops_per_token(activated) / 1e9:.3g} GFLOPs a token, forward and backward"),
        ("memory", run.memory.text()),
        ("device", f"{run.device}, {'bf16 with float32 weights' if run.autocast else 'float32'}"),
    ]
    muon = run.optimizer.muon
    if muon is not None:
        theirs = [x for path, x in run.tensors.items() if x.requires_grad and path not in muon.weights]
        ours = sum(x.numel() for x in muon.weights.values())
        rest = f"AdamW on {len(theirs)} ({sum(x.numel() for x in theirs):,})"
        rows.append(("optim", f"Muon on {len(muon.weights)} tensors ({ours:,} weights), {rest}"))
    if run.step > 0:
        rows.append(("resumed", f"after step {run.step}"))
    for name, text in rows:
        run.say(f"{name:<8} {text}")
    if run.data.vocabulary > config["vocabulary"]:
        from ..errors import RunError

        what = f"the data has {run.data.vocabulary} ids, and the model takes {config['vocabulary']}"
        raise RunError("vocabulary-too-small", what, f"model {config['model']}")


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
