"""AdamW as every target of lsm does it, over parameters with and without weight decay."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..errors import RunError


def adamw(
    tensors: dict[str, Tensor], specs: list[dict[str, Any]], settings: dict[str, Any]
) -> torch.optim.AdamW:
    """Decoupled decay for the parameters whose program asks for it; fused on CUDA."""
    groups = []
    for decays in (True, False):
        own = [tensors[s["path"]] for s in specs if s["trainable"] and s["decay"] is decays]
        if own:
            decay = settings["decay"] if decays else 0.0
            groups.append({"params": own, "weight_decay": decay})
    return torch.optim.AdamW(
        groups,
        lr=settings["lr"],
        betas=tuple(settings["betas"]),
        eps=settings["epsilon"],
        fused=next(iter(tensors.values())).is_cuda or None,
    )


def moments(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> dict[str, dict[str, Tensor]]:
    """Both moments of every trained parameter, as checkpoints hold them; zeros before the first step."""
    found: dict[str, dict[str, Tensor]] = {"m": {}, "v": {}}
    for path, x in tensors.items():
        if x.requires_grad:
            state = optimizer.state.get(x, {})
            found["m"][path] = state.get("exp_avg", torch.zeros_like(x))
            found["v"][path] = state.get("exp_avg_sq", torch.zeros_like(x))
    return found


def restore(
    optimizer: torch.optim.Optimizer,
    tensors: dict[str, Tensor],
    saved: dict[str, dict[str, Tensor]],
    step: int,
) -> None:
    for path, x in tensors.items():
        if not x.requires_grad:
            continue
        if path not in saved.get("m", {}):
            raise RunError("checkpoint-mismatch", f"it lacks the moments of `{path}`", "the checkpoint")
        optimizer.state[x] = {
            "step": torch.tensor(float(step), device=x.device if x.is_cuda else None),
            "exp_avg": saved["m"][path].to(x.device, x.dtype).clone(),
            "exp_avg_sq": saved["v"][path].to(x.device, x.dtype).clone(),
        }
