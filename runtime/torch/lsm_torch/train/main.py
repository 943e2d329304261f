"""The command line of train.py: one process on a GPU or the CPU, or `torchrun --nproc-per-node N train.py`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.utils.checkpoint import checkpoint

from ..errors import RunError
from ..nn.route import leave_operators_whole
from ..ops.choice import HAS_TRITON
from .arguments import add_device, positive, seed, settle_device, whole
from .folder import choose_folder
from .memory import does_not_fit, foreseen
from .mesh import refuse_impossible_mesh
from .project import Project
from .run import Run


def main(model: Callable[[], nn.Module], folder: Path) -> None:
    """Trains `model` as the files beside train.py say; ends the process."""
    project = Project.read(folder)
    options = _options(project)
    rank, ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    launched = "WORLD_SIZE" in os.environ  # by torchrun, if only as one rank
    try:
        refuse_impossible_mesh(project, options, ranks)
        if launched:  # what the processors tell each other waits for no GPU
            dist.init_process_group("cpu:gloo,cuda:nccl" if options.device.startswith("cuda") else "gloo")
        options.out = choose_folder(options, project, rank, ranks)
        with torch.device(options.device):
            own = model()
        prepare(own, options)
        status = Run(own, project, options, rank, ranks).train()
        if launched:
            dist.barrier()  # who leaves first would cut off those who still compute
    except KeyboardInterrupt:
        print("stopped at once, without saving: go on from the last checkpoint with --resume", file=sys.stderr)
        status = 130
    except RunError as error:
        if rank == 0:
            print(error, file=sys.stderr)
        status = 1
    except torch.OutOfMemoryError:  # before the first step
        print(does_not_fit(foreseen(project.parameters, options), options), file=sys.stderr)
        status = 1
    if dist.is_initialized():
        _leave(status)
    sys.exit(status)


def _leave(status: int) -> None:
    """Ends this rank without what C++ does at an exit: threads of process groups that still wait for others abort there, now and
    then ("terminate called without an active exception"), and torchrun would take the run for failed. Everything is written."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


_DATA = "train on these: text, .jsonl, .parquet, .bin of uint16 ids, or Megatron's .bin with its .idx beside it; one .csv for a series"


def _options(project: Project) -> Any:
    parser = argparse.ArgumentParser(description=f"Trains {project.config['model']}.")
    parser.add_argument("--out", type=Path, help="the run's folder (default: a new one under runs/)")
    parser.add_argument(
        "--resume", nargs="?", const="auto", help="go on from a checkpoint: auto (the newest), or its path"
    )
    parser.add_argument("--steps", type=positive, help="updates in all, whatever the program says")
    parser.add_argument("--seed", type=seed, help="of all random streams")
    parser.add_argument("--data", nargs="+", metavar="PATH", help=_DATA)
    parser.add_argument("--tokenizer", metavar="PATH", help="a tokenizer.json for --data")
    parser.add_argument(
        "--eot", type=whole, metavar="ID", help="the id that ends a document, of .bin files without an .idx"
    )
    add_device(parser)
    parser.add_argument(
        "--moments", choices=("fp32", "bf16"), default="fp32", help="what the optimiser's moments are held in"
    )
    parser.add_argument("--accumulate", type=positive, help="parts that a batch is computed in")
    parser.add_argument("--recompute", action="store_true", help="keep no activations inside blocks")
    parser.add_argument(
        "--compile", action=argparse.BooleanOptionalAction, default=False, help="torch.compile each block"
    )
    parser.add_argument(
        "--graph", action=argparse.BooleanOptionalAction, default=True, help="launch a step on a GPU as one CUDA graph"
    )
    parser.add_argument("--shard", action="store_true", help="part weights and moments over the ranks (FSDP2)")
    parser.add_argument("--check", action="store_true", help="compare the kernels with the reference first")
    parser.add_argument("--samples", action="store_true", help="write a text whenever held-out data is measured, too")
    parser.add_argument(
        "--tensorboard", action=argparse.BooleanOptionalAction, help="write its events (default: where it is installed)"
    )
    parser.add_argument("--wandb", action="store_true", help="also log to Weights & Biases")
    options = parser.parse_args()
    settle_device(parser, options, project)
    if options.moments == "bf16" and (options.precision != "bf16" or options.shard):
        parser.error("--moments bf16 needs --precision bf16, and weights that are not parted (--shard)")
    if options.device.startswith("cuda"):
        torch.set_float32_matmul_precision("high")
    return options


def prepare(model: nn.Module, options: Any) -> None:
    """Compiles each block, and runs it a second time in the backward pass where memory is short (models draw nothing at random,
    so there is no state of draws to keep)."""
    if options.compile and HAS_TRITON:
        leave_operators_whole()
    for blocks in (m for m in model.children() if isinstance(m, nn.ModuleList)):
        for block in blocks:
            if options.compile:
                block.compile()
            if options.recompute:
                block.forward = partial(checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False)
