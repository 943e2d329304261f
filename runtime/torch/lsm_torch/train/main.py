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
from .project import Project
from .run import Run


def main(model: Callable[[], nn.Module], folder: Path) -> None:
    """Trains `model` as the files beside train.py say; ends the process."""
    project = Project.read(folder)
    options = _options(project)
    rank, ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    try:
        if ranks > 1:
            dist.init_process_group("nccl" if options.device.startswith("cuda") else "gloo")
        with torch.device(options.device):
            own = model()
        prepare(own, options)
        status = Run(own, project, options, rank, ranks).train()
    except RunError as error:
        if rank == 0:
            print(error, file=sys.stderr)
        status = 1
    except torch.OutOfMemoryError as error:
        print(f"error[out-of-memory]: {error}\nhelp: give --moments bf16, or train on several GPUs", file=sys.stderr)
        status = 1
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
    sys.exit(status)


def _options(project: Project) -> Any:
    settings = project.config["train"]
    parser = argparse.ArgumentParser(description=f"Trains {project.config['model']}.")
    parser.add_argument("--out", type=Path, default=Path("runs") / settings["name"])
    parser.add_argument("--resume", nargs="?", const="auto", help="auto, or a checkpoint's path")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--device", default=_device())
    parser.add_argument("--precision", choices=("fp32", "bf16"))
    parser.add_argument(
        "--moments", choices=("fp32", "bf16"), default="fp32", help="what the optimiser's moments are held in"
    )
    parser.add_argument("--accumulate", type=int, help="parts that a batch is computed in")
    parser.add_argument("--recompute", action="store_true", help="keep no activations inside blocks")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument(
        "--graph", action=argparse.BooleanOptionalAction, default=False, help="launch a step on a GPU as one CUDA graph"
    )
    parser.add_argument("--shard", action="store_true", help="part weights and moments over the ranks (FSDP2)")
    parser.add_argument("--check", action="store_true", help="compare the kernels with the reference first")
    parser.add_argument("--wandb", action="store_true", help="also log to Weights & Biases")
    options = parser.parse_args()
    if options.precision is None:
        on_gpu = options.device.startswith("cuda")
        options.precision = project.config["precision"] if on_gpu else "fp32"
    if options.device.startswith("cuda"):
        torch.set_float32_matmul_precision("high")
    return options


def _device() -> str:
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"


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
