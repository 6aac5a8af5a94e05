"""Reports whose cells stand apart by blanks: vmstat, sar, iostat, mpstat, pidstat, free.

Headers and titles come again and again and are passed over. Devices, processors and processes, of
which each record has several lines, are keys (see `joining`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from keras_recipes.data.series import numbers, times
from keras_recipes.data.series.records import Refuse, Row, Rows
from keras_recipes.errors import InputError

TIME = "time"
"""The name of the times of a report."""

KEYS = (
    *("CPU", "Device", "Device:", "DEV", "IFACE", "NODE", "BUS", "UID", "PID", "TGID", "TID"),
    *("Command", "FILESYSTEM", "MOUNTPOINT", "INTR", "TTY", "FAN", "TEMP", "DEVICE", "row"),
)
"""Names of columns that tell the lines of a report apart; `row` is a line's name without one."""

_ONLY_WHERE = ("UID", "CPU")
"""Columns of pidstat that say where a process ran, not which one it is."""

LONGEST_TITLE = 500
"""The largest number of characters of a title."""

_CLOCK = re.compile(r"\d{1,2}:\d{2}:\d{2}")
_BANNER = re.compile(r"Linux\s.*\(.*?\)\s+(\S+)\s")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/\d{2,4}")
_RULER = re.compile(r"-{2,}")
_PASSED = ("Average:", "Summary:", "-/+", "Durchschn.:", "Moyenne")


class Report:
    """Reads the lines of a report.

    Attributes:
        names: The names of the columns of the last header.
        timed: Whether each line begins with a time of day.
        headers: The headers of this day.
        clocks: The first two times of this day; of tables in turns, all begin at the first.
        fresh: Whether the last line was a header.
        follows: Whether another table follows the one before, instead of coming in turns with it.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = [*names]
        self.timed = False
        self.day: date | None = None
        self.clock = ""
        self.headers: list[list[str]] = []
        self.now: str | None = None
        self.clocks: set[str] = set()
        self.follows = self.fresh = False

    def row(self, line: str) -> dict[str, Any] | None:
        """Return the cells of a line; None if the line has none, such as a header.

        Raises:
            ValueError: The line does not fit the header before it.
        """
        tokens = line.split()
        if not tokens or tokens[0].startswith(_PASSED) or self._is_title(line, tokens):
            return None
        hashed = tokens[0].startswith("#")
        if hashed:
            tokens = line.replace("#", " ", 1).split()
        clock, rest = _with_clock(tokens)
        missing = bool(self.names) and all(map(numbers.is_missing, rest))
        if rest and not any(map(_is_number, rest)) and not missing:
            self._header(rest, timed=clock is not None)
            return None
        self.fresh = False
        if self.timed and clock is None and tokens[0].isdigit():
            return self._cells(tokens[1:], int(tokens[0]))
        if clock is None or not self.timed:
            return self._cells(tokens, None)
        return self._cells(rest, self._at(clock))

    def _is_title(self, line: str, tokens: Sequence[str]) -> bool:
        if len(line) < LONGEST_TITLE and (banner := _BANNER.match(line + " ")):
            self.day, self.clock = _date(banner[1]), ""
            self.headers, self.clocks = [], set()
            return True
        if "RESTART" in tokens or (
            any(map(_RULER.search, tokens)) and not any(map(_is_number, tokens))
        ):
            return True
        if len(tokens) <= 3 and times.is_time(line):
            self.now = line.strip()
            return True
        return False

    def _header(self, names: list[str], *, timed: bool) -> None:
        if names[0] in ("avg-cpu:", "Time"):
            timed = timed or names[0] == "Time"
            names = names[1:]
        if self.fresh and len(names) == len(self.names) and len({*names}) < len(names):
            return  # units below the names
        names, self.fresh = _numbered(names), True
        if timed and names not in self.headers:
            # Of tables in turns, each has its header before the time goes on.
            self.follows = self.follows or len(self.clocks) > 1
            self.headers.append(names)
        self.names, self.timed = names, timed

    def _at(self, clock: str) -> str:
        """Return the day and the time of day; a time before the last one is of the next day."""
        if len(self.clocks) < 2:
            self.clocks.add(clock)
        if self.day is None:
            return clock
        if clock < self.clock and self.clock >= "12" > clock:
            self.day += timedelta(days=1)
        self.clock = clock
        return f"{self.day.isoformat()} {clock}"

    def _cells(self, tokens: list[str], time: Any) -> dict[str, Any]:
        names, now = self.names, time if time is not None else self.now
        if not tokens:
            raise ValueError(f"expected {len(names)} cells, received none")
        if not names:
            now, tokens = _with_time(now, tokens)
            names = [f"value_{number}" for number in range(1, len(tokens) + 1)]
        key = {}
        if len(tokens) == len(names) + 1 and times.is_date(tokens[-2]):
            now, tokens, names = " ".join(tokens[-2:]), tokens[:-2], names[:-1]
        elif times.is_epoch_text(tokens[0].removesuffix(":")) and len(tokens) == len(names) + 1:
            now, tokens = tokens[0].removesuffix(":"), tokens[1:]
        elif tokens[0].endswith(":") and 1 < len(tokens) <= len(names) + 1:
            key, tokens = {"row": tokens[0][:-1]}, tokens[1:]
            names = names[: len(tokens)]
        elif len(tokens) > len(names) and names[-1] == "Command":
            last = len(names) - 1
            tokens = [*tokens[:last], " ".join(tokens[last:])]
        if len(tokens) != len(names):
            raise ValueError(f"expected {len(names)} cells, received {len(tokens)}")
        cells = {**({TIME: now} if now is not None else {}), **key}
        cells |= dict(zip(names, tokens, strict=True))
        return _of_process(cells) if "PID" in cells else cells


def _with_time(now: Any, tokens: list[str]) -> tuple[Any, list[str]]:
    """Return the time at the beginning of a line without a header, and the rest."""
    if len(tokens) > 2 and times.is_date(tokens[0]) and _CLOCK.match(tokens[1]):
        return " ".join(tokens[:2]), tokens[2:]
    if len(tokens) > 1 and times.is_time(tokens[0]):
        return tokens[0], tokens[1:]
    return now, tokens


def _of_process(cells: dict[str, Any]) -> dict[str, Any]:
    return {name: cell for name, cell in cells.items() if name not in _ONLY_WHERE}


def _with_clock(tokens: list[str]) -> tuple[str | None, list[str]]:
    """Return the time of day at the beginning of a line, with 24 hours, and the rest."""
    if not _CLOCK.fullmatch(tokens[0]):
        return None, tokens
    half = tokens[1].upper() if len(tokens) > 1 and tokens[1].upper() in ("AM", "PM") else ""
    if not half:
        return tokens[0].zfill(8), tokens[1:]
    hour, rest = tokens[0].split(":", 1)
    hours = int(hour) % 12 + (12 if half == "PM" else 0)
    return f"{hours:02}:{rest}", tokens[2:]


def _date(text: str) -> date | None:
    for pattern in ("%m/%d/%Y", "%m/%d/%y", "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d/%m/%y"):
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    return None


def open_date(lines: Sequence[str]) -> str | None:
    """Return the date in a banner, such as 01/03/2024, if day and month may be exchanged in it."""
    for line in lines:
        banner = _BANNER.match(line + " ") if len(line) < LONGEST_TITLE else None
        if banner and (parts := _SLASHED.fullmatch(banner[1])):
            first, second = int(parts[1]), int(parts[2])
            return banner[1] if first != second and first <= 12 and second <= 12 else None
    return None


def _numbered(names: Sequence[str]) -> list[str]:
    """Return names of which none comes twice: a second `tps` is called `tps 2`."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return found


