"""One training step: gradients of all parts of a batch, their norm, the update; or why there can be none."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..data.rows import Batch
from ..nn import apply_updates
from ..nn.documents import told
from ..nn.loads import noting_loads
from .diverged import diverged, first_on_the_way
from .graph import Graphs
from .inputs import Inputs, inputs_of
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
    graphs: bool = False  # on a GPU: whether steps are launched as one
    say: Callable[[str], None] = print

    def __post_init__(self) -> None:
        self.routes = Routes(self.model)
        self.ahead = self.device.type == "cuda" and not is_parted(self.optimizer.tensors)
        self.finite = torch.ones((), dtype=torch.bool, device=self.device)  # all steps so far, on a GPU
        self.names: list[str] = []  # of the gradients
        self.loads: dict[str, int] = {}  # of the routes, with how many experts they have
        self.together = dist.is_initialized()  # with other ranks, or as one that torchrun started
        recorded = self.graphs and self.ahead and not self.together
        self.graph = Graphs(self._compute, self.device, self.say) if recorded else None

    def __call__(self, batch: Batch, step: int, rate: float) -> StepResult:
        """Makes update `step` (from 1) at learning rate `rate`; raises before anything changed when it cannot."""
        return self.begin(batch, step, rate)()

    def begin(self, batch: Batch, step: int, rate: float) -> Callable[[], StepResult]:
        """The same, without waiting; the result must be asked for once."""
        inputs = inputs_of(batch, self.optimizer.now(rate, step), self.parts, self.rank, self.ranks)
        facts = self.graph(inputs) if self.graph is not None else self._compute(inputs.to(self.device))
        read = self._reader(facts)

        def result() -> StepResult:
            loss, objective, norm, place, *flat = read()
            if not all(map(math.isfinite, (loss, objective, norm))):
                gradient = None if math.isfinite(norm) else self.names[int(place)]
                cause = self._cause(inputs, math.isfinite(loss + objective), gradient)
                raise diverged(step, loss, objective, cause, self.clip is not None)
            loads = {route: [flat.pop(0) for _ in range(count)] for route, count in self.loads.items()}
            return StepResult(loss, norm, loads)

        return result if self.ahead else partial(_same, result())

    def _cause(self, inputs: Inputs, found_loss: bool, gradient: str | None) -> str:
        """Of numbers that are not finite: nothing has changed since, so the forward pass can run again."""
        if found_loss:
            return f"the first gradient that is not finite is of `{gradient}`"
        here = inputs.to(self.device)

        def forward() -> None:
            for i, piece in enumerate(here.pieces):
                with told(here.documents[i]) if here.documents else contextlib.nullcontext(), self.precision():
                    self.model.losses(piece.tokens, piece.targets, piece.weights, piece.positions)  # type: ignore[operator]

        return first_on_the_way(self.model, self.optimizer.tensors, forward)

    def _compute(self, inputs: Inputs) -> Tensor:
        """The step; gives loss, objective, the gradients' norm, the number of the first that is not finite, and the loads of routes.
        On a GPU nothing here waits for the device, and nothing but `inputs` is read from the processor."""
        self.optimizer.zero_grad()
        sums, shares, loads = self._gradients(inputs)
        gradients = {path: local(x) for path, x in self.optimizer.gradients().items()}
        parted = is_parted(self.optimizer.tensors)
        if self.together:
            sum_over_ranks([sums, *loads.values()] + ([] if parted else list(gradients.values())))
        norms = torch.stack(torch._foreach_norm(list(gradients.values()), 2, dtype=torch.float32))
        if parted:
            sum_over_ranks([norms.square_()])
            norms.sqrt_()
        worst = norms.isfinite().logical_not().to(torch.uint8).argmax()
        facts = torch.cat((sums, torch.linalg.vector_norm(norms).view(1), worst.view(1).float(), *loads.values()))
        self.names, self.loads = list(gradients), {route: len(load) for route, load in loads.items()}
        self._update(facts, inputs.now, gradients)
        updated = apply_updates(self.model, shares)
        if self.together and updated:
            sum_over_ranks(updated)
        self.optimizer.zero_grad()
        return facts

    def _gradients(self, inputs: Inputs) -> tuple[Tensor, list[Tensor], dict[str, Tensor]]:
        """The sums of loss and objective, the shares of this rank's parts, and the loads of routes.

        Gradients are left with the optimiser."""
        sums = torch.zeros(2, device=self.device)
        shares = list(inputs.shares.unbind())
        loads: dict[str, Tensor] = {}
        for i, (piece, share) in enumerate(zip(inputs.pieces, shares, strict=True)):
            with told(inputs.documents[i]) if inputs.documents else contextlib.nullcontext():
                with self.precision(), noting_loads() as notes:
                    loss, objective = self.model.losses(  # type: ignore[operator]
                        piece.tokens, piece.targets, piece.weights, piece.positions
                    )
                (objective * share).backward()
            sums += torch.stack((loss.detach(), objective.detach())) * share
            for route, load in self.routes.named(notes).items():
                loads[route] = loads[route] + load * share if route in loads else load * share
            if self.parts > self.ranks:
                self.optimizer.accumulate()
        return sums, shares, loads

    def _update(self, facts: Tensor, now: Tensor, gradients: dict[str, Tensor]) -> None:
        """Updates where all facts are finite, and all those before were."""
        if self.ahead:
            self.finite &= facts.isfinite().all()
            factor = facts.new_ones(()) if self.clip is None else (self.clip / facts[2]).clamp(max=1)
            self.optimizer.step(now, torch.where(self.finite, factor, -1.0))
        elif bool(facts.isfinite().all()):
            if self.clip is not None and float(facts[2]) > self.clip:
                torch._foreach_mul_(list(gradients.values()), self.clip / float(facts[2]))
            self.optimizer.step(now, None)

    def _reader(self, facts: Tensor) -> Callable[[], list[float]]:
        """Reads them, later where they come from a GPU."""
        if not self.ahead:
            values: list[float] = facts.tolist()
            return lambda: values
        found = torch.empty(len(facts), pin_memory=True).copy_(facts, non_blocking=True)
        ready = torch.cuda.Event()
        ready.record()

        def read() -> list[float]:
            ready.synchronize()
            values: list[float] = found.tolist()
            return values

        return read

    def precision(self) -> Any:
        if self.autocast is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.autocast)


def _same(result: StepResult) -> StepResult:
    return result
