"""python test/gpu/scans.py [--check] [--bench]: the scans without a matrix form on this GPU, against float64, and how long they take."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "runtime" / "torch"), str(ROOT / "test" / "torch")]

from lsm_torch.ops import linear_scan, maxplus_scan, selective_scan
from test_selective import CASES, draw, run

#: Relative error in the norm against float64 (design: bars.md).
BARS = {torch.float32: 1e-4, torch.bfloat16: 1e-2}


def errors(found: dict[str, Tensor], expected: dict[str, Tensor]) -> tuple[float, str]:
    each = [(float((found[name].double() - x).norm() / x.norm().clamp(min=1e-6)), name) for name, x in expected.items()]
    return max(each, key=lambda pair: pair[0] if pair[0] == pair[0] else float("inf"))


def check_selective() -> int:
    bad = 0
    for case in CASES:
        for time_, key, value in ((case.time, case.key, case.value), (777, 16, 70), (300, 5, 300)):
            sized = replace(case, time=time_, key=key, value=value)
            for dtype, bar in BARS.items():
                x = draw(sized, dtype, "cuda", secrets.randbits(31))
                ours = run(lambda **y: selective_scan(**y, return_state=True, kernels="triton"), sized, x, None)
                theirs = run(
                    lambda **y: selective_scan(**y, return_state=True, kernels="reference"), sized, x, torch.float64
                )
                worst, name = errors(ours, theirs)
                good = worst <= bar
                bad += not good
                if not good or dtype == torch.bfloat16:
                    print(
                        f"{'ok' if good else 'FAILED'} {case.name}, {time_} tokens, {dtype}: {name} {worst:.1e}",
                        flush=True,
                    )
    return bad


def check_scans() -> int:
    bad = 0
    for name, function, more in (
        ("linear_scan", linear_scan, {}),
        ("maxplus_scan", maxplus_scan, {}),
        ("linear_scan modulo", linear_scan, {"modulus": 2 * torch.pi}),
    ):
        for shape in ((2, 777, 3), (1, 5000, 70), (3, 100, 16, 9)):
            b = torch.randn(*shape, device="cuda")
            a = -torch.rand(*shape, device="cuda") if function is maxplus_scan else torch.rand(*shape, device="cuda")
            positions = torch.arange(shape[1], device="cuda").expand(*shape[:2]) % 333
            weigh = torch.randn(*shape, device="cuda", dtype=torch.float64)

            def both(kernels: str, dtype: torch.dtype) -> dict[str, Tensor]:
                own = [b.to(dtype).requires_grad_()] if more else [x.to(dtype).requires_grad_() for x in (b, a)]  # noqa: B023
                factor = 1.0 if more else own[1]  # noqa: B023
                h = function(factor, own[0], positions, kernels=kernels, **more)  # type: ignore[operator]  # noqa: B023
                found = torch.autograd.grad((h.double() * weigh).sum(), own)  # noqa: B023
                # an angle next to a whole turn may lie on either side of it
                results = {"h": h.sin()} if more else {"h": h}  # noqa: B023
                return results | {f"d{i}": x for i, x in enumerate(found)}

            worst, where = errors(both("triton", torch.float32), both("reference", torch.float64))
            good = worst <= BARS[torch.float32]
            bad += not good
            print(f"{'ok' if good else 'FAILED'} {name} {list(shape)}: {where} {worst:.1e}", flush=True)
    return bad


def milliseconds(function: Callable[[], Any], budget: float = 0.25) -> float:
    """The median of runs, within about `budget` seconds."""
    function()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    function()
    torch.cuda.synchronize()
    count = max(3, min(50, int(budget / (time.perf_counter() - begin))))
    found = []
    for _ in range(count):
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        function()
        last.record()
        torch.cuda.synchronize()
        found.append(first.elapsed_time(last))
    return sorted(found)[count // 2]


def operands(kind: str, b: int, t: int, h: int, k: int, v: int) -> dict[str, Tensor]:
    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, device="cuda").bfloat16().requires_grad_()

    def gate(*shape: int) -> Tensor:
        return (-torch.rand(*shape, device="cuda")).requires_grad_()

    if kind == "S4D":
        x = {"q": normal(h, k, v), "k": normal(h, k, v), "v": normal(b, t, h, v), "rate": gate(h, k, v)}
    else:
        x = {"q": normal(b, t, h, k), "k": normal(b, t, h, k), "v": normal(b, t, h, v)}
    if kind == "Mamba-1":
        x |= {"step": torch.rand(b, t, h, v, device="cuda").bfloat16().requires_grad_(), "rate": gate(h, k, v)}
    if kind == "gated fast weights":
        x |= {"log_key": gate(b, t, h, k), "log_value": gate(b, t, h, v)}
    return x


SHAPES = [
    ("Mamba-1", 8, 2048, 1, 16, 2048),
    ("Mamba-1", 1, 16384, 1, 16, 2048),
    ("S4D", 8, 2048, 1, 16, 1024),
    ("gated fast weights", 8, 2048, 16, 64, 64),
]


def bench(kernels: str = "triton", shapes: list[tuple[str, int, int, int, int, int]] = SHAPES) -> None:
    for kind, *sizes in shapes:
        x = operands(kind, *sizes)
        weigh = torch.randn_like(x["v"])
        torch.cuda.reset_peak_memory_stats()

        def forward() -> Tensor:
            return selective_scan(**x, kernels=kernels)  # type: ignore[arg-type,return-value]  # noqa: B023

        def both() -> None:
            torch.autograd.grad(forward(), list(x.values()), weigh)  # noqa: B023

        with torch.no_grad():
            alone = milliseconds(forward)
        print(
            f"{kernels} {kind} {sizes}: forward {alone:.2f} ms, forward and backward {milliseconds(both):.2f} ms, "
            f"{torch.cuda.max_memory_allocated() / 2**30:.2f} GiB",
            flush=True,
        )
    for name, function, shape, more in (
        ("angles", linear_scan, (8, 2048, 16, 64), {"modulus": 2 * torch.pi}),
        ("a state of 1024 (S5)", linear_scan, (8, 2048, 1024), {}),
        ("stabiliser (mLSTM)", maxplus_scan, (8, 2048, 16), {}),
    ):
        b = torch.randn(*shape, device="cuda", requires_grad=True)
        a = 1.0 if more else torch.rand(*shape, device="cuda", requires_grad=True)
        positions = torch.arange(shape[1], device="cuda").expand(*shape[:2])
        weigh = torch.randn_like(b)
        leaves = [b] if more else [b, a]

        def one() -> Tensor:
            return function(a, b, positions, kernels=kernels, **more)  # type: ignore[operator]  # noqa: B023

        with torch.no_grad():
            alone = milliseconds(one)
        total = milliseconds(lambda: torch.autograd.grad(one(), leaves, weigh))  # noqa: B023
        print(
            f"{kernels} {name} {list(shape)}: forward {alone:.3f} ms, forward and backward {total:.3f} ms", flush=True
        )


def main(arguments: list[str]) -> int:
    both = not {"--check", "--bench"} & set(arguments)
    failed = 0
    if both or "--check" in arguments:
        failed = check_selective() + check_scans()
        print(f"{failed} failed")
    if both or "--bench" in arguments:
        bench()
        bench("reference", [("Mamba-1", 2, 2048, 1, 16, 2048)])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
