"""One training step: gradients of all parts of a batch, their norm, the update; or why there can be none."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..data.rows import Batch
from ..errors import RunError
from ..nn import apply_updates


@dataclass(frozen=True)
class StepResult:
    loss: float
    gradient_norm: float


@dataclass(frozen=True)
class Stepper:
    model: nn.Module
    tensors: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    clip: float | None
    parts: int  # gradient accumulation, over all ranks
    autocast: torch.dtype | None
    device: torch.device
    rank: int
    ranks: int

    def __call__(self, batch: Batch, step: int, rate: float) -> StepResult:
        """Makes update `step` (from 1) at learning rate `rate`; raises before anything changed when it cannot."""
        rows = batch.tokens.shape[0] // self.parts
        total = float(batch.weights.sum())
        self.optimizer.zero_grad(set_to_none=True)
        sums = torch.zeros(2, device=self.device)
        shares = []
        for part in range(self.rank, self.parts, self.ranks):
            own = slice(part * rows, (part + 1) * rows)
            piece = Batch(*(getattr(batch, name)[own] for name in Batch.__dataclass_fields__))
            share = float(piece.weights.sum()) / total if total > 0 else 1 / self.parts
            piece = piece.to(self.device)
            with self.precision():
                loss, objective = self.model.losses(  # type: ignore[operator]
                    piece.tokens, piece.targets, piece.weights, piece.positions
                )
            (objective * share).backward()
            sums += torch.stack((loss.detach(), objective.detach())) * share
            shares.append(share)
        gradients = [x.grad for x in self.tensors.values() if x.grad is not None]
        if self.ranks > 1:
            _sum_over_ranks([sums, *gradients])
        norm = torch.nn.utils.get_total_norm(gradients)
        loss_value, objective_value, norm_value = torch.cat((sums, norm.view(1))).tolist()
        if not torch.isfinite(torch.tensor([loss_value, objective_value, norm_value])).all():
            raise self.diverged(step, loss_value, objective_value)
        if self.clip is not None and norm_value > self.clip:
            torch._foreach_mul_(gradients, self.clip / norm_value)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        apply_updates(self.model, shares if self.ranks == 1 else None)
        return StepResult(loss_value, norm_value)

    def precision(self) -> Any:
        if self.autocast is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.autocast)

    def diverged(self, step: int, loss: float, objective: float) -> RunError:
        bad = (
            path
            for path, x in self.tensors.items()
            if x.grad is not None and not torch.isfinite(x.grad).all()
        )
        found = next(bad, None)
        what = f"at step {step} the loss is {loss}, the objective {objective}"
        if found is not None:
            what += f"; the first gradient that is not finite is of `{found}`"
        help = "lower `lr`, warm up for longer, or clip the gradients; checkpoints written before are untouched"
        return RunError("training-diverged", what, f"step {step}", help)


def _sum_over_ranks(tensors: list[Tensor]) -> None:
    """One all-reduce for all tensors of a kind."""
    flat = torch.cat([x.reshape(-1).float() for x in tensors])
    dist.all_reduce(flat)
    start = 0
    for x in tensors:
        x.copy_(flat[start : start + x.numel()].view_as(x))
        start += x.numel()
