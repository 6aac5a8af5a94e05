"""Judging a session event by event: what is certain of it already, and the row that says so.

Surprises, and counts above the normal ones, only grow. Where they are beyond the threshold the
session is an anomaly whatever comes, and that event explains it. What did not happen is judged at
the end. Files and streams are explained alike, since both explain from here.
"""

import math
from typing import TYPE_CHECKING

from keras_recipes.anomaly.logs import normality
from keras_recipes.anomaly.numpy_lstm import MOST
from keras_recipes.data.templates import END, START, UNSEEN
from keras_recipes.recipe import Row

if TYPE_CHECKING:
    import numpy as np

    from keras_recipes.anomaly.logs.detector import Detector

REMEMBERED = 10_000
"""So many different counts of events are remembered with what was thought of them."""


class Session:
    """A session so far.

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


class Judge:
    """A detector that is shown one event after the other.

    Attributes:
        begin: The net's output and state at the beginning of a session.
    """

    def __init__(self, detector: "Detector", false_alarm_rate: float) -> None:
        """Makes it.

        Args:
            detector: What to judge by.
            false_alarm_rate: The share of normal sessions that may be called anomalies.
        """
        import numpy as np

        self.detector, self.false_alarm_rate = detector, false_alarm_rate
        self.begin = detector.twin.step(START, *(a[0] for a in detector.twin.start(1)))
        share = false_alarm_rate / len(detector.tails)
        self._limits = {view: tail.reaching(share) for view, tail in detector.tails.items()}
        self._most_usual: list[int] = detector.counts.references.max(axis=0).tolist()
        self._thoughts: dict[tuple[tuple[int, int], ...], tuple[float, int]] = {}
        self._floor = np.log2(1.0 + detector.counts.references)

    def session(self, name: str) -> Session:
        """A session without events."""
        return Session(name, *self.begin)

    def event(self, session: Session, symbol: int, line: int, form: bytes) -> Row | None:
        """Takes an event down.

        Args:
            session: To which it belongs.
            symbol: Its kind.
            line: Where it stands.
            form: Of its message.

        Returns:
            The session's row, once: as soon as it is certainly an anomaly.
        """
        form = form if symbol == UNSEEN else b""
        self._compare(session, symbol, line, form)
        session.h, session.c = self.detector.twin.step(symbol, session.h, session.c)
        kind = symbol - UNSEEN
        count = session.kinds[kind][0] if kind in session.kinds else 0
        session.kinds[kind] = (count + 1, session.events, line)
        session.events += 1
        session.line = line
        session.strange = form or session.strange
        if session.told or not self._certain(session, symbol):
            return None
        session.told = True
        return self._row(session, self._excess(session), over=False)

    def end(self, session: Session) -> Row | None:
        """The row of a session that is over; None where it was given already."""
        if session.told:
            return None
        self._compare(session, END, session.line, b"")
        counts = tuple(sorted((kind, found[0]) for kind, found in session.kinds.items()))
        thought = self._thoughts.get(counts)
        if thought is None:
            if len(self._thoughts) >= REMEMBERED:
                self._thoughts.clear()
            distance, nearest = self.detector.counts.distances(self._counts(session)[None])
            thought = self._thoughts[counts] = (float(distance[0]), int(nearest[0]))
        return self._row(session, thought, over=True)

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

    def _row(self, session: Session, thought: tuple[float, int], *, over: bool) -> Row:
        import numpy as np

        distance, reference = thought
        found = {"surprise": session.worst, "order": math.log1p(session.run[1]), "counts": distance}
        values = {view: np.array([value]) for view, value in found.items()}
        tails, show = self.detector.tails, self.detector.templates.shown
        score = float(normality.score(normality.share(tails, values), self.false_alarm_rate)[0])
        if normality.by_counts(tails, values)[0]:
            counts = self._counts(session)
            strange = session.strange
            kind, said, usual = self.detector.counted(counts, reference, strange, over=over)
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
