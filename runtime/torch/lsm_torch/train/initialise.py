"""Initial weights: an expression over random draws and positions, one value an element, from the stream `init/<path>`."""

from __future__ import annotations

import math
from math import prod
from typing import Any

import torch
from torch import Tensor

from ..random.stream import name_hash

_LOW = 0xFFFFFFFF
#: Elements at a time: their words take 64 MiB or so, on a GPU a gigabyte.
_CHUNK = {"cpu": 2**20, "cuda": 2**24}


def words(first: int, count: int, stream: int, key: int, device: torch.device) -> Tensor:
    """`count` words of a stream from word `first` (a multiple of 4) on: int64 in [0, 2**32)."""
    blocks = torch.arange(first // 4, -(-(first + count) // 4), device=device)
    c0, c1 = blocks & _LOW, blocks >> 32
    c2 = torch.full_like(blocks, stream & _LOW)
    c3 = torch.full_like(blocks, stream >> 32)
    k0, k1 = key & _LOW, key >> 32
    for _ in range(10):
        high0, low0 = _product(0xD2511F53, c0)
        high1, low1 = _product(0xCD9E8D57, c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) & _LOW, (k1 + 0xBB67AE85) & _LOW
    return torch.stack((c0, c1, c2, c3), -1).view(-1)[:count]


def _product(constant: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """The high and low 32 bits of a product of 32-bit numbers, which int64 alone has no room for."""
    low = (constant & 0xFFFF) * x  # below 2**48
    high = (constant >> 16) * x
    middle = (low >> 16) + high  # below 2**49
    return middle >> 16, ((middle & 0xFFFF) << 16) | (low & 0xFFFF)


@torch.no_grad()
def initialise(parameter: Tensor, spec: dict[str, Any], seed: int) -> None:
    """Fills a parameter as the `.lsm` program says; `spec` is its entry in parameters.json."""
    rule = spec["initializer"]
    if rule["kind"] == "constant":
        parameter.fill_(rule["value"])
        return
    flat = parameter.view(-1)
    draws = _draws(rule)
    stream = name_hash(f"init/{spec['path']}")
    chunk = _CHUNK[flat.device.type]
    for start in range(0, flat.numel(), chunk):
        count = min(chunk, flat.numel() - start)
        own = words(start * draws, count * draws, stream, seed, parameter.device)
        at = torch.arange(start, start + count, device=parameter.device)
        value, _ = _evaluate(rule, spec, own.view(count, draws), 0, at)
        flat[start : start + count] = value.to(parameter.dtype)


def _draws(rule: dict[str, Any]) -> int:
    """Words that one element takes."""
    if rule["kind"] == "map":
        return sum(map(_draws, rule["inputs"]))
    return {"normal": 2, "uniform": 1}.get(rule["kind"], 0)


def _evaluate(rule: dict[str, Any], spec: dict[str, Any], drawn: Tensor, column: int, at: Tensor) -> tuple[Tensor, int]:
    """The rule's values in float64, and the first column of words that it left."""
    match rule["kind"]:
        case "constant":
            return torch.tensor(rule["value"], dtype=torch.float64, device=at.device), column
        case "normal":
            u, v = drawn[:, column].double(), drawn[:, column + 1].double()
            radius = (-2 * ((u + 1) / 2**32).log()).sqrt()
            return (radius * (2 * math.pi * v / 2**32).cos()).float().double(), column + 2
        case "uniform":
            return (drawn[:, column] >> 8).double() * 2.0**-24, column + 1
        case "iota":
            names = [axis["name"] for axis in spec["axes"]]
            sizes = [axis["size"] for axis in spec["axes"]]
            axis = names.index(rule["axis"])
            return (at // prod(sizes[axis + 1 :]) % sizes[axis]).double(), column
        case _:
            values = []
            for one in rule["inputs"]:
                value, column = _evaluate(one, spec, drawn, column, at)
                values.append(value)
            return _FUNCTIONS[rule["fn"]](*values), column


_FUNCTIONS: dict[str, Any] = {
    "neg": torch.neg,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: x.clamp(min=0) + torch.log1p(torch.exp(-x.abs())),
    "tanh": torch.tanh,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "abs": torch.abs,
    "sign": torch.sign,
    "floor": torch.floor,
    "sin": torch.sin,
    "cos": torch.cos,
    "stop": lambda x: x,
    "to_int": torch.floor,
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "pow": torch.pow,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "mod": torch.remainder,
    "lt": lambda a, b: (a < b).double(),
    "le": lambda a, b: (a <= b).double(),
    "gt": lambda a, b: (a > b).double(),
    "ge": lambda a, b: (a >= b).double(),
    "eq": lambda a, b: (a == b).double(),
    "ne": lambda a, b: (a != b).double(),
    "select": lambda c, a, b: torch.where(c != 0, a, b),
}
