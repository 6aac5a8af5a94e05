"""Detect how to read a log by its first lines: the format, the times and the sessions."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from keras_recipes.data import time_spans
from keras_recipes.data.logs import json_fields, times
from keras_recipes.data.logs.layout import (
    LONGEST_WINDOW,
    SHORTEST_WINDOW,
    FormatName,
    LogLayout,
    SessionRule,
    compiled,
)
from keras_recipes.data.logs.parser import COMBINED, SYSLOG, without_colours
from keras_recipes.errors import InputError

SAMPLE = 2_000
"""The number of lines to detect the format and the sessions by."""

IDLE_SECONDS = 1_800.0
"""Seconds of silence after which a web client begins a new session."""

Object = dict[str, Any]
"""A line of JSON."""

_NAMED = (
    rb"\b(?:session|sess|sid|request|req|trace|txn|transaction|job|task|order|conn|connection)"
    rb"(?:[_-]?id)?[=:#]\s?[\w.-]+"
)
_KEYS = (
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    _NAMED,
    rb"\b[\w.-]+\[\d+\]",
    rb"\b[0-9a-f]{16,}\b",
)
_PREFIXED = re.compile(rb"\b([A-Za-z]+[_-])-?\d{4,}")


def recognise(
    sample: Sequence[bytes],
    *,
    log_format: str = "auto",
    session: str | None = None,
    session_field: str | None = None,
    window: str | None = None,
) -> LogLayout:
    """Detect the layout of a log by its first lines.

    Args:
        sample: The first lines.
        log_format: The format, or "auto" to detect it.
        session: A regular expression; lines in which it matches the same text are a session.
        session_field: The name of a field of the format; lines with the same value are a session.
        window: A time span such as `5m`; or a number of lines.

    Raises:
        InputError: `session` is not a regular expression, the format has no such field, or `window`
            does not fit the lines.
    """
    lines = [without_colours(line) for line in sample[:SAMPLE] if line.strip()]
    found = log_format if log_format != "auto" else _format(lines)
    objects = [json_fields.parse(line) or {} for line in lines] if found == "jsonl" else []
    time = _time(found, lines, objects)
    timed = time is not None
    if sum(map(bool, (session, session_field, window))) > 1:
        raise InputError("expected one of session, session_field and window, received several")
    if session:
        try:
            compiled(session)
        except (re.error, ValueError) as error:
            raise InputError(f"session: expected a regular expression: {error}") from None
        sessions = SessionRule("regex", session)
    elif session_field:
        _check_field(found, session_field, objects)
        sessions = SessionRule("field", session_field)
    elif window:
        sessions = _window(window, timed)
    else:
        sessions = _sessions(found, timed, lines, objects)
    return LogLayout(
        format=found,  # type: ignore[arg-type]
        timed=timed,
        sessions=sessions,
        time=time or "",
        spelling=_spelling(time, objects) if objects and time else "",
    )


def _format(lines: Sequence[bytes]) -> FormatName:
    if _share(lines, lambda line: COMBINED.match(line) is not None) >= 0.8:
        return "combined"
    if _share(lines, lambda line: SYSLOG.match(line) is not None) >= 0.8:
        return "syslog"
    if _share(lines, lambda line: json_fields.parse(line) is not None) >= 0.8:
        return "jsonl"
    return "text"


def _time(name: str, lines: Sequence[bytes], objects: Sequence[Object]) -> str | None:
    """Return where the lines have their time, as `LogLayout.time`; None if most have none."""
    if name == "combined":
        return ""
    if name == "syslog":
        return "" if _share(lines, lambda line: SYSLOG.match(line) is not None) >= 0.5 else None
    if name == "jsonl":
        return _time_field(objects)
    place = times.place_of(lines)
    return str(place) if place else None


def _time_field(objects: Sequence[Object]) -> str | None:
    for name in json_fields.candidates(objects, json_fields.TIME):
        reader = times.Reader()
        read = [reader.read(json_fields.field(value, name)) for value in objects]
        if sum(time is not None for time in read) >= 0.5 * len(objects):
            return name
    return None


def _spelling(name: str, objects: Sequence[Object]) -> str:
    """Return how the times of a field are spelt, as all lines together show; empty for numbers."""
    spelt = [json_fields.as_bytes(json_fields.field(value, name)) for value in objects]
    place = times.place_of(spelt)
    return place.spelling if place else ""


def _share(lines: Sequence[bytes], test: Callable[[bytes], bool]) -> float:
    return sum(map(test, lines)) / max(1, len(lines))


def _sessions(
    log_format: str, timed: bool, lines: Sequence[bytes], objects: Sequence[Object]
) -> SessionRule:
    """Detect the rule of the sessions."""
    if log_format == "combined":
        return SessionRule("field", "host", idle=IDLE_SECONDS)
    if log_format == "jsonl":
        for name in json_fields.candidates(objects, json_fields.SESSION):
            values = [v for v in (json_fields.field(o, name) for o in objects) if v is not None]
            if _groups([json_fields.as_bytes(v) for v in values], len(lines)):
                return SessionRule("field", name)
    elif pattern := _key_pattern(lines):
        return SessionRule("regex", pattern)
    return SessionRule("window", window=300.0 if timed else 100.0)


def _key_pattern(lines: Sequence[bytes]) -> str | None:
    """Return a pattern of text that looks like a session's key, or None."""
    prefixes = {m for line in lines for m in _PREFIXED.findall(line)}
    candidates: list[bytes] = [*(re.escape(p) + rb"-?\d+" for p in sorted(prefixes)[:50]), *_KEYS]
    for pattern in candidates:
        found = [m[0] for m in map(re.compile(pattern).search, lines) if m]
        if _groups(found, len(lines)):
            if pattern == _NAMED:
                pattern = _with_one_name(found)
            return str(pattern, "ascii", "replace")
    return None


