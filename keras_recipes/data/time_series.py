"""Series of numbers over time from files, standard input and DataFrames.

How a table is read is decided once, by its first records, and kept in the model's card (`Reading`).
After that a series is read record by record, so its length does not matter, and a line from
standard input is used as soon as it arrives.
"""

import contextlib
import gzip
import io
import itertools
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from keras_recipes.data import files
from keras_recipes.data.series import columns as parts
from keras_recipes.data.series import forms, joining, numbers, order, parquet, tables
from keras_recipes.data.series.counters import CounterRate, is_counter, with_rates
from keras_recipes.data.series.forms import Found
from keras_recipes.data.series.records import (
    FORMER,
    MONDAY,
    Reading,
    Record,
    Refuse,
    Row,
    Rows,
    Series,
    SeriesLayout,
)
from keras_recipes.data.series.times import TimeParser, together, written
from keras_recipes.errors import InputError, printable
from keras_recipes.untrusted import strict_json

if TYPE_CHECKING:
    import pandas

__all__ = [
    "MONDAY",
    "CounterRate",
    "Reading",
    "Record",
    "Series",
    "SeriesLayout",
    "TimeParser",
    "from_frame",
    "from_lines",
    "is_counter",
    "names",
    "read",
    "with_rates",
]

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".gz")

LONGEST_LINE = strict_json.MOST_BYTES
"""The most characters of a line: an export may be one line of JSON."""

MOST_EMPTY = 1_000_000
"""The fewest empty lines together at which a file is refused; a small packed file may hold many."""

_LINE_ENDS = {"\n", "\r\n", "\r"}

PEEKED_AT = 100
"""The number of rows in which every column must occur, where rows may differ."""


def read(text: str, layout: SeriesLayout | None = None) -> Series:
    """Return the series in a file; docs/data/series.md lists what is read.

    Args:
        text: The path of the file.
        layout: What is known about the table.

    Raises:
        InputError: There is no such file, it has another format than its suffix says, no column of
            numbers, or numbers that may be read in two ways. A malformed row raises it while the
            records are read.
    """
    layout = layout or SeriesLayout()
    path = Path(text)
    if path.suffix == ".parquet":
        return _table(text, Found(parquet.rows(path), _reading(layout)), layout)
    try:
        lines = _lines(text, _opened(path))
    except OSError as error:
        raise InputError(f"{text}: cannot be read: {error.strerror}") from None
    with contextlib.ExitStack() as refused:
        refused.callback(lines.close)
        found = from_lines(text, lines, layout)
        refused.pop_all()
    return replace(found, records=_closing(found.records, lines))


def _closing(records: Iterator[Record], lines: Generator[str]) -> Iterator[Record]:
    """Yield the records; the file is closed whatever ends them."""
    try:
        yield from records
    finally:
        lines.close()


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]


def from_lines(
    source: str,
    lines: Iterable[str],
    layout: SeriesLayout | None = None,
    refuse: Refuse = None,
) -> Series:
    """Return the series in lines of text.

    If the layout has no reading, the first `columns.SAMPLE` lines are read before the first record.

    Args:
        source: The name of the lines in messages.
        lines: The lines, which may arrive one by one.
        layout: What is known about the table.
        refuse: Gets the message about a malformed row, which is then skipped.

    Raises:
        InputError: As for `read`.
    """
    layout = layout or SeriesLayout()
    return _table(source, forms.rows_of(source, iter(lines), layout, refuse), layout, refuse)


def names(inputs: Sequence[str]) -> list[str]:
    """Return the files that the inputs name: files, folders, quoted globs.

    Raises:
        InputError: An input names no file.
    """
    found: list[str] = []
    for text in inputs:
        paths = files.found(text, ENDINGS)
        if paths is None:
            raise InputError(
                f"{text}: no such file; expected CSV, JSON lines, Parquet, or - for standard input"
            )
        found += map(str, paths)
    return found


def from_frame(frame: "pandas.DataFrame", layout: SeriesLayout | None = None) -> Series:
    """Return the series in a DataFrame; an index of times is its column of times.

    Raises:
        InputError: There is no column of numbers.
    """
    import pandas

    layout = layout or SeriesLayout()
    if isinstance(frame.index, pandas.DatetimeIndex):
        frame = frame.reset_index(names=frame.index.name or "timestamp")
    names = [str(name) for name in frame.columns]
    rows = (dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None))
    return _table(
        "DataFrame", Found(tables.numbered("DataFrame row", rows), _reading(layout)), layout
    )


