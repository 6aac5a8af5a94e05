"""From log lines to records: the time, the session and the masked message of each line.

The formats are those of `access` and `rows`, JSON lines, syslog (RFC 3164 and 5424), and text. A
record may have several lines: indented lines belong to the line before, as in a stack trace. Other
lines without a time are events in the session of the line before. A record that names no session is
skipped.

Messages are masked: their digits and the session's key are removed, because templates do not differ
by numbers. An HTTP status and the numbers of closed sets are exceptions. Their digits are kept as
control characters.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from keras_recipes.data.logs import access, json_fields, rows, time_values, times
from keras_recipes.data.logs.layout import OBJECTS, LogLayout, compiled
from keras_recipes.data.logs.masking import DIGITS, SHOWN, Census, Masking
from keras_recipes.data.logs.measurements import Reader, Value
from keras_recipes.errors import UnsafeModelError, printable
from keras_recipes.untrusted import time_limit

LONGEST_MESSAGE = 2_000
"""The largest number of bytes of a message; longer messages are cut."""

LONGEST_SESSION = 1_000
"""The largest number of bytes of a session's key; very many sessions may be open at once."""

PATIENCE = 5.0
"""The largest processor time in seconds to parse a block of lines; a normal block takes 0.03."""

SYSLOG = re.compile(
    rb"(?:<\d{1,3}>)?(?:(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?P<host>\S+) "
    rb"|1 (?P<time5>\S+) (?P<host5>\S+) )(?P<program>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?:? ?"
    rb"(?:(?<= )(?=(?P<pid5>\d+) \S+ [-\[]))?"
)
Object = dict[str, Any]
"""The fields of a line."""

Parse = Callable[[list[bytes], "Records"], None]

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


@dataclass
class Heads:
    """Columns of the lines that are events, before they belong to sessions.

    Attributes:
        messages: The lines without their times.
        times: The times, as in `Records`.
        lines: The line numbers, from 1.
        begun: Whether a line begins a record; None if all do.
    """

    messages: list[bytes]
    times: list[float]
    lines: list[int]
    begun: list[bool] | None = None


