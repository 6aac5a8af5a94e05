"""From log lines to records: the time, the session and the masked message of each line.

The formats are Apache's and nginx' common and combined format, JSON lines, syslog (RFC 3164 and
5424), and text with or without a time at the beginning of the line. The first lines show the
format. A record may have several lines: indented lines belong to the line before, as in a stack
trace. Other lines without a time are events in the session of the line before. A record that names
no session is skipped.

Messages are masked: their digits and the session's key are removed, because templates do not differ
by numbers. An HTTP status is an exception. Its digits are kept as control characters.
"""

import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from keras_recipes.errors import CorruptModelError, InputError, UnsafeModelError, printable
from keras_recipes.untrusted import time_limit

FormatName = Literal["text", "syslog", "combined", "jsonl"]

LONGEST_MESSAGE = 2_000
"""The largest number of bytes of a message; longer messages are cut."""

SAMPLE = 2_000
"""The number of lines to detect the format and the sessions by."""

LONGEST_KEY = 1_000
SHORTEST_WINDOW, LONGEST_WINDOW = 0.001, 1e9

PATIENCE = 5.0
"""The largest processor time in seconds to parse a block of lines; a normal block takes 0.03."""

IDLE_SECONDS = 1_800.0
"""Seconds of silence after which a web client begins a new session."""

DIGITS = b"0123456789"
_KEEP = bytes.maketrans(DIGITS, bytes(range(0x10, 0x1A)))
_SHOW = bytes.maketrans(bytes(range(0x10, 0x1A)), DIGITS)

