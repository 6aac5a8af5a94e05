"""Records of a series, and what is known about the table that holds them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from keras_recipes.data.series.numbers import Marks
from keras_recipes.errors import InputError

FORMS = ("", "csv", "blanks", "line-protocol", "annotated", "json")

MOST_NAMES = 10_000
LONGEST_NAME = 1_000

Refuse = Callable[[str], None] | None
"""A function that gets the message about a malformed row, which is skipped; None means an error."""

Row = tuple[int, Mapping[str, Any]]
"""The number of a row in its source, and its cells by column."""

MONDAY = datetime(1970, 1, 5)


class Rows(NamedTuple):
    """The rows of a table.

    Attributes:
        where: The source of a row, without its number: `m.csv line`.
        rows: The rows, which can be read once.
    """

    where: str
    rows: Iterator[Row]


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
class Reading:
    """How a table is read, as its first records showed it at the fit.

    Attributes:
        form: What the lines are, one of `FORMS`; empty if each file shows it, as models of earlier
            versions have it.
        delimiter: The delimiter between cells; empty if the first line shows it.
        marks: What the marks in numbers mean.
        units: The units of columns of numbers that have one.
        formats: The formats of the times, as for `datetime.strptime`; empty for ISO 8601 and
            numbers.
        clock: The name of a column with the time of day, if `SeriesLayout.time` is the date.
        day_first: Whether the day comes before the month in times such as 05/06/2024.
        keys: The names of the fields that tell several series in one file apart.
    """

    form: str = ""
    delimiter: str = ""
    marks: Marks = field(default_factory=Marks)
    units: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    clock: str | None = None
    day_first: bool | None = None
    keys: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the reading as JSON values."""
        plain = asdict(self)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in plain.items()}

    @classmethod
    def from_json(cls, values: Any) -> "Reading":
        """Return the reading of `to_json`'s values, which may be untrusted.

        Raises:
            Exception: The values are damaged; TypeError, KeyError, ValueError or AttributeError.
        """
        if values is None:
            return FORMER
        marks, units, clock = values["marks"], values["units"], values["clock"]
        formats, keys = (tuple(_texts(values[name])) for name in ("formats", "keys"))
        _texts([*units, *units.values()], MOST_NAMES * 2)
        _texts([clock] if clock is not None else [])
        right = (
            values["form"] in FORMS
            and values["delimiter"] in ("", *",;\t|")
            and marks["decimal"] in (".", ",")
            and type(marks["grouped"]) is bool
            and values["day_first"] in (None, True, False)
        )
        if not right:
            raise ValueError("reading")
        return cls(
            values["form"],
            values["delimiter"],
            Marks(marks["decimal"], marks["grouped"]),
            units,
            formats,
            clock,
            values["day_first"],
            keys,
        )


FORMER = Reading()
"""The reading of models of earlier versions, which keep none."""


def _texts(values: Any, most: int = 100) -> list[str]:
    texts = isinstance(values, list) and all(isinstance(value, str) for value in values)
    if not texts or len(values) > most or any(len(value) > LONGEST_NAME for value in values):
        raise ValueError("reading")
    return values  # type: ignore[no-any-return]


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
        reading: How the table is read.
        decimal: The decimal mark, `.` or `,`, if the user says it.
    """

    time: str | None = None
    columns: tuple[str, ...] | None = None
    time_format: str | None = None
    zone: str | None = None
    header: tuple[str, ...] | None = None
    reading: Reading | None = None
    decimal: str | None = None

    @property
    def times_in(self) -> str:
        """The names of the columns of times, in words."""
        clock = self.reading.clock if self.reading else None
        return f"{self.time} and {clock}" if clock else str(self.time)

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

    def to_json(self) -> dict[str, Any]:
        """Return the layout as JSON values."""
        reading = self.reading
        return {
            "time": self.time,
            "columns": None if self.columns is None else list(self.columns),
            "time_format": self.time_format,
            "zone": self.zone,
            "header": None if self.header is None else list(self.header),
            **({"reading": reading.to_json()} if reading not in (None, FORMER) else {}),
        }

    @classmethod
    def from_json(cls, values: Any) -> "SeriesLayout":
        """Return the layout of `to_json`'s values, which may be untrusted.

        Raises:
            Exception: The values are damaged; TypeError, KeyError, ValueError or AttributeError.
        """
        columns, header = names_of(values["columns"]), names_of(values["header"] or [])
        if not columns:
            raise ValueError("columns")
        texts = [values[name] for name in ("time", "time_format", "zone")]
        if not all(text is None or (isinstance(text, str) and text) for text in texts):
            raise ValueError("layout")
        time, time_format, zone = texts
        reading = Reading.from_json(values.get("reading"))
        layout = cls(time, columns, time_format, zone, header, reading)
        layout.clock()
        return layout


def names_of(values: Any) -> tuple[str, ...]:
    """Return names of columns in a card, which may be untrusted.

    Raises:
        Exception: They are damaged; TypeError or ValueError.
    """
    if not isinstance(values, list) or len(set(values)) < len(values) or len(values) > MOST_NAMES:
        raise ValueError("columns")
    if not all(isinstance(name, str) and len(name) <= LONGEST_NAME for name in values):
        raise ValueError("columns")
    return tuple(values)


@dataclass(frozen=True)
class Series:
    """Records that can be read once, and the names of their columns.

    Attributes:
        columns: The names of the columns of values.
        records: The rows.
        time: The name of the column of times; None without times.
        header: The names of all columns of the table.
        reading: How the table is read.
        notes: What is said about a table that was never seen before; True marks a warning.
    """

    columns: tuple[str, ...]
    records: Iterator[Record]
    time: str | None = None
    header: tuple[str, ...] = ()
    reading: Reading | None = None
    notes: tuple[tuple[bool, str], ...] = ()


def plain(name: str) -> str:
    """Return a name without marks at its ends, to compare it with known names."""
    return re.sub(r"[\s_.-]+", "_", name.strip("@_# \t")).casefold()
