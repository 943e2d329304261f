"""Documents out of files: text, .jsonl, .parquet, and the text of npm packages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ..errors import RunError


def documents(sources: list[str], base: Path) -> Iterator[str]:
    """Every document of the sources in turn; a pattern's files by path, each file once, empty documents left out."""
    seen: dict[Path, None] = {}
    for source in sources:
        for path in _files(source, base):
            seen[path] = None
    for path in seen:
        for text in _parse(path):
            if text:
                yield text


def _files(source: str, base: Path) -> list[Path]:
    if source.startswith("npm:"):
        return _package(source, base)
    if not any(mark in source for mark in "*?[{"):
        return [base / source]
    found = sorted((path for path in base.glob(source) if path.is_file()), key=_order)
    if not found:
        raise RunError("data-missing", "no file matches", f"text {source!r} (in {base.resolve()})")
    return found


def _order(path: Path) -> bytes:
    return path.as_posix().encode("utf-16-be")  # by UTF-16 code units


def _package(source: str, base: Path) -> list[Path]:
    parts = source[4:].split("/")
    count = 2 if parts[0].startswith("@") else 1
    name, pattern = "/".join(parts[:count]), "/".join(parts[count:])
    for start in (base.resolve(), Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            home = folder / "node_modules" / name
            if not (home / "package.json").exists():
                continue
            if pattern:
                return sorted(home.glob(pattern), key=_order)
            listed = home / "data" / "file_list.json"
            if listed.exists():
                return [home / "data" / file for file in json.loads(listed.read_text())]
            endings = {".txt", ".md", ".jsonl"}
            own = (path for path in (home / "data").rglob("*") if path.suffix in endings)
            return sorted(own, key=_order)
    raise RunError(
        "npm-package-missing",
        f"the npm package {name} is not installed",
        f"text {source!r} (looked in node_modules of {base.resolve()} and above)",
        f"run `npm install {name}`",
    )


def _parse(path: Path) -> Iterator[str]:
    try:
        if path.suffix == ".parquet":
            yield from _parquet(path)
            return
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise RunError("file-missing", "there is no such file", str(path)) from None
    except UnicodeDecodeError as error:
        what = f"this is not valid UTF-8, from byte {error.start} on"
        raise RunError("data-not-utf8", what, str(path), "convert it, or leave it out") from None
    if path.suffix != ".jsonl":
        yield text
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield str(json.loads(line)["text"])
        except (json.JSONDecodeError, KeyError, TypeError):
            what = f"line {number} is not a JSON object with a string `text`"
            raise RunError("data-bad-jsonl", what, f"{path}:{number}") from None


def _parquet(path: Path) -> Iterator[str]:
    try:
        from pyarrow import parquet  # type: ignore[import-untyped, import-not-found]
    except ImportError:
        what = "reading .parquet needs pyarrow, which is not installed"
        raise RunError("pyarrow-missing", what, str(path), "run `pip install pyarrow`") from None
    for batch in parquet.ParquetFile(path).iter_batches(columns=["text"]):
        yield from batch.column(0).to_pylist()