_COMBINED = re.compile(
    rb"(?P<host>\S+) (?P<ident>\S+) (?P<user>.+?) \[(?P<time>[^\]]+)\] "
    rb'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<size>\S+)'
    rb'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
_SYSLOG = re.compile(
    rb"(?:<\d{1,3}>)?(?:(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?P<host>\S+) "
    rb"|1 (?P<time5>\S+) (?P<host5>\S+) )(?P<program>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?:? ?"
)
_STAMP = re.compile(
    rb"[\[(]?(?:"
    rb"(?P<iso>\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?)"
    rb"|(?P<apache>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?)"
    rb"|(?P<short>\d\d/\d\d/\d\d \d\d:\d\d:\d\d)"
    rb"|(?P<compact>\d{6} \d{6})\b"
    rb"|(?P<syslog>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)"
    rb"|(?P<epoch>1\d{9}(?:\.\d+|\d{3})?)\b"
    rb")[\])]?"
)
_TIME_FIELDS = ("@timestamp", "timestamp", "time", "ts", "datetime", "date", "asctime")
_MESSAGE_FIELDS = ("message", "msg", "event", "log", "text", "body")
_LEVEL_FIELDS = ("level", "severity", "levelname", "log.level", "logger")
_SESSION_FIELDS = (
    *("session", "session_id", "sessionid", "request_id", "requestid", "trace_id", "traceid"),
    *("trace.id", "correlation_id", "transaction_id", "job_id", "task_id", "user_id", "user"),
)
_KEYS = (
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    rb"\b(?:session|sess|sid|request|req|trace|txn|transaction|job|task|order|conn|connection)"
    rb"(?:[_-]?id)?[=:#]\s?[\w.-]+",
    rb"\b[\w.-]+\[\d+\]",
    rb"\b[0-9a-f]{16,}\b",
)
_PREFIXED = re.compile(rb"\b([A-Za-z]+[_-])-?\d{4,}")


@dataclass(frozen=True)
class SessionRule:
    """The rule by which lines belong to a session.

    Attributes:
        by: "regex" (the text that it matches), "field" (a field's value), or "window" (a time span,
            or a number of lines if the lines have no times).
        key: The pattern or the field's name; empty for windows.
        window: The seconds or lines of a window, else 0.
        idle: Seconds of silence after which a session is over, so that its key begins a new one; 0
            means that a key is one session, however long it is silent.
    """

    by: Literal["regex", "field", "window"]
    key: str = ""
    window: float = 0.0
    idle: float = 0.0


@dataclass(frozen=True)
class LogLayout:
    """How to read the lines of a log; JSON values only, for the card.

    Attributes:
        format: The format of the lines.
        timed: Whether the lines have times.
        sessions: The rule by which lines belong to a session.
    """

    format: FormatName
    timed: bool
    sessions: SessionRule

    @property
    def by(self) -> str:
        """The rule of the sessions in words."""
        rule = self.sessions
        if rule.by == "window":
            return f"windows of {rule.window:g} {'s' if self.timed else 'lines'}"
        return rule.key + (f", closed after {rule.idle:g} s of silence" if rule.idle else "")

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> "LogLayout":
        """Return the layout of `to_json`'s values, which may be untrusted.

        Raises:
            CorruptModelError: The values are damaged.
        """
        try:
            by = dict(values["sessions"])
            sessions = SessionRule(by["by"], by["key"], float(by["window"]), float(by["idle"]))
            layout = cls(values["format"], values["timed"], sessions)
            good = layout._is_valid()
        except (TypeError, KeyError, ValueError, AttributeError, re.error) as error:
            raise CorruptModelError(
                f"the card's layout of the log is damaged: {printable(error)}; fit again"
            ) from None
        if not good:
            raise CorruptModelError("the card's layout of the log is damaged; fit again")
        return layout

    def _is_valid(self) -> bool:
        """Return whether logs can be read by this layout."""
        rule = self.sessions
        if self.format not in ("text", "syslog", "combined", "jsonl"):
            return False
        if not isinstance(self.timed, bool) or not 0 <= rule.idle <= LONGEST_WINDOW:
            return False
        if rule.by == "window":
            shortest = SHORTEST_WINDOW if self.timed else 1
            return rule.key == "" and shortest <= rule.window <= LONGEST_WINDOW
        if rule.window or not 0 < len(rule.key) <= LONGEST_KEY:
            return False
        if rule.by == "regex":
            _compiled(rule.key)
        return rule.by == "regex" or (rule.by == "field" and self.format != "text")


@dataclass
class Records:
    """Columns with an entry for each event; a line that is not an event has no entry.

    Attributes:
        messages: The masked messages.
        keys: The keys of the sessions.
        times: The times in seconds since 1970, UTC. A line without a time has that of the line
            before.
        lines: The line numbers, from 1.
    """

    messages: list[bytes]
    keys: list[bytes]
    times: list[float]
    lines: list[int]

    def __len__(self) -> int:
        return len(self.messages)


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
        window: A time span such as `5m`, or a number of lines.

    Raises:
        InputError: `session` is not a regular expression, the format has no such field, or `window`
            does not fit the lines.
    """
    lines = [line for line in sample[:SAMPLE] if line.strip()]
    found = log_format if log_format != "auto" else _format(lines)
    timed = found == "combined" or _share(lines, _timed(found)) >= 0.5
    if sum(map(bool, (session, session_field, window))) > 1:
        raise InputError("expected one of session, session_field and window, received several")
    if session:
        try:
            _compiled(session)
        except (re.error, ValueError) as error:
            raise InputError(f"session: expected a regular expression: {error}") from None
        sessions = SessionRule("regex", session)
    elif session_field:
        _check_field(found, session_field, lines)
        sessions = SessionRule("field", session_field)
    elif window:
        sessions = SessionRule("window", window=_window(window, timed))
    else:
        sessions = _sessions(found, timed, lines)
    return LogLayout(found, timed, sessions)  # type: ignore[arg-type]


class Parser:
    """Parses lines by a layout, and keeps what the next lines need.

    Attributes:
        line: The number of lines so far.
        without: The number of records so far that belong to no session.
        time: The time of the last record.
        key: The session's key of the last record.
    """

    def __init__(self, layout: LogLayout) -> None:
        self.layout = layout
        self.line, self.time, self.key, self.without = 0, 0.0, b"", 0
        self._parse = {
            "text": self._text,
            "syslog": self._syslog,
            "combined": self._combined,
            "jsonl": self._jsonl,
        }[layout.format]
        rule = layout.sessions
        self._pattern = _compiled(rule.key) if rule.by == "regex" else None
        self._field = rule.key if rule.by == "field" else ""
        self._window = rule.window if rule.by == "window" else 0.0

    def parse(self, lines: Iterable[bytes]) -> Records:
        """Return the records of the next lines.

        Raises:
            UnsafeModelError: The sessions' regular expression takes too long.
        """
        records = Records([], [], [], [])
        rule = printable(repr(self.layout.sessions.key))
        refusal = UnsafeModelError(
            f"log lines after {self.line:,}: matching {rule} takes too long; fit with a simpler "
            "regular expression for sessions"
        )
        with time_limit.at_most(PATIENCE, refusal):
            self._parse(lines, records)
        return records

    def _text(self, lines: Iterable[bytes], records: Records) -> None:
        search = self._pattern.search if self._pattern else None
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
            messages(line[:LONGEST_MESSAGE].translate(None, DIGITS))
            keys(self.key)
            times(self.time)
            numbers(self.line)

    def _heads(self, lines: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
        """Yield lines that are events, without their times, and whether they begin a record."""
        stamp, timed = _STAMP.match, self.layout.timed
        for line in lines:
            self.line += 1
            match = stamp(line) if timed else None
            if match:
                self.time = _seconds(match[match.lastindex or 0])
                yield line[match.end() :], True
            elif line and (line[0] not in b" \t" if timed else line.strip()):
                yield line, not timed

    def _syslog(self, lines: Iterable[bytes], records: Records) -> None:
        for line in lines:
            self.line += 1
            match = _SYSLOG.match(line)
            if match:
                self.time = _seconds(match["time"] or match["time5"])
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
            match = _COMBINED.match(line)
            if match:
                self.time = _seconds(match["time"])
                method, _, target = match["request"].partition(b" ")
                path = target.rpartition(b" ")[0] or target
                path = path.partition(b"?")[0].replace(b"/", b" /")
                status = match["status"].translate(_KEEP)
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
            value = _object(line)
            if value is None:
                self._add(records, b"no JSON: " + line, line)
                continue
            stamp = _first(value, _TIME_FIELDS)
            if stamp is not None:
                self.time = _seconds(_bytes(stamp)) or self.time
            message = _first(value, _MESSAGE_FIELDS)
            level = _first(value, _LEVEL_FIELDS)
            message = line if message is None else _bytes(level or "") + b" " + _bytes(message)
            key = _field(value, self._field) if self._field else None
            self._add(records, message, line, None if key is None else _bytes(key))

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
        records.messages.append(message[:LONGEST_MESSAGE].translate(None, DIGITS))
        records.keys.append(self.key)
        records.times.append(self.time)
        records.lines.append(self.line)

    def _window_key(self, time: float, number: int) -> bytes:
        if not self.layout.timed:
            return b"line %d" % (1 + int((number - 1) // self._window * self._window))
        return _clock(time // self._window * self._window)


def _compiled(pattern: str) -> "re.Pattern[bytes]":
    """Compile a session's regular expression.

    Raises:
        re.error: The pattern is not a regular expression.
        ValueError: The pattern is too long, or too large for Python.
    """
    if len(pattern) > LONGEST_KEY:
        raise ValueError(f"it has more than {LONGEST_KEY:,} characters")
    try:
        with warnings.catch_warnings(action="ignore"):  # about syntax that may change one day
            return re.compile(pattern.encode())
    except (OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"it is too large: {printable(error)}") from None


def readable(message: bytes) -> str:
    """Return a masked message in words, with the kept digits as digits."""
    text = message.translate(_SHOW)
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


@lru_cache(maxsize=65_536)
def _seconds(stamp: bytes) -> float:
    """Return a time in seconds since 1970; 0 if it is not a time. The default zone is UTC."""
    match = _STAMP.fullmatch(stamp)
    kind = match.lastgroup if match else None
    text = stamp.decode("ascii", "replace")
    try:
        if kind == "epoch":
            value = float(text)
            return value / 1000 if value > 1e11 else value
        if kind in (None, "iso"):
            return _utc(datetime.fromisoformat(text.replace("/", "-").replace(",", ".")))
        if kind == "apache":
            zone = " %z" if " " in text else ""
            return _utc(datetime.strptime(text, f"%d/%b/%Y:%H:%M:%S{zone}"))
        if kind == "short":
            return _utc(datetime.strptime(text, "%y/%m/%d %H:%M:%S"))
        if kind == "compact":
            return _utc(datetime.strptime(text, "%y%m%d %H%M%S"))
        return _without_year(text)
    except ValueError:
        return 0.0


def _utc(time: datetime) -> float:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _without_year(text: str) -> float:
    """Return a syslog time, which has no year, in the latest year that is not in the future."""
    now = datetime.now(UTC)
    for year in (now.year, now.year - 1):
        time = datetime.strptime(f"{year} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
        if (time - now).total_seconds() < 86_400:
            break
    return time.timestamp()


def _format(lines: Sequence[bytes]) -> FormatName:
    if _share(lines, lambda line: _COMBINED.match(line) is not None) >= 0.8:
        return "combined"
    if _share(lines, lambda line: _SYSLOG.match(line) is not None) >= 0.8:
        return "syslog"
    if _share(lines, lambda line: _object(line) is not None) >= 0.8:
        return "jsonl"
    return "text"


def _timed(name: str) -> Callable[[bytes], bool]:
    if name == "syslog":
        return lambda line: _SYSLOG.match(line) is not None
    if name == "jsonl":
        return lambda line: _first(_object(line) or {}, _TIME_FIELDS) is not None
    return lambda line: _STAMP.match(line) is not None


def _share(lines: Sequence[bytes], test: Callable[[bytes], bool]) -> float:
    return sum(map(test, lines)) / max(1, len(lines))


def _sessions(name: str, timed: bool, lines: Sequence[bytes]) -> SessionRule:
    """Detect the rule of the sessions."""
    if name == "combined":
        return SessionRule("field", "host", idle=IDLE_SECONDS)
    if name == "jsonl":
        objects = [_object(line) or {} for line in lines]
        for field in _SESSION_FIELDS:
            values = [v for v in (_field(o, field) for o in objects) if v is not None]
            if _groups([_bytes(v) for v in values], len(lines)):
                return SessionRule("field", field)
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
            return str(pattern, "ascii", "replace")
    return None


def _groups(keys: Sequence[bytes], lines: int) -> bool:
    """Return whether nearly every line has a key, and the keys are many but recur."""
    distinct = len(set(keys))
    return len(keys) >= 0.9 * max(1, lines) and distinct >= 20 and len(keys) >= 1.5 * distinct


def _window(text: str, timed: bool) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|)", text.strip())
    if not match or not float(match[1]):
        raise InputError(
            f"window: expected a time span such as 5m, or a number of lines, received {text!r}"
        )
    if bool(match[2]) != timed:
        what = "a time span such as 5m" if timed else "a number of lines"
        raise InputError(f"window: expected {what}, received {text!r}")
    width = float(match[1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "": 1}[match[2]]
    if not (SHORTEST_WINDOW if timed else 1) <= width <= LONGEST_WINDOW:
        raise InputError(
            f"window: expected another length, received {text!r}, which is too short or too long; "
            f"try {'5m' if timed else 100}"
        )
    return width


def _check_field(name: str, field: str, lines: Sequence[bytes]) -> None:
    if name == "text":
        raise InputError(
            "session_field: expected a log with fields, received text, and text has no fields; "
            "give --set session=REGEX instead"
        )
    if name == "jsonl":
        known = {key for line in lines for key in (_object(line) or {})}
        there = any(_field(_object(line) or {}, field) is not None for line in lines)
    else:
        pattern = _COMBINED if name == "combined" else _SYSLOG
        known = {key for key in pattern.groupindex if not key.endswith("5")}
        known |= {"method", "path"} if name == "combined" else set()
        there = field in known
    if not there:
        raise InputError(
            f"session_field: expected one of {', '.join(sorted(known))}, received {field!r}"
        )


def _object(line: bytes) -> "dict[str, Any] | None":
    if line[:1] not in (b"{", b" "):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _field(value: "dict[str, Any]", name: str) -> Any:
    """Return a field, which may be an inner field such as `request.id`."""
    if name in value:
        return value[name]
    found: Any = value
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _first(value: "dict[str, Any]", names: Sequence[str]) -> Any:
    return next((v for v in (_field(value, name) for name in names) if v is not None), None)


def _bytes(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode(errors="replace")
