"""How times are spelt in logs, and how a spelt time is read.

A spelling is a regular expression with named groups for the parts of a time. Zones that are not
written are UTC. Times without a year are in the latest year in which they are not in the future,
and times of a day without a date are on the first of January 1970; `near` continues both from line
to line.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

# German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian and others, without accents.
_LOCAL_MONTHS = (
    *("jan jän ene gen sty янв", "feb fév fev lut фев", "mar mär mrz mrt maa мар"),
    *("apr avr abr kwi апр", "may mai mag mei maj мая май", "jun juin giu cze июн"),
    *("jul juil lug lip июл", "aug aoû aou ago sie авг", "sep set wrz сен"),
    *("oct okt ott out paź окт", "nov lis ноя", "dec dez déc dic gru дек"),
)
_MONTH_OF = {n: i for i, names in enumerate(_LOCAL_MONTHS, 1) for n in names.split()}

# The abbreviations of zones that mean one offset in nearly all logs, in hours.
_ZONES = {
    "EST": -5.0,
    "EDT": -4.0,
    "CST": -6.0,
    "CDT": -5.0,
    "MST": -7.0,
    "MDT": -6.0,
    "PST": -8.0,
    "PDT": -7.0,
    "AKST": -9.0,
    "HST": -10.0,
    "BRT": -3.0,
    "WET": 0.0,
    "WEST": 1.0,
    "BST": 1.0,
    "CET": 1.0,
    "CEST": 2.0,
    "MEZ": 1.0,
    "MESZ": 2.0,
    "EET": 2.0,
    "EEST": 3.0,
    "MSK": 3.0,
    "SAST": 2.0,
    "IST": 5.5,
    "SGT": 8.0,
    "HKT": 8.0,
    "JST": 9.0,
    "KST": 9.0,
    "AEST": 10.0,
    "AEDT": 11.0,
    "NZST": 12.0,
    "NZDT": 13.0,
}

_HMS = r"(?P<H>\d{1,2}):(?P<M>\d\d):(?P<S>\d\d)"
_FRACTION = r"(?:[.,:](?P<f>\d{1,9}))?"
_ZONE = r"(?: ?(?P<z>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)(?![\w]))?"
_NAMED = rf" (?P<z>(?:{'|'.join(_ZONES)})|[A-Z][a-z]{{2,9}}/[A-Z][A-Za-z_]{{2,20}})(?![\w])"
_NOON = r"(?: ?(?P<p>[AaPp]\.?[Mm])\b)?"
_MONTH = r"(?P<b>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))[a-z]{0,6}\.?"
_LOCAL = r"(?P<l>[A-Za-z\x80-\xff]{3,12})\.?"
_DAY = r"(?P<d>\d{1,2})"
_ISO_DATE = r"(?P<y>\d{4})[-/.](?P<m>\d\d)[-/.](?P<d>\d\d)"
_ISO_CLOCK = r"(?P<H>\d\d)[:.](?P<M>\d\d)[:.](?P<S>\d\d)"
_ISO = rf"{_ISO_DATE}(?:[T_-]| {{1,2}}){_ISO_CLOCK}{_FRACTION}"
_APART = r'"?[,;|\t]"? ?'
_NUMBERS = r"(?:[T,:-]| {1,2}|, )"
_TWO = rf"(?:[T_:-]| {{1,2}}|, |{_APART}){_HMS}{_FRACTION}{_NOON}"

SPELLINGS = {
    # 2025-06-01 10:11:12.123 CEST, 2025-06-01 10:11:12 Europe/Berlin
    "iso zone": rf"{_ISO}{_NAMED}",
    # 2025-06-01-10.11.12.123456+120, with minutes from UTC
    "iso minutes": rf"{_ISO}(?P<zm>[+-]\d{{3}})(?!\d)",
    # 2025-06-01 1:11:12 PM
    "iso noon": rf"{_ISO_DATE}[T ]{_HMS}{_FRACTION} ?(?P<p>[AaPp][Mm])\b",
    # 2025-06-01T10:11:12.123Z, 2025/06/01 10:11:12,123 +02:00, 2025-06-01-10.11.12.123456
    "iso": rf"{_ISO}{_ZONE}",
    # 2025-06-01,10:11:12 and with a semicolon, a bar or a tab
    "iso apart": rf"{_ISO_DATE}{_APART}{_ISO_CLOCK}{_FRACTION}{_ZONE}",
    # 01/Jun/2025:10:11:12 +0000, 01-Jun-2025 10:11:12.123, Sun, 01 Jun 2025 10:11:12 GMT
    "day month year zone": rf"{_DAY}[-/ ]{_MONTH}[-/ ](?P<y>\d{{4}})[: ]{_HMS}{_FRACTION}{_NAMED}",
    "day month year": rf"{_DAY}[-/ ]{_MONTH}[-/ ](?P<y>\d{{4}})[: ]{_HMS}{_FRACTION}{_NOON}{_ZONE}",
    # Jun 01, 2025 10:11:12 AM, Jun 1 2025 10:11:12.123
    "month day year zone": rf"{_MONTH} {{1,2}}{_DAY},? (?P<y>\d{{4}}),? {_HMS}{_FRACTION}{_NOON}"
    rf"{_NAMED}",
    "month day year": rf"{_MONTH} {{1,2}}{_DAY},? (?P<y>\d{{4}}),? {_HMS}{_FRACTION}{_NOON}{_ZONE}",
    # Sun Jun 01 10:11:12 EST 2025, Sun Jun  1 10:11:12 AM UTC 2025
    "asctime zone": rf"{_MONTH} {{1,2}}{_DAY} {_HMS}{_FRACTION}{_NOON}{_NAMED} (?P<y>\d{{4}})\b",
    # Sun Jun 01 10:11:12.123456 2025
    "asctime": rf"{_MONTH} {{1,2}}{_DAY} {_HMS}{_FRACTION}(?: [A-Z]{{3,4}})? (?P<y>\d{{4}})\b",
    # 2025 Jun 01 10:11:12
    "year month day": rf"(?P<y>\d{{4}})[ -]{_MONTH}[ -] ?{_DAY} {_HMS}{_FRACTION}{_ZONE}",
    # 1. Juni 2025 10:11:12, 01-JUN-25 10.11.12.123 AM, 1-Jun-2025::10:11:12, 1 juin 2025 10:11:12
    "day name year": rf"{_DAY}\.?[-/ ]{_LOCAL}[-/ ](?:(?P<y>\d{{4}})|(?P<yy>\d\d))"
    rf"(?:::?| {{1,2}}|, )(?P<H>\d{{1,2}})[:.](?P<M>\d\d)[:.](?P<S>\d\d){_FRACTION}{_NOON}{_ZONE}",
    # Jun  1 10:11:12, *Mar  1 18:46:11.123
    "syslog": rf"{_MONTH} {{1,2}}{_DAY} {_HMS}{_FRACTION}",
    # Dez  1 10:11:12
    "name day": rf"{_LOCAL} {{1,2}}{_DAY} {_HMS}{_FRACTION}",
    # 01.06.2025 10:11:12, 31/12/2025, 10:11:12
    "day/month/year": rf"{_DAY}[./-](?P<m>\d{{1,2}})[./-](?P<y>\d{{4}}){_NUMBERS}{_HMS}"
    rf"{_FRACTION}{_NOON}{_ZONE}",
    "month/day/year": rf"(?P<m>\d{{1,2}})[./-](?P<d>\d{{1,2}})[./-](?P<y>\d{{4}}){_NUMBERS}"
    rf"{_HMS}{_FRACTION}{_NOON}{_ZONE}",
    # 20250601T101112.123Z, 20250601-10:11:12:123, 20250601 101112
    "compact": r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)[-T_ ](?P<H>\d{1,2}):?(?P<M>\d{1,2}):?"
    rf"(?P<S>\d{{1,2}})(?:[.,:](?P<f>\d{{1,9}}))?{_ZONE}",
    # 25/06/01 10:11:12 and 250601 101112
    "short": r"(?P<yy>\d\d)(?P<sep>/?)(?P<m>\d\d)(?P=sep)(?P<d>\d\d) (?P<H>\d\d)(?::?)(?P<M>\d\d)"
    r"(?::?)(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?",
    # 250601  9:11:12
    "short clock": rf"(?P<yy>\d\d)(?P<m>\d\d)(?P<d>\d\d) {{1,2}}{_HMS}",
    # 25-06-01 10:11:12, 01.06.25 10:11:12, 6/1/25 10:11:12:123 AM; the log as a whole decides
    "yy/month/day": rf"(?P<yy>\d\d)(?P<sep>[./-])(?P<m>\d\d)(?P=sep)(?P<d>\d\d){_TWO}{_ZONE}",
    "day/month/yy": rf"(?P<d>\d{{1,2}})(?P<sep>[./-])(?P<m>\d{{1,2}})(?P=sep)(?P<yy>\d\d){_TWO}{_ZONE}",
    "month/day/yy": rf"(?P<m>\d{{1,2}})(?P<sep>[./-])(?P<d>\d{{1,2}})(?P=sep)(?P<yy>\d\d){_TWO}{_ZONE}",
    # I0601 10:11:12.123456
    "klog": rf"(?P<m>\d\d)(?P<d>\d\d) {_HMS}\.(?P<f>\d{{6}})",
    # I20250601 10:11:12.123456, I250601 10:11:12.123456
    "klog year": rf"(?:(?P<y>(?:19|20)\d\d)|(?P<yy>\d\d))(?P<m>\d\d)(?P<d>\d\d) {_HMS}\.(?P<f>\d{{6}})",
    # 06-01 10:11:12.123
    "month-day": rf"(?P<m>\d\d)-(?P<d>\d\d) {_HMS}{_FRACTION}",
    # 06/01 10:11:12, 06/01-10:11:12.123456, 06.01 10:11:12
    "month-day apart": rf"(?P<m>\d\d)[-./](?P<d>\d\d)[- T]{_HMS}{_FRACTION}",
    # 2025年6月1日 10:11:12, 2025年06月01日 下午 1:11:12
    "年月日": r"(?P<y>\d{4})(?:年|년) ?(?P<m>\d{1,2})(?:月|월) ?(?P<d>\d{1,2})(?:日|일) ?"
    rf"(?P<p>上午|下午|午前|午後|오전|오후)? ?{_HMS}{_FRACTION}",
    # Seconds, milliseconds, microseconds or nanoseconds since 1970
    "epoch": r"(?P<e>1\d{9})(?:\.(?P<f>\d{1,9})|(?P<f3>\d{3})|(?P<f6>\d{6})|(?P<f9>\d{9}))?",
    # Seconds since the start of the machine, as dmesg writes them
    "uptime": r" *(?P<e>\d{1,9})\.(?P<f>\d{6})",
    # [12.345s], as the JVM writes them
    "uptime s": r" *(?P<e>\d{1,9})\.(?P<f>\d{3})s?",
    # @4000000065e11a1a0a21fe3c, of daemontools; it counts atomic seconds
    "tai64n": r"@(?P<tai>[0-9a-f]{16})(?P<nano>[0-9a-f]{8})\b",
    # 2025-06-01 10:11
    "iso short": rf"{_ISO_DATE}[T ](?P<H>\d\d):(?P<M>\d\d)(?!:?\d){_ZONE}",
    # 10:11:12.123, 9:11AM
    "clock": r"(?P<H>\d{1,2}):(?P<M>\d\d)(?:(?::(?P<S>\d\d))(?:[.,](?P<f>\d{1,9}))?"
    r"(?: ?(?P<p>[AaPp][Mm])\b)?|(?P<q>[AaPp][Mm])\b)(?![:\w])",
}
"""The spellings, those that say more before those that say less.

