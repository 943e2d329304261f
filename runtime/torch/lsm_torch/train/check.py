"""--check: the recurrences' kernels against their reference, on this device, with the model's own operands and shapes."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..ops.choice import chosen
from ..ops.heard import Call, listening

if TYPE_CHECKING:
    from .run import Run

#: Tokens of one row that are computed: several chunks, and few enough for the reference.
TOKENS = 300

#: Relative errors in the norm. Half precision rounds every product's operands; float32's products are of three tf32 ones.
#: The gradient of a decay is a difference of sums that nearly cancel, so the same roundings weigh more in it.
BARS = {2: 2e-2, 4: 1e-3}
DECAY_BARS = {2: 5e-2, 4: 5e-3}
DECAYS = {"dlog_decay", "dlog_key", "dlog_value", "dstep", "drate"}


def check(run: Run) -> bool:
    """Says what it found; a kernel that is wrong turns all kernels off for this process. True when all is well."""
    found = [(call, differences(call, run.stepper.precision(), run.device)) for call in _calls(run)]
    if not found:
        run.say("check      no kernels to check: the reference runs on this device")
        return True
    half = run.autocast is not None
    bad = [text for call, errors in found for text in _verdicts(call, errors, half)]
    if not bad:
        worst = max(error for _, errors in found for error in errors.values())
        run.say(
            f"check      the kernels agree with the reference, at worst to {worst:.1e} (recurrences alike: {len(found)})"
        )
        return True
    os.environ["LSM_KERNELS"] = "reference"
    run.say("warning[kernels-differ]: the kernels give other results than the reference on this device")
    for text in bad:
        run.say(f"  --> {text}")
    run.say(
        "help: training goes on with the reference, slower; report this with the device's name and Triton's version"
    )
    return False


def _calls(run: Run) -> list[Call]:
    """One call of each kind that the model makes with kernels, of a short row of its data."""
    batch = run.task.train.batch(run.position, 1)
    short = type(batch)(*(getattr(batch, name)[:, :TOKENS] for name in batch.__dataclass_fields__))
    short = short.to(run.device)
    with torch.no_grad(), run.stepper.precision(), listening() as calls:
        run.model.losses(short.tokens, short.targets, short.weights, short.positions)  # type: ignore[operator]
    kinds = {call.signature(): call for call in calls if chosen(None, first_operand(call)) == "triton"}
    return list(kinds.values())


def first_operand(call: Call) -> Tensor:
    """The queries of a recurrence, what an elementwise scan writes."""
    found: Tensor = call.arguments["q"] if "q" in call.arguments else call.arguments["b"]
    return found


def differences(call: Call, precision: AbstractContextManager[Any], device: torch.device) -> dict[str, float]:
    """Relative errors of the kernels' result and of every gradient, by operand."""
    with precision:
        ours = _run(call, "triton", None)
    with torch.autocast(device.type, enabled=False):
        theirs = _run(call, "reference", torch.float32)
    return {name: float((ours[name].float() - x).norm() / x.norm().clamp(min=1e-12)) for name, x in theirs.items()}


def leaves_of(call: Call, dtype: torch.dtype | None) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Its arguments anew, and those of them that have gradients, by name."""
    leaves: dict[str, Tensor] = {}

    def leaf(name: str, x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(leaf(f"{name}[{i}]", one) for i, one in enumerate(x))
        if not isinstance(x, Tensor) or not x.is_floating_point():
            return x
        leaves[name] = x.detach().to(dtype or x.dtype).requires_grad_()
        return leaves[name]

    return {name: leaf(name, x) for name, x in call.arguments.items()}, leaves


def _run(call: Call, kernels: str, dtype: torch.dtype | None) -> dict[str, Tensor]:
    """Its result, and all gradients of a weighted sum of that."""
    arguments, leaves = leaves_of(call, dtype)
    o = call.function(**arguments, kernels=kernels)
    g = torch.Generator().manual_seed(1)
    weigh = torch.randn(o.shape, generator=g).to(o.device, o.dtype)
    gradients = torch.autograd.grad((o * weigh).sum(), list(leaves.values()), allow_unused=True)
    named = zip(leaves, gradients, strict=True)
    return {"o": o.detach(), **{f"d{name}": x for name, x in named if x is not None}}


def _verdicts(call: Call, errors: dict[str, float], half: bool) -> list[str]:
    size = 2 if half else first_operand(call).element_size()
    shape = list(first_operand(call).shape)
    bars = {name: (DECAY_BARS if name in DECAYS else BARS)[min(4, max(2, size))] for name in errors}
    return [
        f"{call.function.__name__} of {shape}: `{name}` differs by {error:.1e}, where {bars[name]:.0e} is expected"
        for name, error in errors.items()
        if not error < bars[name]
    ]
