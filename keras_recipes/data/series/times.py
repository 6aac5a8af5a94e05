"""Cells as times: formats are told by a column's first records, and then read strictly."""

import itertools
import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from keras_recipes.data.series.numbers import Marks, is_number
from keras_recipes.data.series.records import FORMER, MONDAY, SeriesLayout
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
"""Formats of times besides ISO 8601 and numbers that models of earlier versions know.

Such a model reads `05/06/2024` with the month first until a number above twelve shows that the day
is first. The hour of the day is the same either way.
"""

EXCEL = "excel"
"""The format of times that are numbers of days since the end of 1899, as in spreadsheets."""

SHOWING = 200
"""The number of times that show how all of them are written."""

YEAR = 300 * 86_400
"""Seconds between records from which on one of two digits that is a year is rather a day."""

LONG_AGO = 2010
"""The year before which a date such as 24-03-01 is rather one with its year first."""

_LONGEST = 60
"""The largest number of characters of a time."""

_CLOCK = r"\d{1,2}:\d{2}(?P<seconds>:\d{2}(?P<fraction>[.,]\d{1,9})?)?"
_HALF = r"(?P<half>[ \u202f]?[AaPp]\.?[Mm]\.?)"
_TIME = re.compile(rf"(?:(?<![\d:.])|(?<=\d{{4}}:)){_CLOCK}{_HALF}?(?![\d:])")
_DOTTED = re.compile(rf"(?<![\d:.])\d{{1,2}}\.\d{{2}}(?P<seconds>\.\d{{2}})?{_HALF}?(?![\d:.])")
_DATE = re.compile(
    r"(?<!\d)(?=\d{4}|\d{1,2}\D\d{1,2}\D\d\d)(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?!\d)"
)
_COMPACT = re.compile(r"(?<!\d)(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?!\d)")
_COMPACT_FORMATS = {
    6: "%Y%m",
    8: "%Y%m%d",
    10: "%Y%m%d%H",
    12: "%Y%m%d%H%M",
    14: "%Y%m%d%H%M%S",
}
"""The formats of times that are written as digits only, by the number of digits."""

_COMPACT_CLOCK = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?")
_DOTTED_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}\b.*")
_WORDS = re.compile(r"(?<![%A-Za-z])[A-Za-z]{3,9}(?![A-Za-z])")
_ZONE = re.compile(r"(:\d{2}(?:[.,]\d{1,9})?)(\s*)([+-]\d{2}:?\d{2})$")
_UTC = re.compile(r"(?<=\d)\s*(?:UTC|GMT|Z)$")
_NAMED_ZONE = re.compile(r"\s+[A-Z]{3,4}$")
_END_OF_DAY = re.compile(r"(?<=[T ])24(?=:00(?::00(?:[.,]0+)?)?(?![\d:.,]))")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MINUTES = re.compile(r"\s*(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?[^AaPp]*([AaPp])?")
_TIME_OF_DAY = re.compile(
    r"\s*(?:\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?|\d{1,2}\.\d{2}(?:\.\d{2})?)"
    r"(?:\s?[AaPp]\.?[Mm]\.?)?\s*"
)


def written(cell: Any) -> str:
    """Return a cell as it is written, without blanks around it."""
    return cell.strip() if isinstance(cell, str) else "" if cell is None else str(cell)


def number_of(text: str, marks: Marks) -> float | None:
    """Return the number that a time is, in a table with these marks; None of other texts."""
    if is_number(text):
        return float(text)
    return None if marks.decimal == "." else marks.number(text)


def is_number_or_time(cell: Any) -> bool:
    """Return whether a cell is a number or a time, and not text."""
    return is_number(cell) or is_time(cell)


def is_time(cell: Any) -> bool:
    """Return whether a cell is a time with its date, and not a number."""
    if isinstance(cell, datetime):
        return True
    if not isinstance(cell, str) or is_number(cell):
        return False
    return _iso(cell) is not None or bool(_fitting(formats_of(cell), [cell]))


