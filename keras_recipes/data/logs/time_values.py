"""What a spelt time means, in seconds since 1970.

Zones that are not written are UTC. Times without a year are in the latest year in which they are
not in the future, and times of a day without a date are on the first of January 1970; `near`
continues both from line to line.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from keras_recipes.data.logs.spellings import ZONES, reading

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

# German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian and others, without accents.
_LOCAL_MONTHS = (
    *("jan jän ene gen sty янв", "feb fév fev lut фев", "mar mär mrz mrt maa мар"),
    *("apr avr abr kwi апр", "may mai mag mei maj мая май", "jun juin giu cze июн"),
    *("jul juil lug lip июл", "aug aoû aou ago sie авг", "sep set wrz сен"),
    *("oct okt ott out paź окт", "nov lis ноя", "dec dez déc dic gru дек"),
)
_MONTH_OF = {n: i for i, names in enumerate(_LOCAL_MONTHS, 1) for n in names.split()}

_WITHOUT_YEAR = ("syslog", "name day", "klog", "month-day", "month-day apart")
_DAY_SECONDS, _YEAR_SECONDS = 86_400.0, 330 * 86_400.0


@lru_cache(maxsize=65_536)
def read(spelling: str, text: bytes) -> float | None:
    """Return a time in seconds since 1970, or None if there is no such time.

    Args:
        spelling: A name of `SPELLINGS`, or a format as for strptime.
        text: The time as it is written.
    """
    match = reading(spelling).fullmatch(text)
    if match is None:
        return None
    parts = {name: _text(part) for name, part in match.groupdict().items() if part}
    try:
        return _seconds(parts)
    except (ValueError, OverflowError):
        return None


def _text(part: bytes) -> str:
    try:
        return part.decode()
    except UnicodeDecodeError:
        return part.decode("cp1252", "replace")


def is_cyclic(spelling: str) -> bool:
    """Return whether times of this spelling come again, each day or each year; see `near`."""
    return _cycle(spelling) > 0


def _cycle(spelling: str) -> float:
    if "%" in spelling:
        groups = reading(spelling).groupindex
        if "e" in groups or "y" in groups or "yy" in groups:
            return 0.0
        return _YEAR_SECONDS if "d" in groups else _DAY_SECONDS
    if spelling == "clock":
        return _DAY_SECONDS
    return _YEAR_SECONDS if spelling in _WITHOUT_YEAR else 0.0


def near(spelling: str, seconds: float, before: float) -> float:
    """Return a time that comes again each day or year as the one that fits to the line before.

    Args:
        spelling: How the time is spelt.
        seconds: The time, as `read` returns it.
        before: The time of the line before; 0 if there is none.
    """
    cycle = _cycle(spelling)
    if cycle == _DAY_SECONDS:
        return seconds % cycle + cycle * max(0, round((before - seconds % cycle) / cycle))
    if before and abs(seconds - before) > cycle > 0:
        time = datetime.fromtimestamp(seconds, UTC)
        year = time.year + (1 if seconds < before else -1)
        try:
            moved = time.replace(year=year).timestamp()
        except ValueError:  # the 29th of February
            return seconds
        return moved if abs(moved - before) < cycle else seconds
    return seconds


def _seconds(parts: dict[str, str]) -> float:
    fraction = next((parts[name] for name in ("f", "f3", "f6", "f9") if name in parts), "")
    share = int(fraction) / 10 ** len(fraction) if fraction else 0.0
    if "e" in parts:
        return int(parts["e"]) + share
    if "tai" in parts:
        return int(parts["tai"], 16) - 2**62 - 10 + int(parts["nano"], 16) / 1e9
    hour, minute = int(parts["H"]), int(parts.get("M", "0"))
    noon = parts.get("p") or parts.get("q") or ""
    if noon:
        hour = hour % 12 + 12 * (noon[0] in "pP" or noon in ("下午", "午後", "오후"))
    clock = (hour, minute, min(int(parts.get("S", "0")), 59))  # a leap second is the one before it
    if "d" not in parts:
        return datetime(1970, 1, 1, *clock, tzinfo=UTC).timestamp() + share
    month, day = _month(parts), int(parts["d"])
    zone = _zone(parts.get("z", ""), parts.get("zm", ""))
    if year := parts.get("y"):
        return datetime(int(year), month, day, *clock, tzinfo=zone).timestamp() + share
    if year := parts.get("yy"):
        century = 2000 if int(year) < 69 else 1900
        return datetime(century + int(year), month, day, *clock, tzinfo=zone).timestamp() + share
    return _latest(month, day, clock).timestamp() + share


def _month(parts: dict[str, str]) -> int:
    if "m" in parts:
        return int(parts["m"])
    if "b" in parts:
        return 1 + MONTHS.index(parts["b"][:3].lower())
    name = parts["l"].lower()
    for length in (4, 3):
        if name[:length] in _MONTH_OF:
            return _MONTH_OF[name[:length]]
    raise ValueError("no such month")


def _zone(text: str, minutes: str = "") -> tzinfo:
    if minutes:
        return timezone(timedelta(minutes=int(minutes)))
    if text in ZONES:
        return timezone(timedelta(hours=ZONES[text]))
    if "/" in text:
        return _region(text)
    if text[:1] not in ("+", "-"):
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(offset if text[0] == "+" else -offset)


@lru_cache(maxsize=64)
def _region(name: str) -> tzinfo:
    """Return a zone such as Europe/Berlin.

    Raises:
        ValueError: The system does not know this zone.
    """
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"no such zone: {error}") from None


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
