"""Flags that take the place of settings; a resumed run keeps those it was started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RunError


@dataclass(frozen=True)
class Overrides:
    steps: int | None
    seed: int | None
    data: list[str] | None  # absolute paths
    tokenizer: str | None
    eot: int | None

    @staticmethod
    def of(options: Any, before: dict[str, Any]) -> Overrides:
        data = None if options.data is None else [_absolute(path) for path in options.data]
        tokenizer = None if options.tokenizer is None else _absolute(options.tokenizer)
        given = {"steps": options.steps, "seed": options.seed, "data": data, "tokenizer": tokenizer, "eot": options.eot}
        return Overrides(**{name: before.get(name) if x is None else x for name, x in given.items()})

    def kept(self) -> dict[str, Any]:
        """For checkpoints."""
        always = {"steps": self.steps, "seed": self.seed}
        others = {"data": self.data, "tokenizer": self.tokenizer, "eot": self.eot}
        return always | {name: x for name, x in others.items() if x is not None}

    def applied(self, settings: dict[str, Any]) -> dict[str, Any]:
        own = dict(settings)
        data = own["data"] = dict(own["data"])
        if self.steps is not None:
            own["steps"] = self.steps
        if self.data is None and not self.of_texts:
            return own
        if data["kind"] == "text":
            data |= {} if self.data is None else {"text": self.data}
            data |= {} if self.tokenizer is None else {"tokenizer": {"json": self.tokenizer}}
            if self.eot is not None:
                data["eot"] = self.eot
                if not all(path.endswith(".bin") for path in data["text"]):
                    help = "texts are parted by their files, or by the lines of a .jsonl"
                    raise RunError("data-flags", "documents that an id ends are those of .bin files", "--eot", help)
        elif data["kind"] == "series" and self.data is not None and len(self.data) == 1 and not self.of_texts:
            data["csv"] = self.data[0]
        else:
            what = f"the model learns from `{data['kind']}`, which these flags do not fit"
            help = "--data and --tokenizer are for texts; a series is one table, given as --data FILE.csv"
            raise RunError("data-flags", what, "--data", help)
        return own

    @property
    def of_texts(self) -> bool:
        return self.tokenizer is not None or self.eot is not None


def _absolute(path: str) -> str:
    return path if path.startswith("npm:") else str(Path(path).absolute())