def is_time_of_day(cell: Any) -> bool:
    """Return whether a cell is a time of day without a date."""
    return isinstance(cell, str) and _TIME_OF_DAY.fullmatch(cell) is not None


def of_day(text: str) -> float:
    """Return a time of day, such as 7:30 PM, in minutes; 0 for any other text."""
    match = _MINUTES.match(text)
    if match is None:
        return 0.0
    hour = int(match[1])
    if match[4]:
        hour = hour % 12 + 12 * (match[4].upper() == "P")
    return 60 * hour + int(match[2]) + float(match[3] or 0) / 60


def is_date(cell: Any) -> bool:
    """Return whether a cell is a date without a time of day."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return True
    if not isinstance(cell, str) or not is_time(cell):
        return False
    return not _TIME.search(cell) and not any("%H" in one for one in formats_of(cell))


def formats_of(text: str) -> list[str]:
    """Return the formats that a time may have: several where day and month may be exchanged."""
    text = text.strip()
    if not 5 <= len(text) <= _LONGEST:
        return []
    if "%" in text:
        return []
    pattern, clocks = _TIME.subn(_clock_format, _ZONE.sub(r"\1\2%z", _no_zone(text)), 1)
    dates = [pattern]
    if match := _DATE.search(pattern):
        dates = [pattern[: match.start()] + one + pattern[match.end() :] for one in _dates(match)]
    elif match := _COMPACT.search(pattern):
        dates = [pattern[: match.start()] + "%Y%m%d" + pattern[match.end() :]]
    if not clocks:
        dates = [_DOTTED.sub(_clock_format, one, 1) for one in dates]
    found = [_with_words(one) for one in dates]
    return [one for one in found if one is not None and _is_format(one)]


def _is_format(pattern: str) -> bool:
    """Return whether each part of a time occurs once, and nothing is left."""
    parts = re.findall("%.", pattern)
    return len(set(parts)) == len(parts) and not re.search(r"\d", pattern)


def _clock_format(match: re.Match[str]) -> str:
    mark = ":" if ":" in match[0] else "."
    parts = ["%I" if match["half"] else "%H", "%M", *(["%S"] if match["seconds"] else [])]
    fraction = match.groupdict().get("fraction")
    gap = " " if match["half"] and match["half"][0] in " \u202f" else ""
    return (
        mark.join(parts)
        + (f"{fraction[0]}%f" if fraction else "")
        + (f"{gap}%p" if match["half"] else "")
    )


def _dates(match: re.Match[str]) -> list[str]:
    first, mark, _, last = match.groups()
    if len(first) == 4:
        orders = ["Ymd"]
    elif len(first) == 3 or len(last) == 3:
        return []
    else:
        year = "Y" if len(last) == 4 else "y"
        orders = [f"dm{year}"] if mark == "." else [f"md{year}", f"dm{year}"]
        orders += ["ymd"] if len(first) == len(last) == 2 else []
    return [mark.join(f"%{one}" for one in order) for order in orders]


def _with_words(pattern: str) -> str | None:
    """Return a pattern with the formats of names of days and months, and of numbers beside them."""
    pattern = _WORDS.sub(_named, pattern)
    if "%b" in pattern or "%B" in pattern:
        for digits, part in ((r"\d{4}", "%Y"), (r"\d{1,2}", "%d"), (r"\d{2}", "%y")):
            pattern = re.sub(rf"(?<!\d){digits}(?!\d)", part, pattern, count=1)
        if "%d" not in pattern:
            return None
    rest = re.sub("%.", "", pattern).replace("T", "")
    return pattern if re.search("%[Yy]", pattern) and not any(map(str.isalpha, rest)) else None


def _named(match: re.Match[str]) -> str:
    """Return the format of the name of a day, a month or a zone; any other word as it is."""
    word = match[0].casefold()
    if word in ("utc", "gmt"):
        return "%Z"
    for names, long, short in ((_MONTHS, "%B", "%b"), (_DAYS, "%A", "%a")):
        if word in [name[:3] for name in names]:
            return short
        if word in names:
            return long
    return match[0]


def _no_zone(text: str) -> str:
    """Return a time without the name of a zone at its end."""
    return (
        _NAMED_ZONE.sub("", _UTC.sub("", text))
        if text[-1:].isupper() and not re.search(r"\d ?[AP]M$", text)
        else text
    )


def _iso(text: str) -> datetime | None:
    """Return the time of a text in ISO 8601."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    return _of_iso(text) or _end_of_day(_of_iso, text)


