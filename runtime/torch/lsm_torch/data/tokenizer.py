"""Text to ids and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..errors import RunError
from .corpus import Ids


class Tokenizer(Protocol):
    size: int  # ids are below it

    def encode(self, text: str) -> Ids: ...

    def decode(self, ids: list[int]) -> str:
        """Ids that end within a character end in U+FFFD."""
        ...

    def describe(self) -> dict[str, Any]:
        """As checkpoints hold it."""
        ...


class BytesTokenizer:
    """Ids are the bytes of UTF-8."""

    size = 256

    def encode(self, text: str) -> Ids:
        return np.frombuffer(text.encode(), np.uint8)

    def decode(self, ids: list[int]) -> str:
        return bytes(ids).decode("utf-8", errors="replace")

    def describe(self) -> dict[str, Any]:
        return {"kind": "bytes"}


class JsonTokenizer:
    """A Hugging Face tokenizer.json, without special tokens around a text."""

    def __init__(self, path: Path) -> None:
        try:
            from tokenizers import Tokenizer as Given  # type: ignore[import-untyped, import-not-found]
        except ImportError:
            what = "a tokenizer.json needs the package tokenizers, which is not installed"
            raise RunError("tokenizers-missing", what, str(path), "run `pip install tokenizers`") from None
        self.name = path.name
        try:
            self.json = path.read_text(encoding="utf-8")
            json.loads(self.json)
            self.own = Given.from_str(self.json)
        except FileNotFoundError:
            raise RunError("file-missing", "there is no such file", str(path), "give the tokenizer's path") from None
        except Exception as error:  # noqa: BLE001  the package raises nothing more particular
            help = "give a tokenizer.json as Hugging Face's tokenizers writes it"
            raise RunError("bad-tokenizer", f"this is no tokenizer: {error}", str(path), help) from None
        self.size = self.own.get_vocab_size()

    def encode(self, text: str) -> Ids:
        return np.asarray(self.own.encode(text, add_special_tokens=False).ids, np.int32)

    def decode(self, ids: list[int]) -> str:
        return str(self.own.decode(ids, skip_special_tokens=False))

    def describe(self) -> dict[str, Any]:
        return {"kind": "tokenizer.json", "name": self.name, "json": self.json}


def open_tokenizer(choice: Any, base: Path) -> Tokenizer:
    """`bytes`, or {"json": path}."""
    return BytesTokenizer() if choice == "bytes" else JsonTokenizer(base / choice["json"])
