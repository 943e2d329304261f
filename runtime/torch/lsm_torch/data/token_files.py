"""Ids as they lie on disk, mapped and never copied: nanoGPT's .bin (uint16, one document), llm.c's, which has a header before that, or
Megatron's with an .idx beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError
from .corpus import Corpus
from .stretches import Ids, Stretches

_MAGIC = b"MMIDIDX\x00\x00"
_HEADER = (
    34  # magic, version (int64), the ids' type (a byte), and how many sequences and documents there are (int64 each)
)
#: Of llm.c's .bin: 256 numbers of 4 bytes, of which the first three are these, the version 1, and how many ids follow.
_LLM_C, _LLM_C_HEADER = 20240520, 1024
#: Ids that are looked through at a time.
_SCANNED = 2**24
_TYPES = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 8: np.uint16}


def memmapped(paths: list[Path], eot: int | None = None) -> Corpus:
    """All files mapped, one after the other. Where no index parts a file into documents, they end behind the id `eot`, if it is given."""
    parts: list[Ids] = []
    lengths: list[NDArray[np.int64]] = []
    for path in paths:
        ids, own = _open(path, eot)
        parts.append(ids)
        lengths.append(own)
    tokens = parts[0] if len(parts) == 1 else Stretches.joined(parts)
    every = np.concatenate(lengths)
    return Corpus(tokens, np.concatenate(([0], np.cumsum(every[every > 0]))))


def _open(path: Path, eot: int | None) -> tuple[Ids, NDArray[np.int64]]:
    """The ids, and the lengths of the documents."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise RunError("file-missing", "there is no such file", str(path), "give the path of a .bin file") from None
    index = path.with_suffix(".idx")
    kind, lengths = _index(index) if index.exists() else (np.dtype(np.uint16), None)
    if size == 0 or size % kind.itemsize != 0:
        what = f"the file has {size} bytes, which is no number of {kind.name} ids"
        raise RunError(
            "data-bad-tokens", what, str(path), "write the file again: it was cut short, or has ids of another type"
        )
    ids = np.memmap(path, kind, "r")
    if lengths is None:
        own = _without_header(ids, path)
        return own, _documents(own, eot)
    if int(lengths.sum()) != len(ids):
        what = f"the index tells of {int(lengths.sum()):,} ids, and {path.name} has {len(ids):,}"
        raise RunError("data-bad-index", what, str(index), "take the .idx and the .bin of one preprocessing")
    return ids, lengths


def _documents(ids: Ids, eot: int | None) -> NDArray[np.int64]:
    """The lengths of the documents that end behind the id, or of the only one."""
    whole = np.array([len(ids)])
    if eot is None:
        return whole
    starts = range(0, len(ids), _SCANNED)
    found = [np.flatnonzero(np.asarray(ids[at : at + _SCANNED]) == eot) + at + 1 for at in starts]
    ends = np.unique(np.concatenate((*found, whole)))
    return np.diff(ends, prepend=0)


def _without_header(ids: Ids, path: Path) -> Ids:
    """The uint16 ids; refuses those of 4 bytes, whose upper halves would pass for ids of 0."""
    first = np.asarray(ids[:6]).view(np.int32) if len(ids) >= 6 else np.zeros(3, np.int32)
    if first[0] == _LLM_C:
        count = len(ids) - _LLM_C_HEADER // 2
        if first[1] != 1 or first[2] != count:
            what = f"its header tells of version {first[1]} with {first[2]:,} ids, and the file has {max(0, count):,} of 2 bytes"
            raise RunError(
                "data-bad-tokens", what, str(path), "version 1 of llm.c's format is read; write the file again"
            )
        return ids[_LLM_C_HEADER // 2 :]
    upper = np.asarray(ids[1 : 2**20 : 2])
    if len(upper) >= 32 and not upper.any() and np.asarray(ids[: 2**20 : 2]).any():
        what = "every second id is 0: these are ids of 4 bytes, not of 2"
        raise RunError("data-bad-tokens", what, str(path), "write them as uint16, or with Megatron's .idx beside them")
    return ids


def _index(path: Path) -> tuple[np.dtype[np.generic], NDArray[np.int64]]:
    """The ids' type and every sequence's length, of Megatron-LM's MMapIndexedDataset."""
    raw = path.read_bytes()
    help = "write it again with Megatron-LM's tools/preprocess_data.py, or delete it: the .bin is then one document of uint16"
    if raw[: len(_MAGIC)] != _MAGIC:
        raise RunError("data-bad-index", "this is not a Megatron index", str(path), help)
    if len(raw) < _HEADER:
        raise RunError("data-bad-index", f"the index ends after {len(raw)} bytes, within its header", str(path), help)
    if raw[17] not in _TYPES:
        raise RunError(
            "data-bad-index", f"its ids have the type {raw[17]}, which are no whole numbers", str(path), help
        )
    count = int(np.frombuffer(raw, np.int64, 1, 18)[0])
    if count < 1 or len(raw) < _HEADER + 12 * count:  # lengths (int32) and places (int64)
        what = f"the index tells of {count:,} sequences, and its {len(raw):,} bytes have no room for them"
        raise RunError("data-bad-index", what, str(path), help)
    lengths = np.frombuffer(raw, np.int32, count, _HEADER).astype(np.int64)
    if lengths.min() < 0:
        raise RunError("data-bad-index", "a sequence has a negative length", str(path), help)
    return np.dtype(_TYPES[raw[17]]), lengths
