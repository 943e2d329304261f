"""Comma-separated values (RFC 4180): titles in the first line, then one row a line.

Quoted cells may hold commas, quotes written twice, and line ends. What is not a table is refused with the line it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import RunError

_MOST_COLUMNS = 10_000
_LONGEST = 10_000  # characters in a cell: an unclosed quote takes in the rest of the file
_NEEDS = "the first line has the columns' titles, every other line is one point in time"
_CLOSE = "close the quote, or take it away"

_PLAIN = re.compile(r"[^,\r\n]*")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    titles: list[str]
    columns: list[list[str]]  # cells by column; every column has one of every row
    lines: list[int]  # of the file that each row begins in, from 1


def parse_csv(text: str, where: str) -> Table:
    """`where` is the file's name, for messages."""
    rows = _rows(text.removeprefix("\ufeff"), where)
    first = next(rows, None)
    if first is None:
        raise RunError("csv-no-table", "the file is empty", where, _NEEDS)
    titles = [title.strip() for title in first[0]]
    _check_titles(titles, f"{where}:{first[1]}")
    found: list[list[str]] = []
    lines: list[int] = []
    for cells, line in rows:
        if len(cells) != len(titles):
            what = (
                f"line {line} has {len(cells)} cell{'' if len(cells) == 1 else 's'}, and the titles are {len(titles)}"
            )
            help = "every row has a cell for each column; one with a comma in it stands in quotes"
            raise RunError("csv-uneven-row", what, f"{where}:{line}", help)
        found.append(cells)
        lines.append(line)
    if not found:
        raise RunError("csv-no-table", "there is no row below the titles", where, _NEEDS)
    return Table(titles, [list(column) for column in zip(*found, strict=True)], lines)


def number_in(cell: str) -> float | None:
    """A decimal number of usual size; None for anything else, such as `0x10`, `NaN`, `1,5` or nothing at all."""
    text = cell.strip()
    if not _NUMBER.fullmatch(text) or not text.isascii():
        return None
    value = float(text)
    return value if abs(value) < 1e30 else None  # its square is still a float32's


def _rows(text: str, where: str) -> Iterator[tuple[list[str], int]]:
    """The rows that have something in them, each with its line."""
    line, at = 1, 0
    while at < len(text):
        began, cells, more = line, [], True
        while more:
            value, end = _cell(text, at, f"{where}:{line}")
            line += text.count("\n", at, end)
            cells.append(value)
            more = text[end : end + 1] == ","
            at = end + more
            if len(cells) > _MOST_COLUMNS:
                raise RunError("csv-no-table", f"more than {_MOST_COLUMNS} columns", f"{where}:{line}", _NEEDS)
        at += text[at : at + 1] == "\r"
        at += text[at : at + 1] == "\n"
        line += 1
        if len(cells) > 1 or cells[0].strip():
            yield cells, began


def _cell(text: str, at: int, where: str) -> tuple[str, int]:
    """The cell that begins at `at`, and where its comma or its line's end stands."""
    if text[at : at + 1] != '"':
        match = _PLAIN.match(text, at, at + _LONGEST + 1)
        assert match is not None
        if match.end() - at > _LONGEST:
            raise RunError("csv-bad-quote", f"a cell has more than {_LONGEST} characters", where, _CLOSE)
        return match[0], match.end()
    match = _QUOTED.match(text, at, at + _LONGEST + 2)
    if match is None:
        raise RunError("csv-bad-quote", "a quote is not closed", where, _CLOSE)
    end = match.end()
    if end < len(text) and text[end] not in ",\r\n":
        help = 'inside of quotes write a quote twice: "a ""b"" c"'
        raise RunError("csv-bad-quote", "something follows a closing quote", where, help)
    return match[1].replace('""', '"'), end


def _check_titles(titles: list[str], where: str) -> None:
    again = next((title for i, title in enumerate(titles) if title in titles[:i]), None)
    if again is not None:
        help = "give every column a title of its own"
        raise RunError("csv-bad-title", f'two columns are called "{again}"', where, help)
    if all(title == "" or number_in(title) is not None for title in titles):
        raise RunError("csv-bad-title", "the first line has no titles, only numbers", where, _NEEDS)
