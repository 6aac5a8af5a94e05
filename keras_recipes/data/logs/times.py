"""The times of log lines: how they are spelt, where they are, and what they mean.

A spelling is a regular expression with named groups for the parts of a time. The first lines of a
log show which spelling it has and where: at the beginning of the lines, or after a level, a label,
a name or `ts=`. Zones that are not written are UTC. Times without a year are in the latest year in
which they are not in the future.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
ANYWHERE_BELOW = 512
"""Number of bytes at the beginning of a line in which its time is looked for."""

_HMS = r"(?P<H>\d{1,2}):(?P<M>\d\d):(?P<S>\d\d)"
_FRACTION = r"(?:[.,:](?P<f>\d{1,9}))?"
_ZONE = r"(?: ?(?P<z>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)(?![\w]))?"
_NOON = r"(?: ?(?P<p>[AaPp]\.?[Mm])\b)?"
_MONTH = r"(?P<b>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))[a-z]{0,6}\.?"
_DAY = r"(?P<d>\d{1,2})"

SPELLINGS = {
    # 2025-06-01T10:11:12.123Z, 2025/06/01 10:11:12,123 +02:00, 2025-06-01-10.11.12.123456
    "iso": r"(?P<y>\d{4})[-/.](?P<m>\d\d)[-/.](?P<d>\d\d)(?:[T_-]| {1,2})"
    rf"(?P<H>\d\d)[:.](?P<M>\d\d)[:.](?P<S>\d\d){_FRACTION}{_ZONE}",
    # 01/Jun/2025:10:11:12 +0000, 01-Jun-2025 10:11:12.123, Sun, 01 Jun 2025 10:11:12 GMT
    "day month year": rf"{_DAY}[-/ ]{_MONTH}[-/ ](?P<y>\d{{4}})[: ]{_HMS}{_FRACTION}{_NOON}{_ZONE}",
    # Jun 01, 2025 10:11:12 AM, Jun 1 2025 10:11:12.123
    "month day year": rf"{_MONTH} {{1,2}}{_DAY},? (?P<y>\d{{4}}),? {_HMS}{_FRACTION}{_NOON}{_ZONE}",
    # Sun Jun 01 10:11:12.123456 2025
    "asctime": rf"{_MONTH} {{1,2}}{_DAY} {_HMS}{_FRACTION}(?: [A-Z]{{3,4}})? (?P<y>\d{{4}})\b",
    # Jun  1 10:11:12, *Mar  1 18:46:11.123
    "syslog": rf"{_MONTH} {{1,2}}{_DAY} {_HMS}{_FRACTION}",
    # 01.06.2025 10:11:12, 31/12/2025, 10:11:12
    "day/month/year": rf"{_DAY}[./-](?P<m>\d{{1,2}})[./-](?P<y>\d{{4}})(?:[T,:-]| {{1,2}}|, ){_HMS}"
    rf"{_FRACTION}{_NOON}{_ZONE}",
    "month/day/year": r"(?P<m>\d{1,2})[./-](?P<d>\d{1,2})[./-](?P<y>\d{4})(?:[T,:-]| {1,2}|, )"
    rf"{_HMS}{_FRACTION}{_NOON}{_ZONE}",
    # 20250601T101112.123Z, 20250601-10:11:12:123, 20250601 101112
    "compact": r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)[-T_ ](?P<H>\d{1,2}):?(?P<M>\d{1,2}):?"
    rf"(?P<S>\d{{1,2}})(?:[.,:](?P<f>\d{{1,9}}))?{_ZONE}",
    # 25/06/01 10:11:12 and 250601 101112
    "short": r"(?P<yy>\d\d)(?P<sep>/?)(?P<m>\d\d)(?P=sep)(?P<d>\d\d) (?P<H>\d\d)(?::?)(?P<M>\d\d)"
    r"(?::?)(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?",
    # I0601 10:11:12.123456
    "klog": rf"(?P<m>\d\d)(?P<d>\d\d) {_HMS}\.(?P<f>\d{{6}})",
    # 06-01 10:11:12.123
    "month-day": rf"(?P<m>\d\d)-(?P<d>\d\d) {_HMS}{_FRACTION}",
    # Seconds, milliseconds, microseconds or nanoseconds since 1970
    "epoch": r"(?P<e>1\d{9})(?:\.(?P<f>\d{1,9})|(?P<f3>\d{3})|(?P<f6>\d{6})|(?P<f9>\d{9}))?",
    # Seconds since the start of the machine, as dmesg writes them
    "uptime": r" *(?P<e>\d{1,9})\.(?P<f>\d{6})",
}
"""The spellings, those that say more before those that say less."""

BEFORE = {"klog": r"(?<=[IWEFD])", "uptime": r"(?<=\[)"}
"""What has to stand before a time in a line; before other times, no part of a word."""

AFTER = {"epoch": r"(?![\w.-])", "uptime": r"(?=\])"}
"""What has to stand after a time in a line; after other times, anything."""

_READ = {name: re.compile(text.encode()) for name, text in SPELLINGS.items()}
# Searching is faster without the groups that only reading needs.
_SEARCHED = {
    name: re.compile(
        (
            BEFORE.get(name, r"(?<![\w.])")
            + re.sub(r"\(\?P<(?!sep)\w+>", "(?:", text)
            + AFTER.get(name, "")
        ).encode()
    )
    for name, text in SPELLINGS.items()
}

Found = tuple[int, int, float]
"""Where a time begins and ends in a line, and its seconds since 1970."""

START = "start"
"""The place that cards of before have: a time of one of `_AT_START`, at the beginning of a line."""

_AT_START = ("iso", "day month year", "short", "syslog", "epoch")


@dataclass(frozen=True)
class TimePlace:
    """Where the time of a line is.

    Attributes:
        spelling: A name of `SPELLINGS`, or `START`.
        nth: Which of the times in a line that are spelt so, from 0.
    """

    spelling: str
    nth: int = 0

    @classmethod
    def of_text(cls, text: str) -> "TimePlace":
        """Return the place that `str` gives.

        Raises:
            ValueError: There is no such place.
        """
        spelling, _, nth = text.partition("#")
        if (spelling != START and spelling not in SPELLINGS) or not (nth or "0").isdecimal():
            raise ValueError(f"unknown place of times {text!r}")
        if int(nth or 0) > 9:
            raise ValueError(f"unknown place of times {text!r}")
        return cls(spelling, int(nth or 0))

    def __str__(self) -> str:
        return f"{self.spelling}#{self.nth}" if self.nth else self.spelling

    def find(self, line: bytes) -> "Found | None":
        """Return where the time of a line begins and ends, and its seconds since 1970, or None."""
        return self.finder()(line)

    def finder(self) -> "Callable[[bytes], Found | None]":
        """Return a function that does what `find` does; it is faster for many lines."""
        if self.spelling == START:
            return _at_start
        search, spelling, others = _SEARCHED[self.spelling].search, self.spelling, self.nth

        def find(line: bytes) -> "Found | None":
            match = search(line, 0, ANYWHERE_BELOW)
            for _ in range(others):
                match = match and search(line, match.end(), ANYWHERE_BELOW)
            if match is None or (seconds := read(spelling, match[0])) is None:
                return None
            begin, end = match.span()
            if begin and line[begin - 1] in b"[(" and line[end : end + 1] in (b"]", b")"):
                return begin - 1, end + 1, seconds
            return begin, end, seconds

        return find


def _at_start(line: bytes) -> Found | None:
    begin = 1 if line[:1] in (b"[", b"(") else 0
    for name in _AT_START:
        match = _SEARCHED[name].match(line, begin)
        if match and (seconds := read(name, match[0])) is not None:
            end = match.end()
            return 0, end + (line[end : end + 1] in (b"]", b")")), seconds
    return None


def place_of(lines: Sequence[bytes], *, least: float = 0.5) -> TimePlace | None:
    """Return where the lines have their times, or None if fewer than a share of them have one.

    A spelling that most lines have beats one that fewer have; among equals the one that begins
    first is chosen. Numbers count only where they nearly always grow, and a time that is the same
    in every line, such as one in a file's name, does not count.

    Args:
        lines: The first lines.
        least: The smallest share of the lines.
    """
    best: tuple[float, float, int] | None = None
    chosen = None
    for order, name in enumerate(SPELLINGS):
        for nth in range(3):
            place = TimePlace(name, nth)
            found = [hit for line in lines if (hit := place.find(line))]
            if len(found) < least * max(1, len(lines)):
                break
            times = [time for _, _, time in found]
            if len(set(times)) == 1 and len(lines) > 2 and (nth or _has_more(name, lines)):
                continue
            if name in ("epoch", "uptime") and not _grows(times):
                continue
            begins = sum(begin for begin, _, _ in found) / len(found)
            rank = (-round(len(found) / len(lines), 1), begins, order)
            if best is None or rank < best:
                best, chosen = rank, place
            break
    return _day_or_month(chosen, lines) if chosen else None


def _has_more(name: str, lines: Sequence[bytes]) -> bool:
    """Return whether the lines have other times, so that a constant one is not theirs."""
    others = (n for n in SPELLINGS if n != name)
    return TimePlace(name, 1).find(lines[-1]) is not None or any(
        len({hit[2] for line in lines if (hit := TimePlace(n).find(line))}) > 1 for n in others
    )


def _grows(times: Sequence[float]) -> bool:
    steps = [after - before for before, after in itertools.pairwise(times)]
    return sum(step >= 0 for step in steps) >= 0.9 * len(steps)


def _day_or_month(place: TimePlace, lines: Sequence[bytes]) -> TimePlace:
    """Return which number is the day, as the lines together show it.

    Dots are written between day, month and year only in this order. Otherwise a number above 12 is
    a day; without one, the reading whose times lie closer together is chosen.
    """
    names = ("month/day/year", "day/month/year")
    if place.spelling not in names:
        return place
    ranks = {}
    for name in names:
        hits = [(line, hit) for line in lines if (hit := TimePlace(name, place.nth).find(line))]
        seconds = [hit[2] for _, hit in hits]
        span = max(seconds, default=0.0) - min(seconds, default=0.0)
        dotted = any(b"." in line[hit[0] : hit[0] + 3] for line, hit in hits)
        ranks[name] = (dotted and name == names[0], -len(hits), span)
    return TimePlace(min(names, key=lambda name: ranks[name]), place.nth)


@lru_cache(maxsize=65_536)
def read(spelling: str, text: bytes) -> float | None:
    """Return a time in seconds since 1970, or None if there is no such time.

    Args:
        spelling: A name of `SPELLINGS`.
        text: The time as it is written.
    """
    match = _READ[spelling].fullmatch(text)
    if match is None:
        return None
    parts = {name: part.decode() for name, part in match.groupdict().items() if part}
    try:
        return _seconds(parts)
    except (ValueError, OverflowError):
        return None


class Reader:
    """Reads times that stand alone, as a field of JSON does; most are spelt like the one before."""

    def __init__(self, usual: str = "iso") -> None:
        """Prepare to read.

        Args:
            usual: The spelling to try first, a name of `SPELLINGS`.
        """
        self._usual = usual

    def read(self, value: Any) -> float | None:
        """Return a time in seconds since 1970, or None if it cannot be read as one.

        Args:
            value: A text, or seconds, milliseconds, microseconds or nanoseconds since 1970.
        """
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _since_1970(value)
        if isinstance(value, str):
            value = value.encode(errors="replace")
        if not isinstance(value, bytes):
            return None
        text = value.strip().removeprefix(b"[").removesuffix(b"]")
        seconds = read(self._usual, text)
        if seconds is None:
            for name in SPELLINGS:
                seconds = None if name == "uptime" else read(name, text)
                if seconds is not None:
                    self._usual = name
                    break
        return seconds


def _since_1970(value: float) -> float | None:
    """Return seconds; the size of the number shows its unit."""
    if not 1e8 <= value < 1e20:  # from 1973 on; nanoseconds have 19 digits
        return None
    for unit in (1, 1e3, 1e6, 1e9):
        if value < 1e11 * unit:
            return value / unit
    return None


def _seconds(parts: dict[str, str]) -> float:
    fraction = next((parts[name] for name in ("f", "f3", "f6", "f9") if name in parts), "")
    share = int(fraction) / 10 ** len(fraction) if fraction else 0.0
    if "e" in parts:
        return int(parts["e"]) + share
    month = int(parts["m"]) if "m" in parts else 1 + MONTHS.index(parts["b"][:3].lower())
    day, hour, minute, second = (int(parts[name]) for name in ("d", "H", "M", "S"))
    if "p" in parts:
        hour = hour % 12 + 12 * (parts["p"][0] in "pP")
    clock = (hour, minute, min(second, 59))  # a leap second is the second before it
    zone = _zone(parts.get("z", ""))
    if year := parts.get("y"):
        return datetime(int(year), month, day, *clock, tzinfo=zone).timestamp() + share
    if year := parts.get("yy"):
        century = 2000 if int(year) < 69 else 1900
        return datetime(century + int(year), month, day, *clock, tzinfo=zone).timestamp() + share
    return _latest(month, day, clock).timestamp() + share


def _zone(text: str) -> timezone:
    if text[:1] not in ("+", "-"):
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(offset if text[0] == "+" else -offset)


def _latest(month: int, day: int, clock: tuple[int, int, int]) -> datetime:
    """Return the time in the latest year in which it is not in the future."""
    now = datetime.now(UTC)
    for year in _years(now.year):
        try:
            time = datetime(year, month, day, *clock, tzinfo=UTC)
        except ValueError:  # the 29th of February, in another year
            continue
        if time - now < timedelta(days=1):
            return time
    raise ValueError("no such day")


def _years(this: int) -> Iterator[int]:
    yield from range(this, this - 9, -1)
