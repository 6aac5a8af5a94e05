"""Judging the sessions of a growing log line by line, in bounded memory.

Every open session has its own state of the net, and the counts of its events so far. If a session
is certainly an anomaly, its row comes at once. The row of any other session comes when the session
is over, because its end and missing events are judged only then. A session is over when it has been
silent for too long, by the times in the log. `session_table` says what becomes of lines that come
after that.
"""

import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.log_clock import LATE_SECONDS, LogClock
from keras_recipes.anomaly.logs.new_events import News
from keras_recipes.anomaly.logs.open_sessions import Judge, OpenSession
from keras_recipes.anomaly.logs.session_table import SessionTable
from keras_recipes.anomaly.logs.silence import Silence
from keras_recipes.anomaly.passed_over import PassedOver
from keras_recipes.anomaly.state_file import State, StateFile
from keras_recipes.data import lines
from keras_recipes.data.logs import parser, patient, severity
from keras_recipes.data.logs.measurements import UNIT_NAMES, Value
from keras_recipes.errors import InputError, printable
from keras_recipes.recipe import Row

SHORTEST_TIMEOUT = 60.0
UNTIMED_TIMEOUT = 3_600.0

MOST_LINES = 2**53

log = logging.getLogger(__name__)


class LogStream:
    """Judges lines as they arrive."""

    def __init__(
        self,
        detector: LogDetector,
        false_alarm_rate: float,
        *,
        timeout: float | None = None,
        open_sessions: int = 50_000,
        idle_after: str | None = None,
        state: str | None = None,
    ) -> None:
        """Prepare to judge; restore the open sessions of an earlier run if they were kept.

        Args:
            detector: The detector.
            false_alarm_rate: The share of normal sessions that may be called anomalies.
            timeout: Seconds without a line after which a session is over, or seconds after its end
                after which a window is; None derives them from the normal sessions.
            open_sessions: The largest number of open sessions. Beyond it, the session that has been
                silent the longest is over. As many closed ones are remembered.
            idle_after: A time span without a line after which the log has a row; None has none.
            state: File that keeps the open sessions; None keeps none.

        Raises:
            InputError: The file is the state of another model, or cannot be written; or the time
                span is none.
            CorruptModelError: The file is damaged.
        """
        self.detector, self.judge = detector, Judge(detector, false_alarm_rate)
        self._parser = parser.Parser(detector.layout)
        self._rule = detector.layout.sessions
        self._timeout = timeout or self._usual_timeout()
        self._late = timeout or min(self._rule.window, LATE_SECONDS)
        self._table = SessionTable(open_sessions)
        self._clock, self._heard = LogClock(), (time.monotonic(), time.time())
        self._silence = Silence(idle_after) if idle_after else None
        self._skipped = PassedOver("line")
        self._file = StateFile(
            state, lambda: f"{len(self._table.open):,} open sessions are kept", self._state
        )
        self._file.restore(self._restore)

    def rows(self, blocks: Iterable[list[bytes]]) -> Iterator[Row]:
        """Yield rows as soon as they are certain; see `Verdicts.rows` for the keys.

        Args:
            blocks: Lines as they arrive; an empty list means that time passed.

        Raises:
            StoppedError: The program was stopped, and the open sessions were kept.
        """
        with self._file.watching():
            for block in blocks:
                for records in patient.parsed(self._parser, block, self._refuse):
                    yield from self._judged(records) if block else self._pass_time()
                    self._file.boundary()
            if self._file.path:
                self._file.write()
            else:
                if self._silence:
                    yield from self._silence.over()
                yield from self._close_due(math.inf)
            self._skipped.report()

    def _refuse(self, reason: str) -> None:
        self._skipped(f"standard input {reason}")

    def _judged(self, records: parser.Records) -> Iterator[Row]:
        timed = self.detector.layout.timed
        if len(records):
            yield from self._listen(records)
        arrived = 0.0 if timed else time.time()
        token_ids = self.detector.templates.token_ids(records.messages)
        measured = records.measured_by_event()
        for event, (key, token_id, message, when, line) in enumerate(
            zip(
                records.keys, token_ids, records.messages, records.times, records.lines, strict=True
            )
        ):
            now = when if timed else arrived
            if self._clock.read(now):
                self._set_back(now)
            yield from self._close_before(key, now)
            session = self._session(key, now, line)
            if session:
                before = len(session.counts)
                if row := self.judge.event(
                    session, token_id, line, message, measured.get(event, ())
                ):
                    yield row
                self._table.kinds += len(session.counts) - before
            if surplus := self._table.surplus():
                yield from self._close(surplus, max(self._clock.now, now))

    def _listen(self, records: parser.Records) -> Iterator[Row]:
        self._heard = time.monotonic(), time.time()
        if self._silence and self.detector.layout.timed:
            yield from self._silence.heard(records.times, records.lines)

    def _pass_time(self) -> Iterator[Row]:
        """Move the log's clock forward while no line comes."""
        passed = time.monotonic() - self._heard[0]
        if self._silence:
            yield from self._silence.nothing_heard(passed, self._heard[1])
        now = self._clock.last + passed if self.detector.layout.timed else time.time()
        yield from self._close_due(now)

    def _session(self, key: bytes, now: float, line: int) -> OpenSession | None:
        """Return the open session of this key, or a new one, and extend its timeout.

        If the line is late for its session, which is closed, this returns None.
        """
        session = self._table.open.get(key)
        if session is None:
            if self._table.is_late(key, now):
                self._skipped(
                    f"standard input line {line}: expected nothing more of "
                    f"{printable(lines.decode(key))}, which is over, received a line of "
                    f"{parser.iso_time(now)}"
                )
                return None
            session = self.judge.session(self._name(key, now))
            session.due = self._due(now)
            self._table.add(key, session)
        elif not self._rule.window:
            session.due = self._due(now)
            self._table.queue(key, session)
        return session

    def _name(self, key: bytes, now: float) -> str:
        name = lines.decode(key)
        if self._rule.idle:
            return f"{name} {parser.iso_time(now)}"
        before = self._table.sessions_of(key)
        return f"{name} ({before + 1})" if before else name

    def _due(self, now: float) -> float:
        """Return when a session is over that has a line at this time."""
        if self.detector.layout.in_lines:
            return math.inf  # the first line of the next window ends it
        width = self._rule.window
        # A session whose line is behind the clock stays open for others of its lines.
        if not width:
            return max(now, self._clock.now) + self._timeout
        return max(now // width * width + width, self._clock.now) + self._late

    def _close_before(self, key: bytes, now: float) -> Iterator[Row]:
        """Close the sessions that are over when a line of this key and this time comes."""
        session = self._table.open.get(key)
        if session is None and self.detector.layout.in_lines:
            yield from self._close_due(math.inf)  # a new window ends the one before
            return
        yield from self._close_due(self._clock.now)
        if self._rule.idle and key in self._table.open and now > self._table.open[key].due:
            yield from self._close(key)  # the session's own next line shows that it was over

    def _close_due(self, now: float) -> Iterator[Row]:
        """Close the sessions that are over at this time, the longest silent first."""
        for key in self._table.due(now):
            yield from self._close(key)

    def _close(self, key: bytes, until: float = math.inf) -> Iterator[Row]:
        """Close a session; lines of it are late up to its `due`, or up to `until` if it is earlier.

        Lines without times are never late, and windows of lines do not come again.
        """
        layout = self.detector.layout
        until = min(self._table.open[key].due, until)
        session = self._table.close(key, until if layout.timed else None, again=not layout.in_lines)
        if row := self.judge.end(session):
            yield row

    def _set_back(self, now: float) -> None:
        log.warning(
            "the times in the log were set back to %s; sessions that come again have a number",
            parser.iso_time(now),
        )
        self._table.set_back(self._due(now))

    def _usual_timeout(self) -> float:
        if self._rule.idle:
            return self._rule.idle
        if not self.detector.layout.timed:
            return UNTIMED_TIMEOUT
        return max(2 * self.detector.max_gap, SHORTEST_TIMEOUT)

    def _state(self) -> State:
        opened = list(self._table.open.items())
        plain = {
            "model": self.detector.digest,
            "line": self._parser.line,
            "time": self._parser.time,
            "key": self._parser.key.hex(),
            "clock": [self._clock.now, self._clock.last],
            "sessions": [
                [key.hex(), s.name, s.events, s.line, s.due, s.answered, s.max_surprise, s.cusum,
                 s.peak[:4], s.peak[4].hex(), s.last_unseen.hex(),
                 [[event_type, *found] for event_type, found in s.counts.items()],
                 [s.news.rank, s.news.count, s.news.line, s.news.message.hex()], s.extreme,
                 [s.news.total, *s.news.last[:2], s.news.last[2].hex()]]
                for key, s in opened
            ],
            "closed": [[key.hex(), *found] for key, found in self._table.closed.items()],
        }  # fmt: skip
        if self._silence:
            plain["silence"] = self._silence.state()
        units = self.detector.lstm.units
        states = np.array([[s.h, s.c] for _, s in opened], "float32").reshape(-1, 2, units)
        return plain, {"states": states}

    def _restore(self, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        if plain["model"] != self.detector.digest:
            raise InputError("the state was kept with another model; name another file")
        states = arrays["states"].astype("float32")
        self._parser.line, self._parser.time = int(plain["line"]), float(plain["time"])
        self._parser.key = bytes.fromhex(plain["key"])
        self._clock.now, self._clock.last = map(float, plain["clock"])
        if not np.isfinite([self._parser.time, self._clock.now, self._clock.last]).all():
            raise ValueError("expected finite times")
        for values, (h, c) in zip(plain["sessions"], states, strict=True):
            self._table.add(*self._reopened(values, h, c))
        # A state of an earlier version has no closed sessions and no silence.
        for key, until, count in plain.get("closed", []):
            known = None if until is None else float(until)
            self._table.remember(bytes.fromhex(key), known, int(count))
        if self._silence and "silence" in plain:
            self._silence.restore(plain["silence"])

    def _reopened(
        self, values: list[Any], h: np.ndarray, c: np.ndarray
    ) -> tuple[bytes, OpenSession]:
        (key, name, events, line, due, answered, surprise, cusum, peak, peak_message, last_unseen,
         counts, *later) = values  # fmt: skip
        session = OpenSession(str(name), h, c)
        session.events, session.line, session.due = int(events), int(line), float(due)
        session.answered, session.max_surprise = bool(answered), float(surprise)
        session.cusum = (float(cusum[0]), float(cusum[1]))
        position, token_id, likeliest, where = map(int, peak)
        session.peak = (position, token_id, likeliest, where, bytes.fromhex(peak_message))
        session.last_unseen = bytes.fromhex(last_unseen)
        for event_type, *found in counts:
            count, last_position, last_line = map(int, found)
            session.counts[int(event_type)] = (count, last_position, last_line)
        if later:
            *numbers, message = later[0]
            rank, count, its_line = map(int, numbers)
            session.news = News(rank, count, its_line, bytes.fromhex(message))
            session.extreme = _extreme(later[1])
        self._restore_last_news(session, later[2:])
        self._check(session)
        return bytes.fromhex(key), session

    def _restore_last_news(self, session: OpenSession, later: list[Any]) -> None:
        """Restore what states of earlier versions kept with the counts."""
        if later:
            total, position, line, message = later[0]
            session.news.total = int(total)
            session.news.last = int(position), int(line), bytes.fromhex(message)
        elif 0 in session.counts:
            session.news.total, position, line = session.counts[0]
            session.news.last = position, line, session.last_unseen

    def _check(self, session: OpenSession) -> None:
        """Refuse a session that this detector cannot have kept."""
        position, token_id, likeliest, line, _ = session.peak
        tokens = self.detector.templates.vocabulary_size
        event_types = len(self.detector.counts.weights)
        numbers = [session.events, session.line, position, line]
        numbers += [number for found in session.counts.values() for number in found]
        numbers += [session.news.count, session.news.line, *session.extreme[1:3]]
        numbers += [session.news.total, *session.news.last[:2]]
        _, _, _, extreme_token, value = session.extreme
        sums = float(abs(session.h).sum() + abs(session.c).sum())
        possible = (
            0 <= token_id < tokens
            and 0 <= likeliest < tokens
            and 0 <= session.news.rank <= severity.HIGHEST
            and 0 <= extreme_token < tokens
            and 0 <= value[0] < max(1, len(self.detector.layout.masking.measures))
            and 0 <= value[2] < len(UNIT_NAMES)
            and math.isfinite(session.extreme[0] + value[1])
            and session.h.shape == self.judge.begin[0].shape
            and all(0 <= event_type < event_types for event_type in session.counts)
            and all(0 <= number < MOST_LINES for number in numbers)
            and min(session.cusum) >= 0
            and not math.isnan(session.due)
            and math.isfinite(session.max_surprise + sum(session.cusum) + sums)
        )
        if not possible:
            raise ValueError(session.name)


def _extreme(values: list[Any]) -> tuple[float, int, int, int, Value]:
    beyond, position, line, token_id, (name, number, unit) = values
    value = int(name), float(number), int(unit)
    return float(beyond), int(position), int(line), int(token_id), value
