"""Where a table begins: behind comments, titles and `sep=`, with one or several header lines."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from keras_recipes.data.series import dialect, numbers, times
from keras_recipes.data.series.records import MOST_NAMES, plain
from keras_recipes.errors import InputError

MOST_LINES = 50
"""The largest number of lines before a table."""

MOST_HEADERS = 3
"""The largest number of header lines."""

_INDEX_NAMES = ("", "time", "timestamp", "datetime", "date", "index")
"""Names of the first column of a table whose other columns are numbered."""

_SEPARATOR = re.compile(r"\s*\"?sep=(.|\\t)\"?\s*", re.IGNORECASE)


class Beginning(NamedTuple):
    """The beginning of a table.

    Attributes:
        lines: The number of lines before the first row.
        names: The names of the columns; None without a header.
        header: The cells of the last header line, which concatenated tables repeat.
        width: The number of cells of a row.
        passed: The lines that are neither header nor blank.
    """

    lines: int
    names: list[str] | None
    header: list[str]
    width: int
    passed: tuple[str, ...] = ()


def separator(lines: Sequence[str]) -> str | None:
    """Return the delimiter that a line `sep=;` says, as Excel writes it."""
    for line in lines[:MOST_LINES]:
        if line.strip():
            match = _SEPARATOR.fullmatch(line)
            return match[1].replace("\\t", "\t") if match else None
    return None


def begin_with(source: str, first: str, delimiter: str) -> Beginning:
    """Return the beginning as models of earlier versions have it: the first line is the header."""
    cells = next(iter(dialect.cut([first.rstrip("\r\n")], delimiter)), [])
    if any(times.is_number_or_time(cell) for cell in cells):
        return Beginning(0, None, [], len(cells))
    return Beginning(1, _unique(source, [cells]), cells, len(cells))


def begin(source: str, lines: Sequence[str], delimiter: str) -> Beginning:
    """Return the beginning of a table that was never seen before.

    Args:
        source: The name of the table in messages.
        lines: Its first lines.
        delimiter: The delimiter between its cells.

    Raises:
        InputError: The columns have no names of their own.
    """
    rows = [_cells(line, delimiter) for line in lines]
    widest = max(map(len, rows), default=0)
    if widest > MOST_NAMES:
        raise InputError(
            f"{source}: expected a table of at most {MOST_NAMES:,} columns, received {widest:,}"
        )
    width = dialect.width_of([row for row in rows[-dialect.LOOKED_AT :] if any(row)])
    top = next((n for n, row in enumerate(rows) if len(row) == width), None)
    data = (
        n
        for n, row in enumerate(rows)
        if len(row) == width
        and _is_data(row)
        and not (n == top and (_are_numbered(row) or _are_above_times(row, rows[n + 1 : n + 2])))
    )
    typed = (
        n for n, row in enumerate(rows) if len(row) == width and any(map(dialect.is_typed, row))
    )
    first = next(data, next(typed, None))
    if first is None:
        first = next((n for n, row in enumerate(rows) if any(row)), 0) + 1
        width = len(rows[first - 1]) if rows else 0
    return _beginning(source, lines, rows, first, width)


def begin_known(
    source: str, lines: Iterator[str], delimiter: str, known: Sequence[str]
) -> tuple[Beginning, list[str]]:
    """Return the beginning of a table whose columns are known, and the lines that were read for it.

    No line is read after the first row.

    Args:
        source: As for `begin`.
        lines: The lines of the table, of which some are taken.
        delimiter: As for `begin`.
        known: The names of the columns.
    """
    taken: list[str] = []
    rows: list[list[str]] = []
    for line in lines:
        taken.append(line)
        rows.append(_cells(line, delimiter))
        stripped = [*map(str.strip, rows[-1])]
        names = stripped == [*known] or (_are_numbered(rows[-1]) and stripped[1:] == [*known[1:]])
        if len(rows[-1]) == len(known) and _is_data(rows[-1]) and not names:
            return _beginning(source, taken, rows, len(rows) - 1, len(known)), taken
        if len(taken) == MOST_LINES:
            break
    return begin(source, taken, delimiter), taken


def _cells(line: str, delimiter: str) -> list[str]:
    return next(iter(dialect.cut([line.strip("\r\n")], delimiter)), [])


def _is_data(row: Sequence[str]) -> bool:
    """Return whether a row holds a number or a time, as the names of columns do not."""
    return any(
        times.is_number_or_time(cell)
        or times.is_time_of_day(cell)
        or any((m := numbers.Marks(mark, True).measure(cell)) and not m[1] for mark in ".,")
        for cell in row
    )


def _are_numbered(row: Sequence[str]) -> bool:
    """Return whether these may be names that are numbers, behind an index: `,0,1`, `time,1,2`."""
    return len(row) > 2 and plain(row[0]) in _INDEX_NAMES and _count(row[1:])


def _are_above_times(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether these are the numbers of columns, one of which holds times: `0,1`."""
    times_below = any(len(one) == len(row) and any(map(times.is_time, one)) for one in below)
    return len(row) > 1 and _count(row) and times_below


