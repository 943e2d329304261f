"""Opens what a `data` block describes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError
from .corpus import Corpus, Ids, build, split
from .mqar import MqarRows
from .mqar import check as check_mqar
from .rows import MeasuringRows, TrainingRows
from .sources import documents


@dataclass(frozen=True)
class OpenedData:
    train: TrainingRows | MqarRows
    held_out: MeasuringRows | MqarRows | None
    tokenizer: dict[str, Any] | None  # as checkpoints describe it
    fingerprint: str
    summary: str
    vocabulary: int


def open_data(spec: dict[str, Any], base: Path, seed: int) -> OpenedData:
    """`spec` as `lsm build` writes it; paths start from `base`."""
    if spec["kind"] == "mqar":
        return _recall(spec, seed)
    if spec["kind"] != "text":
        what = f"the torch trainer learns from text and recall, and not yet from `{spec['kind']}`"
        raise RunError("data-kind", what, "the data block", "train it with --target tfjs")
    seq, pack = spec["seq"], spec["pack"]
    corpus, tokenizer, vocabulary = _corpus(spec, base)
    learnt, held = split(corpus, spec.get("heldOut", 0.05), seed)
    if not pack:
        learnt = learnt.as_one()
        held = None if held is None else held.as_one()
    if held is not None and len(held.tokens) <= held.documents:
        held = None
    count = "none" if held is None else f"{len(held.tokens):,} tokens"
    return OpenedData(
        train=TrainingRows(learnt, seq, seed),
        held_out=None if held is None else MeasuringRows(held, seq),
        tokenizer=tokenizer,
        fingerprint=learnt.fingerprint() if len(learnt.tokens) < 2**26 else _short(learnt),
        summary=f"{corpus.documents:,} documents, {len(corpus.tokens):,} tokens, {count} held out",
        vocabulary=vocabulary,
    )


def _recall(spec: dict[str, Any], seed: int) -> OpenedData:
    check_mqar(spec)
    train = MqarRows(spec, seed, "train", 0)
    held = spec.get("heldOut", 512)
    vocab = train.numbers[2]
    return OpenedData(
        train=train,
        held_out=MqarRows(spec, seed, "held-out", held) if held > 0 else None,
        tokenizer=None,
        fingerprint=train.fingerprint(),
        summary=f"multi-query associative recall, {vocab} ids, {held} rows held out",
        vocabulary=vocab,
    )


def _short(corpus: Corpus) -> str:
    """For corpora so large that hashing every id would take longer than opening them."""
    ends = (*corpus.tokens[:64].tolist(), *corpus.tokens[-64:].tolist())
    return f"{corpus.documents}-{len(corpus.tokens)}-{zlib.crc32(repr(ends).encode()) & 0xFFFFFFFF:08x}"


def _corpus(spec: dict[str, Any], base: Path) -> tuple[Corpus, dict[str, Any] | None, int]:
    sources = spec["text"]
    tokens = [base / source for source in sources if source.endswith(".bin")]
    if tokens:
        return _memmap(tokens), None, 0
    if spec["tokenizer"] == "bytes":
        return build(documents(sources, base), _bytes), {"kind": "bytes"}, 256
    path = base / spec["tokenizer"]["json"]
    try:
        from tokenizers import Tokenizer  # type: ignore[import-untyped, import-not-found]
    except ImportError:
        what = "a tokenizer.json needs the package tokenizers, which is not installed"
        raise RunError("tokenizers-missing", what, str(path), "run `pip install tokenizers`") from None
    own = Tokenizer.from_file(str(path))

    def encode(text: str) -> Ids:
        return np.asarray(own.encode(text, add_special_tokens=False).ids, np.int32)

    described = {"kind": "tokenizer.json", "name": path.name, "json": path.read_text()}
    return build(documents(sources, base), encode), described, own.get_vocab_size()


def _bytes(text: str) -> Ids:
    return np.frombuffer(text.encode(), np.uint8)


def _memmap(paths: list[Path]) -> Corpus:
    """Ids as they lie on disk: nanoGPT's .bin (uint16, one document), or Megatron's with an .idx beside it."""
    parts: list[Ids] = []
    lengths: list[int] = []
    for path in paths:
        index = path.with_suffix(".idx")
        if not index.exists():
            parts.append(np.memmap(path, np.uint16, "r"))
            lengths.append(len(parts[-1]))
            continue
        raw = index.read_bytes()
        if raw[:9] != b"MMIDIDX\x00\x00":
            raise RunError("data-bad-index", "this is not a Megatron index", str(index))
        kinds = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 8: np.uint16}
        count = int(np.frombuffer(raw, np.int64, 1, 18)[0])
        lengths += np.frombuffer(raw, np.int32, count, 34).tolist()
        parts.append(np.memmap(path, kinds[raw[17]], "r"))
    tokens = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return Corpus(tokens, np.cumsum([0, *lengths]))
