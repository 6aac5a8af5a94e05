"""Detect how to read a log by its first lines: the format, the times and the sessions."""

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

from keras_recipes.data import time_spans
from keras_recipes.data.logs import access, json_fields, keys, rows, times
from keras_recipes.data.logs.format_names import FormatName
from keras_recipes.data.logs.layout import (
    LONGEST_WINDOW,
    OBJECTS,
    SHORTEST_WINDOW,
    LogLayout,
    SessionRule,
    compiled,
)
from keras_recipes.data.logs.parser import LONGEST_MESSAGE, SYSLOG, without_colours
from keras_recipes.data.logs.spellings import SPELLINGS, problem_of
from keras_recipes.errors import InputError, printable

SAMPLE = 2_000
"""The number of lines to detect the format and the sessions by."""

IDLE_SECONDS = 1_800.0
"""Seconds of silence after which a web client begins a new session."""

TIME_ENDINGS = ("timestamp", "datetime", "time", "timems", "date")
"""The endings of the names of times, where none has a usual name."""

ID_ENDINGS = (
    *("sessionid", "requestid", "traceid", "correlationid", "transactionid", "workflowid", "runid"),
    *("jobid", "taskid", "jid", "uuid", "id"),
)
"""The endings of the names of sessions, where none has a usual name."""

KIND_ENDINGS = (
    *("eventid", "ruleid", "signatureid", "messageid", "msgid", "typeid", "categoryid", "groupid"),
    *("threadid", "machineid", "bootid", "hostid", "nodeid", "serverid", "providerid", "versionid"),
    *("podid", "containerid", "instanceid", "projectid", "accountid", "tenantid", "appid", "guid"),
)
"""The endings of names that name a kind, or a part of a system; they are no sessions."""

Object = dict[str, Any]
"""A line of JSON."""


def recognise(
    sample: Sequence[bytes],
    *,
    log_format: str = "auto",
    session: str | None = None,
    session_field: str | None = None,
    window: str | None = None,
    time: str | None = None,
    time_format: str | None = None,
) -> LogLayout:
    """Detect the layout of a log by its first lines.

    Args:
        sample: The first lines.
        log_format: The format, or "auto" to detect it.
        session: A regular expression; lines in which it matches the same text are a session.
        session_field: The name of a field of the format; lines with the same value are a session.
        window: A time span such as `5m`; or a number of lines.
        time: The name of the field with the time.
        time_format: How the times are spelt: a name of `SPELLINGS`, or a format as for strptime.

    Raises:
        InputError: `session` is not a regular expression, the format has no such field, `window`
            does not fit the lines, or no line has such a time.
    """
    lines = [without_colours(line) for line in sample[:SAMPLE] if line.strip()]
    found = log_format if log_format != "auto" else _format(lines)
    columns = next((n for n in map(rows.names, lines) if n), ()) if found == "w3c" else ()
    objects = _objects(found, lines, columns)
    given = _given_time(found, lines, objects, time, time_format)
    place = given if given is not None else _time(found, lines, objects)
    timed = place is not None
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
        sessions = _sessions(found, place, lines, objects)
    spelling = _spelling(place, objects) if objects and place else ""
    return LogLayout(
        format=found,  # type: ignore[arg-type]
        timed=timed,
        sessions=sessions,
        time=place or "",
        spelling=time_format if time_format and found != "text" else spelling,
        columns=columns,
        words=_words(objects),
    )


def _objects(name: str, lines: Sequence[bytes], columns: tuple[str, ...]) -> list[Object]:
    """Return the fields of each line; no lines for a format without such fields."""
    if name == "jsonl":
        return [rows.dated(json_fields.parse(line) or {}) for line in lines]
    if name == "logfmt":
        return [rows.pairs(line) or {} for line in lines]
    if name == "w3c":
        found = (rows.cells(line, columns) for line in lines)
        return [value for value in found if value is not None]
    return []


def _words(objects: Sequence[Object]) -> tuple[str, ...]:
    """Return the fields that make the message, where no field with a usual name does."""
    messages = {json_fields.first(value, json_fields.MESSAGE) for value in objects[:200]}
    if len(messages) != 1:
        return ()
    if request := json_fields.of_request(objects):
        return request
    others = json_fields.candidates(objects, json_fields.OTHER_MESSAGE)
    return tuple(itertools.islice(others, 1)) if None in messages else ()


def _format(lines: Sequence[bytes]) -> FormatName:
    names: list[FormatName] = ["combined", "haproxy", "alb", "elb", "s3", "squid"]
    for name in names:
        if _share(lines, lambda line, p=access.FORMATS[name]: bool(p.match(line))) >= 0.8:  # type: ignore[misc]
            return name
    if any(rows.names(line) for line in lines[:50]):
        return "w3c"
    if _share(lines, lambda line: SYSLOG.match(line) is not None) >= 0.8:
        return "syslog"
    if _share(lines, lambda line: rows.pairs(line) is not None) >= 0.8:
        return "logfmt"
    if _share(lines, lambda line: json_fields.parse(line) is not None) >= 0.8:
        return "jsonl"
    return "text"


