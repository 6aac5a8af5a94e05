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

from keras_recipes.anomaly import normality
from keras_recipes.anomaly.detection import Detector
from keras_recipes.anomaly.keeping import Keeper
from keras_recipes.anomaly.stepping import MOST
from keras_recipes.data import lines, logs
from keras_recipes.data.templates import END, START, UNSEEN
from keras_recipes.errors import InputError
from keras_recipes.recipe import Row

if TYPE_CHECKING:
    import numpy as np

SHORTEST_TIMEOUT = 60.0
UNTIMED_TIMEOUT = 3_600.0
LATE_SECONDS = 60.0
"""A window is open for so long after its end, for lines that come late."""

MOST_LINES = 2**53

REMEMBERED = 10_000
"""So many different counts of events are remembered with what was thought of them."""


class Session:
    """An open session.

    Attributes:
        name: As it is called in answers.
        h: The net's output, float32 of shape (units,).
        c: The net's state, of the same shape.
        events: How many.
        kinds: Kind, counted from 0, to its count, its last position and its last line.
        worst: The largest surprise so far.
        run: By how much the surprise exceeds what is to be expected, since it last did not; and
            the most that it ever did.
        at: The largest surprise's position, from 0; its symbol; what was expected; its line; its
            form, if it is of no known kind.
        strange: The form of the last event of no known kind.
        line: Of the last event.
        due: When it is over, in seconds of the log's clock.
        told: Whether it was answered already.
    """

    __slots__ = (
        "at",
        "c",
        "due",
        "events",
        "h",
        "kinds",
        "line",
        "name",
        "run",
        "strange",
        "told",
        "worst",
    )

    def __init__(self, name: str, h: "np.ndarray", c: "np.ndarray") -> None:
        self.name, self.h, self.c = name, h, c
        self.events, self.line, self.due, self.told = 0, 0, 0.0, False
        self.kinds: dict[int, tuple[int, int, int]] = {}
        self.worst, self.run = -1.0, (0.0, 0.0)
        self.at, self.strange = (0, 0, 0, 0, b""), b""


