"""FLA's kernels made ready for a fair table in minutes: compiled by all cores, then tuned by FLA itself.

Left alone, FLA's autotuner compiles one configuration after the other and benchmarks each for 125 ms: 2 to 4 minutes an operator.
The rule here: **every configuration that FLA lists is compiled and takes part, and FLA's own autotuner chooses** on the operands of
the table; only its benchmark of one configuration is shorter (`WARM_UP`, `REPEAT`). Nothing of FLA is changed but its guard against
Triton's Hopper bug, which is lifted, as this is for timing alone.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch
from triton.runtime.autotuner import Autotuner
from triton.runtime.jit import JITFunction, compute_cache_key
from triton.testing import do_bench

#: Milliseconds that a configuration is benchmarked for; Triton's own are 25 and 100.
WARM_UP, REPEAT = 3, 15


def find_fla(root: Path) -> bool:
    """Can `fla` be imported: installed, or carried here in `.fla` (carry_fla.py)?"""
    if (root / ".fla").is_dir():
        sys.path.append(str(root / ".fla"))
    return find_spec("fla") is not None


def lift_guard() -> None:
    import fla.ops.common.chunk_o as guarded

    guarded.IS_NVIDIA_HOPPER = False


def shorten_tuning() -> None:
    def short(call: Callable[[], object], quantiles: tuple[float, ...]) -> object:
        return do_bench(call, warmup=WARM_UP, rep=REPEAT, quantiles=quantiles)

    Autotuner.do_bench = property(lambda self: short)


@contextmanager
def compiling(share: int, shares: int) -> Iterator[set[str]]:
    """Within, no kernel starts: what falls to this share, every configuration of it, is compiled into Triton's cache.

    Gives the keys of what was compiled. Values of tensors are never asked for, since FLA's host code asks for none.
    """
    run, tune = JITFunction.run, Autotuner.run
    done: set[str] = set()

    def compile_only(self: JITFunction, *args: object, grid: object, warmup: bool, **options: object) -> None:
        _, known, _, _, bind = self.device_caches[torch.cuda.current_device()]
        _, specialization, chosen = bind(*args, **options, debug=False, instrumentation_mode="")
        key = f"{self.cache_key} {compute_cache_key(known, specialization, chosen)}"
        if zlib.crc32(key.encode()) % shares != share or key in done:
            return
        done.add(key)
        try:
            run(self, *args, grid=grid, warmup=True, **options)
        except Exception as problem:  # noqa: BLE001  the autotuner passes over what does not compile, too
            print(f"not compiled: {self.fn.__name__}: {type(problem).__name__}", file=sys.stderr)

    def each_configuration(self: Autotuner, *args: object, **options: object) -> None:
        self.nargs = dict(zip(self.arg_names, args, strict=False))
        for configuration in self.prune_configs(options):
            self.fn.run(*args, **options, **configuration.all_kwargs())

    JITFunction.run, Autotuner.run = compile_only, each_configuration
    try:
        yield done
    finally:
        JITFunction.run, Autotuner.run = run, tune