def _time(name: str, lines: Sequence[bytes], objects: Sequence[Object]) -> str | None:
    """Return where the lines have their time, as `LogLayout.time`; None if most have none."""
    if name in access.FORMATS:
        return ""
    if name == "syslog":
        return "" if _share(lines, lambda line: SYSLOG.match(line) is not None) >= 0.5 else None
    if name in OBJECTS:
        return _time_field(objects)
    place = times.place_of(lines)
    return str(place) if place else None


def _given_time(
    name: str,
    lines: Sequence[bytes],
    objects: Sequence[Object],
    field: str | None,
    spelling: str | None,
) -> str | None:
    """Return where the lines have the time that the options name; None if they name none.

    Raises:
        InputError: No line has such a time.
    """
    if spelling and (problem := problem_of(spelling.partition("#")[0])):
        raise InputError(
            f"time_format: {problem}, received {printable(spelling)}; give one as for strptime, "
            f"such as %d.%m.%Y %H:%M:%S, or one of {', '.join(SPELLINGS)}"
        )
    if field:
        if name not in OBJECTS:
            raise InputError(
                f"time: expected a log with fields, received {name}, whose time has no name; give "
                "--set time_format=... instead"
            )
        reader = times.Reader(spelling or "iso")
        if not any(reader.read(json_fields.field(value, field)) for value in objects):
            raise InputError(
                f"time: expected a field with times, received {field!r}, which no line has as one; "
                "give another, or the times' format with --set time_format=..."
            )
        return field
    if spelling and name == "text":
        place = times.TimePlace.of_text(spelling)
        if not any(map(place.find, lines)):
            raise InputError(
                f"time_format: expected the format of this log's times, received {spelling!r}, "
                f"which no line has; a line is {printable(repr(lines[0])) if lines else 'missing'}"
            )
        return spelling
    return None


def _time_field(objects: Sequence[Object]) -> str | None:
    if sum(rows.DATE_AND_TIME in value for value in objects) >= 0.5 * max(1, len(objects)):
        return rows.DATE_AND_TIME
    names = json_fields.candidates(objects, json_fields.TIME)
    for name in (*names, *json_fields.ending(objects, TIME_ENDINGS)):
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
    log_format: str, place: str | None, lines: Sequence[bytes], objects: Sequence[Object]
) -> SessionRule:
    """Detect the rule of the sessions."""
    if log_format in access.FORMATS:
        return SessionRule("field", access.CLIENT, idle=IDLE_SECONDS)
    if log_format in OBJECTS:
        if rule := _session_field(objects):
            return rule
    elif pattern := keys.pattern_of(lines if log_format != "text" else _records(place, lines)):
        return SessionRule("regex", pattern)
    elif log_format == "syslog" and _has_process_ids(lines):
        return SessionRule("field", "pid")
    return SessionRule("window", window=300.0 if place is not None else 100.0)


def _records(place: str | None, lines: Sequence[bytes]) -> list[bytes]:
    """Return records without their times, as sessions are looked for when they are read."""
    if place is None:
        return list(lines)
    find = times.TimePlace.of_text(place).finder()
    records: list[bytes] = []
    for line in lines:
        hit = find(line)
        if hit or not records:
            records.append(line[: hit[0]] + line[hit[1] :] if hit else line)
        elif len(records[-1]) < LONGEST_MESSAGE:
            records[-1] += b"\n" + line
    return records


def _has_process_ids(lines: Sequence[bytes]) -> bool:
    """Return whether the process of a line is a session; RFC 5424 has it apart from the program."""
    found = [match["pid5"] for match in map(SYSLOG.match, lines) if match and match["pid5"]]
    return keys.groups(found, len(lines))


def _session_field(objects: Sequence[Object]) -> SessionRule | None:
    for names, idle in ((json_fields.SESSION, 0.0), (json_fields.CLIENT, IDLE_SECONDS)):
        if idle and not json_fields.of_request(objects):
            return None
        some = json_fields.candidates(objects, names)
        others = json_fields.ending(objects, () if idle else ID_ENDINGS)
        kinds = json_fields.ending(objects, KIND_ENDINGS)
        for name in (*some, *(name for name in others if name not in kinds)):
            values = [v for v in (json_fields.field(o, name) for o in objects) if v is not None]
            least = 2 if idle else keys.FEWEST
            if keys.groups([json_fields.as_bytes(v) for v in values], len(objects), least):
                return SessionRule("field", name, idle=idle)
    return None


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
    if name in OBJECTS:
        known = {key for value in objects for key in value}
        there = any(json_fields.field(value, field) is not None for value in objects)
    else:
        known = {key for key in SYSLOG.groupindex if not key.endswith("5")}
        known = access.names_of(name) if name in access.FORMATS else known
        there = field in known
    if not there:
        raise InputError(
            f"session_field: expected one of {', '.join(sorted(known))}, received {field!r}"
        )