def _of_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        if _UTC.search(text):
            return datetime.fromisoformat(_UTC.sub("", text)).replace(tzinfo=UTC)
        if zone := _ZONE.search(text):
            return datetime.fromisoformat(text[: zone.start()] + zone[1] + zone[3])
        if text[-1:].isupper():
            return datetime.fromisoformat(_NAMED_ZONE.sub("", text))
    except ValueError:
        pass
    return None


def _parsed(text: str, pattern: str) -> datetime | None:
    """Return the time of a text in this format; a zone's name that the format lacks is no harm."""
    return _of_format(text, pattern) or _end_of_day(lambda day: _of_format(day, pattern), text)


def _of_format(text: str, pattern: str) -> datetime | None:
    found = _tried(lambda one: datetime.strptime(one, pattern), text)
    if found is None and text[-1:].isupper():
        utc = _UTC.search(text) is not None
        found = _tried(lambda one: datetime.strptime(one, pattern), _no_zone(text))
        return found.replace(tzinfo=UTC) if found and utc and found.tzinfo is None else found
    return found


def _end_of_day(parse: Callable[[str], datetime | None], text: str) -> datetime | None:
    """Return the time of a text in which it is 24:00, the next day's midnight; None of others."""
    if "24:00" not in text or _END_OF_DAY.search(text) is None:
        return None
    day = parse(_END_OF_DAY.sub("00", text, count=1))
    return day and _tried(lambda _: day + timedelta(days=1), text)


def _fitting(formats: Sequence[str], texts: Sequence[str]) -> list[str]:
    return [one for one in formats if all(_parsed(text.strip(), one) for text in texts)]


def detect(texts: Sequence[str], *, day_first: bool) -> "tuple[tuple[str, ...], str | None] | None":
    """Return the formats of these times, and another format that fits them as well.

    Args:
        texts: The first times of a column, none of them empty.
        day_first: Which one is first where the times do not show it.

    Returns:
        None if they have no format in common. ISO 8601 and numbers have no formats.
    """
    if all(_iso(text) is not None and not is_number(text) for text in texts):
        return (), None
    formats = list(dict.fromkeys(one for text in texts for one in formats_of(text)))[:8]
    fitting = _fitting(formats, texts)
    if not fitting:
        return _mixed(formats, texts, day_first=day_first)
    by_gaps = {one: _gaps([_parsed(text.strip(), one) for text in texts]) for one in fitting}
    fewest = min(unlike for unlike, _ in by_gaps.values())
    alike = [one for one in fitting if by_gaps[one][0] == fewest]
    best = [one for one in alike if by_gaps[one][1] < YEAR] or alike
    likely = _likely(best, texts[-1].strip())
    chosen = next((one for one in likely if day_first_of(one) == day_first), likely[0])
    others = (one for one in (*likely, *best) if one != chosen and not _is_unusual(one))
    return (chosen,), next(others, None)


def _mixed(
    formats: Sequence[str], texts: Sequence[str], *, day_first: bool
) -> "tuple[tuple[str, ...], str | None] | None":
    """Return what `detect` does, of times in several formats, such as with and without a clock."""
    found = []
    orders = [tuple(_one_order(formats, first)) for first in (day_first, not day_first)]
    for order in dict.fromkeys(orders):
        moments = [_iso(text) or _first(order, text) for text in texts]
        if texts and None not in moments:
            found.append(((_gaps(moments)[0], _backward(moments)), order))
    if not found:
        return None
    (fewest, best), *rest = sorted(found, key=operator.itemgetter(0))
    alike = [one for unlike, order in rest if unlike == fewest for one in order if one not in best]
    return best, next(iter(alike), None)


