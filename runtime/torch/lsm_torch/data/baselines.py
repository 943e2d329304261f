"""What counting alone achieves: the loss a model has to beat, in nats a token.

Measured on held-out text over the same predictions a model makes there (none across documents). Every count has a constant
added; the constant that does best on the held-out text is taken, to the baseline's good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .corpus import Corpus

_DELTAS = (1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)

#: Tokens beyond which counting pairs would take longer than it is worth.
MOST_TOKENS = 2**25


@dataclass(frozen=True)
class Baselines:
    unigram: float  # guessing every token by how often it occurs
    bigram: float  # guessing by how often it follows the token before it


def baselines(train: Corpus, held_out: Corpus, vocabulary: int) -> Baselines:
    counts = np.bincount(train.tokens, minlength=vocabulary).astype(np.float64)
    before, after = _predictions(train)
    asked, truth = _predictions(held_out)
    pairs, seen = np.unique(before * vocabulary + after, return_counts=True)
    wanted = asked * vocabulary + truth
    at = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    joint = np.where(pairs[at] == wanted, seen[at], 0) if len(pairs) > 0 else np.zeros(len(wanted))
    given = np.bincount(before, minlength=vocabulary).astype(np.float64)[asked]
    total = len(train.tokens)
    return Baselines(
        unigram=_least([(counts[truth] + d) / (total + d * vocabulary) for d in _DELTAS]),
        bigram=_least([(joint + d) / (given + d * vocabulary) for d in _DELTAS]),
    )


def _least(chances: list[NDArray[np.float64]]) -> float:
    return min(float(-np.log(one).mean()) if len(one) > 0 else float("nan") for one in chances)


def _predictions(corpus: Corpus) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every token and the one that follows it in the same document."""
    ids = np.asarray(corpus.tokens, np.int64)
    within = np.ones(max(0, len(ids) - 1), bool)
    ends = corpus.starts[1:-1] - 1
    within[ends[(ends >= 0) & (ends < len(within))]] = False
    return ids[:-1][within], ids[1:][within]