class Live:
    """A detector at work on lines as they arrive.

    Attributes:
        tick: Seconds without a line after which time is looked at anyhow.
    """

    tick = 1.0

    def __init__(
        self,
        detector: Detector,
        false_alarms: float,
        *,
        timeout: float | None = None,
        most: int = 50_000,
        state: str | None = None,
    ) -> None:
        """Makes it, with the open sessions of an earlier run if there are any.

        Args:
            detector: What to judge by.
            false_alarms: The share of normal sessions that may be called anomalies.
            timeout: Seconds of silence after which a session is over; None derives them from the
                normal sessions.
            most: Open sessions; beyond, the most silent one is over.
            state: File that keeps the open sessions.

        Raises:
            InputError: The file was kept for another model, or cannot be written.
            CorruptModelError: The file is damaged.
        """
        import numpy as np

        self.detector, self.false_alarms, self.most = detector, false_alarms, most
        self._parser = logs.Parser(detector.layout)
        self._rule = detector.layout.sessions
        self._timeout = timeout or self._usual_timeout()
        self._open: OrderedDict[bytes, Session] = OrderedDict()
        self._clock, self._last_time, self._heard = 0.0, 0.0, time.monotonic()
        self._begin = detector.twin.step(START, *(a[0] for a in detector.twin.start(1)))
        share = false_alarms / len(detector.tails)
        self._limits = {view: tail.reaching(share) for view, tail in detector.tails.items()}
        self._most_usual: list[int] = detector.counts.references.max(axis=0).tolist()
        self._thoughts: dict[tuple[tuple[int, int], ...], tuple[float, int]] = {}
        self._floor = np.log2(1.0 + detector.counts.references)
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
            session = self._session(key, now)
            self._event(session, symbol, line, form if symbol == UNSEEN else b"")
            if not session.told and self._certain(session, symbol):
                session.told = True
                yield self._row(session, self._excess(session))
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
                name = f"{name} {logs.clock(now)}"
            session = self._open[key] = Session(name, *self._begin)
            if self._rule.by == "window":
                session.due = self._end_of_window(now)
        if self._rule.by != "window":
            self._open.move_to_end(key)
            session.due = now + self._timeout
        return session

    def _event(self, session: Session, symbol: int, line: int, form: bytes) -> None:
        self._compare(session, symbol, line, form)
        session.h, session.c = self.detector.twin.step(symbol, session.h, session.c)
        kind = symbol - UNSEEN
        count = session.kinds[kind][0] if kind in session.kinds else 0
        session.kinds[kind] = (count + 1, session.events, line)
        session.events += 1
        session.line = line
        session.strange = form or session.strange

    def _compare(self, session: Session, symbol: int, line: int, form: bytes) -> None:
        """Takes down how unexpected a symbol is now."""
        surprise, usual, expected = self.detector.twin.thinks(session.h, symbol)
        if surprise > session.worst:
            session.worst = surprise
            session.at = (session.events, symbol, expected, line, form)
        run = max(session.run[0] + min(surprise - usual, MOST), 0.0)
        session.run = (run, max(session.run[1], run))

    def _certain(self, session: Session, symbol: int) -> bool:
        """Whether the session is an anomaly whatever comes."""
        limits = self._limits
        if session.worst >= limits["surprise"] or math.log1p(session.run[1]) >= limits["order"]:
            return True
        kind = symbol - UNSEEN
        if session.kinds[kind][0] <= self._most_usual[kind]:
            return False
        return self._excess(session)[0] >= limits["counts"]

    def _excess(self, session: Session) -> tuple[float, int]:
        """The least distance that the counts can still end at; and from which reference."""
        import numpy as np

        counts = self._counts(session)
        above = np.maximum(np.log2(1.0 + counts) - self._floor, 0) @ self.detector.counts.weights
        return float(above.min()), int(above.argmin())

    def _counts(self, session: Session) -> "np.ndarray":
        import numpy as np

        counts = np.zeros(len(self.detector.counts.weights), "int64")
        for kind, (count, _, _) in session.kinds.items():
            counts[kind] = count
        return counts

    def _overdue(self, now: float) -> Iterator[Row]:
        """Closes sessions, the most silent first, as long as they are over by then."""
        while self._open:
            key, session = next(iter(self._open.items()))
            if session.due > now:
                return
            yield from self._close(key)

    def _close(self, key: bytes) -> Iterator[Row]:
        session = self._open.pop(key)
        if session.told:
            return
        self._compare(session, END, session.line, b"")
        counts = tuple(sorted((kind, found[0]) for kind, found in session.kinds.items()))
        thought = self._thoughts.get(counts)
        if thought is None:
            if len(self._thoughts) >= REMEMBERED:
                self._thoughts.clear()
            distance, nearest = self.detector.counts.distances(self._counts(session)[None])
            thought = self._thoughts[counts] = (float(distance[0]), int(nearest[0]))
        yield self._row(session, thought)

    def _row(self, session: Session, thought: tuple[float, int]) -> Row:
        import numpy as np

        distance, reference = thought
        found = {"surprise": session.worst, "order": math.log1p(session.run[1]), "counts": distance}
        values = {view: np.array([value]) for view, value in found.items()}
        tails, show = self.detector.tails, self.detector.templates.shown
        score = float(normality.score(normality.share(tails, values), self.false_alarms)[0])
        if normality.by_counts(tails, values)[0]:
            counts = self._counts(session)
            kind, said, usual = self.detector.counted(counts, reference, session.strange)
            _, position, line = session.kinds.get(kind, (0, session.events, session.line))
        else:
            position, symbol, expected, line, form = session.at
            said, usual = show(symbol, form), show(expected)
        return {
            "session": session.name,
            "score": score,
            "anomaly": int(score >= 0.5),
            "position": position + 1,
            "observed": said,
            "expected": usual,
            "line": line,
        }

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
        if not (0 <= symbol < known and 0 <= expected < known and h.shape == self._begin[0].shape):
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
