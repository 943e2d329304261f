"""Every family on this GPU against float64, on operands drawn fresh for each check: values, final state, every gradient."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import torch

from definition import Case, draw, floats, leaves
from lsm_torch.ops import delta_rule, recurrence

# relative error in the norm against float64 (design: bars.md)
BARS = {torch.float32: 1e-4, torch.bfloat16: 1e-2, torch.float16: 1e-2}


def both(case: Case, dtype: torch.dtype, seed: int) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Outputs and gradients: the reference in float64, and the kernels in `dtype`."""
    x = draw(case, seed, dtype, "cuda")
    found = []
    for implementation, run_dtype in (("reference", torch.float64), ("triton", None)):
        arguments = leaves(x, run_dtype)
        function = delta_rule if case.delta else recurrence
        o, state = function(**arguments, return_state=True, kernels=implementation)
        g = torch.Generator().manual_seed(seed + 1)
        loss = (o.double() * torch.randn(o.shape, generator=g, dtype=torch.float64).cuda()).sum()
        weight = torch.randn(state.shape, generator=g, dtype=torch.float64).cuda()
        if case.initial:
            loss = loss + (state.double() * weight).sum()
        named = floats(arguments)
        gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
        out = {"o": o, "state": state, "q": arguments["q"]}
        for name, gradient in zip(named, gradients, strict=True):
            out[f"d{name}"] = torch.zeros_like(named[name]) if gradient is None else gradient
        found.append({name: y.detach().double() for name, y in out.items()})
    return found[0], found[1]


def errors(case: Case, dtype: torch.dtype, seed: int) -> dict[str, float]:
    expected, actual = both(case, dtype, seed)
    out = {}
    for name, value in expected.items():
        scale = value.norm().clamp(min=1e-6)
        if name == "dlog_decay":
            # suffix sums of q∘dq - k∘dk: where strong decays leave little of the difference, or a whole sequence shares one
            # number, the error is held against what is subtracted
            scale = torch.maximum(scale, (expected["q"] * expected["dq"]).norm())
        out[name] = float((actual[name] - value).norm() / scale)
    return {name: error for name, error in out.items() if name != "q"}


def check(cases: list[tuple[Case, torch.dtype]], say: Callable[[str], None] = print) -> int:
    """Prints a line a case; gives how many failed."""
    failed = 0
    for case, dtype in cases:
        begin = time.perf_counter()
        seed = secrets.randbits(31)
        try:
            found = errors(case, dtype, seed)
        except Exception as problem:  # noqa: BLE001  a kernel that does not compile fails its case and no other
            failed += 1
            say(f"FAILED {case.name:44} {type(problem).__name__}: {str(problem)[:300]}")
            continue
        worst = max(found, key=lambda name: found[name] if found[name] == found[name] else float("inf"))
        good = all(error <= BARS[dtype] for error in found.values())
        failed += not good
        text = f"{case.name:44} {str(dtype)[6:]:9} worst {worst} {found[worst]:.1e} seed {seed} {time.perf_counter() - begin:.1f} s"
        say(("ok     " if good else "FAILED ") + text)
        if not good:
            say("       " + " ".join(f"{name} {error:.1e}" for name, error in found.items()))
    return failed
