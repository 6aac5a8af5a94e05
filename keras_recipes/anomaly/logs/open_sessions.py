"""Judging a session event by event.

The largest surprise, and counts above the normal ones, only grow. Once they exceed the threshold,
the session is an anomaly whatever comes next, and the event at which they did explains it. Missing
events are judged at the end. The rows of anomalies come from here for files and for streams.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from keras_recipes.anomaly.logs import explanation, scores
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.explanation import NEW_EVENTS, Reason
from keras_recipes.anomaly.logs.new_events import News
from keras_recipes.anomaly.numpy_lstm import CUSUM_CLIP
from keras_recipes.data.logs.measurements import Value
from keras_recipes.data.logs.templates import END, START, UNSEEN
from keras_recipes.recipe import Row

REMEMBERED = 200_000
"""The largest number of counts that are cached, those of each session with their distance."""


class OpenSession:
    """A session with the events so far.

    Attributes:
        name: The session's name in the rows.
        h: The net's output, float32 of shape (units,).
        c: The net's state, of the same shape.
        events: The number of events so far.
        counts: The count, the last position and the last line of each template.
        max_surprise: The largest surprise so far, in nats.
        cusum: The CUSUM of the surprise now, and its largest value so far, in nats.
        peak: The position of the largest surprise, from 0; its token id; the likeliest token id;
            its line; and its masked message if it is a new event.
        last_unseen: The masked message of the last event without a token id.
        news: The new events.
        extreme: The most extreme measurement so far: how far it is beyond its range, the position,
            the line and the token id of its event, and the measurement.
        line: The line of the last event.
        due: The time at which the session is over, in seconds by the times in the log.
        queued: The time at which `SessionTable` looks at it next.
        answered: Whether the session's row was returned already.
    """

    __slots__ = (
        "answered",
        "c",
        "counts",
        "cusum",
        "due",
        "events",
        "extreme",
        "h",
        "last_unseen",
        "line",
        "max_surprise",
        "name",
        "news",
        "peak",
        "queued",
    )

    def __init__(self, name: str, h: np.ndarray, c: np.ndarray) -> None:
        self.name, self.h, self.c = name, h, c
        self.events, self.line, self.answered = 0, 0, False
        self.due, self.queued = 0.0, 0.0
        self.counts: dict[int, tuple[int, int, int]] = {}
        self.max_surprise, self.cusum = -1.0, (0.0, 0.0)
        self.peak, self.last_unseen, self.news = (0, 0, 0, 0, b""), b"", News()
        self.extreme: tuple[float, int, int, int, Value] = (0.0, 0, 0, 0, (0, 0.0, 0))


class Judge:
    """Judges sessions event by event with a detector.

    Attributes:
        begin: The net's output and state at the beginning of a session.
    """

    def __init__(
        self,
        detector: LogDetector,
        false_alarm_rate: float,
        *,
        line_of: Callable[[int], int | str] = int,
    ) -> None:
        """Prepare the critical values of the features.

        Args:
            detector: The detector.
            false_alarm_rate: The share of normal sessions that may be called anomalies.
            line_of: Returns what a row says for the number of a line.
        """
        self.detector, self.false_alarm_rate, self._line_of = detector, false_alarm_rate, line_of
        self.begin = detector.lstm.step(START, *(a[0] for a in detector.lstm.start(1)))
        p_value = false_alarm_rate / len(detector.nulls)
        self._critical = {
            feature: x.critical_value(p_value) for feature, x in detector.nulls.items()
        }
        self._largest_counts: list[int] = detector.counts.references.max(axis=0).tolist()
        self._distances: dict[tuple[tuple[int, int], ...], tuple[float, int]] = {}
        self._remembered = 0
        self._log_references = np.log2(1.0 + detector.counts.references)

    def session(self, name: str) -> OpenSession:
        """Return a session without events."""
        return OpenSession(name, *self.begin)

    def event(
        self,
        session: OpenSession,
        token_id: int,
        line: int,
        message: bytes,
        measured: Sequence[Value] = (),
    ) -> Row | None:
        """Add an event to a session.

        Args:
            session: The session.
            token_id: The token id of the event's template.
            line: The number of the event's line.
            message: The masked message.
            measured: The measurements in it.

        Returns:
            The session's row at the event at which it is certainly an anomaly, else None.
        """
        unseen = message if token_id == UNSEEN else b""
        self._compare(session, token_id, line, unseen)
        session.h, session.c = self.detector.lstm.step(token_id, session.h, session.c)
        for value in measured:
            beyond = self.detector.ranges.beyond_one(token_id, *value[:2])
            if beyond > session.extreme[0]:
                session.extreme = (beyond, session.events, line, token_id, value)
        event_type = token_id - UNSEEN
        count = session.counts[event_type][0] if event_type in session.counts else 0
        session.counts[event_type] = (count + 1, session.events, line)
        session.events += 1
        session.line = line
        if token_id == UNSEEN:
            session.last_unseen = message
            if self.detector.templates.is_new(message):
                rank = self.detector.new_events.rank(message)
                session.news.add(rank, session.events - 1, line, message)
        if session.answered or not self._is_certain(session, event_type):
            return None
        session.answered = True
        return self._row(session, self._least_distance(session), over=False)

    def end(self, session: OpenSession) -> Row | None:
        """End a session; return its row, or None if the row was returned already."""
        if session.answered:
            return None
        self._compare(session, END, session.line, b"")
        key = tuple(sorted((event_type, found[0]) for event_type, found in session.counts.items()))
        known = self._distances.get(key)
        if known is None:
            if self._remembered >= REMEMBERED:
                self._distances.clear()
                self._remembered = 0
            self._remembered += len(key)
            distance, nearest = self.detector.counts.distances(self._counts(session)[None])
            known = self._distances[key] = (float(distance[0]), int(nearest[0]))
        return self._row(session, known, over=True)

    def _compare(self, session: OpenSession, token_id: int, line: int, unseen: bytes) -> None:
        """Update the session's surprise with the next token."""
        surprise, entropy, likeliest = self.detector.lstm.surprise(session.h, token_id)
        if surprise > session.max_surprise:
            session.max_surprise = surprise
            session.peak = (session.events, token_id, likeliest, line, unseen)
        cusum = max(session.cusum[0] + min(surprise - entropy, CUSUM_CLIP), 0.0)
        session.cusum = (cusum, max(session.cusum[1], cusum))

    def _is_certain(self, session: OpenSession, event_type: int) -> bool:
        """Return whether the session is an anomaly whatever comes next."""
        critical = self._critical
        if session.max_surprise >= critical["surprise"]:
            return True
        if event_type == 0 and self._p_news(session) <= self.false_alarm_rate:
            return True
        if math.log1p(session.cusum[1]) >= critical["order"]:
            return True
        if session.extreme[0] >= critical.get(scores.MEASUREMENTS, math.inf):
            return True
        if session.counts[event_type][0] <= self._largest_counts[event_type]:
            return False
        return self._least_distance(session)[0] >= critical["counts"]

    def _p_news(self, session: OpenSession) -> float:
        return self.detector.new_events.p_value(session.news.novelty)

    def _least_distance(self, session: OpenSession) -> tuple[float, int]:
        """Return the least distance that the counts can have at the end, and its reference."""
        counts, weights = self._counts(session), self.detector.counts.weights
        above = np.maximum(np.log2(1.0 + counts) - self._log_references, 0) @ weights
        return float(above.min()), int(above.argmin())

    def _counts(self, session: OpenSession) -> np.ndarray:
        counts = np.zeros(len(self.detector.counts.weights), "int64")
        for event_type, (count, _, _) in session.counts.items():
            counts[event_type] = count
        return counts

    def _row(self, session: OpenSession, nearest: tuple[float, int], *, over: bool) -> Row:
        distance, reference = nearest
        values = {
            scores.SURPRISE: np.array([session.max_surprise]),
            scores.ORDER: np.array([math.log1p(session.cusum[1])]),
            scores.COUNTS: np.array([distance]),
            scores.MEASUREMENTS: np.array([session.extreme[0]]),
        }
        nulls = self.detector.nulls
        p_value, by_news = float(scores.p_values(nulls, values)[0]), self._p_news(session)
        feature = NEW_EVENTS if by_news < p_value else scores.decisive(nulls, values)[0]
        score = float(scores.score(np.array([min(p_value, by_news)]), self.false_alarm_rate)[0])
        reason, line = self._reason(session, feature, reference, over=over)
        news_line = self._line_of(session.news.line) if session.news.total else 0
        why = reason if score >= 0.5 else None
        return {
            "session": session.name,
            "score": score,
            "anomaly": int(score >= 0.5),
            "position": reason.position + 1,
            "observed": reason.observed,
            "expected": reason.expected,
            "line": self._line_of(line),
            "new_events": session.news.total,
            "explanation": explanation.in_words(why, session.news, news_line),
        }

    def _reason(
        self, session: OpenSession, feature: str, reference: int, *, over: bool
    ) -> tuple[Reason, int]:
        """Return what is the least usual by a feature, and its line."""
        templates = self.detector.templates
        if feature == NEW_EVENTS:
            return explanation.news(templates, session.news), session.news.last[1]
        if feature == scores.MEASUREMENTS:
            _, position, line, token_id, value = session.extreme
            event = templates.describe(token_id)
            return self.detector.unusual_measurement(position, token_id, value, event), line
        counts = self._counts(session)
        event_type = self._too_often(session, feature)
        if feature == scores.COUNTS:
            event_type = self.detector.strangest_count(counts, reference, over=over)
        if event_type is not None:
            _, position, line = session.counts.get(event_type, (0, session.events, session.line))
            last = session.last_unseen
            reason = self.detector.unusual_count(event_type, position, counts, reference, last)
            return reason, line
        position, token_id, likeliest, line, unseen = session.peak
        reason = explanation.surprising(templates, position, token_id, likeliest, unseen)
        return explanation.many_unlikely(reason) if feature == scores.ORDER else reason, line

    def _too_often(self, session: OpenSession, feature: str) -> int | None:
        """Return the template whose count makes many events unlikely, or None.

        If an event comes again and again, the net is surprised before the counts are far from the
        normal ones. But its count says more than the event that would have been likelier.
        """
        most = self._largest_counts
        above = {e: found[0] / max(1, most[e]) for e, found in session.counts.items()}
        if feature != scores.ORDER or max(above.values(), default=0) <= 1:
            return None
        return max(above, key=lambda event_type: above[event_type])