def _backward(times: Sequence[datetime | None]) -> int:
    """Return how many times are earlier than the one before."""
    known = [time.replace(tzinfo=None) for time in times if time is not None]
    return sum(b < a for a, b in itertools.pairwise(known))


def _likely(formats: Sequence[str], text: str) -> list[str]:
    """Return the formats without the year first, unless they give a year that is long ago."""
    others = [
        one
        for one in formats
        if not _is_year_first(one) and (time := _parsed(text, one)) and time.year >= LONG_AGO
    ]
    usual = [one for one in formats if not _is_unusual(one)]
    return others or [one for one in usual if _is_year_first(one)] or usual or list(formats)


def _is_unusual(pattern: str) -> bool:
    """Return whether a year of two digits comes first, without hyphens: 24/03/01."""
    return _is_year_first(pattern) and "-" not in pattern


def _is_year_first(pattern: str) -> bool:
    """Return whether a year of two digits comes before the month."""
    return 0 <= pattern.find("%y") < pattern.find("%m")


def _one_order(formats: Sequence[str], day_first: bool) -> list[str]:
    return [one for one in formats if day_first_of(one) in (None, day_first)]


def moments(cells: Sequence[Any]) -> list[float] | None:
    """Return times as seconds, to sort them.

    Returns:
        None if one of them cannot be read, or if they rise with the day first or the month first.
    """
    texts = [written(cell) for cell in cells]
    if all(map(is_number, texts)):
        return [float(text) for text in texts]
    found = detect(texts[:SHOWING], day_first=False) if texts else None
    if found is None:
        return None
    formats, other = found
    if other and (also := _seconds((other,), texts)) and also == sorted(also):
        return None
    return _seconds(formats, texts)