def _is_number(token: str) -> bool:
    return any(numbers.Marks(mark).measure(token) is not None for mark in ".,")


def _is_cell(token: str) -> bool:
    """Return whether a token may stand in a report, which has no texts but its keys."""
    known = _is_number(token) or numbers.is_missing(token)
    return known or times.is_time_of_day(token) or _is_day(token)


def _is_day(token: str) -> bool:
    return token[:1].isdigit() and times.is_time(token)


def are_reports(lines: Sequence[str]) -> bool:
    """Return whether these lines are a report: numbers that stand apart by blanks."""
    report, rows, cells, filled = Report(), 0, 0, 0
    for line in lines:
        if not line.strip():
            continue
        if any(cell.endswith((",", ";")) and _is_number(cell[:-1]) for cell in line.split()):
            return False  # cells with delimiters and blanks between them
        filled += 1
        try:
            row = report.row(line)
        except (ValueError, IndexError):
            return False
        if row is None:
            continue
        values = [cell for name, cell in row.items() if name not in (TIME, *KEYS)]
        if not all(map(_is_cell, values)):
            return False
        rows, cells = rows + 1, cells + len(row)
    return rows >= max(1, 0.3 * filled) and cells >= 2 * rows


def rows(source: str, lines: Iterable[str], refuse: Refuse, names: Sequence[str] = ()) -> Rows:
    """Return the rows of a report; `names` are its columns until a header comes."""
    return Rows(f"{source} line", _rows(source, lines, refuse, names))


def _rows(source: str, lines: Iterable[str], refuse: Refuse, names: Sequence[str]) -> Iterator[Row]:
    report = Report(names)
    for number, line in enumerate(lines, 1):
        try:
            row = report.row(line)
        except ValueError as error:
            message = f"{source} line {number}: {error}"
            if refuse is None:
                raise InputError(message) from None
            refuse(message)
            continue
        if report.follows:
            raise InputError(
                f"{source} line {number}: expected one table, received another one behind it with "
                f"the columns {', '.join(report.names[:3])}; give one of them, as with sar -u, or "
                "the output of sadf -d"
            )
        if row is not None:
            yield number, row