def _count(cells: Sequence[str]) -> bool:
    """Return whether these are the numbers from 0 or 1 on."""
    texts = [cell.strip() for cell in cells]
    return any(texts == [str(n + first) for n in range(len(texts))] for first in (0, 1))


def _beginning(
    source: str, lines: Sequence[str], rows: Sequence[Sequence[str]], first: int, width: int
) -> Beginning:
    open_ended = all(len(row) == width and not row[-1].strip() for row in rows[first:])
    headers: list[list[str]] = []
    used: set[int] = set()
    for number in range(first - 1, -1, -1):
        comment = lines[number].lstrip().startswith("#")
        if not any(cell.strip() for cell in rows[number]) and not headers:
            continue
        row = _fitted(rows[number], width, open_ended=open_ended)
        if row is None and not headers and len(rows[number]) > 1 and not comment:
            raise InputError(
                f"{source} line {first + 1}: expected {len(rows[number])} cells, received "
                f"{width}, unlike line {number + 1} before it; repair that line"
            )
        if row is None or not any(row) or len(headers) == MOST_HEADERS or (headers and comment):
            break
        headers.insert(0, row)
        used.add(number)
    others = (line.strip() for n, line in enumerate(lines[:first]) if n not in used)
    passed = tuple(line for line in others if line and not _SEPARATOR.fullmatch(line))
    if not headers:
        return Beginning(first, None, [], width, passed)
    return Beginning(first, _unique(source, headers), list(rows[max(used)]), width, passed)


def _fitted(row: Sequence[str], width: int, *, open_ended: bool) -> list[str] | None:
    """Return a header of this width; an empty cell at the end of it or of all rows is no harm."""
    if len(row) == width + 1 and not row[-1].strip():
        return list(row[:-1])
    if len(row) == width - 1 and open_ended:
        return [*row, ""]
    return list(row) if len(row) == width else None


def _unique(source: str, headers: Sequence[Sequence[str]]) -> list[str]:
    """Return names for the columns from one or several header lines.

    Of several, the first counts if its names differ; what is below are units then.
    """
    cleaned = [[cell.strip() for cell in row] for row in headers]
    cleaned[-1][0] = cleaned[-1][0].lstrip("# ") or cleaned[-1][0]
    cleaned[0][0] = cleaned[0][0].lstrip("# ") or cleaned[0][0]
    whole = [row for row in cleaned if all(row)] if len(cleaned) > 1 else cleaned
    for names in (*whole, _combined(cleaned), *cleaned):
        filled = [name for name in names if name]
        if len(set(filled)) == len(filled) and len(filled) > len(names) / 2:
            return [name or f"column {number}" for number, name in enumerate(names, 1)]
    raise InputError(f"{source}: expected columns of different names, received {cleaned[0]}")


def _combined(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of several header lines together; an empty cell goes on with the last."""
    carried = []
    for row in rows[:-1]:
        last, filled = "", []
        for cell in row:
            last = cell or last
            filled.append(last)
        carried.append(filled)
    return [
        " ".join(dict.fromkeys(part for part in parts if part))
        for parts in zip(*carried, rows[-1], strict=True)
    ]
