"""One training step: gradients of all parts of a batch, their norm, the update; or why there can be none."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..data.rows import Batch
from ..errors import RunError
from ..nn import apply_updates, documents
from .optimizer import Optimizer


@dataclass(frozen=True)
class StepResult:
    loss: float
    gradient_norm: float


@dataclass(frozen=True)
class Stepper:
    model: nn.Module
    optimizer: Optimizer
    clip: float | None
    parts: int  # gradient accumulation, over all ranks
    autocast: torch.dtype | None
    device: torch.device
    rank: int = 0
    ranks: int = 1

    def __call__(self, batch: Batch, step: int, rate: float) -> StepResult:
        """Makes update `step` (from 1) at learning rate `rate`; raises before anything changed when it cannot."""
        self.optimizer.zero_grad()
        sums, shares = self._gradients(batch)
        gradients = list(self.optimizer.gradients().values())
        if self.ranks > 1:
            _sum_over_ranks([sums, *gradients])
        norms = torch._foreach_norm(gradients, 2, dtype=torch.float32)
        norm = torch.linalg.vector_norm(torch.stack(norms))
        facts = torch.cat((sums, norm.view(1)))
        loss, objective, norm_value = self._update(facts, norm, rate)
        if not all(map(math.isfinite, (loss, objective, norm_value))):
            raise self.diverged(step, loss, objective)
        apply_updates(self.model, shares if self.ranks == 1 else None)
        return StepResult(loss, norm_value)

    def _gradients(self, batch: Batch) -> tuple[Tensor, list[float]]:
        """The sums of loss and objective, and the shares of this rank's parts; gradients are left with the optimiser."""
        rows = batch.tokens.shape[0] // self.parts
        total = float(batch.weights.sum())
        sums = torch.zeros(2, device=self.device)
        shares = []
        for part in range(self.rank, self.parts, self.ranks):
            own = slice(part * rows, (part + 1) * rows)
            piece = Batch(*(getattr(batch, name)[own] for name in Batch.__dataclass_fields__))
            share = float(piece.weights.sum()) / total if total > 0 else 1 / self.parts
            with documents(piece.positions, self.device):
                piece = piece.to(self.device)
                with self.precision():
                    loss, objective = self.model.losses(  # type: ignore[operator]
                        piece.tokens, piece.targets, piece.weights, piece.positions
                    )
                (objective * share).backward()
            sums += torch.stack((loss.detach(), objective.detach())) * share
            shares.append(share)
            if self.parts > self.ranks:
                self.optimizer.accumulate()
        return sums, shares

    def _update(self, facts: Tensor, norm: Tensor, rate: float) -> list[float]:
        """Updates where all facts are finite, and gives them. On a GPU the update waits for no answer from it."""
        if facts.is_cuda:
            factor = torch.ones_like(norm) if self.clip is None else (self.clip / norm).clamp(max=1)
            scale = torch.where(facts.isfinite().all(), factor, -1.0)
            found = torch.empty(3, pin_memory=True).copy_(facts, non_blocking=True)
            ready = torch.cuda.Event()
            ready.record()
            self.optimizer.step(rate, scale)
            ready.synchronize()
            return found.tolist()
        values = facts.tolist()
        if all(map(math.isfinite, values)):
            if self.clip is not None and values[2] > self.clip:
                torch._foreach_mul_(list(self.optimizer.gradients().values()), self.clip / values[2])
            self.optimizer.step(rate, None)
        return values

    def precision(self) -> Any:
        if self.autocast is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.autocast)

    def diverged(self, step: int, loss: float, objective: float) -> RunError:
        gradients = self.optimizer.gradients()
        found = next((path for path, x in gradients.items() if not x.isfinite().all()), None)
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