def _reading(layout: SeriesLayout) -> Reading:
    return layout.reading or Reading("csv", ",")


def _lines(source: str, stream: IO[bytes]) -> Generator[str]:
    """Yield the lines of a stream as they arrive."""
    text, empty = io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""), 0
    try:
        while line := text.readline(LONGEST_LINE):
            empty = empty + 1 if line in _LINE_ENDS else 0
            if len(line) == LONGEST_LINE or empty == MOST_EMPTY:
                raise InputError(
                    f"{source}: expected lines of at most {LONGEST_LINE:,} characters and fewer "
                    f"than {MOST_EMPTY:,} empty ones together, received more; give a table"
                )
            yield line
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: expected UTF-8 text, byte {error.start} is not") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{source}: cannot be read: {error}") from None
    finally:
        text.close()


class _Column(NamedTuple):
    """A column of values: its name, its unit, and a function from cells to numbers."""

    name: str
    unit: str
    number: Any


def _table(source: str, found: Found, layout: SeriesLayout, refuse: Refuse = None) -> Series:
    """Return the series of these rows; without a reading, the first of them decide it."""
    if layout.reading is None or layout.columns is None:
        return _series(source, *_decided(source, found, layout, refuse), layout, refuse)
    rows, names = _checked(source, found, layout, refuse)
    reading = layout.reading
    if found.reading.delimiter != reading.delimiter and reading != FORMER:
        # Another program wrote these numbers, so its marks may mean something else.
        reading = replace(reading, marks=replace(reading.marks, grouped=False))
    known = Series(layout.columns, iter(()), layout.time, tuple(names), reading)
    return _series(source, rows, known, layout, refuse)


def _series(source: str, rows: Rows, known: Series, layout: SeriesLayout, refuse: Refuse) -> Series:
    """Return a series with the records of these rows."""
    reading, time = known.reading or FORMER, known.time
    cells = [
        _Column(name, unit, numbers.reader(name, reading.marks, unit))
        for name in known.columns
        for unit in [reading.units.get(name, "")]
    ]
    parse = TimeParser(replace(layout, reading=reading)) if time is not None else None
    records = _records(rows, time, reading.clock, cells, parse, refuse)
    if refuse is not None:
        records = order.watched(source, records, stream=True)
    return replace(known, records=records)


def _checked(
    source: str, found: Found, layout: SeriesLayout, refuse: Refuse
) -> tuple[Rows, list[str]]:
    """Return the rows of a table with known columns, and the names in its first row."""
    assert layout.columns is not None
    clock = layout.reading.clock if layout.reading else None
    wanted = [name for name in (layout.time, clock, *layout.columns) if name is not None]
    rows = _joined(found, found.reading.keys, layout.columns, refuse)
    first: list[Row] = []
    for number, row in rows.rows:
        first.append((number, row))
        names = dict.fromkeys(itertools.chain.from_iterable(one for _, one in first))
        lacking = [name for name in wanted if name not in names]
        if not lacking or (refuse and not found.header and any(n in row for n in layout.columns)):
            return Rows(rows.where, itertools.chain(first, rows.rows)), list(found.header or names)
        message = f"expected a column {lacking[0]!r}, received columns {', '.join(names)[:200]}"
        if refuse and not found.header:
            refuse(f"{rows.where} {number}: {message}")
            first = []
        elif found.header or len(first) == PEEKED_AT:
            break
    if first:
        raise InputError(f"{source}: {message}")
    raise InputError(f"{source}: expected rows of numbers, received none")


