"""AdamW and Muon as every target of lsm does them: decoupled decay for the parameters whose program asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..checkpoint.paths import named_tensors
from ..checkpoint.safetensors import Pending
from ..errors import RunError
from ..nn import ExpertLinear, Linear
from .muon import Muon
from .shard import parted_like, whole
from .split import SplitAdamW, SplitWeights, now

#: A matrix of at least so many elements is split whatever module it belongs to: embeddings.
_LARGE = 2**20


@dataclass(frozen=True)
class Optimizer:
    """Split weights (bfloat16 and its lower bits), torch's AdamW for those that stay in float32, and Muon for matrices."""

    tensors: dict[str, Tensor]
    plain: torch.optim.AdamW | None
    split: SplitAdamW | None
    betas: tuple[float, float]
    muon: Muon | None = None

    @property
    def owners(self) -> list[SplitWeights]:
        """Who has weights apart."""
        return [one for one in (self.split, self.muon) if one is not None]

    def zero_grad(self) -> None:
        for x in self.tensors.values():
            x.grad = None
        for one in self.owners:
            one.sums.clear()

    def accumulate(self) -> None:
        """After one of several parts: bfloat16 gradients are summed in float32."""
        for one in self.owners:
            one.accumulate()

    def gradients(self) -> dict[str, Tensor]:
        sums = {path: x for one in self.owners for path, x in one.sums.items()}
        return {p: sums.get(p, x.grad) for p, x in self.tensors.items() if p in sums or x.grad is not None}  # type: ignore[misc]

    def now(self, rate: float, step: int) -> Tensor:
        """What `step` takes of update `step` (from 1), in the processor's memory."""
        return now(rate, step, self.betas)

    def step(self, now: Tensor, scale: Tensor | None) -> None:
        """`now` lies where the weights do. `scale` on a GPU: what gradients are multiplied by, negative to skip the step; None:
        they are ready."""
        if self.plain is not None:
            for group in self.plain.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].copy_(now[0])
                else:
                    group["lr"] = float(now[0])
            if scale is not None:
                self.plain.grad_scale = 1 / scale.abs()  # type: ignore[attr-defined]  # the fused kernel divides by it
                self.plain.found_inf = (scale < 0).float()  # type: ignore[attr-defined]
            self.plain.step()
        for one in (self.split, self.muon):
            if one is not None:
                device = next(iter(one.weights.values())).device
                one.step(now, torch.ones((), device=device) if scale is None else scale)

    def weights(self) -> dict[str, Pending]:
        """Every tensor of the model, float32."""
        return {path: _pending(x, partial(self._weight, path)) for path, x in self.tensors.items()}

    def moments(self) -> dict[str, dict[str, Pending]]:
        """Both moments of every parameter that AdamW trains, and Muon's one, as checkpoints hold them; zeros before the first step."""
        ours = {} if self.muon is None else self.muon.state
        trained = [(path, x) for path, x in self.tensors.items() if x.requires_grad and path not in ours]
        found = {
            slot: {path: _pending(x, partial(self._moment, path, i)) for path, x in trained}
            for i, slot in enumerate(("m", "v"))
        }
        if ours:
            found["momentum"] = {path: _pending(self.tensors[path], partial(ours.__getitem__, path)) for path in ours}
        return found

    def _weight(self, path: str) -> Tensor:
        for one in self.owners:
            if path in one.low:
                return one.master(path)
        return self.tensors[path]

    def _moment(self, path: str, number: int) -> Tensor:
        """The first or the second."""
        if self.split is not None and path in self.split.state:
            return self.split.state[path][number]
        x = self.tensors[path]
        state = {} if self.plain is None else self.plain.state.get(x, {})
        found: Tensor | None = state.get(("exp_avg", "exp_avg_sq")[number])
        return torch.zeros_like(x) if found is None else found

    def restore(self, saved: dict[str, dict[str, Tensor]], step: int) -> None:
        """Goes on with a checkpoint's moments; without any, as an imported model is, they start at 0."""
        if not saved:
            return
        for path, x in self.tensors.items():
            if not x.requires_grad:
                continue
            if self.muon is not None and path in self.muon.state:
                if path not in saved.get("momentum", {}):
                    raise RunError("checkpoint-mismatch", f"it lacks the momentum of `{path}`", "the checkpoint")
                own = self.muon.state[path]
                own.copy_(parted_like(saved["momentum"][path], own))
                continue
            if path not in saved.get("m", {}):
                raise RunError("checkpoint-mismatch", f"it lacks the moments of `{path}`", "the checkpoint")
            m, v = saved["m"][path], saved["v"][path]
            if self.split is not None and path in self.split.state:
                for moment, value in zip(self.split.state[path], (m, v), strict=True):
                    moment.copy_(value)
            elif self.plain is not None:
                self.plain.state[x] = {
                    "step": torch.tensor(float(step), device=x.device if x.is_cuda else None),
                    "exp_avg": parted_like(m, x),
                    "exp_avg_sq": parted_like(v, x),
                }


def optimizer_of(
    model: nn.Module,
    specs: list[dict[str, Any]],
    settings: dict[str, Any],
    *,
    split: bool = False,
    dtype: torch.dtype = torch.float32,
    moments: torch.dtype = torch.float32,
) -> Optimizer:
    """`split`: matrices become bfloat16 with their lower bits beside them (split.py); `dtype`: what the model computes in."""
    tensors = named_tensors(model)
    trained = {s["path"]: s for s in specs if s["trainable"]}
    decays = {path: settings["decay"] if s["decay"] else 0.0 for path, s in trained.items()}
    apart = {p: tensors[p] for p in trained if p in _matrices(model)} if split else {}
    muon = None
    if "muon" in settings:
        own_specs = {path: s for path, s in trained.items() if "matrix" in s}
        own = {path: tensors[path] for path in own_specs}
        ours = {path for path in apart if path in own}
        muon = Muon(own, own_specs, settings, apart=ours, dtype=dtype, moments=moments) if own else None
        apart = {path: x for path, x in apart.items() if path not in own}
        trained = {path: s for path, s in trained.items() if path not in own}
    groups = []
    for decay in (settings["decay"], 0.0):
        plainly = [tensors[p] for p in trained if p not in apart and decays[p] == decay]
        if plainly:
            groups.append({"params": plainly, "weight_decay": decay})
        if settings["decay"] == 0:
            break
    plain = None
    if groups:
        first = next(iter(tensors.values()))
        on_gpu = first.is_cuda
        plain = torch.optim.AdamW(
            groups,
            lr=torch.tensor(settings["lr"], device=first.device) if on_gpu else settings["lr"],
            betas=tuple(settings["betas"]),
            eps=settings["epsilon"],
            fused=on_gpu or None,
            capturable=on_gpu,
        )
    return Optimizer(
        tensors, plain, SplitAdamW(apart, decays, settings, moments) if apart else None, tuple(settings["betas"]), muon
    )


def _matrices(model: nn.Module) -> set[str]:
    """Weights of matrix products, and tables: what may be rounded to bfloat16 where the model computes with it."""
    layers = [m.weight for m in model.modules() if isinstance(m, (Linear, ExpertLinear))]
    return {
        path
        for path, x in named_tensors(model).items()
        if any(x is w for w in layers) or (x.dim() > 1 and x.numel() >= _LARGE)
    }


def _pending(x: Tensor, make: Callable[[], Tensor]) -> Pending:
    """What `make` gives, in float32 and of all ranks, when it is to be written."""

    @torch.no_grad()
    def whole_float() -> Tensor:
        return whole(make().detach()).float()

    return Pending(torch.float32, x.shape, whole_float)
