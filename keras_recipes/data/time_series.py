"""Series of numbers over time from CSV, JSON lines, Parquet, standard input and DataFrames.

A series is read record by record, so its length does not matter, and a line from standard input is
used as soon as it arrives.
"""

import csv
import gzip
import io
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from keras_recipes.data import files
from keras_recipes.data.series.counters import CounterRate, is_counter, with_rates
from keras_recipes.data.series.numbers import is_number, is_value, value_of
from keras_recipes.data.series.records import (
    MONDAY,
    Record,
    Refuse,
    Row,
    Series,
    SeriesLayout,
)
from keras_recipes.data.series.times import TimeParser, is_number_or_time, is_time, written
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import pandas

__all__ = [
    "MONDAY",
    "CounterRate",
    "Record",
    "Series",
    "SeriesLayout",
    "TimeParser",
    "delimiter",
    "from_frame",
    "from_lines",
    "is_counter",
    "is_number_or_time",
    "is_value",
    "json_rows",
    "names",
    "read",
    "with_rates",
]

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".gz")

TIME_NAMES = ("timestamp", "time", "datetime", "date", "ts", "when", "index")
"""Names of a column of times, in upper or lower case, with or without `@` and `_` around them."""


def read(text: str, layout: SeriesLayout | None = None) -> Series:
    """Return the series in a file.

    The file is CSV (with any of `, ; | tab` between cells, with or without a header), JSON lines
    (one object per line; inner objects become `outer.inner`), either of them gzipped, or Parquet.

    Args:
        text: The path of the file.
        layout: What is known about the table.

    Raises:
        InputError: There is no such file, it has another format than its suffix says, or no column
            of numbers. A malformed row raises it while the records are read.
    """
    layout = layout or SeriesLayout()
    path = Path(text)
    if path.suffix == ".parquet":
        return _table(text, _parquet(path), layout)
    try:
        return from_lines(text, _lines(text, _opened(path)), layout)
    except OSError as error:
        raise InputError(f"{text}: cannot be read: {error.strerror}") from None


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
    """Return the series in lines of CSV or JSON.

    Args:
        source: The name of the lines in messages.
        lines: The lines, which may arrive one by one.
        layout: What is known about the table.
        refuse: Gets the message about a malformed row, which is then skipped.

    Raises:
        InputError: As for `read`.
    """
    several = itertools.dropwhile(lambda line: not line.strip(), lines)
    first = next(several, None)
    if first is None:
        raise InputError(f"{source}: expected rows of numbers, received nothing")
    layout, every = layout or SeriesLayout(), itertools.chain([first], several)
    if first.lstrip()[:1] == "{":
        rows = json_rows(source, every, refuse)
    else:
        rows = _csv_rows(source, every, delimiter(first), layout, refuse)
    return _table(source, rows, layout, refuse)


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

    if isinstance(frame.index, pandas.DatetimeIndex):
        frame = frame.reset_index(names=frame.index.name or "timestamp")
    names = [str(name) for name in frame.columns]
    rows = (dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None))
    return _table("DataFrame", _numbered("DataFrame row", rows), layout or SeriesLayout())


def _lines(source: str, stream: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a stream as they arrive."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        yield from text
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: expected UTF-8 text, byte {error.start} is not") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{source}: cannot be read: {error}") from None
    finally:
        text.close()


def delimiter(line: str) -> str:
    """Return the delimiter between the cells of this line."""
    return max(",;\t|", key=line.count)


def _csv_rows(
    source: str,
    lines: Iterable[str],
    delimiter: str,
    layout: SeriesLayout,
    refuse: Refuse,
) -> Iterator[Row]:
    reader, names = csv.reader(lines, delimiter=delimiter), None
    header: Sequence[str] = ()
    try:
        for cells in reader:
            # Concatenated tables repeat the header.
            if not any(cell.strip() for cell in cells) or cells == header:
                continue
            if names is None:
                if not any(is_number_or_time(cell) for cell in cells):
                    names, header = _names(source, cells), cells
                    continue
                known = layout.header
                names = list(known) if known and len(known) == len(cells) else _positions(cells)
            where = f"{source} line {reader.line_num}"
            if len(cells) != len(names):
                message = f"{where}: expected {len(names)} cells, received {len(cells)}"
                if refuse is None:
                    raise InputError(message)
                refuse(message)
                continue
            yield where, dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise InputError(f"{source} line {reader.line_num}: not CSV: {error}") from None


