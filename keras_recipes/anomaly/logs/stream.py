"""Judging the sessions of a growing log line by line, in bounded memory.

Every open session has its own state of the net, and the counts of its events so far. If a session
is certainly an anomaly, its row comes at once. The row of any other session comes when the session
is over, because its end and missing events are judged only then. A session is over when it has been
silent for too long, by the times in the log.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.new_events import News
from keras_recipes.anomaly.logs.open_sessions import Judge, OpenSession
from keras_recipes.anomaly.state_file import State, StateFile
from keras_recipes.data import lines
from keras_recipes.data.logs import parser, severity
from keras_recipes.data.logs.measurements import UNIT_NAMES, Value
from keras_recipes.errors import InputError
from keras_recipes.recipe import Row

TICK = 1.0
"""Seconds without a line after which sessions are checked for their timeout."""

SHORTEST_TIMEOUT = 60.0
UNTIMED_TIMEOUT = 3_600.0
LATE_SECONDS = 60.0
"""Seconds that a window stays open after its end, for late lines."""

MOST_LINES = 2**53


class LogStream:
    """Judges lines as they arrive."""

    def __init__(
        self,
        detector: LogDetector,
        false_alarm_rate: float,
        *,
        timeout: float | None = None,
        open_sessions: int = 50_000,
        state: str | None = None,
    ) -> None:
        """Prepare to judge; restore the open sessions of an earlier run if they were kept.

        Args:
            detector: The detector.
            false_alarm_rate: The share of normal sessions that may be called anomalies.
            timeout: Seconds without a line after which a session is over; None derives them from
                the normal sessions.
            open_sessions: The largest number of open sessions. Beyond it, the session that has been
                silent the longest is over.
            state: File that keeps the open sessions; None keeps none.

        Raises:
            InputError: The file is the state of another model, or cannot be written.
            CorruptModelError: The file is damaged.
        """
        self.detector, self.judge = detector, Judge(detector, false_alarm_rate)
        self._parser = parser.Parser(detector.layout)
        self._rule = detector.layout.sessions
        self._timeout = timeout or self._usual_timeout()
        self._most = open_sessions
        self._open: OrderedDict[bytes, OpenSession] = OrderedDict()
        self._clock, self._last_time, self._heard = 0.0, 0.0, time.monotonic()
        self._file = StateFile(
            state, lambda: f"{len(self._open):,} open sessions are kept", self._state
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
                yield from self._block(block)
                self._file.boundary()
            if self._file.path:
                self._file.write()
            else:
                yield from self._close_due(math.inf)

    def _block(self, block: list[bytes]) -> Iterator[Row]:
        if not block:
            yield from self._pass_time()
            return
        self._heard = time.monotonic()
        records, timed = self._parser.parse(block), self.detector.layout.timed
        arrived = 0.0 if timed else time.time()
        token_ids = self.detector.templates.token_ids(records.messages)
        measured = records.measured_by_event()
        for event, (key, token_id, message, when, line) in enumerate(
            zip(
                records.keys, token_ids, records.messages, records.times, records.lines, strict=True
            )
        ):
            now = when if timed else arrived
            # The clock follows two lines in a row, so that one broken line cannot put it forward.
            self._clock = max(self._clock, min(self._last_time, now))
            self._last_time = now
            next_window = self.detector.layout.in_lines and key not in self._open
            yield from self._close_due(math.inf if next_window else self._clock)
            if self._rule.idle and key in self._open and now > self._open[key].due:
                yield from self._close(key)  # the session's own next line shows that it was over
            session = self._session(key, now)
            values = measured.get(event, ())
            if row := self.judge.event(session, token_id, line, message, values):
                yield row
            if len(self._open) > self._most:
                yield from self._close(next(iter(self._open)))

    def _pass_time(self) -> Iterator[Row]:
        """Move the log's clock forward while no line comes."""
        passed = time.monotonic() - self._heard
        now = self._last_time + passed if self.detector.layout.timed else time.time()
        yield from self._close_due(now)

    def _session(self, key: bytes, now: float) -> OpenSession:
        """Return the open session of this key, or a new one, and extend its timeout."""
        session = self._open.get(key)
        if session is None:
            name = lines.decode(key)
            if self._rule.idle:
                name = f"{name} {parser.iso_time(now)}"
            session = self._open[key] = self.judge.session(name)
            if self._rule.window:
                session.due = self._end_of_window(now)
        if not self._rule.window:
            self._open.move_to_end(key)
            session.due = now + self._timeout
        return session

    def _close_due(self, now: float) -> Iterator[Row]:
        """Close the sessions that are over at this time, the longest silent first."""
        while self._open:
            key, session = next(iter(self._open.items()))
            if session.due > now:
                return
            yield from self._close(key)

    def _close(self, key: bytes) -> Iterator[Row]:
        if row := self.judge.end(self._open.pop(key)):
            yield row

    def _usual_timeout(self) -> float:
        if self._rule.idle:
            return self._rule.idle
        if not self.detector.layout.timed:
            return UNTIMED_TIMEOUT
        return max(2 * self.detector.max_gap, SHORTEST_TIMEOUT)

    def _end_of_window(self, now: float) -> float:
        if self.detector.layout.in_lines:
            return math.inf  # the first line of the next window ends it
        width = self._rule.window
        return now // width * width + width + min(width, LATE_SECONDS)

    def _state(self) -> State:
        opened = list(self._open.items())
        plain = {
            "model": self.detector.digest,
            "line": self._parser.line,
            "time": self._parser.time,
            "key": self._parser.key.hex(),
            "clock": [self._clock, self._last_time],
            "sessions": [
                [key.hex(), s.name, s.events, s.line, s.due, s.answered, s.max_surprise, s.cusum,
                 s.peak[:4], s.peak[4].hex(), s.last_unseen.hex(),
                 [[event_type, *found] for event_type, found in s.counts.items()],
                 [s.news.rank, s.news.count, s.news.line, s.news.message.hex()], s.extreme]
                for key, s in opened
            ],
        }  # fmt: skip
        units = self.detector.lstm.units
        states = np.array([[s.h, s.c] for _, s in opened], "float32").reshape(-1, 2, units)
        return plain, {"states": states}

    def _restore(self, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        if plain["model"] != self.detector.digest:
            raise InputError("the state was kept with another model; name another file")
        states = arrays["states"].astype("float32")
        self._parser.line, self._parser.time = int(plain["line"]), float(plain["time"])
        self._parser.key = bytes.fromhex(plain["key"])
        self._clock, self._last_time = map(float, plain["clock"])
        if not np.isfinite([self._parser.time, self._clock, self._last_time]).all():
            raise ValueError("expected finite times")
        for values, (h, c) in zip(plain["sessions"], states, strict=True):
            key, session = self._reopened(values, h, c)
            self._open[key] = session

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
        self._check(session)
        return bytes.fromhex(key), session

    def _check(self, session: OpenSession) -> None:
        """Refuse a session that this detector cannot have kept."""
        position, token_id, likeliest, line, _ = session.peak
        tokens = self.detector.templates.vocabulary_size
        event_types = len(self.detector.counts.weights)
        numbers = [session.events, session.line, position, line]
        numbers += [number for found in session.counts.values() for number in found]
        numbers += [session.news.count, session.news.line, *session.extreme[1:3]]
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
            and math.isfinite(session.max_surprise + sum(session.cusum) + sums)
        )
        if not possible:
            raise ValueError(session.name)


def _extreme(values: list[Any]) -> tuple[float, int, int, int, Value]:
    beyond, position, line, token_id, (name, number, unit) = values
    value = int(name), float(number), int(unit)
    return float(beyond), int(position), int(line), int(token_id), value
