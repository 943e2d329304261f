"""Opens what a `data` block describes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError
from .baselines import MOST_TOKENS, Baselines, baselines
from .corpus import Corpus, build, split
from .mqar import MqarRows
from .mqar import check as check_mqar
from .rows import MeasuringRows, TrainingRows
from .sources import documents
from .token_files import memmapped
from .tokenizer import Tokenizer, open_tokenizer


@dataclass(frozen=True)
class OpenedTokens:
    train: TrainingRows | MqarRows
    held_out: MeasuringRows | MqarRows | None
    tokenizer: Tokenizer | None  # None for what is no text
    fingerprint: str
    summary: str
    vocabulary: int  # ids are below it; 0 where nobody knows
    #: What counting achieves on the held-out text; None where there is none, or too much. Computed when called.
    baselines: Callable[[], Baselines | None]
    recall: bool = False  # made to be answered right, so that the share of right answers is measured


def open_data(spec: dict[str, Any], base: Path, seed: int) -> OpenedTokens:
    """`spec` as `lsm build` writes it; paths start from `base`."""
    if spec["kind"] == "mqar":
        return _recall(spec, seed)
    seq, pack = spec["seq"], spec["pack"]
    corpus, tokenizer, vocabulary = _corpus(spec, base)
    learnt, held = split(corpus, spec.get("heldOut", 0.05), seed)
    if not pack:
        learnt = learnt.as_one()
        held = None if held is None else held.as_one()
    if held is not None and len(held.tokens) <= held.documents:
        held = None
    count = "none" if held is None else _count(len(held.tokens), "token")

    def counted() -> Baselines | None:
        if held is None or len(learnt.tokens) > MOST_TOKENS:
            return None
        most = max(int(np.asarray(one.tokens).max()) for one in (learnt, held)) + 1
        return baselines(learnt, held, max(most, vocabulary))

    return OpenedTokens(
        train=TrainingRows(learnt, seq, seed),
        held_out=None if held is None else MeasuringRows(held, seq),
        tokenizer=tokenizer,
        fingerprint=learnt.fingerprint() if len(learnt.tokens) < 2**26 else _short(learnt),
        summary=f"{_count(corpus.documents, 'document')}, {_count(len(corpus.tokens), 'token')}, {count} held out",
        vocabulary=vocabulary,
        baselines=counted,
    )


def _recall(spec: dict[str, Any], seed: int) -> OpenedTokens:
    check_mqar(spec)
    train = MqarRows(spec, seed, "train", 0)
    held = spec.get("heldOut", 512)
    vocab = train.numbers[2]
    return OpenedTokens(
        train=train,
        held_out=MqarRows(spec, seed, "held-out", held) if held > 0 else None,
        tokenizer=None,
        fingerprint=train.fingerprint(),
        summary=f"multi-query associative recall, {vocab} ids, {_count(held, 'row')} held out",
        vocabulary=vocab,
        baselines=lambda: None,
        recall=True,
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _short(corpus: Corpus) -> str:
    """For corpora so large that hashing every id would take longer than opening them."""
    ends = (*corpus.tokens[:64].tolist(), *corpus.tokens[-64:].tolist())
    return f"{corpus.documents}-{len(corpus.tokens)}-{zlib.crc32(repr(ends).encode()) & 0xFFFFFFFF:08x}"


def _corpus(spec: dict[str, Any], base: Path) -> tuple[Corpus, Tokenizer | None, int]:
    sources = spec["text"]
    tokens = [base / source for source in sources if source.endswith(".bin")]
    if tokens and len(tokens) < len(sources):
        other = next(source for source in sources if not source.endswith(".bin"))
        what = f"{tokens[0].name} has tokens and {other} has text: one corpus is either"
        raise RunError("data-mixed", what, "text", "turn the text into tokens with the same tokenizer first")
    if tokens:
        # ids on disk say nothing of the tokenizer that made them, unless the program does
        own = None if spec["tokenizer"] == "bytes" else open_tokenizer(spec["tokenizer"], base)
        return memmapped(tokens, spec.get("eot")), own, 0 if own is None else own.size
    own = open_tokenizer(spec["tokenizer"], base)
    return build(documents(sources, base), own.encode), own, own.size
