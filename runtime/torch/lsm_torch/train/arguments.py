"""Flags that several command lines have, and values of flags, refused in words."""

from __future__ import annotations

import argparse
import os

import torch

from .project import Project


def add_device(parser: argparse.ArgumentParser) -> None:
    local = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    own = local if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=own, help="cpu, or cuda:0 (default: a GPU where there is one)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), help="what products are computed in")


def settle_device(parser: argparse.ArgumentParser, options: argparse.Namespace, project: Project) -> None:
    """Refuses a device that is not there; without --precision a GPU takes the program's, the processor float32."""
    try:
        options.device = str(torch.device(options.device))
    except RuntimeError:
        parser.error(f"--device {options.device}: no such kind of device; give cpu or cuda:0")
    on_gpu = options.device.startswith("cuda")
    if on_gpu and not torch.cuda.is_available():
        parser.error("--device cuda: torch sees no GPU here; leave the flag out to train on the processor")
    if options.precision is None:
        options.precision = project.config["precision"] if on_gpu else "fp32"


def positive(text: str) -> int:
    value = whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def seed(text: str) -> int:
    value = whole(text)
    if not 0 <= value < 2**53:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 2^53 - 1")
    return value


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
