"""python test/gpu/run.py [--check] [--bench] [--no-fla]: checks every family on this GPU, then prints the table against FLA.

With FLA installed its operators tune themselves first, minutes each. Exit status 1 when a check failed.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "runtime" / "torch"), str(ROOT / "test" / "torch"), str(Path(__file__).parent)]


def check_one(index: int) -> tuple[int, list[str]]:
    from cases import CASES
    from check import check

    lines: list[str] = []
    return check([CASES[index]], lines.append), lines


def check_all() -> int:
    """In several processes: most of the time goes into compiling kernels."""
    from cases import CASES

    failed = 0
    with ProcessPoolExecutor(10, mp_context=get_context("spawn")) as pool:
        for bad, lines in pool.map(check_one, range(len(CASES))):
            failed += bad
            print("\n".join(lines), flush=True)
    print(f"checks: {len(CASES) - failed} passed, {failed} failed", flush=True)
    return failed


def main(arguments: list[str]) -> int:
    both = not {"--check", "--bench"} & set(arguments)
    failed = check_all() if both or "--check" in arguments else 0
    if both or "--bench" in arguments:
        from bench import main as table

        table("--no-fla" not in arguments)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
