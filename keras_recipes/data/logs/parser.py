"""From log lines to records: the time, the session and the masked message of each line.

The formats are Apache's and nginx' common and combined format, JSON lines, syslog (RFC 3164 and
5424), and text. A record may have several lines: indented lines belong to the line before, as in a
stack trace. Other lines without a time are events in the session of the line before. A record that
names no session is skipped.

Messages are masked: their digits and the session's key are removed, because templates do not differ
by numbers. An HTTP status and the numbers of closed sets are exceptions. Their digits are kept as
control characters.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from keras_recipes.data.logs import json_fields, times
from keras_recipes.data.logs.layout import LogLayout, compiled
from keras_recipes.data.logs.masking import DIGITS, KEPT, SHOWN, Census
from keras_recipes.data.logs.measurements import Reader, Value
from keras_recipes.errors import UnsafeModelError, printable
from keras_recipes.untrusted import time_limit

LONGEST_MESSAGE = 2_000
"""The largest number of bytes of a message; longer messages are cut."""

PATIENCE = 5.0
"""The largest processor time in seconds to parse a block of lines; a normal block takes 0.03."""

COMBINED = re.compile(
    rb"(?P<host>\S+) (?P<ident>\S+) (?P<user>.+?) \[(?P<time>[^\]]+)\] "
    rb'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<size>\S+)'
    rb'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
SYSLOG = re.compile(
    rb"(?:<\d{1,3}>)?(?:(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?P<host>\S+) "
    rb"|1 (?P<time5>\S+) (?P<host5>\S+) )(?P<program>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?:? ?"
)
_COLOURS = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")


@dataclass
class Records:
    """Columns with an entry for each event; a line that is not an event has no entry.

    Attributes:
        messages: The masked messages.
        keys: The keys of the sessions.
        times: The times in seconds since 1970, UTC. A line without a time has that of the line
            before.
        lines: The line numbers, from 1.
        measured: The measurements.
        measured_in: The number, from 0, of the event of each measurement.
    """

    messages: list[bytes]
    keys: list[bytes]
    times: list[float]
    lines: list[int]
    measured: list[Value] = field(default_factory=list)
    measured_in: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.messages)

    def measured_by_event(self) -> dict[int, list[Value]]:
        """Return the measurements of the events that have any, by the number of the event."""
        found: dict[int, list[Value]] = {}
        for event, value in zip(self.measured_in, self.measured, strict=True):
            found.setdefault(event, []).append(value)
        return found


class Parser:
    """Parses lines by a layout, and keeps what the next lines need.

    Attributes:
        line: The number of lines so far.
        without: The number of records so far that belong to no session.
        time: The time of the last record.
        key: The session's key of the last record.
    """

    def __init__(self, layout: LogLayout, census: Census | None = None) -> None:
        """Prepare to parse.

        Args:
            layout: How to read the lines.
            census: Counts the values of the messages, if they are to be learned.
        """
        self.layout = layout
        self._masking = layout.masking if census is None else census
        self._reader = Reader(self._masking.measures) if self._masking.measures else None
        self._unmasked: list[bytes] = []
        self.line, self.time, self.key, self.without = 0, 0.0, b"", 0
        self._parse = {
            "text": self._text,
            "syslog": self._syslog,
            "combined": self._combined,
            "jsonl": self._jsonl,
        }[layout.format]
        self._place = layout.time_place if layout.format == "text" else None
        self._clock = times.Reader(layout.spelling or "iso")
        rule = layout.sessions
        self._pattern = compiled(rule.key) if rule.by == "regex" else None
        self._field = rule.key if rule.by == "field" else ""
        self._window = rule.window if rule.by in ("window", "lines") else 0.0

    def parse(self, lines: Iterable[bytes]) -> Records:
        """Return the records of the next lines.

        Raises:
            UnsafeModelError: The sessions' regular expression takes too long.
        """
        records = Records([], [], [], [])
        self._unmasked.clear()
        rule = printable(repr(self.layout.sessions.key))
        refusal = UnsafeModelError(
            f"log lines after {self.line:,}: matching {rule} takes too long; fit with a simpler "
            "regular expression for sessions"
        )
        with time_limit.at_most(PATIENCE, refusal):
            self._parse(_all_without_colours(lines), records)
            if self._reader:
                values, events = self._reader.read(self._unmasked, records.messages)
                records.measured += values
                records.measured_in += events
        return records

    def _text(self, lines: Iterable[bytes], records: Records) -> None:
        search = self._pattern.search if self._pattern else None
        # Most logs have nothing but digits to mask, and a call for each line would take longer.
        mask = None if self._masking.digits_only else self._masking.mask
        keep = self._unmasked.append if self._reader else None
        messages, keys = records.messages.append, records.keys.append
        times, numbers = records.times.append, records.lines.append
        for line, begins in self._heads(lines):
            if search:
                match = search(line)
                if match:
                    self.key = match[0]
                    line = line[: match.start()] + line[match.end() :]
                elif begins or not self.key:
                    self.key = b""
                    self.without += 1
                    continue
            else:
                self.key = self._window_key(self.time, self.line)
            line = line[:LONGEST_MESSAGE]
            messages(mask(line) if mask else line.translate(None, DIGITS))
            if keep:
                keep(line)
            keys(self.key)
            times(self.time)
            numbers(self.line)

    def _heads(self, lines: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
        """Yield lines that are events, without their times, and whether they begin a record."""
        find = self._place.finder() if self._place else None
        for line in lines:
            self.line += 1
            if find is None:
                if line.strip():
                    yield line, True
            elif hit := find(line):
                begin, end, self.time = hit
                yield line[:begin] + line[end:] if begin else line[end:], True
            elif line and line[0] not in b" \t":
                yield line, False

    def _syslog(self, lines: Iterable[bytes], records: Records) -> None:
        for line in lines:
            self.line += 1
            match = SYSLOG.match(line)
            if match:
                self._set_time(match["time"] or match["time5"])
                fields = match.groupdict()
                fields["host"] = fields["host"] or fields["host5"]
                message = match["program"] + b": " + line[match.end() :]
                self.key = b""
                self._add(records, message, line, fields.get(self._field))
            elif line and line[0] not in b" \t":
                self._add(records, line, line)

    def _combined(self, lines: Iterable[bytes], records: Records) -> None:
        for line in lines:
            self.line += 1
            self.key = b""
            match = COMBINED.match(line)
            if match:
                self._set_time(match["time"])
                method, _, target = match["request"].partition(b" ")
                path = target.rpartition(b" ")[0] or target
                path = path.partition(b"?")[0].replace(b"/", b" /")
                status = match["status"].translate(KEPT)
                fields = {**match.groupdict(), "method": method, "path": path}
                message = b" ".join([method, status, path])
                self._add(records, message, line, fields.get(self._field))
            elif line.strip():
                self._add(records, line, line)

    def _jsonl(self, lines: Iterable[bytes], records: Records) -> None:
        for line in lines:
            self.line += 1
            if not line.strip():
                continue
            self.key = b""
            value = json_fields.parse(line)
            if value is None:
                self._add(records, b"no JSON: " + line, line)
                continue
            self._set_time(self._time_of(value))
            message = json_fields.first(value, json_fields.MESSAGE)
            level = json_fields.first(value, json_fields.LEVEL)
            words = line if message is None else _joined(level, message)
            words += self._masking.of_object(value)
            key = json_fields.field(value, self._field) if self._field else None
            self._add(records, words, line, None if key is None else json_fields.as_bytes(key))
            if self._reader and self.key:
                values = self._reader.of_object(value)
                records.measured += values
                records.measured_in += len(values) * [len(records) - 1]

    def _time_of(self, value: "dict[str, Any]") -> Any:
        if self.layout.time:
            return json_fields.field(value, self.layout.time)
        return json_fields.first(value, json_fields.TIME)

    def _set_time(self, spelt: Any) -> None:
        """Take over a time if it can be read; otherwise the record has that of the one before."""
        seconds = self._clock.read(spelt)
        if seconds is not None:
            self.time = seconds

    def _add(
        self,
        records: Records,
        message: bytes,
        line: bytes,
        key: bytes | None = None,
    ) -> None:
        if self._field:
            self.key = key or self.key
        elif self._pattern:
            match = self._pattern.search(line)
            if match:
                self.key = match[0]
                message = message.replace(self.key, b"", 1)
        else:
            self.key = self._window_key(self.time, self.line)
        if not self.key:
            self.without += 1
            return
        message = message[:LONGEST_MESSAGE]
        records.messages.append(self._masking.mask(message))
        if self._reader:
            self._unmasked.append(message)
        records.keys.append(self.key)
        records.times.append(self.time)
        records.lines.append(self.line)

    def _window_key(self, time: float, number: int) -> bytes:
        if self.layout.in_lines:
            return b"line %d" % (1 + int((number - 1) // self._window * self._window))
        return _clock(time // self._window * self._window)


def _joined(level: Any, message: Any) -> bytes:
    return json_fields.as_bytes(level or "") + b" " + json_fields.as_bytes(message)


def _all_without_colours(some: Iterable[bytes]) -> Iterable[bytes]:
    """Return lines without colours; most logs have none, which one search shows."""
    some = list(some)
    return map(without_colours, some) if b"\x1b" in b"".join(some) else some


def without_colours(line: bytes) -> bytes:
    """Return a line without the codes that colour it in a terminal."""
    return _COLOURS.sub(b"", line) if b"\x1b" in line else line


def readable(message: bytes) -> str:
    """Return a masked message in words, with the kept digits as digits."""
    text = message.translate(SHOWN)
    try:
        words = text.decode().split()
    except UnicodeDecodeError:
        words = text.decode("cp1252", "replace").split()
    return printable(" ".join(words), LONGEST_MESSAGE)


def iso_time(seconds: float) -> str:
    """Return a time as ISO 8601 text, UTC."""
    return _clock(seconds).decode()


@lru_cache(maxsize=4_096)
def _clock(seconds: float) -> bytes:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    except (OverflowError, ValueError, OSError):
        return b"time %d" % seconds
