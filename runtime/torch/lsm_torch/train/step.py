"""One training step: gradients of all parts of a batch, their norm, the update; or why there can be none."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..data.rows import Batch
from ..errors import RunError
from ..nn import apply_updates, documents
from ..nn.loads import noting_loads
from .loads import Loads, Routes
from .optimizer import Optimizer
from .shard import is_parted, local, sum_over_ranks


@dataclass(frozen=True)
class StepResult:
    loss: float
    gradient_norm: float
    loads: Loads = field(default_factory=dict)


@dataclass
class Stepper:
    """Makes updates. On a GPU the processor need not wait for any: `begin` gives what tells later how the step went, and
    after a step that is not finite no further one changes anything."""

    model: nn.Module
    optimizer: Optimizer
    clip: float | None
    parts: int  # gradient accumulation, over all ranks
    autocast: torch.dtype | None
    device: torch.device
    rank: int = 0
    ranks: int = 1
    finite: Tensor | None = None  # whether all steps so far were, on a GPU

    def __post_init__(self) -> None:
        self.routes = Routes(self.model)

    def __call__(self, batch: Batch, step: int, rate: float) -> StepResult:
        """Makes update `step` (from 1) at learning rate `rate`; raises before anything changed when it cannot."""
        return self.begin(batch, step, rate)()

    def begin(self, batch: Batch, step: int, rate: float) -> Callable[[], StepResult]:
        """The same, without waiting; the result must be asked for once."""
        self.optimizer.zero_grad()
        sums, shares, loads = self._gradients(batch)
        gradients = {path: local(x) for path, x in self.optimizer.gradients().items()}
        parted = is_parted(self.optimizer.tensors)
        if self.ranks > 1:
            sum_over_ranks([sums, *loads.values()] + ([] if parted else list(gradients.values())))
        norms = torch.stack(torch._foreach_norm(list(gradients.values()), 2, dtype=torch.float32))
        if parted:
            sum_over_ranks([norms.square_()])
            norms.sqrt_()
        worst = norms.isfinite().logical_not().to(torch.uint8).argmax()
        facts = torch.cat((sums, torch.linalg.vector_norm(norms).view(1), worst.view(1).float(), *loads.values()))
        names = list(gradients)
        read = self._update(facts, rate, gradients, facts.is_cuda and not parted)
        updated = apply_updates(self.model, shares)
        if self.ranks > 1 and updated:
            sum_over_ranks(updated)

        def result() -> StepResult:
            loss, objective, norm, place, *flat = read()
            if not all(map(math.isfinite, (loss, objective, norm))):
                raise diverged(step, loss, objective, None if math.isfinite(norm) else names[int(place)])
            shared = {route: [flat.pop(0) for _ in range(len(load))] for route, load in loads.items()}
            return StepResult(loss, norm, shared)

        return result if facts.is_cuda and not parted else partial(_same, result())

    def _gradients(self, batch: Batch) -> tuple[Tensor, list[float], dict[str, Tensor]]:
        """The sums of loss and objective, the shares of this rank's parts, and the loads of routes.

        Gradients are left with the optimiser."""
        rows = batch.tokens.shape[0] // self.parts
        total = float(batch.weights.sum())
        sums = torch.zeros(2, device=self.device)
        shares = []
        loads: dict[str, Tensor] = {}
        for part in range(self.rank, self.parts, self.ranks):
            own = slice(part * rows, (part + 1) * rows)
            piece = Batch(*(getattr(batch, name)[own] for name in Batch.__dataclass_fields__))
            share = float(piece.weights.sum()) / total if total > 0 else 1 / self.parts
            with documents(piece.positions, self.device):
                piece = piece.to(self.device)
                with self.precision(), noting_loads() as notes:
                    loss, objective = self.model.losses(  # type: ignore[operator]
                        piece.tokens, piece.targets, piece.weights, piece.positions
                    )
                (objective * share).backward()
            sums += torch.stack((loss.detach(), objective.detach())) * share
            shares.append(share)
            for route, load in self.routes.named(notes).items():
                loads[route] = loads[route] + load * share if route in loads else load * share
            if self.parts > self.ranks:
                self.optimizer.accumulate()
        return sums, shares, loads

    def _update(
        self, facts: Tensor, rate: float, gradients: dict[str, Tensor], ahead: bool
    ) -> Callable[[], list[float]]:
        """Updates where all facts are finite; gives what reads them. `ahead`: without waiting for them."""
        if ahead:
            fine = facts.isfinite().all()
            self.finite = fine if self.finite is None else self.finite & fine
            factor = facts.new_ones(()) if self.clip is None else (self.clip / facts[2]).clamp(max=1)
            found = torch.empty(len(facts), pin_memory=True).copy_(facts, non_blocking=True)
            ready = torch.cuda.Event()
            ready.record()
            self.optimizer.step(rate, torch.where(self.finite, factor, -1.0))

            def read() -> list[float]:
                ready.synchronize()
                values: list[float] = found.tolist()
                return values

            return read
        values = facts.tolist()
        if all(map(math.isfinite, values)):
            if self.clip is not None and values[2] > self.clip:
                torch._foreach_mul_(list(gradients.values()), self.clip / values[2])
            self.optimizer.step(rate, None)
        return lambda: values

    def precision(self) -> Any:
        if self.autocast is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.autocast)


def _same(result: StepResult) -> StepResult:
    return result


def diverged(step: int, loss: float, objective: float, path: str | None) -> RunError:
    what = f"at step {step} the loss is {loss}, the objective {objective}"
    if path is not None:
        what += f"; the first gradient that is not finite is of `{path}`"
    help = "lower `lr`, warm up for longer, or clip the gradients; checkpoints written before are untouched"
    return RunError("training-diverged", what, f"step {step}", help)
