"""What is read from disk: every file that is not what it should be ends in a message that names it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lsm_torch.data import open_data
from lsm_torch.data.baselines import baselines
from lsm_torch.data.corpus import Corpus, split
from lsm_torch.data.rows import Batch, MeasuringRows, TrainingRows
from lsm_torch.data.series import open_series
from lsm_torch.data.stretches import Stretches
from lsm_torch.data.token_files import memmapped
from lsm_torch.errors import RunError

FIELDS = list(Batch.__dataclass_fields__)


def opened(folder: Path, name: str, tokenizer: Any = "bytes") -> Any:
    spec = {"kind": "text", "text": [name], "tokenizer": tokenizer, "seq": 4, "pack": True}
    return open_data(spec, folder, 1)


def index(lengths: list[int], kind: int = 8, count: int | None = None) -> bytes:
    """Megatron-LM's MMapIndexedDataset."""
    head = b"MMIDIDX\x00\x00" + struct.pack(
        "<QBQQ", 1, kind, len(lengths) if count is None else count, len(lengths) + 1
    )
    places = [2 * sum(lengths[:i]) for i in range(len(lengths))]
    return head + np.asarray(lengths, np.int32).tobytes() + np.asarray(places, np.int64).tobytes()


def ids(count: int) -> bytes:
    return np.arange(count, dtype=np.uint16).tobytes()


def llm_c(raw: bytes, version: int = 1, count: int | None = None) -> bytes:
    """llm.c's tokens: a header of 256 numbers of 4 bytes before them."""
    head = np.zeros(256, np.int32)
    head[:3] = 20240520, version, len(raw) // 2 if count is None else count
    return head.tobytes() + raw


HOSTILE: list[tuple[str, dict[str, bytes], str]] = [
    ("a.txt", {}, "file-missing"),
    ("a.txt", {"a.txt": b""}, "data-empty"),
    ("a.txt", {"a.txt": b"x" * 3}, "data-too-short"),
    ("a.txt", {"a.txt": b"fine\n\xff\xfe no"}, "data-not-utf8"),
    ("a.txt", {"a.txt": b"PK\x03\x04\x00\x00"}, "data-binary"),
    ("*.txt", {}, "data-missing"),
    ("npm:no-such-package", {}, "npm-package-missing"),
    ("a.jsonl", {"a.jsonl": b'{"text": "fine"}\n{"text": 3}'}, "data-bad-jsonl"),
    ("a.jsonl", {"a.jsonl": b'{"text": "fine"}\n{"te'}, "data-bad-jsonl"),
    ("a.jsonl", {"a.jsonl": b"[" * 100_000}, "data-bad-jsonl"),
    ("a.parquet", {"a.parquet": b"PAR1 cut short"}, "data-bad-parquet"),
    ("a.parquet", {}, "file-missing"),
    ("a.bin", {}, "file-missing"),
    ("a.bin", {"a.bin": b""}, "data-bad-tokens"),
    ("a.bin", {"a.bin": ids(9)[:-1]}, "data-bad-tokens"),
    ("a.bin", {"a.bin": np.arange(900, dtype=np.uint32).tobytes()}, "data-bad-tokens"),
    ("a.bin", {"a.bin": llm_c(ids(900), count=800)}, "data-bad-tokens"),
    ("a.bin", {"a.bin": llm_c(ids(900), version=2)}, "data-bad-tokens"),
    ("a.bin", {"a.bin": ids(9), "a.idx": b"GARBAGE"}, "data-bad-index"),
    ("a.bin", {"a.bin": ids(9), "a.idx": index([4, 5])[:20]}, "data-bad-index"),
    ("a.bin", {"a.bin": ids(9), "a.idx": index([4, 5])[:40]}, "data-bad-index"),
    ("a.bin", {"a.bin": ids(9), "a.idx": index([4, 5], count=2**60)}, "data-bad-index"),
    ("a.bin", {"a.bin": ids(9), "a.idx": index([4, 5], kind=6)}, "data-bad-index"),
    ("a.bin", {"a.bin": ids(9), "a.idx": index([12, -3])}, "data-bad-index"),
    ("a.bin", {"a.bin": ids(8), "a.idx": index([4, 5])}, "data-bad-index"),
]


@pytest.mark.parametrize(("name", "files", "code"), HOSTILE, ids=[f"{one[2]}-{i}" for i, one in enumerate(HOSTILE)])
def test_what_is_wrong_is_said(tmp_path: Path, name: str, files: dict[str, bytes], code: str) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    for path, raw in files.items():
        (tmp_path / path).write_bytes(raw)
    with pytest.raises(RunError) as error:
        opened(tmp_path, name)
    assert error.value.code == code
    assert error.value.where and error.value.what


def test_patterns_may_be_absolute_and_paths_may_look_like_patterns(tmp_path: Path) -> None:
    (tmp_path / "a[1].txt").write_text("some words and more of them")
    found = opened(tmp_path, "a[1].txt").summary
    assert opened(Path("elsewhere"), str(tmp_path / "a*.txt")).summary == found
    assert opened(Path("elsewhere"), str(tmp_path / "a[1].txt")).summary == found


