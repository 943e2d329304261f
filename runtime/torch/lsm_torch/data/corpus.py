"""All documents' ids in one array, with the places where documents begin; parted into what is learnt and held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError
from ..random import RandomStream
from .stretches import Ids, Stretches, part


@dataclass(frozen=True)
class Corpus:
    tokens: Ids | Stretches  # on disk, or in memory
    starts: NDArray[np.int64]  # document d is tokens[starts[d]:starts[d + 1]]

    @property
    def documents(self) -> int:
        return len(self.starts) - 1

    def as_one(self) -> Corpus:
        """The same tokens without boundaries: what a model without `pack documents` learns from."""
        return replace(self, starts=np.array([0, len(self.tokens)]))

    def select(self, chosen: Iterable[int]) -> Corpus:
        """What lies on disk stays there."""
        which = np.fromiter(chosen, np.int64)
        begins, ends = self.starts[which], self.starts[which + 1]
        starts = np.concatenate(([0], np.cumsum(ends - begins)))
        own = Stretches.chosen(self.tokens, begins, ends)
        on_disk = isinstance(self.tokens, (np.memmap, Stretches))
        return Corpus(own if on_disk else own[:], starts)

    def fingerprint(self) -> str:
        """Documents, tokens, and FNV-1a (32 bits) over starts and ids."""
        value = 0x811C9DC5
        for numbers in (self.starts, np.asarray(self.tokens)):
            for number in numbers.tolist():
                value = ((value ^ number) * 0x01000193) & 0xFFFFFFFF
        return f"{self.documents}-{len(self.tokens)}-{value:08x}"


def build(texts: Iterable[str], encode: Callable[[str], Ids]) -> Corpus:
    parts = [ids for ids in map(encode, texts) if len(ids) > 0]
    if not parts:
        raise RunError("data-empty", "the data gives no tokens", "the corpus")
    return Corpus(np.concatenate(parts), np.cumsum([0, *map(len, parts)]))


def split(corpus: Corpus, fraction: float, seed: int) -> tuple[Corpus, Corpus | None]:
    """What is learnt, and what is held out: whole documents where there are 20, otherwise the last tokens."""
    tokens = len(corpus.tokens)
    wanted = int(np.floor(tokens * fraction + 0.5))
    if wanted == 0:
        return corpus, None
    if corpus.documents < 20:
        cut = max(1, tokens - wanted)
        before = corpus.starts[corpus.starts < cut]
        after = corpus.starts[corpus.starts > cut] - cut
        learnt = Corpus(part(corpus.tokens, 0, cut), np.append(before, cut))
        return learnt, Corpus(part(corpus.tokens, cut, tokens), np.insert(after, 0, 0))
    order = RandomStream(seed, "data/split").permutation(corpus.documents)
    held: set[int] = set()
    count = 0
    for d in order.tolist():
        if count >= wanted or len(held) == corpus.documents - 1:
            break
        held.add(d)
        count += int(corpus.starts[d + 1] - corpus.starts[d])
    if not held:
        return corpus, None
    every = range(corpus.documents)
    return corpus.select(d for d in every if d not in held), corpus.select(sorted(held))