def _with_one_name(found: Sequence[bytes]) -> bytes:
    """Return the pattern of named keys, with the name that all of them have if there is one."""
    names = {re.split(rb"[=:#]", key)[0] for key in found}
    return rb"\b" + re.escape(names.pop()) + rb"[=:#]\s?[\w.-]+" if len(names) == 1 else _NAMED


def _groups(keys: Sequence[bytes], lines: int) -> bool:
    """Return whether nearly every line has a key, and the keys are many but recur."""
    distinct = len(set(keys))
    return len(keys) >= 0.9 * max(1, lines) and distinct >= 20 and len(keys) >= 1.5 * distinct


def _window(text: str, timed: bool) -> SessionRule:
    number, unit = time_spans.parts(text) or (0.0, "")
    if not number:
        raise InputError(
            f"window: expected a time span such as 5m, or a number of lines, received {text!r}"
        )
    if unit and not timed:
        raise InputError(
            f"window: expected a number of lines, received {text!r}, and the lines have no times "
            "that could be read"
        )
    width = number * time_spans.SECONDS.get(unit, 1)
    if not (SHORTEST_WINDOW if unit else 1) <= width <= LONGEST_WINDOW:
        raise InputError(
            f"window: expected another length, received {text!r}, which is too short or too long; "
            f"try {'5m' if timed else 100}"
        )
    return SessionRule("window" if unit or not timed else "lines", window=width)


def _check_field(name: str, field: str, objects: Sequence[Object]) -> None:
    if name == "text":
        raise InputError(
            "session_field: expected a log with fields, received text, and text has no fields; "
            "give --set session=REGEX instead"
        )
    if name == "jsonl":
        known = {key for value in objects for key in value}
        there = any(json_fields.field(value, field) is not None for value in objects)
    else:
        pattern = COMBINED if name == "combined" else SYSLOG
        known = {key for key in pattern.groupindex if not key.endswith("5")}
        known |= {"method", "path"} if name == "combined" else set()
        there = field in known
    if not there:
        raise InputError(
            f"session_field: expected one of {', '.join(sorted(known))}, received {field!r}"
        )
