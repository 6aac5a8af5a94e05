"""Series of numbers over time from CSV, JSON lines, Parquet, standard input and DataFrames.

A series is read record by record, so its length does not matter, and a line from standard input is
used as soon as it arrives.
"""

import csv
import gzip
import io
import itertools
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from keras_recipes.data import files
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import pandas

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".gz")

TIME_NAMES = ("timestamp", "time", "datetime", "date", "ts", "when", "index")
"""Names of a column of times, in upper or lower case, with or without `@` and `_` around them."""

ENOUGH_RISES = 20
"""The number of rises that shows a counter; any other value falls a little in between."""

MISSING = frozenset(("", "nan", "null", "none", "na", "n/a", "nil", "-", "?"))

FORMATS = (
    "%d/%b/%Y:%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
)
"""Formats of times besides ISO 8601 and numbers.

`05/06/2024` is read with the month first until a number above twelve shows that the day is first.
The hour of the day is the same either way.
"""

LONGEST_NAMES = 1 << 20
"""The most characters of the names of a JSON object's cells together."""

MONDAY = datetime(1970, 1, 5)


Refuse = Callable[[str], None] | None
"""A function that gets the message about a malformed row, which is skipped; None means an error."""


class Record(NamedTuple):
    """One row of a table.

    Attributes:
        timestamp: The time as it is written in the table, or the row's number without times.
        seconds: The local time in seconds since midnight of a Monday; None without times.
        values: The value of each column; NaN for a missing value.
    """

    timestamp: str
    seconds: float | None
    values: tuple[float, ...]


@dataclass(frozen=True)
class Series:
    """Records that can be read once, and the names of their columns.

    Attributes:
        columns: The names of the columns of values.
        records: The rows.
        time: The name of the column of times; None without times.
        header: The names of all columns of the table.
    """

    columns: tuple[str, ...]
    records: Iterator[Record]
    time: str | None = None
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeriesLayout:
    """What is known about a table; None means that it is detected.

    Attributes:
        time: The name of the column of times.
        columns: The names of the columns of values, in order.
        time_format: The format of the times, as for `datetime.strptime`.
        zone: The local time zone, such as `Europe/Berlin`, for times that are numbers or have a
            zone. Without it numbers are UTC, and a time with a zone is local there.
        header: The names of all columns, for a table without a header and as many columns.
    """

    time: str | None = None
    columns: tuple[str, ...] | None = None
    time_format: str | None = None
    zone: str | None = None
    header: tuple[str, ...] | None = None

    def clock(self) -> tzinfo | None:
        """Return the time zone, or None.

        Raises:
            InputError: There is no time zone of this name.
        """
        if self.zone is None:
            return None
        try:
            return ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise InputError(
                f"zone: expected a name like Europe/Berlin or UTC, received {self.zone!r}"
            ) from None


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


def is_counter(values: Sequence[float]) -> bool:
    """Return whether the values are those of a counter, which rises and falls only to restart.

    A restart is a fall to less than half. A counter restarts at most once in a hundred records. It
    rises in at least half of the records, or `ENOUGH_RISES` times.
    """
    known = [value for value in values if math.isfinite(value)]
    if len(known) < 10 or known[0] < 0:
        return False
    steps = list(itertools.pairwise(known))
    falls = [(a, b) for a, b in steps if b < a]
    rises = sum(b > a for a, b in steps)
    restarts = all(0 <= b < a / 2 for a, b in falls)
    return (
        restarts and len(falls) <= len(steps) / 100 and rises >= min(len(steps) / 2, ENOUGH_RISES)
    )


def with_rates(found: Series, counters: "Mapping[str, CounterRate]") -> Series:
    """Return the series with the rates of these counters instead of their values."""
    rates = [counters.get(name) for name in found.columns]

    def records() -> Iterator[Record]:
        for timestamp, seconds, values in found.records:
            yield Record(
                timestamp,
                seconds,
                tuple(
                    one.update(seconds, value) if one else value
                    for one, value in zip(rates, values, strict=True)
                ),
            )

    return replace(found, records=records())


class CounterRate:
    """The rate of a counter: its growth per second, or per record without times.

    After a restart the counter's value is the growth.
    """

    def __init__(self) -> None:
        self.seconds: float | None = None
        self.value = math.nan

    def update(self, seconds: float | None, value: float) -> float:
        """Return the rate since the last record; NaN for the first and for a missing value."""
        if not math.isfinite(value):
            return math.nan
        if seconds is not None and self.seconds is not None and seconds < self.seconds:
            self.value = math.nan  # the table is read again from its beginning
        grown = value - self.value if value >= self.value or math.isnan(self.value) else value
        since = 1.0
        if seconds is not None and self.seconds is not None and seconds > self.seconds:
            since = seconds - self.seconds
        self.seconds, self.value = seconds, value
        return grown / since


_Row = tuple[str, Mapping[str, Any]]
"""The source of a row ("file.csv line 3"), and its cells by column."""


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
) -> Iterator[_Row]:
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
    times = [number for number, cell in enumerate(cells) if _is_time(cell)]
    time = times[0] if times else None
    values = sum(number != time for number in range(len(cells)))
    others = ("value",) if values == 1 else tuple(f"value_{n}" for n in range(1, values + 1))
    names = iter(others)
    return ["timestamp" if number == time else next(names) for number in range(len(cells))]


