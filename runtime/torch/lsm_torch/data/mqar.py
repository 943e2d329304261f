"""Multi-query associative recall, made from a seed without end, row for row as every target of lsm makes it (runtime/format.md).

Layout as in Zoology (Arora, Eyuboglu et al. 2023, arXiv:2312.04927): key-value pairs, then keys again as queries at even
distances behind them, the distance drawn without replacement with probability proportional to (d + 1)^(power - 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError
from ..random import RandomStream
from .rows import Batch, stacked


@dataclass(frozen=True)
class MqarRows:
    """Rows of `seq` tokens; the target at a query is the key's value, and all other positions have weight 0."""

    spec: dict[str, Any]
    seed: int
    part: Literal["train", "held-out"]
    rows: int  # how many different ones; of training rows every one is new

    def batch(self, position: int, rows: int) -> Batch:
        """Rows position, position + 1, …"""
        return stacked([self._row(index) for index in range(position, position + rows)])

    @property
    def numbers(self) -> tuple[int, int, int, float, bool]:
        """Pairs, queries, ids in all, the exponent of the gaps, and whether random ids fill the space between queries."""
        pairs = self.spec.get("pairs", 8)
        queries = self.spec.get("queries", pairs)
        return pairs, queries, self.spec.get("vocab", 64), self.spec.get("power", 0.01), self.spec.get("noise", False)

    def fingerprint(self) -> str:
        pairs, queries, vocab, power, noise = self.numbers
        numbers = (pairs, queries, vocab, power, int(noise), self.spec["seq"], self.seed)
        return f"mqar-{self.part}-{'-'.join(map(str, numbers))}"

    def _row(self, index: int) -> tuple[NDArray[np.int64], ...]:
        pairs, queries, vocab, power, noise = self.numbers
        seq, half = self.spec["seq"], vocab // 2
        own = index % self.rows if self.rows else index
        random = RandomStream(self.seed, f"data/mqar/{self.part}/{own}")
        keys = [n + 1 for n in distinct(random, half - 1, pairs)]
        values = [n + half for n in distinct(random, vocab - half, pairs)]
        asked = random.permutation(pairs).tolist()
        chances = [(d + 1) ** (power - 1) for d in range(seq // 2 - pairs)]
        places = weighted_places(random, chances, queries)
        tokens, targets, weights = (np.zeros(seq, np.int64) for _ in range(3))
        if noise:
            tokens[2 * pairs :] = [random.integer(vocab) for _ in range(2 * pairs, seq)]
        tokens[: 2 * pairs : 2], tokens[1 : 2 * pairs : 2] = keys, values
        for i, place in enumerate(places):
            at, pair = 2 * (pairs + place), asked[i % pairs]
            tokens[at], targets[at], weights[at] = keys[pair], values[pair], 1
        return tokens, targets, weights, np.arange(seq)


def check(spec: dict[str, Any]) -> None:
    """Refuses numbers that leave no room."""
    pairs, queries, vocab, power, _ = MqarRows(spec, 0, "train", 0).numbers
    room = 2 * (pairs + queries)
    for fits, what in (
        (pairs >= 1 and queries >= 1, "it needs at least one pair and one query"),
        (power > 0, "`power` must be above 0"),
        (vocab // 2 - 1 >= pairs, f"{pairs} keys need a vocabulary of at least {2 * pairs + 2}, not {vocab}"),
        (spec["seq"] >= room, f"{pairs} pairs and {queries} queries need `seq` {room} or more, not {spec['seq']}"),
    ):
        if not fits:
            help = "for example `generate mqar(pairs: 8, queries: 8, vocab: 64)` with `seq 64`"
            raise RunError("bad-mqar", what, "generate mqar", help)


def distinct(random: RandomStream, bound: int, count: int) -> list[int]:
    """`count` different numbers below `bound`: the first places of a shuffle that goes no further than it must."""
    moved: dict[int, int] = {}
    found = []
    for i in range(count):
        j = i + random.integer(bound - i)
        found.append(moved.get(j, j))
        moved[j] = moved.get(i, i)
    return found


def weighted_places(random: RandomStream, chances: list[float], count: int) -> list[int]:
    """`count` different places, each drawn in proportion to the chances of those that are left."""
    left = list(chances)
    found = []
    for _ in range(count):
        total = 0.0
        for chance in left:  # in this order: `sum` rounds in another way
            total += chance
        point = float(random.uniform(1)[0]) * total
        chosen = -1
        for i, chance in enumerate(left):
            point -= chance
            if point < 0:
                chosen = i
                break
        if chosen < 0:  # rounding at the upper end
            chosen = max(i for i, chance in enumerate(left) if chance > 0)
        left[chosen] = 0.0
        found.append(chosen)
    return found
