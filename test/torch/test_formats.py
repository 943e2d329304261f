"""Every format of data gives the same losses of the same documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lsm_torch.data.token_files import memmapped
from test_trainer import losses, train
from tiny_project import texts, write_project


def test_formats_of_data(tmp_path: Path) -> None:
    """The same documents in every format give the same losses."""
    ids = [np.frombuffer(text.encode(), np.uint8).astype(np.uint16) for text in texts()]
    expected = None
    for name in ("text.jsonl", "text.parquet", "megatron.bin", "words.jsonl"):
        tokenizer: Any = {"json": "tokenizer.json"} if name == "words.jsonl" else "bytes"
        folder = write_project(tmp_path / name, name, tokenizer)
        if name.endswith(".jsonl"):
            (folder / name).write_text("".join(json.dumps({"text": text}) + "\n" for text in texts()))
        elif name.endswith(".parquet"):
            parquet = pytest.importorskip("pyarrow.parquet")
            parquet.write_table(pytest.importorskip("pyarrow").table({"text": texts()}), folder / name)
        else:
            np.concatenate(ids).tofile(folder / name)
            megatron_index(folder / "megatron.idx", [len(one) for one in ids])
        if name == "words.jsonl":
            pytest.importorskip("tokenizers")
            bytes_tokenizer(folder / "tokenizer.json")
        assert train(folder) == 0
        found = losses(folder)
        expected = expected or found
        assert found == expected, name


def test_an_id_may_end_documents(tmp_path: Path) -> None:
    raw = np.array([5, 6, 9, 9, 7, 8, 9, 1, 2], np.uint16)
    (tmp_path / "a.bin").write_bytes(raw.tobytes())
    for eot, starts in ((None, [0, 9]), (9, [0, 3, 4, 7, 9]), (2, [0, 9]), (77, [0, 9])):
        assert memmapped([tmp_path / "a.bin"], eot).starts.tolist() == starts


def test_nanogpt_tokens_are_one_document(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "bin", "tokens.bin", pack=False)
    raw = "".join(texts()).encode()
    np.frombuffer(raw, np.uint8).astype(np.uint16).tofile(folder / "tokens.bin")
    same = write_project(tmp_path / "text", "all.txt", pack=False)
    (same / "all.txt").write_bytes(raw)
    assert train(folder) == 0 and train(same) == 0
    assert losses(folder) == losses(same)


def megatron_index(path: Path, lengths: list[int]) -> None:
    """Megatron-LM's MMapIndexedDataset: a document a sequence, uint16 ids."""
    count = np.asarray
    starts = 2 * np.cumsum([0, *lengths[:-1]])
    path.write_bytes(
        b"MMIDIDX\x00\x00"
        + (1).to_bytes(8, "little")
        + bytes([8])
        + len(lengths).to_bytes(8, "little")
        + (len(lengths) + 1).to_bytes(8, "little")
        + count(lengths, np.int32).tobytes()
        + count(starts, np.int64).tobytes()
        + np.arange(len(lengths) + 1, dtype=np.int64).tobytes()
    )


def bytes_tokenizer(path: Path) -> None:
    """A tokenizer.json whose ids are the bytes of ASCII text."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    own = Tokenizer(models.WordLevel({chr(i): i for i in range(128)}, unk_token="\x00"))
    own.pre_tokenizer = pre_tokenizers.Split(Regex("[\\s\\S]"), "isolated")
    own.save(str(path))
