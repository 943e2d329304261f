"""Times ours and FLA's in one run: the GPU's own time from CUDA graphs, and a plain call's, launches and all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from families import FAMILIES, SIZES, Timed
from torch import Tensor
from triton.testing import do_bench, do_bench_cudagraph


def bandwidth() -> float:
    """Bytes a millisecond of a large copy, read and written."""
    x = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    y = torch.empty_like(x)
    return 2 * x.numel() / do_bench(lambda: y.copy_(x), return_mode="median")


def times(function: Callable[..., Tensor], operands: list[Tensor], weight: Tensor) -> dict[str, float]:
    """Milliseconds: forward and forward with backward, in a graph and plain; seconds of the first call of both."""
    begin = time.perf_counter()

    def both() -> tuple[Tensor, ...]:
        return torch.autograd.grad(function(*operands), operands, weight)

    def forward() -> Tensor:
        with torch.no_grad():
            return function(*operands)

    both()
    torch.cuda.synchronize()
    found = {"first": time.perf_counter() - begin}
    forward()
    for name, run in (("forward", forward), ("both", both)):
        found[name] = do_bench_cudagraph(run, rep=20, return_mode="median")
        found[f"plain {name}"] = do_bench(run, warmup=10, rep=40, return_mode="median")
    return found


def bench(
    families: list[Timed], sizes: list[tuple[int, int, int, int]], with_fla: bool, say: Callable[[str], None] = print
) -> None:
    rate = bandwidth()
    say(f"copy: {rate / 1e9:.2f} TB/s; {torch.cuda.get_device_name()}, torch {torch.__version__}")
    say(
        "| family | B T H D | forward ms | × of bytes | both ms | FLA forward | FLA both | ratio both | plain both | FLA | first s |"
    )
    say("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    ratios: dict[str, list[float]] = {}
    for family in families:
        for size in sizes:
            torch.manual_seed(time.time_ns() % 2**31)
            operands = family.draw(*size)
            weight = torch.randn_like(operands[2])
            try:
                ours = times(family.ours, operands, weight)
            except Exception as problem:  # noqa: BLE001  one operator that fails does not end the table
                say(f"| {family.name} | {size} | FAILED {str(problem)[:200]} |")
                continue
            moved = sum(x.numel() * x.element_size() for x in [*operands, weight])
            cells = [f"{ours['forward']:.3f}", f"{ours['forward'] * rate / moved:.1f}", f"{ours['both']:.3f}"]
            theirs = None
            if with_fla:
                try:
                    theirs = times(family.fla, operands, weight)
                except Exception as problem:  # noqa: BLE001
                    say(f"FLA {family.name} {size}: {str(problem)[:200]}")
            if theirs is None:
                cells += ["", "", "", f"{ours['plain both']:.3f}", "", f"{ours['first']:.1f}"]
            else:
                ratio = theirs["both"] / ours["both"]
                ratios.setdefault(family.name[:2], []).append(ratio)
                cells += [f"{theirs['forward']:.3f}", f"{theirs['both']:.3f}", f"{ratio:.2f}"]
                cells += [f"{ours['plain both']:.3f}", f"{theirs['plain both']:.3f}", f"{ours['first']:.1f}"]
            say(f"| {family.name} | {' '.join(map(str, size))} | " + " | ".join(cells) + " |")
    for group in (("F0", "F1", "F2"), ("F3", "F4")):
        found = [r for name in group for r in ratios.get(name, [])]
        if found:
            mean = math.exp(sum(map(math.log, found)) / len(found))
            say(
                f"{group[0]}–{group[-1]}: forward and backward {mean:.2f}× FLA in the geometric mean, least {min(found):.2f}×"
            )


def main(with_fla: bool) -> None:
    bench(FAMILIES, SIZES, with_fla)
