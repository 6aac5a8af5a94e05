"""Rows of tables: delimited text and JSON lines."""

import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from keras_recipes.data.series import times
from keras_recipes.data.series.preamble import Beginning
from keras_recipes.data.series.records import FORMER, Reading, Refuse, Row, Rows
from keras_recipes.errors import InputError

LONGEST_NAMES = 1 << 20
"""The most characters of the names of a JSON object's cells together."""


def csv_rows(
    source: str,
    lines: Iterator[str],
    beginning: Beginning,
    reading: Reading,
    known: Sequence[str] | None,
    refuse: Refuse,
) -> Rows:
    """Return the rows of delimited text.

    Args:
        source: The name of the lines in messages.
        lines: The lines from the first on.
        beginning: Where the rows begin.
        reading: The reading; its delimiter is not empty.
        known: The names of the columns if there is no header and as many cells.
        refuse: Gets the message about a malformed row, which is then skipped.
    """
    return Rows(f"{source} line", _csv(source, lines, beginning, reading, known, refuse))


def _csv(
    source: str,
    lines: Iterator[str],
    beginning: Beginning,
    reading: Reading,
    known: Sequence[str] | None,
    refuse: Refuse,
) -> Iterator[Row]:
    before, header, names = beginning.lines, beginning.header, beginning.names
    comments = reading != FORMER
    reader = csv.reader(itertools.islice(lines, before, None), delimiter=reading.delimiter)
    marks = False  # whether a `#` marks a comment, as the rows before do not begin with it
    try:
        for cells in reader:
            # Concatenated tables repeat the header, and rows may be commented out.
            if not cells or cells == header or _is_blank(cells) or (marks and _is_comment(cells)):
                continue
            marks = comments and cells[0][:1] != "#"
            if names is None:
                fits = known is not None and len(known) == len(cells)
                names = list(known) if known and fits else positions(cells)
            if wrong := _wrong(cells, len(names), reading):
                if comments and (cells[0][:1] == "#" or cells[-1].startswith("LINUX-RESTART")):
                    continue
                message = f"{source} line {before + reader.line_num}: {wrong}"
                if refuse is None:
                    raise InputError(message)
                refuse(message)
                continue
            yield before + reader.line_num, dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise InputError(f"{source} line {before + reader.line_num}: not CSV: {error}") from None


def _wrong(cells: Sequence[str], width: int, reading: Reading) -> str:
    """Return what is wrong about a row; empty if nothing is."""
    if len(cells) != width:
        return f"expected {width} cells, received {len(cells)}"
    if reading == FORMER:
        return ""
    inner = [line for cell in cells if "\n" in cell for line in cell.splitlines()[1:]]
    if any(_is_row(line.split(reading.delimiter), width) for line in inner):
        return (
            "expected the closing quotation mark of a cell, received more rows of the table; "
            "repair the line where the cell begins"
        )
    return ""


def _is_row(cells: Sequence[str], width: int) -> bool:
    return len(cells) == width and any(map(times.is_number_or_time, cells))


def _is_comment(cells: Sequence[str]) -> bool:
    """Return whether a row with a time was commented out; `#N/A` and `#1` are cells."""
    first = cells[0]
    return first[:1] == "#" and (times.is_time(first[1:]) or times.is_epoch_text(first[1:]))


def _is_blank(cells: Sequence[str]) -> bool:
    return not cells[0].strip() and not any(map(str.strip, cells))


def positions(cells: Sequence[str]) -> list[str]:
    """Return names for the columns of a table without a header."""
    timed = [number for number, cell in enumerate(cells) if times.is_time(cell)]
    time = timed[0] if timed else None
    values = sum(number != time for number in range(len(cells)))
    others = ("value",) if values == 1 else tuple(f"value_{n}" for n in range(1, values + 1))
    names = iter(others)
    return ["timestamp" if number == time else next(names) for number in range(len(cells))]


def json_rows(source: str, lines: Iterable[str], refuse: Refuse) -> Rows:
    """Return the rows of JSON lines; inner objects become `outer.inner`."""
    return Rows(f"{source} line", _json(source, lines, refuse))


def _json(source: str, lines: Iterable[str], refuse: Refuse) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            cells = flat(row) if isinstance(row, dict) else None
        except (ValueError, RecursionError):
            cells = None
        if cells is None:
            message = (
                f"{source} line {number}: expected a JSON object, received {line.strip()[:40]!r}"
            )
            if refuse is None:
                raise InputError(message)
            refuse(message)
            continue
        yield number, cells


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of an object, with inner objects as `outer.inner`.

    Raises:
        ValueError: The names have more than `LONGEST_NAMES` characters together. A line of a
            megabyte could make gigabytes of them, because an outer name is written for each inner.
    """
    cells: dict[str, Any] = {}
    left, objects = LONGEST_NAMES, [("", iter(row.items()))]
    while objects:
        before, items = objects[-1]
        name, value = next(items, (None, None))
        if name is None:
            objects.pop()
            continue
        left -= len(before) + len(name)
        if left < 0:
            raise ValueError("names")
        if isinstance(value, dict):
            objects.append((f"{before}{name}.", iter(value.items())))
        else:
            cells[before + name] = value
    return cells


def numbered(where: str, rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Return rows that are counted from 1."""
    return Rows(where, enumerate(rows, 1))
