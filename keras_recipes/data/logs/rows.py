"""Lines with named fields that are no JSON: `key=value`, and tables whose names are in a comment.

Such tables are the W3C's extended format, as IIS, Exchange, CloudFront and the Windows firewall
write it after `#Fields:`, and the logs of Zeek, which have `#fields`.
"""

import re
from typing import Any

_PAIR = re.compile(rb'([A-Za-z_@][\w.@/-]{0,99})=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|$)')
_NAMES = re.compile(rb"#[Ff]ields:?[ \t]+(\S.*)")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?")

FEWEST_PAIRS = 3
MOST_COLUMNS = 500

DATE_AND_TIME = "date time"
"""The name of the field that joins the columns `date` and `time`."""


DATES = (DATE_AND_TIME, "date", "time", "Date", "Time")
"""The names of that field and of the columns that it joins."""


def pairs(line: bytes) -> "dict[str, Any] | None":
    """Return the fields of a line that is nothing but `key=value`, or None if it is not."""
    found: dict[str, Any] = {}
    at, line = 0, line.strip()
    while at < len(line):
        match = _PAIR.match(line, at)
        if match is None:
            return None
        found[match[1].decode()] = _value(match[2])
        at = match.end()
    return dated(found) if len(found) >= FEWEST_PAIRS else None


def _value(text: bytes) -> Any:
    value = text.decode(errors="replace")
    if value[:1] == '"':
        return value[1:-1].replace('\\"', '"').replace("\\n", " ")
    if _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value


def names(line: bytes) -> "tuple[str, ...] | None":
    """Return the names of the columns if a line gives them, or None."""
    match = _NAMES.match(line)
    if match is None:
        return None
    text = match[1].decode(errors="replace").strip()
    delimiter = "\t" if "\t" in text else "," if "," in text else None
    return tuple(text.split(delimiter))[:MOST_COLUMNS]


def cells(line: bytes, columns: tuple[str, ...]) -> "dict[str, Any] | None":
    """Return the fields of a row that are not empty, or None if it is no row of such a table."""
    if line[:1] == b"#" or not line.strip():
        return None
    text = line.decode(errors="replace")
    delimiter = "\t" if "\t" in text else "," if text.count(",") >= len(columns) - 1 > 0 else None
    values = text.rstrip("\r\n").split(delimiter)
    if len(values) < max(2, len(columns) - 1):
        return None
    found = {n: v for n, v in zip(columns, values, strict=False) if v not in ("-", "(empty)", "")}
    return dated({name: _number_or(value) for name, value in found.items()})


def dated(value: "dict[str, Any]") -> "dict[str, Any]":
    """Return fields with one more, which joins a date and a time of day that are apart."""
    for date, time in (("date", "time"), ("Date", "Time")):
        if date in value and time in value and ":" not in str(value[date]):
            return {**value, DATE_AND_TIME: f"{value[date]} {value[time]}"}
    return value


def _number_or(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)
