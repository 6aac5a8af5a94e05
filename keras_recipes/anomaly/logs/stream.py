"""Judging sessions line by line as a log grows, for days, in bounded memory.

Every open session has a state of the net of its own and the counts of its events so far. What is
certain already is answered at once: surprises and counts above the normal ones only grow. The rest
is answered when the session is over, since then its end and what did not happen can be judged; that
is when it has been silent for too long by the log's own clock.
"""

import json
import math
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from keras_recipes.anomaly.logs.detector import Detector
from keras_recipes.anomaly.logs.open_sessions import Judge, Session
from keras_recipes.anomaly.state_file import Keeper
from keras_recipes.data import lines, log_formats
from keras_recipes.errors import InputError
from keras_recipes.recipe import Row

if TYPE_CHECKING:
    import numpy as np

SHORTEST_TIMEOUT = 60.0
UNTIMED_TIMEOUT = 3_600.0
LATE_SECONDS = 60.0
"""A window is open for so long after its end, for lines that come late."""

MOST_LINES = 2**53


class Live:
    """A detector at work on lines as they arrive.

    Attributes:
        tick: Seconds without a line after which time is looked at anyhow.
    """

    tick = 1.0

    def __init__(
        self,
        detector: Detector,
        false_alarm_rate: float,
        *,
        timeout: float | None = None,
        most: int = 50_000,
        state: str | None = None,
    ) -> None:
        """Makes it, with the open sessions of an earlier run if there are any.

        Args:
            detector: What to judge by.
            false_alarm_rate: The share of normal sessions that may be called anomalies.
            timeout: Seconds of silence after which a session is over; None derives them from the
                normal sessions.
            most: Open sessions; beyond, the most silent one is over.
            state: File that keeps the open sessions.

        Raises:
            InputError: The file was kept for another model, or cannot be written.
            CorruptModelError: The file is damaged.
        """
        self.detector, self.judge, self.most = detector, Judge(detector, false_alarm_rate), most
        self._parser = log_formats.Parser(detector.layout)
        self._rule = detector.layout.sessions
        self._timeout = timeout or self._usual_timeout()
        self._open: OrderedDict[bytes, Session] = OrderedDict()
        self._clock, self._last_time, self._heard = 0.0, 0.0, time.monotonic()
        self._keeper = Keeper(
            state, lambda: f"{len(self._open):,} open sessions are kept", self._state
        )
        self._keeper.restore(self._restore)

    def rows(self, blocks: Iterable[list[bytes]]) -> Iterator[Row]:
        """Answers as they become certain; see `Verdicts.rows` for the columns.

        Args:
            blocks: Lines as they arrive; an empty list lets time pass.

        Raises:
            StoppedError: The program was asked to stop, and the open sessions are kept.
        """
        with self._keeper.watching():
            for some in blocks:
                yield from self._block(some)
                self._keeper.look()
            if self._keeper.path:
                self._keeper.keep()
            else:
                yield from self._overdue(math.inf)

    def _block(self, some: list[bytes]) -> Iterator[Row]:
        if not some:
            yield from self._silence()
            return
        self._heard = time.monotonic()
        records, timed = self._parser.parse(some), self.detector.layout.timed
        arrived = 0.0 if timed else time.time()
        symbols = self.detector.templates.all(records.forms)
        for key, symbol, form, when, line in zip(
            records.keys, symbols, records.forms, records.times, records.lines, strict=True
        ):
            now = when if timed else arrived
            # A clock that believes two lines in a row cannot be put forward by one broken line.
            self._clock = max(self._clock, min(self._last_time, now))
            self._last_time = now
            next_window = self._rule.by == "window" and not timed and key not in self._open
            yield from self._overdue(math.inf if next_window else self._clock)
            if self._rule.idle and key in self._open and now > self._open[key].due:
                yield from self._close(key)  # its own next line is the first to say so
            session = self._session(key, now)
            if row := self.judge.event(session, symbol, line, form):
                yield row
            if len(self._open) > self.most:
                yield from self._close(next(iter(self._open)))

    def _silence(self) -> Iterator[Row]:
        """Lets the log's clock go on where no line comes."""
        passed = time.monotonic() - self._heard
        now = self._last_time + passed if self.detector.layout.timed else time.time()
        yield from self._overdue(now)

    def _session(self, key: bytes, now: float) -> Session:
        """The open session of that key, or a new one, which is then the least silent."""
        session = self._open.get(key)
        if session is None:
            name = lines.shown(key)
            if self._rule.idle:
                name = f"{name} {log_formats.clock(now)}"
            session = self._open[key] = self.judge.session(name)
            if self._rule.by == "window":
                session.due = self._end_of_window(now)
        if self._rule.by != "window":
            self._open.move_to_end(key)
            session.due = now + self._timeout
        return session

    def _overdue(self, now: float) -> Iterator[Row]:
        """Closes sessions, the most silent first, as long as they are over by then."""
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
        return max(2 * self.detector.silence, SHORTEST_TIMEOUT)

    def _end_of_window(self, now: float) -> float:
        if not self.detector.layout.timed:
            return math.inf  # over with the first line of the next one
        width = self._rule.window
        return now // width * width + width + min(width, LATE_SECONDS)

    def _state(self) -> "Mapping[str, np.ndarray]":
        import numpy as np

        some = list(self._open.items())
        meta = {
            "model": self.detector.digest,
            "line": self._parser.line,
            "time": self._parser.time,
            "key": self._parser.key.hex(),
            "clock": [self._clock, self._last_time],
            "sessions": [
                [key.hex(), s.name, s.events, s.line, s.due, s.told, s.worst, s.run, s.at[:4],
                 s.at[4].hex(), s.strange.hex(),
                 [[kind, *found] for kind, found in s.kinds.items()]]
                for key, s in some
            ],
        }  # fmt: skip
        units = self.detector.twin.units
        states = np.array([[s.h, s.c] for _, s in some], "float32").reshape(-1, 2, units)
        return {"meta": np.frombuffer(json.dumps(meta).encode(), "uint8"), "states": states}

    def _restore(self, kept: "Mapping[str, np.ndarray]") -> None:
        import numpy as np

        meta = json.loads(kept["meta"].tobytes())
        if meta["model"] != self.detector.digest:
            raise InputError("was kept with another model; name another file")
        states = kept["states"].astype("float32")
        self._parser.line, self._parser.time = int(meta["line"]), float(meta["time"])
        self._parser.key = bytes.fromhex(meta["key"])
        self._clock, self._last_time = map(float, meta["clock"])
        if not np.isfinite([self._parser.time, self._clock, self._last_time]).all():
            raise ValueError("a time that there is not")
        for values, (h, c) in zip(meta["sessions"], states, strict=True):
            self._reopen(values, h, c)

    def _reopen(self, values: list[Any], h: "np.ndarray", c: "np.ndarray") -> None:
        key, name, events, line, due, told, worst, run, at, form, strange, kinds = values
        session = Session(str(name), h, c)
        session.events, session.line, session.due = int(events), int(line), float(due)
        session.told, session.worst = bool(told), float(worst)
        session.run = (float(run[0]), float(run[1]))
        position, symbol, expected, where = map(int, at)
        for kind, *found in kinds:
            count, last, seen = map(int, found)
            session.kinds[int(kind)] = (count, last, seen)
        known, kinds_known = self.detector.templates.symbols, len(self.detector.counts.weights)
        if not (
            0 <= symbol < known and 0 <= expected < known and h.shape == self.judge.begin[0].shape
        ):
            raise ValueError(name)
        if not all(0 <= kind < kinds_known for kind in session.kinds):
            raise ValueError(name)
        numbers = [session.events, session.line, position, where]
        numbers += [number for found in session.kinds.values() for number in found]
        if not all(0 <= number < MOST_LINES for number in numbers) or min(session.run) < 0:
            raise ValueError(name)
        if not math.isfinite(session.worst + sum(session.run) + float(abs(h).sum() + abs(c).sum())):
            raise ValueError(name)
        session.at = (position, symbol, expected, where, bytes.fromhex(form))
        session.strange = bytes.fromhex(strange)
        self._open[bytes.fromhex(key)] = session