class Parser:
    """Parses lines by a layout, and keeps what the next lines need.

    Attributes:
        line: The number of lines so far.
        without: The number of records so far that belong to no session.
        untimed: The number of records so far whose own time could not be read.
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
        self.line, self.time, self.key, self.without, self.untimed = 0, 0.0, b"", 0, 0
        self._columns = layout.columns
        # A date of its own would be a new event each day.
        dates = rows.DATES if layout.time == rows.DATE_AND_TIME else ()
        self._told = {*layout.words, *dates}
        self._parse, self._object = self._by_format(layout.format)
        self._place = layout.time_place if layout.format == "text" else None
        self._clock = times.Reader(layout.spelling or "iso")
        rule = layout.sessions
        self._pattern = compiled(rule.key) if rule.by == "regex" else None
        self._field = rule.key if rule.by == "field" else ""
        self._window = rule.window if rule.by in ("window", "lines") else 0.0
        self._patience = PATIENCE

    @property
    def rule(self) -> str:
        """The sessions' regular expression, or the name of their field, in messages."""
        return printable(repr(self.layout.sessions.key))

    def parse(self, lines: Iterable[bytes], patience: float | None = None) -> Records:
        """Return the records of the next lines.

        Args:
            lines: The lines.
            patience: The processor time in seconds that this may take; None means `PATIENCE`.

        Raises:
            UnsafeModelError: The sessions' regular expression takes too long.
        """
        records = Records([], [], [], [])
        self._unmasked.clear()
        self._patience = PATIENCE if patience is None else patience
        some = _all_without_colours(lines)
        with time_limit.at_most(self._patience, self._refusal()):
            if self.layout.timed and not self.time and self._place is None:
                self.time = self._first_time(some)
            self._parse(some, records)
            if self._reader:
                values, events = self._reader.read(self._unmasked, records.messages)
                records.measured += values
                records.measured_in += events
        return records

    def _refusal(self) -> UnsafeModelError:
        return UnsafeModelError(
            f"log lines after {self.line:,}: matching {self.rule} takes too long; fit with a "
            "simpler regular expression for sessions"
        )

    def _first_time(self, lines: Sequence[bytes]) -> float:
        """Return the first time of these lines, which the lines before it have too, or 0."""
        probe, found = Parser(replace(self.layout, masking=Masking())), Records([], [], [], [])
        probe.time = -1.0
        for line in lines:
            probe._parse([line], found)
            if probe.time != -1.0:
                return probe.time
        return 0.0

    def _by_format(self, name: str) -> "tuple[Parse, Callable[[bytes], Object | None]]":
        """Return the method that parses the lines, and a function that reads fields of one."""
        if name in access.FORMATS:
            return self._access, json_fields.parse
        if name in OBJECTS:
            read = {"jsonl": self._json, "logfmt": rows.pairs, "w3c": self._row}[name]
            return self._objects, read
        return {"text": self._text, "syslog": self._syslog}[name], json_fields.parse

    def _text(self, lines: list[bytes], records: Records) -> None:
        heads = self._heads(lines)
        if self._pattern:
            self._by_pattern(heads, records)
        else:
            keys = [self._window_key(*both) for both in zip(heads.times, heads.lines, strict=True)]
            self.key = keys[-1] if keys else self.key
            records.messages, records.keys = heads.messages, keys
            records.times, records.lines = heads.times, heads.lines
        records.messages = self._masked(records.messages)

    def _heads(self, lines: list[bytes]) -> "Heads":
        """Return the lines that are events, without their times."""
        first, self.line = self.line + 1, self.line + len(lines)
        numbers = list(range(first, self.line + 1))
        if self._place is None:
            some = [
                (line, number) for line, number in zip(lines, numbers, strict=True) if line.strip()
            ]
            return Heads([line for line, _ in some], [0.0] * len(some), [n for _, n in some])
        rests, own = self._place.split(lines)
        if None in own or self._place.is_cyclic:
            return self._mixed(rests, own, numbers)
        self.time = own[-1] if own else self.time  # type: ignore[assignment]
        return Heads(rests, own, numbers)  # type: ignore[arg-type]

    def _mixed(self, rests: list[bytes], own: "list[float | None]", numbers: list[int]) -> "Heads":
        """Return the events of lines some of which have no time, or one that comes again."""
        assert self._place is not None
        cyclic = self._place.spelling if self._place.is_cyclic else ""
        # Lines before the first time have that time.
        time = self.time or next((seconds for seconds in own if seconds is not None), 0.0)
        found, begun = Heads([], [], []), []
        for rest, seconds, number in zip(rests, own, numbers, strict=True):
            if seconds is not None:
                time = time_values.near(cyclic, seconds, time) if cyclic else seconds
            elif not rest or rest[0] in b" \t":
                continue
            begun.append(seconds is not None)
            found.messages.append(rest)
            found.times.append(time)
            found.lines.append(number)
        self.time, found.begun = time, begun
        self.untimed += begun.count(False)
        return found

    def _by_pattern(self, heads: "Heads", records: Records) -> None:
        """Add the lines that belong to a session, without its key.

        A line without a key that begins no record has the key of the line before.
        """
        assert self._pattern is not None
        time_limit.rehearse(self._pattern, heads.messages, self._patience, self._refusal)
        search, current, dropped = self._pattern.search, self.key, []
        messages, keys = records.messages.append, records.keys.append
        for n, line in enumerate(heads.messages):
            match = search(line)
            if match:
                current = match[0]
                if len(current) > LONGEST_SESSION:
                    current = bounded(current)
                begin, end = match.span()
                messages(line[:begin] + line[end:])
            elif not current or heads.begun is None or heads.begun[n]:
                current = b""
                dropped.append(n)
                continue
            else:
                messages(line)
            keys(current)
        self.key = current
        self.without += len(dropped)
        records.times, records.lines = heads.times, heads.lines
        if dropped:
            gone = set(dropped)
            kept = [n for n in range(len(heads.times)) if n not in gone]
            records.times = [heads.times[n] for n in kept]
            records.lines = [heads.lines[n] for n in kept]

    def _masked(self, messages: list[bytes]) -> list[bytes]:
        """Return masked messages; those that have only digits to mask are masked all at once."""
        if max(map(len, messages), default=0) > LONGEST_MESSAGE:
            messages = [message[:LONGEST_MESSAGE] for message in messages]
        if self._reader:
            self._unmasked = messages
        if not self._masking.digits_only:
            return [*map(self._masking.mask, messages)]
        masked = b"\n".join(messages).translate(None, DIGITS).split(b"\n") if messages else []
        if len(masked) == len(messages):
            return masked
        return [message.translate(None, DIGITS) for message in messages]

    def _syslog(self, lines: Iterable[bytes], records: Records) -> None:
        for line in lines:
            self.line += 1
            match = SYSLOG.match(line)
            if match:
                self._set_time(match["time"] or match["time5"])
                fields = match.groupdict()
                fields["host"] = fields["host"] or fields["host5"]
                fields["pid"] = fields["pid"] or fields["pid5"]
                message = match["program"] + b": " + line[match.end() :]
                self.key = b""
                self._add(records, message, line, fields.get(self._field))
            elif line and line[0] not in b" \t":
                self._add(records, line, line)

    def _access(self, lines: Iterable[bytes], records: Records) -> None:
        whole = self.layout.format == "combined"
        pattern = access.FORMATS[self.layout.format]
        for line in lines:
            self.line += 1
            self.key = b""
            match = pattern.match(line)
            if match:
                self._set_time(match["time"])
                fields = access.fields_of(match, whole_urls=whole)
                self._add(records, access.message_of(fields), line, fields.get(self._field))
            elif line.strip():
                self._add(records, line, line)

    def _json(self, line: bytes) -> "Object | None":
        value = json_fields.parse(line)
        return rows.dated(value) if value and self.layout.time == rows.DATE_AND_TIME else value

    def _row(self, line: bytes) -> "Object | None":
        return rows.cells(line, self._columns)

    def _objects(self, lines: Iterable[bytes], records: Records) -> None:
        other = b"no JSON: " if self.layout.format == "jsonl" else b""
        for line in lines:
            self.line += 1
            if not line.strip():
                continue
            if self.layout.format == "w3c" and line[:1] == b"#":
                self._columns = rows.names(line) or self._columns
                continue
            self.key = b""
            value = self._object(line)
            if value is None:
                self._add(records, other + line, line)
                continue
            self._set_time(self._time_of(value))
            beside = (
                {n: v for n, v in value.items() if n not in self._told} if self._told else value
            )
            words = self._words(value, line) + self._masking.of_object(beside)
            key = json_fields.field(value, self._field) if self._field else None
            self._add(records, words, line, None if key is None else json_fields.as_bytes(key))
            if self._reader and self.key:
                values = self._reader.of_object(value)
                records.measured += values
                records.measured_in += len(values) * [len(records) - 1]

    def _words(self, value: "Object", line: bytes) -> bytes:
        """Return the message of an object; the whole line if it has none."""
        names = self.layout.words
        if len(names) > 1:
            return access.message_of_object([json_fields.field(value, name) for name in names])
        if names:
            message = json_fields.field(value, names[0])
        else:
            message = json_fields.first(value, json_fields.MESSAGE)
        if message is None:
            return b" ".join(line.split()) if self.layout.format == "w3c" else line
        return _joined(json_fields.first(value, json_fields.LEVEL), message)

    def _time_of(self, value: "Object") -> Any:
        if self.layout.time:
            return json_fields.field(value, self.layout.time)
        return json_fields.first(value, json_fields.TIME)

    def _set_time(self, spelt: Any) -> None:
        """Take over a time if it can be read; otherwise the record has that of the one before."""
        seconds = self._clock.read(spelt)
        if seconds is not None:
            self.time = seconds
        elif self.layout.timed:
            self.untimed += 1

    def _add(
        self,
        records: Records,
        message: bytes,
        line: bytes,
        key: bytes | None = None,
    ) -> None:
        if self._field:
            self.key = bounded(key) if key else self.key
        elif self._pattern:
            time_limit.rehearse(self._pattern, [line], self._patience, self._refusal)
            match = self._pattern.search(line)
            if match:
                self.key = bounded(match[0])
                message = message.replace(match[0], b"", 1)
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


def bounded(key: bytes) -> bytes:
    """Return a session's key; of one that is too long its beginning, and a digest of all of it."""
    if len(key) <= LONGEST_SESSION:
        return key
    digest = hashlib.blake2b(key, digest_size=8).hexdigest()
    begin = key[: LONGEST_SESSION - len(digest) - 3].decode(errors="ignore")
    return f"{begin}...{digest}".encode()


def _joined(level: Any, message: Any) -> bytes:
    return json_fields.as_bytes(level or "") + b" " + json_fields.as_bytes(message)


def _all_without_colours(some: Iterable[bytes]) -> list[bytes]:
    """Return lines without colours; most logs have none, which one search shows."""
    lines = some if isinstance(some, list) else list(some)
    return [*map(without_colours, lines)] if b"\x1b" in b"".join(lines) else lines


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
