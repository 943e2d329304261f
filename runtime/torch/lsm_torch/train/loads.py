"""How evenly routes spread their tokens: what metrics.jsonl says of a step's loads (runtime/format.md)."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context
from typing import Any

from torch import Tensor, nn

from ..nn.loads import Note

#: The share of all picks that went to each expert (or memory), by the path of the route.
Loads = dict[str, list[float]]

#: Records with all loads in a run: what can be told apart in a picture, in a file that stays small.
_SHOWN_STEPS = 200

_FOUR_DIGITS = Context(prec=4, rounding=ROUND_HALF_UP)
_SUFFIX = re.compile(r"(^|\.)load(_\d+)?$")


class Routes:
    """The routes of a model by the paths that all targets give them."""

    def __init__(self, model: nn.Module) -> None:
        self.paths = {module: path for path, module in model.named_modules()}

    def named(self, notes: list[Note]) -> dict[str, Tensor]:
        """`r.load` of the module `blocks.0.ffn` is of the route `blocks.0.ffn.r`."""
        found = {}
        for module, name, load in notes:
            path = ".".join(part for part in (self.paths[module], name) if part)
            match = _SUFFIX.search(path)
            assert match is not None
            found[(path[: match.start()] or "route") + (match[2] or "")] = load.float()
        return found


def shows_loads(step: int, steps: int) -> bool:
    """Whether a step's record has all loads: the first, the last, and about two hundred between."""
    return step in (1, steps) or step % max(1, math.ceil(steps / _SHOWN_STEPS)) == 0


def router_figures(loads: Loads, every: bool) -> dict[str, Any]:
    """Of the least even route; nothing of a model without routes."""
    if not loads:
        return {}
    found: dict[str, Any] = {
        "router_max_load": _rounded(max(map(max_load, loads.values()))),
        "router_entropy": _rounded(min(map(entropy, loads.values()))),
    }
    if every:
        found["loads"] = {route: [_rounded(share) for share in load] for route, load in loads.items()}
    return found


def max_load(load: list[float]) -> float:
    """max_e f_e E: 1 where all of the E experts are as busy, E where one has everything."""
    return max(load) * len(load)


def entropy(load: list[float]) -> float:
    """-Σ_e f_e ln f_e / ln E: 1 where all are as busy, 0 where one has everything."""
    if len(load) == 1:
        return 1.0
    return -sum(share * math.log(share) for share in load if share > 0) / math.log(len(load))


def _rounded(value: float) -> float:
    """To four digits, halves up as JavaScript does."""
    return float(_FOUR_DIGITS.create_decimal_from_float(value))
