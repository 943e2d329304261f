"""The operators that are timed: ours and FLA's on the same operands, at the sizes of the design (bars.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from fla_kernels import lift_guard
from torch import Tensor
from torch.nn.functional import logsigmoid, normalize

from lsm_torch.ops import delta_rule, recurrence

SIZES = [(8, 2048, 16, 128), (1, 16384, 16, 128), (2, 8192, 32, 64)]  # B, T, H, D


@dataclass(frozen=True)
class Timed:
    """One family: how its operands are drawn, and two functions of them."""

    name: str
    draw: Callable[[int, int, int, int], list[Tensor]]
    ours: Callable[..., Tensor]
    fla: Callable[..., Tensor]


def leaf(x: Tensor) -> Tensor:
    return x.requires_grad_()


def qkv(b: int, t: int, h: int, d: int) -> list[Tensor]:
    def normal() -> Tensor:
        return torch.randn(b, t, h, d, device="cuda", dtype=torch.bfloat16)

    return [leaf(normal() * d**-0.5), leaf(normalize(normal(), dim=-1)), leaf(normal())]


def gate(*shape: int, over: float) -> Tensor:
    return leaf(logsigmoid(torch.randn(*shape, device="cuda")) / over)


def strength(b: int, t: int, h: int) -> Tensor:
    return leaf(torch.rand(b, t, h, device="cuda").to(torch.bfloat16))


def fla(module: str, name: str) -> Callable[..., Tensor]:
    """FLA's operator, imported when it is first called (its guard on Hopper lifted: fla_kernels.py)."""

    def call(*args: Tensor, **options: object) -> Tensor:
        import importlib

        lift_guard()
        return getattr(importlib.import_module(f"fla.ops.{module}"), name)(*args, scale=1.0, **options)[0]

    return call


FAMILIES = [
    Timed(
        "F0 linear attention",
        qkv,
        recurrence,
        lambda *x: fla("linear_attn", "chunk_linear_attn")(*x, normalize=False),
    ),
    Timed(
        "F1 scalar decay",
        lambda b, t, h, d: [*qkv(b, t, h, d), gate(b, t, h, over=4)],
        recurrence,
        fla("simple_gla", "chunk_simple_gla"),
    ),
    Timed(
        "F2 key decay (GLA)",
        lambda b, t, h, d: [*qkv(b, t, h, d), gate(b, t, h, d, over=16)],
        recurrence,
        fla("gla", "chunk_gla"),
    ),
    Timed(
        "F3 DeltaNet",
        lambda b, t, h, d: [*qkv(b, t, h, d), strength(b, t, h)],
        delta_rule,
        fla("delta_rule", "chunk_delta_rule"),
    ),
    Timed(
        "F3 Gated DeltaNet",
        lambda b, t, h, d: [*qkv(b, t, h, d), strength(b, t, h), gate(b, t, h, over=4)],
        delta_rule,
        lambda q, k, v, beta, g: fla("gated_delta_rule", "chunk_gated_delta_rule")(q, k, v, g, beta),
    ),
    Timed(
        "F4 KDA",
        lambda b, t, h, d: [*qkv(b, t, h, d), strength(b, t, h), gate(b, t, h, d, over=4)],
        delta_rule,
        lambda q, k, v, beta, g: fla("kda", "chunk_kda")(q, k, v, g, beta),
    ),
]
