"""Judging sessions line by line as a log grows, for days, in bounded memory.

Every open session has a state of the net of its own and the counts of its events so far. What is
certain already is answered at once: surprises and counts above the normal ones only grow. The rest
is answered when the session is over, since then its end and what did not happen can be judged; that
is when it has been silent for too long by the log's own clock.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.open_sessions import Judge, OpenSession
from keras_recipes.anomaly.state_file import State, StateFile
from keras_recipes.data import lines, log_formats
from keras_recipes.errors import InputError
from keras_recipes.recipe import Row

TICK = 1.0
"""Seconds without a line after which time is looked at anyhow."""

SHORTEST_TIMEOUT = 60.0
UNTIMED_TIMEOUT = 3_600.0
LATE_SECONDS = 60.0
"""A window is open for so long after its end, for lines that come late."""

MOST_LINES = 2**53


class LogStream:
    """A detector at work on lines as they arrive."""

    def __init__(
        self,
        detector: LogDetector,
        false_alarm_rate: float,
        *,
        timeout: float | None = None,
        open_sessions: int = 50_000,
        state: str | None = None,
    ) -> None:
        """Makes it, with the open sessions of an earlier run if there are any.

        Args:
            detector: What to judge by.
            false_alarm_rate: The share of normal sessions that may be called anomalies.
            timeout: Seconds without a line after which a session is over; None derives them from
                the normal sessions.
            open_sessions: So many at most; beyond, the one that is silent the longest is over.
            state: File that keeps the open sessions.

        Raises:
            InputError: The file was kept for another model, or cannot be written.
            CorruptModelError: The file is damaged.
        """
        self.detector, self.judge = detector, Judge(detector, false_alarm_rate)
        self._parser = log_formats.Parser(detector.layout)
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
        """Answers as they become certain; see `Verdicts.rows` for the columns.

        Args:
            blocks: Lines as they arrive; an empty list lets time pass.

        Raises:
            StoppedError: The program was asked to stop, and the open sessions are kept.
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
        for key, token_id, message, when, line in zip(
            records.keys, token_ids, records.messages, records.times, records.lines, strict=True
        ):
            now = when if timed else arrived
            # A clock that believes two lines in a row cannot be put forward by one broken line.
            self._clock = max(self._clock, min(self._last_time, now))
            self._last_time = now
            next_window = self._rule.by == "window" and not timed and key not in self._open
            yield from self._close_due(math.inf if next_window else self._clock)
            if self._rule.idle and key in self._open and now > self._open[key].due:
                yield from self._close(key)  # its own next line is the first to say so
            session = self._session(key, now)
            if row := self.judge.event(session, token_id, line, message):
                yield row
            if len(self._open) > self._most:
                yield from self._close(next(iter(self._open)))

    def _pass_time(self) -> Iterator[Row]:
        """Lets the log's clock go on where no line comes."""
        passed = time.monotonic() - self._heard
        now = self._last_time + passed if self.detector.layout.timed else time.time()
        yield from self._close_due(now)

    def _session(self, key: bytes, now: float) -> OpenSession:
        """The open session of that key, or a new one, which then was heard of last."""
        session = self._open.get(key)
        if session is None:
            name = lines.decode(key)
            if self._rule.idle:
                name = f"{name} {log_formats.iso_time(now)}"
            session = self._open[key] = self.judge.session(name)
            if self._rule.by == "window":
                session.due = self._end_of_window(now)
        if self._rule.by != "window":
            self._open.move_to_end(key)
            session.due = now + self._timeout
        return session

    def _close_due(self, now: float) -> Iterator[Row]:
        """Closes sessions, the longest silent first, as long as they are over by then."""
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
        if not self.detector.layout.timed:
            return math.inf  # over with the first line of the next one
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
                 [[event_type, *found] for event_type, found in s.counts.items()]]
                for key, s in opened
            ],
        }  # fmt: skip
        units = self.detector.lstm.units
        states = np.array([[s.h, s.c] for _, s in opened], "float32").reshape(-1, 2, units)
        return plain, {"states": states}

    def _restore(self, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        if plain["model"] != self.detector.digest:
            raise InputError("was kept with another model; name another file")
        states = arrays["states"].astype("float32")
        self._parser.line, self._parser.time = int(plain["line"]), float(plain["time"])
        self._parser.key = bytes.fromhex(plain["key"])
        self._clock, self._last_time = map(float, plain["clock"])
        if not np.isfinite([self._parser.time, self._clock, self._last_time]).all():
            raise ValueError("a time that there is not")
        for values, (h, c) in zip(plain["sessions"], states, strict=True):
            key, session = self._reopened(values, h, c)
            self._open[key] = session

    def _reopened(
        self, values: list[Any], h: np.ndarray, c: np.ndarray
    ) -> tuple[bytes, OpenSession]:
        (key, name, events, line, due, answered, surprise, cusum, peak, peak_message, last_unseen,
         counts) = values  # fmt: skip
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
        self._check(session)
        return bytes.fromhex(key), session

    def _check(self, session: OpenSession) -> None:
        """Refuses a session that cannot have been kept by this detector."""
        position, token_id, likeliest, line, _ = session.peak
        tokens = self.detector.templates.vocabulary_size
        event_types = len(self.detector.counts.weights)
        numbers = [session.events, session.line, position, line]
        numbers += [number for found in session.counts.values() for number in found]
        sums = float(abs(session.h).sum() + abs(session.c).sum())
        possible = (
            0 <= token_id < tokens
            and 0 <= likeliest < tokens
            and session.h.shape == self.judge.begin[0].shape
            and all(0 <= event_type < event_types for event_type in session.counts)
            and all(0 <= number < MOST_LINES for number in numbers)
            and min(session.cusum) >= 0
            and math.isfinite(session.max_surprise + sum(session.cusum) + sums)
        )
        if not possible:
            raise ValueError(session.name)
