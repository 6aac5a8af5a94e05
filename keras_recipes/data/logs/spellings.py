"""How times are spelt in logs: regular expressions with named groups for the parts of a time.

A spelling has a name, or is a format as for strptime; `time_values` reads a time that is spelt so.
"""

import re
from functools import lru_cache

# The abbreviations of zones that mean one offset in nearly all logs, in hours.
ZONES = {
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
_NAMED = rf" (?P<z>(?:{'|'.join(ZONES)})|[A-Z][a-z]{{2,9}}/[A-Z][A-Za-z_]{{2,20}})(?![\w])"
_NOON = r"(?: ?(?P<p>[AaPp]\.?[Mm])\b)?"
_MONTH = r"(?P<b>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))[a-z]{0,6}\.?"
_LOCAL = r"(?P<l>[A-Za-z\x80-\xff]{3,24})\.?"
_DAY = r"(?P<d>\d{1,2})"
_ISO_DATE = r"(?P<y>\d{4})[-/.](?P<m>\d\d)[-/.](?P<d>\d\d)"
_ISO_CLOCK = r"(?P<H>\d\d)[:.](?P<M>\d\d)[:.](?P<S>\d\d)"
_ISO = rf"{_ISO_DATE}(?:[T_-]| {{1,2}}){_ISO_CLOCK}{_FRACTION}"
_APART = r'"?[,;|\t]"? ?'
_NUMBERS = r"(?:[T,:-]| {1,2}|, )"
_CLOCK_FIRST = rf'{_HMS}(?:[.,](?P<f>\d{{1,9}}))?(?:[+-]\d{{1,4}})?(?: |"?[,;] ?"?|" date=")'
_YEAR = r"(?:(?P<y>\d{4})|(?P<yy>\d\d))(?![.\d])"
_TWO = rf"(?:[T_:-]| {{1,2}}|, | - |{_APART}){_HMS}{_FRACTION}{_NOON}"

SPELLINGS = {
    # 2025-06-01 10:11:12.123 CEST, 2025-06-01 10:11:12 Europe/Berlin
    "iso zone": rf"{_ISO}{_NAMED}",
    # 2025-06-01-10.11.12.123456+120, with minutes from UTC
    "iso minutes": rf"{_ISO}(?P<zm>[+-]\d{{3}})(?!\d)",
    # 2025-06-01 1:11:12 PM
    "iso noon": rf"{_ISO_DATE}[T ]{_HMS}{_FRACTION} ?(?P<p>[AaPp][Mm])\b",
    # 2025-06-01T10:11:12.123Z, 2025/06/01 10:11:12,123 +02:00, 2025-06-01-10.11.12.123456
    "iso": rf"{_ISO}{_ZONE}",
    # 2025-06-01  9:11:12
    "iso clock": rf"{_ISO_DATE}(?:T| {{1,2}}){_HMS}{_FRACTION}{_ZONE}",
    # 10:11:12.123 2025-06-01
    "clock iso": rf"{_CLOCK_FIRST}{_ISO_DATE}(?!\d)",
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
    # 31/12/2025 - 10:11:12, and with a semicolon or a tab
    "day/month/year apart": rf"{_DAY}[./-](?P<m>\d{{1,2}})[./-](?P<y>\d{{4}})"
    rf"(?: - |{_APART}){_HMS}{_FRACTION}{_NOON}{_ZONE}",
    "month/day/year apart": rf"(?P<m>\d{{1,2}})[./-]{_DAY}[./-](?P<y>\d{{4}})"
    rf"(?: - |{_APART}){_HMS}{_FRACTION}{_NOON}{_ZONE}",
    # 10:11:12 31.12.2025, and with a comma or a semicolon
    "clock day/month": rf"{_CLOCK_FIRST}{_DAY}[./-](?P<m>\d{{1,2}})[./-]{_YEAR}",
    "clock month/day": rf"{_CLOCK_FIRST}(?P<m>\d{{1,2}})[./-]{_DAY}[./-]{_YEAR}",
    # Jun/01/2025 10:11:12
    "name/day/year": rf"{_LOCAL}[/-]{_DAY}[/-](?P<y>\d{{4}}) {_HMS}{_FRACTION}{_NOON}{_ZONE}",
    # 20250601:101112.123
    "compact apart": r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)[:;,/|](?P<H>\d\d):?(?P<M>\d\d):?"
    r"(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?",
    # 20250601101112, 20250601101112123
    "digits": r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)"
    r"(?:[.,]?(?P<f>\d{3}|\d{6}))?",
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
    "day/month/yy": rf"{_DAY}(?P<sep>[./-])(?P<m>\d{{1,2}})(?P=sep)(?P<yy>\d\d){_TWO}{_ZONE}",
    "month/day/yy": rf"(?P<m>\d{{1,2}})(?P<sep>[./-]){_DAY}(?P=sep)(?P<yy>\d\d){_TWO}{_ZONE}",
    # I0601 10:11:12.123456
    "klog": rf"(?P<m>\d\d)(?P<d>\d\d) {_HMS}\.(?P<f>\d{{6}})",
    # I20250601 10:11:12.123456, I250601 10:11:12.123456
    "klog year": r"(?:(?P<y>(?:19|20)\d\d)|(?P<yy>\d\d))(?P<m>\d\d)(?P<d>\d\d) "
    rf"{_HMS}\.(?P<f>\d{{6}})",
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

