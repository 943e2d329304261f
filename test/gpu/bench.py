"""Times ours and FLA's in one run: the GPU's own time from CUDA graphs, and a plain call's, launches and all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

import torch
from families import SIZES, Timed
from fla_kernels import shorten_tuning
from torch import Tensor
from triton.testing import do_bench, do_bench_cudagraph

HEAD = "family | B T H D | forward ms | × of bytes | both ms | FLA forward | FLA both | FLA / ours | plain both | FLA plain both"


def bandwidth() -> float:
    """Bytes a millisecond of a large copy, read and written."""
    x = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    y = torch.empty_like(x)
    return 2 * x.numel() / do_bench(lambda: y.copy_(x), return_mode="median")


def both(function: Callable[..., Tensor], operands: list[Tensor], weight: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(function(*operands), operands, weight)


def times(function: Callable[..., Tensor], operands: list[Tensor], weight: Tensor) -> dict[str, float]:
    """Milliseconds: forward, and forward with backward, in a graph and plain."""

    def forward() -> Tensor:
        with torch.no_grad():
            return function(*operands)

    found = {}
    for name, call in (("forward", forward), ("both", lambda: both(function, operands, weight))):
        call()  # here kernels compile, and FLA tunes
        found[name] = do_bench_cudagraph(call, rep=20, return_mode="median")
        found[f"plain {name}"] = do_bench(call, warmup=10, rep=40, return_mode="median")
    return found


def same(family: Timed, operands: list[Tensor]) -> None:
    """Both compute one function, or a ratio of their times says nothing."""
    with torch.no_grad():
        ours, theirs = family.ours(*operands).double(), family.fla(*operands).double()
    error = float((ours - theirs).norm() / theirs.norm())
    if not error < 2e-2:
        raise ValueError(f"outputs of ours and FLA differ by {error:.1e}")


def row(family: Timed, size: tuple[int, int, int, int], with_fla: bool, rate: float) -> tuple[list[str], dict]:
    """The cells of one row, and its ratios: of FLA's time, and of the time to read and write the operands once."""
    torch.manual_seed(time.time_ns() % 2**31)
    operands = family.draw(*size)
    weight = torch.randn_like(operands[2])
    ours = times(family.ours, operands, weight)
    moved = sum(x.numel() * x.element_size() for x in [*operands, weight])
    found = {"bytes": ours["forward"] * rate / moved}
    cells = [f"{ours['forward']:.3f}", f"{found['bytes']:.1f}", f"{ours['both']:.3f}"]
    if not with_fla:
        return [*cells, "", "", "", f"{ours['plain both']:.3f}", ""], found
    same(family, operands)
    theirs = times(family.fla, operands, weight)
    for name in ("forward", "both", "plain both"):
        found[name] = theirs[name] / ours[name]
    cells += [f"{theirs['forward']:.3f}", f"{theirs['both']:.3f}", f"{found['both']:.2f}"]
    return [*cells, f"{ours['plain both']:.3f}", f"{theirs['plain both']:.3f}"], found


def mean(numbers: Iterable[float]) -> float:
    """The geometric one."""
    logs = [math.log(x) for x in numbers]
    return math.exp(sum(logs) / len(logs))


def summary(name: str, rows: list[dict]) -> str:
    text = f"{name}: forward at most {max(r['bytes'] for r in rows):.1f}× of the bytes' time"
    if "both" in rows[0]:
        ratios = [r["both"] for r in rows if "both" in r]
        text += f"; FLA / ours, forward and backward {mean(ratios):.2f} (geometric mean), least {min(ratios):.2f}"
        text += (
            f"; forward {mean(r['forward'] for r in rows):.2f}; plain calls {mean(r['plain both'] for r in rows):.2f}"
        )
    return text


def bench(families: list[Timed], with_fla: bool, say: Callable[[str], None] = print) -> int:
    """Prints the table and what it comes to; gives how many rows failed."""
    if with_fla:
        shorten_tuning()
    rate = bandwidth()
    say(f"copy: {rate / 1e9:.2f} TB/s; {torch.cuda.get_device_name()}, torch {torch.__version__}")
    say(f"| {HEAD} |\n|{' --- |' * (HEAD.count('|') + 1)}")
    rows: dict[str, list[dict]] = {}
    failed = 0
    for family in families:
        for size in SIZES:
            try:
                cells, found = row(family, size, with_fla, rate)
            except Exception as problem:  # noqa: BLE001  one operator that fails does not end the table
                failed += 1
                say(f"| {family.name} | {' '.join(map(str, size))} | FAILED {str(problem)[:200]} |")
                continue
            rows.setdefault(family.name, []).append(found)
            say(f"| {family.name} | {' '.join(map(str, size))} | {' | '.join(cells)} |")
    for name, found_rows in rows.items():
        say(summary(name, found_rows))
    for group in (("F0", "F1", "F2"), ("F3", "F4")):
        together = [r for name, found_rows in rows.items() if name[:2] in group for r in found_rows]
        if together:
            say(summary(f"{group[0]}-{group[-1]}", together))
    return failed