def _names(source: str, cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if len(set(names)) < len(names):
        raise InputError(f"{source}: expected columns of different names, received {names}")
    return names


def _positions(cells: Sequence[str]) -> list[str]:
    """Return names for the columns of a table without a header."""
    times = [number for number, cell in enumerate(cells) if is_time(cell)]
    time = times[0] if times else None
    values = sum(number != time for number in range(len(cells)))
    others = ("value",) if values == 1 else tuple(f"value_{n}" for n in range(1, values + 1))
    names = iter(others)
    return ["timestamp" if number == time else next(names) for number in range(len(cells))]


def json_rows(source: str, lines: Iterable[str], refuse: Refuse) -> Iterator[Row]:
    """Yield the source and the cells of each row; inner objects become `outer.inner`."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{source} line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            message = f"{where}: expected a JSON object, received {line.strip()[:40]!r}"
            if refuse is None:
                raise InputError(message)
            refuse(message)
            continue
        yield where, dict(_flat(row))


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _parquet(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(
            f"{path}: reading Parquet needs pyarrow: pip install 'keras_recipes[parquet]'"
        ) from None
    try:
        with ParquetFile(path) as table:
            rows = (row for batch in table.iter_batches() for row in batch.to_pylist())
            yield from _numbered(f"{path} row", rows)
    except (OSError, ArrowException) as error:
        raise InputError(f"{path}: expected Parquet that can be read: {error}") from None


def _numbered(where: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    return ((f"{where} {number}", row) for number, row in enumerate(rows, 1))


def _table(
    source: str,
    rows: Iterator[Row],
    layout: SeriesLayout,
    refuse: Refuse = None,
) -> Series:
    """Detect the columns by the first row, and return the series."""
    first = next(rows, None)
    if first is None:
        raise InputError(f"{source}: expected rows of numbers, received none")
    names = list(first[1])
    wanted = [name for name in (layout.time, *(layout.columns or ())) if name is not None]
    for name in wanted:
        if name not in names:
            raise InputError(
                f"{source}: expected a column {name!r}, received columns {', '.join(names)}"
            )
    time = layout.time or _time_column(first[1])
    columns = layout.columns or tuple(
        name for name in names if name != time and is_value(first[1][name])
    )
    if not columns:
        raise InputError(
            f"{source}: expected a column of numbers, received columns {', '.join(names)[:200]}"
        )
    parse = TimeParser(layout) if time is not None else None
    every = itertools.chain([first], rows)
    return Series(columns, _records(every, time, columns, parse, refuse), time, tuple(names))


def _records(
    rows: Iterable[Row],
    time: str | None,
    columns: Sequence[str],
    parse: "TimeParser | None",
    refuse: Refuse,
) -> Iterator[Record]:
    for number, (where, row) in enumerate(rows):
        try:
            values = tuple(value_of(where, name, row.get(name)) for name in columns)
            cell = row.get(time) if time is not None else None
            seconds = parse.seconds(where, cell) if parse else None
        except InputError as error:
            if refuse is None:
                raise
            refuse(str(error))
            continue
        yield Record(written(cell) if parse else str(number), seconds, values)


def _time_column(row: Mapping[str, Any]) -> str | None:
    plain: dict[str, str] = {}
    for name in row:
        plain.setdefault(name.strip("@_ ").casefold(), name)
    for name in TIME_NAMES:
        if name in plain and (is_time(row[plain[name]]) or is_number(row[plain[name]])):
            return plain[name]
    return next((name for name in row if is_time(row[name])), None)