_ALONE = r"(?<![\w.:/-])"
_NEVER_WITHIN = (
    *("clock", "name day", "month-day apart", "yy/month/day", "day/month/yy", "month/day/yy"),
    *("clock iso", "clock day/month", "clock month/day", "short clock"),
)

BEFORE = {
    **dict.fromkeys(_NEVER_WITHIN, _ALONE),
    "klog": r"(?<=[IWEFD])",
    "klog year": r"(?<=[IWEFD])",
    "uptime": r"(?<=\[)",
    "uptime s": r"(?<=\[)",
    "compact apart": r"(?<![\w.])",
}
"""What has to stand before a time in a line; before other times, no part of a word."""

AFTER = {
    "epoch": r"(?![\w.-])",
    "digits": r"(?![\w.-])",
    "uptime": r"(?=\])",
    "uptime s": r"(?=\])",
}
"""What has to stand after a time in a line; after other times, anything."""

FIRST = ("iso", "day month year", "short", "syslog", "epoch")
"""The spellings at the beginning of a line that the cards of before know."""

UNITED = ("epoch", "digits", "uptime", "uptime s", "clock")
"""Spellings that are times only where they nearly always grow; nearly always grow."""

READINGS = (
    ("month/day/year", "day/month/year"),
    ("month/day/year apart", "day/month/year apart"),
    ("clock month/day", "clock day/month"),
    ("short", "yy/month/day", "month/day/yy", "day/month/yy"),
)
"""Spellings that the same texts may have; all lines together show which one it is."""

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
    "b": r"(?P<l>[A-Za-z\x80-\xff]{3,24})\.?",
    "B": r"(?P<l>[A-Za-z\x80-\xff]{3,24})\.?",
    "p": r"(?P<p>[AaPp][Mm])",
    "z": r"(?P<z>Z|[+-]\d\d:?\d\d)",
    "Z": rf"(?P<z>UTC|GMT|{'|'.join(ZONES)})",
    "a": r"[A-Za-z\x80-\xff]{2,4}\.?",
    "A": r"[A-Za-z\x80-\xff]{2,12}",
    "%": "%",
    "T": _HMS,
    "F": r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)",
}
LONGEST_FORMAT = 100


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
    pattern = _of_format(name)
    try:
        parts = set(re.compile(pattern).groupindex)
    except re.error:
        raise ValueError("a format of times has each directive once") from None
    if not parts & {"e", "H"}:
        raise ValueError("a format of times needs %H or %I, or %s")
    if parts & {"m", "l", "d", "y", "yy"} and not ("d" in parts and parts & {"m", "l"}):
        raise ValueError("a format of times with a date needs %d, and %m or %b")
    return pattern


def _of_format(text: str) -> str:
    if len(text) > LONGEST_FORMAT:
        raise ValueError(f"a format of times has at most {LONGEST_FORMAT} characters")
    pieces = []
    for literal, directive in re.findall(r"([^%]+)|%(.?)", text):
        if not literal and directive not in _DIRECTIVES:
            raise ValueError(f"formats of times have no directive %{directive}")
        pieces.append(re.escape(literal) if literal else _DIRECTIVES[directive])
    return "".join(pieces)


@lru_cache(maxsize=256)
def reading(name: str) -> "re.Pattern[bytes]":
    """Return the regular expression that reads a spelling, with a group for each part.

    Raises:
        ValueError: There is no such spelling.
    """
    return re.compile(_pattern(name).encode())


@lru_cache(maxsize=256)
def searching(name: str) -> "re.Pattern[bytes]":
    """Return the regular expression that finds a spelling in a line."""
    # Searching is faster without the groups that only reading needs.
    text = re.sub(r"\(\?P<(?!sep)\w+>", "(?:", _pattern(name))
    around = BEFORE.get(name, r"(?<![\w.])"), AFTER.get(name, "")
    return re.compile(f"{around[0]}{text}{around[1]}".encode())