def json_rows(source: str, lines: Iterable[str], refuse: Refuse) -> Iterator[_Row]:
    """Yield the source and the cells of each row; inner objects become `outer.inner`."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{source} line {number}"
        try:
            row = json.loads(line)
            cells = _flat(row) if isinstance(row, dict) else None
        except (ValueError, RecursionError):
            cells = None
        if cells is None:
            message = f"{where}: expected a JSON object, received {line.strip()[:40]!r}"
            if refuse is None:
                raise InputError(message)
            refuse(message)
            continue
        yield where, cells


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
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


def _parquet(path: Path) -> Iterator[_Row]:
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


def _numbered(where: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[_Row]:
    return ((f"{where} {number}", row) for number, row in enumerate(rows, 1))


def _table(
    source: str,
    rows: Iterator[_Row],
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
    rows: Iterable[_Row],
    time: str | None,
    columns: Sequence[str],
    parse: "TimeParser | None",
    refuse: Refuse,
) -> Iterator[Record]:
    for number, (where, row) in enumerate(rows):
        try:
            values = tuple(_value(where, name, row.get(name)) for name in columns)
            cell = row.get(time) if time is not None else None
            seconds = parse.seconds(where, cell) if parse else None
        except InputError as error:
            if refuse is None:
                raise
            refuse(str(error))
            continue
        except OverflowError:
            message = (
                f"{where}: expected a time of the years 1 to 9999, received {_written(cell)[:40]!r}"
            )
            if refuse is None:
                raise InputError(message) from None
            refuse(message)
            continue
        yield Record(_written(cell) if parse else str(number), seconds, values)


def _written(cell: Any) -> str:
    return cell.strip() if isinstance(cell, str) else "" if cell is None else str(cell)


def _time_column(row: Mapping[str, Any]) -> str | None:
    plain: dict[str, str] = {}
    for name in row:
        plain.setdefault(name.strip("@_ ").casefold(), name)
    for name in TIME_NAMES:
        if name in plain and (_is_time(row[plain[name]]) or _is_number(row[plain[name]])):
            return plain[name]
    return next((name for name in row if _is_time(row[name])), None)


def _is_number(cell: Any) -> bool:
    try:
        return not isinstance(cell, bool) and "_" not in str(cell) and math.isfinite(float(cell))
    except (TypeError, ValueError, OverflowError):
        return False


def is_value(cell: Any) -> bool:
    """Return whether a cell is a number or a missing value."""
    missing = cell is None or (isinstance(cell, str) and cell.strip().casefold() in MISSING)
    return missing or _is_number(cell)


def _value(where: str, name: str, cell: Any) -> float:
    """Return a cell's number; NaN if it is missing, infinity if it is too large."""
    if cell is None or (isinstance(cell, str) and cell.strip().casefold() in MISSING):
        return math.nan
    try:
        if isinstance(cell, str) and "_" in cell:
            raise ValueError
        return float(cell)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        raise InputError(
            f"{where}: expected a number in column {name!r}, received {str(cell)[:40]!r}; "
            "choose the columns to read with --set columns=A,B"
        ) from None


def is_number_or_time(cell: Any) -> bool:
    """Return whether a cell is a number or a time, and not text."""
    return _is_number(cell) or _is_time(cell)


def _is_time(cell: Any) -> bool:
    """Return whether a cell is a time and not a number."""
    if isinstance(cell, datetime):
        return True
    if not isinstance(cell, str) or _is_number(cell):
        return False
    return any(_tried(parse, cell.strip()) for parse in _parsers())


def _tried(parse: Callable[[str], datetime], text: str) -> datetime | None:
    try:
        return parse(text)
    except (ValueError, OverflowError):
        return None


def _parsers(time_format: str | None = None) -> list[Callable[[str], datetime]]:
    def by(pattern: str) -> Callable[[str], datetime]:
        return lambda text: datetime.strptime(text, pattern)

    if time_format:
        return [by(time_format)]
    return [datetime.fromisoformat, *map(by, FORMATS)]


class TimeParser:
    """Parses the times of a column; the format of the last time is tried first."""

    def __init__(self, layout: SeriesLayout) -> None:
        self.parsers, self.clock = _parsers(layout.time_format), layout.clock()
        self.numbers = layout.time_format is None

    def seconds(self, where: str, cell: Any) -> float:
        """Return the local time in seconds since midnight of a Monday.

        Args:
            where: The source of the cell, for the message.
            cell: The cell.

        Raises:
            InputError: The cell is not a time in a known format.
        """
        time = self._time(cell)
        if time is None:
            raise InputError(
                f"{where}: expected a time, received {_written(cell)[:40]!r}; "
                "give its format with --set time_format=%Y-..."
            )
        if self.clock is not None and time.tzinfo is not None:
            time = time.astimezone(self.clock)
        return (time.replace(tzinfo=None) - MONDAY).total_seconds()

    def _time(self, cell: Any) -> datetime | None:
        if isinstance(cell, datetime):
            return cell
        if self.numbers and _is_number(cell):
            return _epoch(float(cell))
        text = _written(cell)
        for number, parse in enumerate(self.parsers):
            time = _tried(parse, text)
            if time is not None:
                if number:
                    self.parsers.insert(0, self.parsers.pop(number))
                return time
        return None


def _epoch(number: float) -> datetime | None:
    """Return the time of a number since 1970 in s, ms, us or ns; its size shows the unit."""
    for unit in (1, 1e3, 1e6, 1e9):
        if abs(number) < 1e11 * unit:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / unit)
    return None