def test_tokens_behind_a_header_of_llm_c(tmp_path: Path) -> None:
    for name, raw in (("a.bin", ids(900)), ("b.bin", llm_c(ids(900)))):
        (tmp_path / name).write_bytes(raw)
    assert opened(tmp_path, "b.bin").summary == opened(tmp_path, "a.bin").summary
    assert opened(tmp_path, "b.bin").fingerprint == opened(tmp_path, "a.bin").fingerprint


def test_tokens_on_disk_stay_there(tmp_path: Path) -> None:
    """Several files, and documents of which some are held out, are the rows that one file in memory gives."""
    lengths = [int(n) for n in np.random.default_rng(3).integers(1, 30, 90)]
    raw = np.random.default_rng(4).integers(0, 200, sum(lengths)).astype(np.uint16)
    cut = sum(lengths[:40])
    for name, ids_of, own in (("a", raw[:cut], lengths[:40]), ("b", raw[cut:], lengths[40:]), ("all", raw, lengths)):
        (tmp_path / f"{name}.bin").write_bytes(ids_of.tobytes())
        (tmp_path / f"{name}.idx").write_bytes(index(own))
    mapped = memmapped([tmp_path / "a.bin", tmp_path / "b.bin"])
    one = memmapped([tmp_path / "all.bin"])
    held = Corpus(raw, np.concatenate(([0], np.cumsum(lengths))))
    few = [split(corpus.as_one(), 0.2, 5) for corpus in (mapped, held)]
    assert isinstance(few[0][0].tokens, Stretches) and few[0][0].fingerprint() == few[1][0].fingerprint()
    parts = [split(corpus, 0.2, 5) for corpus in (mapped, one, held)]
    assert isinstance(parts[0][0].tokens, Stretches) and isinstance(parts[1][0].tokens, Stretches)
    assert isinstance(parts[2][0].tokens, np.ndarray)
    for learnt, kept in parts:
        assert kept is not None and learnt.fingerprint() == parts[2][0].fingerprint()
        rows, expected = TrainingRows(learnt, 16, 1), TrainingRows(parts[2][0], 16, 1)
        assert all(torch.equal(getattr(rows.batch(3, 9), n), getattr(expected.batch(3, 9), n)) for n in FIELDS)
        measured, known = MeasuringRows(kept, 16), MeasuringRows(parts[2][1], 16)  # type: ignore[arg-type]
        assert measured.rows == known.rows
        assert all(torch.equal(getattr(measured.batch(0, 9), n), getattr(known.batch(0, 9), n)) for n in FIELDS)


def test_a_tokenizer_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "a.txt").write_text("some words")
    for text, code in (("{}", "bad-tokenizer"), ("not json", "bad-tokenizer"), (None, "file-missing")):
        if text is not None:
            (tmp_path / "own.json").write_text(text)
        with pytest.raises(RunError) as error:
            opened(tmp_path, "a.txt", {"json": "own.json" if text is not None else "none.json"})
        assert error.value.code == code


def test_parquet_without_texts(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"body": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(RunError, match="its columns are body"):
        opened(tmp_path, "a.parquet")


SERIES: list[tuple[str, str]] = [
    ("", "csv-no-table"),
    ("a,b\n", "csv-no-table"),
    ("a,b\n1\n", "csv-uneven-row"),
    ("a,a\n1,2\n", "csv-bad-title"),
    ("1,2\n3,4\n", "csv-bad-title"),
    ('a,b\n"1,2\n', "csv-bad-quote"),
    ('a,b\n"1"x,2\n', "csv-bad-quote"),
    ("a,b\nx,y\n", "series-no-channel"),
    ("a,b\n1,2\n3,nan\n", "series-not-a-number"),
    ("a,b\n1,2\n3,1e40\n", "series-not-a-number"),
    ("a,b\n1,2\n3,4\n", "data-too-short"),
]


@pytest.mark.parametrize(("text", "code"), SERIES, ids=[f"{one[1]}-{i}" for i, one in enumerate(SERIES)])
def test_tables_that_are_none(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    spec = {"kind": "series", "csv": "a.csv", "columns": None, "split": [0.7, 0.1]}
    spec |= {"lookback": 3, "horizon": 2, "channels": None, "tokens": 1}
    with pytest.raises(RunError) as error:
        open_series(spec, tmp_path)
    assert error.value.code == code


def test_counts_of_pairs_stop_at_documents() -> None:
    """Two documents, held out the same: after 0 comes 1, after 1 nothing."""
    corpus = Corpus(np.array([0, 1, 0, 1], np.uint8), np.array([0, 2, 4]))
    found = baselines(corpus, corpus, 4)
    assert found.unigram == pytest.approx(-np.log(2.001 / 4.004), rel=1e-6)  # 1 follows, with half of the tokens
    assert found.bigram == pytest.approx(-np.log(2.001 / 2.004), rel=1e-6)
    assert json.dumps(found.bigram) != json.dumps(found.unigram)