def _decided(
    source: str, found: Found, layout: SeriesLayout, refuse: Refuse
) -> tuple[Rows, Series]:
    """Return the rows, and a series without records that says what the first rows show."""
    rows, keys, fixed = found.rows, found.reading.keys, {}
    if found.keys:
        # Of series that come one after the other, the first rows show the first one only.
        most = joining.MOST_CELLS // (len(found.keys) + 2) if found.sorted else parts.SAMPLE
        first = list(itertools.islice(rows.rows, most))
        keys = joining.varying([row for _, row in first], found.keys)
        fixed = {key: first[0][1].get(key) for key in found.keys if first and key not in keys}
        rows = Rows(rows.where, itertools.chain(first, rows.rows))
    rows = _joined(replace(found, rows=rows), keys, None, refuse)
    sample = list(itertools.islice(rows.rows, parts.SAMPLE))
    if not sample:
        raise InputError(f"{source}: expected rows of numbers, received none")
    cells = parts.cells_of([row for _, row in sample])
    for name in (layout.time, *(layout.columns or ())):
        if name is not None and name not in cells:
            raise InputError(
                f"{source}: expected a column {name!r}, received columns {', '.join(cells)[:200]}"
            )
    marks = parts.marks_of(source, cells, layout, found.reading.delimiter)
    choice = parts.choose(source, cells, layout, marks, found.time)
    notes = tuple(_notes(source, found, choice, fixed))
    reading = replace(
        found.reading,
        marks=marks,
        units={name: unit for name, unit in choice.values.items() if unit},
        formats=choice.formats,
        clock=choice.clock,
        day_first=choice.day_first,
        keys=keys,
    )
    every = Rows(rows.where, itertools.chain(sample, rows.rows))
    header = tuple(found.header or cells)
    return every, Series(tuple(choice.values), iter(()), choice.time, header, reading, notes)


def _joined(
    found: Found, keys: Sequence[str], wanted: Sequence[str] | None, refuse: Refuse
) -> Rows:
    """Return a row for each record, where several lines are one."""
    if not found.keys and not found.sorted:
        return found.rows
    where, time = found.rows.where, found.time
    rows = joining.named(found.rows, found.keys, keys, time, refuse)
    if found.sorted and time is not None:
        return Rows(where, joining.sorted_by_time(where, rows, time))
    return Rows(where, joining.by_record(rows, time, wanted) if keys else rows)


def _notes(
    source: str, found: Found, choice: parts.Choice, fixed: Mapping[str, Any]
) -> Iterator[tuple[bool, str]]:
    """Yield what is said about the table: what was not taken for a value, and why."""
    if found.passed:
        yield False, f"{source}: passed over before the table: {_some(found.passed)}"
    same = {key: f"always {str(value)[:40]!r}" for key, value in fixed.items() if value}
    if left := {**same, **choice.left}:
        named = [f"{name} ({reason})" for name, reason in left.items()]
        yield False, f"{source}: columns that are not watched: {_some(named)}"
    units = {name: unit for name, unit in choice.values.items() if unit}
    if truths := [name for name, unit in units.items() if unit == numbers.BOOLEAN]:
        yield False, f"{source}: read as 0 and 1: {_some(truths)}"
    if others := [f"{name} in {unit}" for name, unit in units.items() if name not in truths]:
        yield False, f"{source}: units: {_some(others)}"
    for warning in choice.warnings:
        yield True, printable(warning, 500)


def _some(texts: Sequence[str], most: int = 8) -> str:
    shown = "; ".join(printable(text, 120) for text in texts[:most])
    return shown if len(texts) <= most else f"{shown}; and {len(texts) - most} more"


def _records(
    rows: Rows,
    time: str | None,
    clock: str | None,
    columns: Sequence[_Column],
    parse: TimeParser | None,
    refuse: Refuse,
) -> Iterator[Record]:
    readers = [(column.name, column.number) for column in columns]
    for number, (line, row) in enumerate(rows.rows):
        cell: Any = None
        seconds = None
        try:
            values = tuple([read(row.get(name)) for name, read in readers])
            if parse and time is not None:
                cell = row.get(time)
                if clock is not None:
                    cell = together(cell, row.get(clock))
                seconds = parse.seconds("", cell)
        except (ValueError, InputError, OverflowError) as found:
            error = (
                InputError(
                    f"{rows.where} {line}: expected a time of the years 1 to 9999, received "
                    f"{written(cell)[:40]!r}"
                )
                if isinstance(found, OverflowError)
                else _error(f"{rows.where} {line}", row, columns, parse, cell)
            )
            if refuse is None:
                raise error from None
            refuse(str(error))
            continue
        yield Record(written(cell) if parse else str(number), seconds, values)


def _error(
    where: str,
    row: Mapping[str, Any],
    columns: Sequence[_Column],
    parse: TimeParser | None,
    time: Any,
) -> InputError:
    """Return the error about the cell of a row that cannot be read."""
    for name, unit, number in columns:
        try:
            number(row.get(name))
        except ValueError:
            return numbers.refused(where, name, row.get(name), unit)
    assert parse is not None
    try:
        parse.seconds(where, time)
    except InputError as error:
        return error
    raise AssertionError("a row was refused without a reason")
