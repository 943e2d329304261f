"""python test/gpu/run.py: checks every family on this GPU, then prints the table, beside FLA's operators where `fla` is found.

FLA is what is installed, or what carry_fla.py put into `.fla`. Its kernels and ours are compiled by all cores while the checks run,
in a cache of this run. Exit status 1 when a check or a row of the table failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "runtime" / "torch"), str(ROOT / "test" / "torch"), str(Path(__file__).parent)]

from cases import CASES
from check import check
from families import FAMILIES, SIZES, Timed
from fla_kernels import compiling, find_fla

WORKERS = max(2, min(16, os.cpu_count() or 2))


def check_one(index: int) -> tuple[int, list[str]]:
    lines: list[str] = []
    return check([CASES[index]], lines.append), lines


def compile_share(share: int, shares: int, names: list[str], with_fla: bool) -> int:
    """Compiles one share of what the table will run; gives how many kernels."""
    import torch

    find_fla(ROOT)
    families = chosen(names)
    at = share % len(families)  # each share begins elsewhere, so that their operands are not all on the GPU at once
    with compiling(share, shares) as done:
        for family in [*families[at:], *families[:at]]:
            for size in SIZES:
                operands = family.draw(*size)
                for function in (family.ours, family.fla)[: 1 + with_fla]:
                    o = function(*operands)
                    torch.autograd.grad(o, operands, torch.zeros_like(o))
                    del o
                del operands
                torch.cuda.empty_cache()
    return len(done)


def first_call(name: str) -> float:
    """Seconds of a family's first forward and backward in a fresh process, whose cache is empty."""
    import torch

    with tempfile.TemporaryDirectory() as cache:
        os.environ["TRITON_CACHE_DIR"] = cache
        family = chosen([name])[0]
        operands = family.draw(*SIZES[0])
        torch.cuda.synchronize()
        begin = time.perf_counter()
        o = family.ours(*operands)
        torch.autograd.grad(o, operands, torch.ones_like(o))
        torch.cuda.synchronize()
        return time.perf_counter() - begin


def chosen(names: list[str]) -> list[Timed]:
    return [f for f in FAMILIES if not names or any(f.name.startswith(name) for name in names)]


def pool(workers: int, tasks: int | None = None) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), max_tasks_per_child=tasks)


@contextmanager
def stage(name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)


def prepare(checks: bool, table: bool, names: list[str], with_fla: bool) -> int:
    """All that the processor does, in one pool: the checks, whose time goes into compiling, and the table's kernels."""
    failed = 0
    with pool(WORKERS) as workers:
        compiled: list[Future[int]] = []
        if table:
            compiled = [workers.submit(compile_share, i, WORKERS, names, with_fla) for i in range(WORKERS)]
        if checks:
            for done in as_completed([workers.submit(check_one, i) for i in range(len(CASES))]):
                bad, lines = done.result()
                failed += bad
                print("\n".join(lines), flush=True)
            print(f"checks: {len(CASES) - failed} passed, {failed} failed", flush=True)
        if table:
            print(f"{sum(share.result() for share in compiled)} kernels compiled for the table", flush=True)
    return failed


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", choices=("check", "table"), help="the checks, or the table, alone")
    parser.add_argument("--no-fla", action="store_true", help="a table of ours alone")
    parser.add_argument(
        "--families",
        nargs="+",
        default=[],
        metavar="NAME",
        help='of the table: names or how they begin, such as F1 or "F3 G"',
    )
    found = parser.parse_args(arguments)
    for name in found.families:
        if not chosen([name]):
            parser.error(f"no family begins with {name}: there are {', '.join(f.name for f in FAMILIES)}")
    return found


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    chose = options(arguments)
    checks, table = chose.only != "table", chose.only != "check"
    with_fla = table and not chose.no_fla
    if with_fla and not find_fla(ROOT):
        say("fla is not here: install flash-linear-attention==0.5.2, or carry it (carry_fla.py), or say --no-fla")
        return 1
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TRITON_CACHE_DIR"] = cache
        with stage("checks and compiling" if checks and table else "checks" if checks else "compiling"):
            failed = prepare(checks, table, chose.families, with_fla)
        if table:
            from bench import bench

            families = chosen(chose.families)
            with stage("first calls"), pool(6, 1) as workers:
                for family, seconds in zip(families, workers.map(first_call, [f.name for f in families]), strict=True):
                    say(f"{family.name}: first call {seconds:.1f} s")
            with stage("table, with FLA's tuning" if with_fla else "table"):
                failed += bench(families, with_fla, lambda text: print(text, flush=True))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
