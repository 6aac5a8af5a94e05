"""Cells as times."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from keras_recipes.data.series.numbers import is_number
from keras_recipes.data.series.records import MONDAY, SeriesLayout
from keras_recipes.errors import InputError

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


def is_number_or_time(cell: Any) -> bool:
    """Return whether a cell is a number or a time, and not text."""
    return is_number(cell) or is_time(cell)


def is_time(cell: Any) -> bool:
    """Return whether a cell is a time and not a number."""
    if isinstance(cell, datetime):
        return True
    if not isinstance(cell, str) or is_number(cell):
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
                f"{where}: expected a time, received {written(cell)[:40]!r}; "
                "give its format with --set time_format=%Y-..."
            )
        if self.clock is not None and time.tzinfo is not None:
            time = time.astimezone(self.clock)
        return (time.replace(tzinfo=None) - MONDAY).total_seconds()

    def _time(self, cell: Any) -> datetime | None:
        if isinstance(cell, datetime):
            return cell
        if self.numbers and is_number(cell):
            return _epoch(float(cell))
        text = written(cell)
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


def written(cell: Any) -> str:
    """Return a cell as it is written, without blanks around it."""
    return cell.strip() if isinstance(cell, str) else "" if cell is None else str(cell)
