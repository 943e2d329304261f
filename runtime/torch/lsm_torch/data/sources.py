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
        for path in files_of(source, base):
            seen[path] = None
    for path in seen:
        for text in _parse(path):
            if text:
                yield text


def files_of(source: str, base: Path) -> list[Path]:
    """The files that one path, pattern or package names, by path."""
    if source.startswith("npm:"):
        return _package(source, base)
    path = base / source
    if not any(mark in source for mark in "*?[{") or path.is_file():
        return [path]
    start, pattern = base, source
    if Path(source).is_absolute():
        start, pattern = Path(path.anchor), source[len(path.anchor) :]
    found = sorted((path for path in start.glob(pattern) if path.is_file()), key=_order)
    if not found:
        help = "give a pattern that some file matches; with --data FILE… train.py reads others instead"
        raise RunError("data-missing", "no file matches", f"text {source!r} (in {base.resolve()})", help)
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
        f"run `npm install {name}`, or give train.py other texts with --data FILE…",
    )


def read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise RunError("file-missing", "there is no such file", str(path), "give a path that is there") from None
    except OSError as error:
        raise RunError("file-access", f"cannot read it: {error.strerror}", str(path)) from None
    nul = raw.find(b"\0")
    if nul >= 0:
        help = "name text files only; ids are read from files that end in .bin"
        raise RunError("data-binary", f"this is not text: byte {nul} is zero", str(path), help)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        help = "convert it, for example with `iconv -f latin1 -t utf8`, or leave it out"
        raise RunError("data-not-utf8", f"line {line} is not valid UTF-8", f"{path}:{line}", help) from None


def _parse(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        yield from _parquet(path)
        return
    text = read_text(path)
    if path.suffix != ".jsonl":
        yield text
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _document(line, f"{path}:{number}", number)


def _document(line: str, where: str, number: int) -> str:
    try:
        text = json.loads(line)["text"]
    except (json.JSONDecodeError, KeyError, TypeError, RecursionError):
        text = None
    if isinstance(text, str):
        return text
    what = f"line {number} is not a JSON object with a string `text`"
    raise RunError("data-bad-jsonl", what, where, 'every line is an object such as {"text": "a document"}')


def _parquet(path: Path) -> Iterator[str]:
    try:
        from pyarrow import ArrowException, parquet  # type: ignore[import-untyped, import-not-found]
    except ImportError:
        what = "reading .parquet needs pyarrow, which is not installed"
        raise RunError("pyarrow-missing", what, str(path), "run `pip install pyarrow`") from None
    try:
        file = parquet.ParquetFile(path)
        if "text" not in file.schema_arrow.names:
            names = ", ".join(file.schema_arrow.names)
            what = f"there is no column `text`; its columns are {names}"
            raise RunError("data-bad-parquet", what, str(path), "rename the column of texts to `text`")
        for batch in file.iter_batches(columns=["text"]):
            yield from (text for text in batch.column(0).to_pylist() if isinstance(text, str))
    except FileNotFoundError:
        raise RunError("file-missing", "there is no such file", str(path), "give a path that is there") from None
    except (ArrowException, OSError) as error:
        raise RunError("data-bad-parquet", f"this is no parquet file: {error}", str(path)) from None