Cards name them, so one that is here keeps its meaning; what it does not match gets a new name.
"""

BEFORE = {
    "klog": r"(?<=[IWEFD])",
    "klog year": r"(?<=[IWEFD])",
    "uptime": r"(?<=\[)",
    "uptime s": r"(?<=\[)",
    "clock": r"(?<![\w.:/-])",
}
"""What has to stand before a time in a line; before other times, no part of a word."""

AFTER = {"epoch": r"(?![\w.-])", "uptime": r"(?=\])", "uptime s": r"(?=\])"}
"""What has to stand after a time in a line; after other times, anything."""

FIRST = ("iso", "day month year", "short", "syslog", "epoch")
"""The spellings at the beginning of a line that the cards of before know."""

UNITED = ("epoch", "uptime", "uptime s", "clock")
"""Spellings that are times only where they nearly always grow; see `grows`."""

READINGS = (
    ("month/day/year", "day/month/year"),
    ("short", "yy/month/day", "month/day/yy", "day/month/yy"),
)
"""Spellings that the same texts may have; all lines together show which one it is."""

_WITHOUT_YEAR = ("syslog", "name day", "klog", "month-day", "month-day apart")
_DAY_SECONDS, _YEAR_SECONDS = 86_400.0, 330 * 86_400.0

# What strptime's directives stand for.
_DIRECTIVES = {
    "Y": r"(?P<y>\d{4})",
    "y": r"(?P<yy>\d\d)",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "e": r"(?P<d> ?\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d\d)",
    "S": r"(?P<S>\d\d)",
    "f": r"(?P<f>\d{1,9})",
    "s": r"(?P<e>\d{9,10})",
    "b": r"(?P<l>[A-Za-z\x80-\xff]{3,12})\.?",
    "B": r"(?P<l>[A-Za-z\x80-\xff]{3,12})\.?",
    "p": r"(?P<p>[AaPp][Mm])",
    "z": r"(?P<z>Z|[+-]\d\d:?\d\d)",
    "Z": rf"(?P<z>UTC|GMT|{'|'.join(_ZONES)})",
    "a": r"[A-Za-z\x80-\xff]{2,4}\.?",
    "A": r"[A-Za-z\x80-\xff]{2,12}",
    "%": "%",
    "T": _HMS,
    "F": r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)",
}
LONGEST_FORMAT = 100


def is_known(name: str) -> bool:
    """Return whether there is such a spelling: one of the table, or a format as for strptime."""
    if name in SPELLINGS:
        return True
    try:
        return "%" in name and bool(_pattern(name))
    except ValueError:
        return False


def problem_of(name: str) -> str:
    """Return what is wrong with a spelling in words; empty if nothing is."""
    if "%" not in name:
        return "" if name in SPELLINGS else f"no spelling of times is named {name}"
    try:
        _pattern(name)
    except ValueError as error:
        return str(error)
    return ""


@lru_cache(maxsize=256)
def _pattern(name: str) -> str:
    """Return the regular expression of a spelling.

    Raises:
        ValueError: There is no such spelling.
    """
    if "%" not in name:
        try:
            return SPELLINGS[name]
        except KeyError:
            raise ValueError(f"no spelling of times is named {name}") from None
    if len(name) > LONGEST_FORMAT:
        raise ValueError(f"a format of times has at most {LONGEST_FORMAT} characters")
    pieces = []
    for literal, directive in re.findall(r"([^%]+)|%(.?)", name):
        if not literal and directive not in _DIRECTIVES:
            raise ValueError(f"formats of times have no directive %{directive}")
        pieces.append(re.escape(literal) if literal else _DIRECTIVES[directive])
    pattern = "".join(pieces)
    try:
        groups = set(re.compile(pattern).groupindex)
    except re.error:
        raise ValueError("a format of times has each directive once") from None
    if not ("e" in groups or "H" in groups):
        raise ValueError("a format of times needs %H or %I, or %s")
    if ({"m", "l", "d", "y", "yy"} & groups) and not ("d" in groups and {"m", "l"} & groups):
        raise ValueError("a format of times with a date needs %d, and %m or %b")
    return pattern


@lru_cache(maxsize=256)
def _reading(name: str) -> "re.Pattern[bytes]":
    return re.compile(_pattern(name).encode())


@lru_cache(maxsize=256)
def searching(name: str) -> "re.Pattern[bytes]":
    """Return the regular expression that finds a spelling in a line."""
    # Searching is faster without the groups that only reading needs.
    text = re.sub(r"\(\?P<(?!sep)\w+>", "(?:", _pattern(name))
    around = BEFORE.get(name, r"(?<![\w.])"), AFTER.get(name, "")
    return re.compile(f"{around[0]}{text}{around[1]}".encode())


@lru_cache(maxsize=65_536)
def read(spelling: str, text: bytes) -> float | None:
    """Return a time in seconds since 1970, or None if there is no such time.

    Args:
        spelling: A name of `SPELLINGS`, or a format as for strptime.
        text: The time as it is written.
    """
    match = _reading(spelling).fullmatch(text)
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
        groups = _reading(spelling).groupindex
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
    if text in _ZONES:
        return timezone(timedelta(hours=_ZONES[text]))
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
