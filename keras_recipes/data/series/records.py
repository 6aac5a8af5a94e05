"""Records of a series, and what is known about the table that holds them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from keras_recipes.errors import InputError

Refuse = Callable[[str], None] | None
"""A function that gets the message about a malformed row, which is skipped; None means an error."""

Row = tuple[str, Mapping[str, Any]]
"""The source of a row ("file.csv line 3"), and its cells by column."""


MONDAY = datetime(1970, 1, 5)


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
