"""What is said of a step that is not finite: where on its way the first such number came out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import RunError
from .shard import local


def diverged(step: int, loss: float, objective: float, cause: str, clipped: bool) -> RunError:
    what = f"at step {step} the loss is {loss}, the objective {objective}; {cause}"
    clip = "" if clipped else ", or clip the gradients"
    help = f"lower `lr`, or warm up for longer{clip}; checkpoints written before are untouched"
    return RunError("training-diverged", what, f"step {step}", help)


@torch.no_grad()
def first_on_the_way(model: nn.Module, weights: Mapping[str, Tensor], forward: Callable[[], object]) -> str:
    """The first weight that is not finite, or else the first layer, innermost, whose output is not as `forward` runs again."""
    for path, x in weights.items():
        if not bool(local(x).isfinite().all()):
            return f"the weight `{path}` is not finite"
    found: list[str] = []

    def look(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, out: Any) -> None:
            if not found and not all(bool(x.isfinite().all()) for x in _floats(out)):
                found.append(name)

        return hook

    hooks = [module.register_forward_hook(look(name)) for name, module in model.named_modules() if name]
    try:
        forward()
    finally:
        for hook in hooks:
            hook.remove()
    if found:
        return f"the first numbers that are not finite come out of `{found[0]}`"
    return "what comes out of every layer is finite, so it is the loss over it that is not"


def _floats(x: Any) -> Iterator[Tensor]:
    if isinstance(x, Tensor):
        if x.is_floating_point():
            yield x
    elif isinstance(x, (tuple, list)):
        for one in x:
            yield from _floats(one)
