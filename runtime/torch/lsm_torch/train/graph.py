"""A step as one CUDA graph: recorded once for each form of its inputs, then launched as one, so that the processor never holds
the GPU up.

The first two steps of a form run op by op: kernels are compiled in the first, and in the second whatever waits for the device
is noticed, because a step that does cannot be recorded. A step that cannot goes on op by op, with its reason said in one line.
Where attention meets packed documents, their number is part of the form: it is rounded up to a power of two.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..nn.documents import asked
from .inputs import Inputs

#: Forms that are recorded: each keeps its own launches, all of them share their memory.
MOST = 6


@dataclass
class Recorded:
    calls: int = 0
    graph: torch.cuda.CUDAGraph | None = None
    inputs: Inputs | None = None
    facts: Tensor | None = None


@dataclass
class Graphs:
    """Runs `function(inputs)`, whose work is all on the device and whose result is a tensor there."""

    function: Callable[[Inputs], Tensor]
    device: torch.device
    say: Callable[[str], None] = print
    refused: str | None = None
    forms: dict[object, Recorded] = field(default_factory=dict)

    def __call__(self, inputs: Inputs) -> Tensor:
        if self.refused is not None:
            return self.function(inputs.to(self.device))
        alike = inputs.alike(asked())
        one = self.forms.setdefault(alike.form, Recorded())
        one.calls += 1
        if one.calls <= 2 and self._compiled(alike):
            one.calls = 3
        if one.calls == 1 or (one.graph is None and len(self.forms) > MOST):
            return self.function(inputs.to(self.device))
        if one.calls == 2:
            return self._watched(alike.to(self.device))
        if one.graph is None:
            self._record(one, alike)
        if one.graph is None or one.inputs is None or one.facts is None:
            return self.function(inputs.to(self.device))
        one.inputs.take(alike)
        one.graph.replay()
        return one.facts

    def _compiled(self, inputs: Inputs) -> bool:
        """Whether a step of as many tokens is recorded, so that other documents need no steps of their own, nor memory beside it."""
        shapes = [x.tokens.shape for x in inputs.pieces]
        recorded = (one.inputs for one in self.forms.values() if one.inputs is not None)
        return any([x.tokens.shape for x in other.pieces] == shapes for other in recorded)

    def _watched(self, inputs: Inputs) -> Tensor:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                facts = self.function(inputs)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        waits = [one for one in found if "synchronizing CUDA operation" in str(one.message)]
        if waits:
            place = f"{waits[0].filename}:{waits[0].lineno}"
            self._refuse(f"{place} waits for the device")
        return facts

    def _record(self, one: Recorded, inputs: Inputs) -> None:
        own = inputs.to(self.device)
        graph = torch.cuda.CUDAGraph()
        pool = next((other.graph.pool() for other in self.forms.values() if other.graph is not None), None)
        try:
            with torch.cuda.graph(graph, pool=pool):
                facts = self.function(own)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            self._refuse(str(error).strip().splitlines()[0])
            return
        if not any(other.graph is not None for other in self.forms.values()):
            self.say("graph      from here on a step is launched as one CUDA graph")
        one.graph, one.inputs, one.facts = graph, own, facts

    def _refuse(self, why: str) -> None:
        self.refused = why
        self.say(f"graph      none, each kernel is launched by itself: {why}")