def _seconds(formats: Sequence[str], texts: Sequence[str]) -> list[float] | None:
    found = []
    for text in texts:
        time = _first(formats, text) if formats else _iso(text)
        if time is None:
            return None
        found.append((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
    return found


def _first(formats: Sequence[str], text: str) -> datetime | None:
    return next((time for one in formats if (time := _parsed(text.strip(), one))), None)


def day_first_of(pattern: str) -> bool | None:
    """Return whether the day comes before the month as a number; None if one of them is none."""
    at = [pattern.find(part) for part in ("%d", "%m")]
    return None if -1 in at else at[0] < at[1]


def _gaps(times: Sequence[datetime | None]) -> tuple[int, float]:
    """Return how many gaps between times are unlike the usual one, and the usual one in seconds."""
    known = [time.replace(tzinfo=None) for time in times if time is not None]
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(known)]
    usual = abs(sorted(gaps)[len(gaps) // 2]) if gaps else 0.0
    return sum(abs(abs(gap) - usual) > 0.5 * usual for gap in gaps), usual


def _tried(parse: Callable[[str], datetime], text: str) -> datetime | None:
    try:
        return parse(text)
    except (ValueError, OverflowError, re.error):  # a format may hold a part twice
        return None


class TimeParser:
    """Parses the times of a column.

    The formats that were told at the fit come first, then ISO 8601 and numbers; whatever else there
    is, is read with day and month in the order of the table.
    """

    def __init__(self, layout: SeriesLayout) -> None:
        reading = layout.reading or FORMER
        self.zone, self.alone = layout.clock(), layout.time_format is not None
        self.formats = [layout.time_format] if layout.time_format else list(reading.formats)
        self.former, self.day_first = reading == FORMER, reading.day_first
        self.excel, self.marks = EXCEL in self.formats, reading.marks
        # Numbers are times unless the table's are written in another way.
        self.numbers = not self.alone and (self.former or self.excel or not self.formats)
        self.iso_first = not self.formats
        if self.former and not self.alone:
            self.formats += FORMATS
            self.iso_first = True

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
        if time.tzinfo is not None:
            try:
                time = time if self.zone is None else time.astimezone(self.zone)
            except OverflowError:
                raise InputError(
                    f"{where}: expected a time of the years 1 to 9999, received "
                    f"{written(cell)[:40]!r}"
                ) from None
            time = time.replace(tzinfo=None)
        return (time - MONDAY).total_seconds()

    def fits(self, cell: Any) -> bool:
        """Return whether a cell is a time in a known format."""
        return self._time(cell) is not None

    def _time(self, cell: Any) -> datetime | None:
        if self.iso_first and type(cell) is str and len(cell) > 12 and cell[4] == "-":
            try:
                return datetime.fromisoformat(cell)
            except ValueError:
                pass
        if isinstance(cell, date):
            return cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)
        text = written(cell)
        if self.numbers and (number := number_of(text, self.marks)) is not None:
            return _days(number) if self.excel else _number(number)
        for number, pattern in enumerate(self.formats):
            if pattern != EXCEL and (time := _parsed(text, pattern)) is not None:
                if number:
                    self.formats.insert(0, self.formats.pop(number))
                return time
        return None if self.alone else self._other(text)

    def _other(self, text: str) -> datetime | None:
        time = None if is_number(text) else _iso(text)
        if time is None and not self.former:
            formats = formats_of(text)
            formats = [one for one in formats if not _is_year_first(one)]
            if self.day_first is not None:
                formats = _one_order(formats, self.day_first)
            time = next((t for one in formats if (t := _parsed(text, one)) is not None), None)
        return time


def _number(cell: Any) -> datetime | None:
    """Return the time of a number since 1970 in s, ms, us or ns; its size shows the unit."""
    number = float(cell)
    for unit in (1, 1e3, 1e6, 1e9):
        if abs(number) < 1e11 * unit:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / unit)
    return None


def _days(number: float) -> datetime | None:
    if not 0 <= number < 100_000:
        return None
    return datetime(1899, 12, 30) + timedelta(seconds=round(number * 86_400, 3))


def is_epoch(number: float) -> bool:
    """Return whether a number is a time from 2000 to 2100 in s, ms, us or ns since 1970."""
    return any(946_684_800 <= abs(number) / unit < 4_102_444_800 for unit in (1, 1e3, 1e6, 1e9))


def is_epoch_text(text: str) -> bool:
    """Return whether a text is such a number."""
    return is_number(text) and is_epoch(float(text))


def is_excel(number: float) -> bool:
    """Return whether a number is a time from 2000 to 2060 in days since the end of 1899."""
    return 36_526 <= number < 58_440


def is_compact(text: str) -> bool:
    """Return whether eight digits are a date, such as 20240301."""
    return _COMPACT.fullmatch(text) is not None


def is_dotted_date(text: str) -> bool:
    """Return whether a text begins with a date such as 1.3.2024, as in German."""
    return _DOTTED_DATE.match(text) is not None


def compact_format(texts: Sequence[str]) -> str | None:
    """Return the format of times of digits only, such as 20240301 or 202403010010."""
    pattern = _COMPACT_FORMATS.get(len(texts[0])) if texts else None
    if pattern is None or not all(text[:2] in ("19", "20") for text in texts):
        return None
    fits = all(len(text) == len(texts[0]) and text.isdecimal() for text in texts)
    return pattern if fits and _fitting([pattern], texts) else None


def is_compact_clock(cell: Any) -> bool:
    """Return whether digits are a time of day, such as 0010 or 001000."""
    return isinstance(cell, str) and _COMPACT_CLOCK.fullmatch(cell.strip()) is not None


def together(day: Any, clock: Any = None) -> str:
    """Return a date and a time of day as one text."""
    if clock is None:
        return written(day)
    if isinstance(day, date):
        day = day.isoformat()[:10]
    hour = written(clock)
    if is_number(hour) and len(hour) < 5 and not is_compact_clock(hour):
        hour = f"{int(float(hour)):02}:00"
    return f"{written(day)} {hour}"
