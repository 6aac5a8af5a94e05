"""Judging whole sessions: the features, scores and rows of each session."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_recipes.anomaly import summary
from keras_recipes.anomaly.logs import explanation, scores
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.event_counts import count_matrix
from keras_recipes.anomaly.logs.explanation import NEW_EVENTS, Reason
from keras_recipes.anomaly.logs.new_events import News
from keras_recipes.anomaly.logs.open_sessions import Judge
from keras_recipes.data.logs.measurements import Value
from keras_recipes.data.logs.sessions import Measured, Sequences
from keras_recipes.data.logs.templates import END, UNSEEN
from keras_recipes.recipe import Row


@dataclass(frozen=True, eq=False, kw_only=True)
class Verdicts:
    """The features of N sessions, and what explains them.

    Attributes:
        detector: The detector that judged.
        sequences: The sessions.
        surprise: The surprise at each event and each end, in nats, as in `sequences.steps()`.
        values: The values of each feature, of shape (N,).
        position: The position of the largest surprise, from 0; at the end of a session it is the
            number of events. Of shape (N,).
        likeliest: The likeliest token at this position, of shape (N,).
        counts: The count of each template, of shape (N, E).
        nearest: The number of the nearest normal session, of shape (N,).
    """

    detector: LogDetector
    sequences: Sequences
    surprise: np.ndarray
    values: Mapping[str, np.ndarray]
    position: np.ndarray
    likeliest: np.ndarray
    counts: np.ndarray
    nearest: np.ndarray

    @classmethod
    def of(cls, detector: LogDetector, sequences: Sequences) -> "Verdicts":
        """Judge sessions.

        Args:
            detector: The detector.
            sequences: The sessions.
        """
        inputs, targets, starts = sequences.steps()
        seen = detector.lstm.surprises(inputs, targets, starts)
        largest, at = scores.session_maxima(seen.surprise, starts)
        event_types = len(detector.counts.weights)
        counts = count_matrix(sequences.token_ids - UNSEEN, sequences.lengths, event_types)
        distance, nearest = detector.counts.distances(counts)
        values = {
            scores.SURPRISE: largest,
            scores.ORDER: np.log1p(seen.cusum),
            scores.COUNTS: distance,
            scores.MEASUREMENTS: detector.ranges.of_sessions(sequences),
        }
        return cls(
            detector=detector,
            sequences=sequences,
            surprise=seen.surprise,
            values=values,
            position=at - starts[:-1],
            likeliest=seen.likeliest[at],
            counts=counts,
            nearest=nearest,
        )

    def scores(self, false_alarm_rate: float) -> np.ndarray:
        """Return the score of each session, from 0 to 1; from 0.5 on it is an anomaly."""
        return scores.score(self._p_values(), false_alarm_rate)

    def _p_values(self) -> np.ndarray:
        return np.asarray(np.minimum(self._by_features(), self._by_news()))

    def _by_features(self) -> np.ndarray:
        return scores.p_values(self.detector.nulls, self.values)

    def _by_news(self) -> np.ndarray:
        known = self.detector.new_events
        return known.p_values(known.novelties(self.sequences, self.detector.templates.is_new))

    def steps(self, session: int) -> tuple[list[str], np.ndarray]:
        """Return a session's events in words, its end last, and the surprise at each in nats."""
        first, last = self.sequences.starts[session : session + 2].tolist()
        describe, found = self.detector.templates.describe, self.sequences
        names = [describe(int(found.token_ids[i]), found.message(i)) for i in range(first, last)]
        return [*names, describe(END)], self.surprise[first + session : last + session + 1]

    def rows(
        self, false_alarm_rate: float, files: Sequence[str], *, only_anomalies: bool = False
    ) -> Iterator[Row]:
        """Yield rows with the keys of `kind.COLUMNS`.

        Args:
            false_alarm_rate: The share of normal sessions that may be called anomalies.
            files: The names of the files. If there are several, `line` is `FILE:NUMBER`.
            only_anomalies: Whether to leave out the other sessions.
        """
        found = self.scores(false_alarm_rate)
        judge = Judge(
            self.detector, false_alarm_rate, line_of=lambda event: self._line(event, files)
        )
        decisive = scores.decisive(self.detector.nulls, self.values)
        by_news = self._by_news() < self._by_features()
        chosen = np.flatnonzero(found >= 0.5) if only_anomalies else np.arange(len(found))
        if only_anomalies and not len(chosen):
            summary.say_none(len(found), "sessions")
        for session in chosen.tolist():
            if found[session] >= 0.5:
                yield self._explained_by_event(judge, session)
            else:
                feature = NEW_EVENTS if by_news[session] else decisive[session]
                yield self._normal(session, float(found[session]), feature, files)

    def _explained_by_event(self, judge: Judge, session: int) -> Row:
        """Return an anomaly's row, explained by the event at which a stream would have given it."""
        found, row = self.sequences, None
        opened = judge.session(found.names[session])
        measured = self._measured(session)
        first, last = found.starts[session : session + 2].tolist()
        for event in range(first, last):
            # The event's own number stands for the line, because it also gives the file.
            token_id, message = int(found.token_ids[event]), found.message(event)
            row = judge.event(opened, token_id, event, message, measured.get(event, ()))
            if row:
                break
        row = row or judge.end(opened)
        assert row is not None
        return row

    def _normal(self, session: int, score: float, feature: str, files: Sequence[str]) -> Row:
        """Return the row of a session that is no anomaly."""
        first, last = self.sequences.starts[session : session + 2].tolist()
        unseen = self.sequences.token_ids[first:last] == UNSEEN
        events = (first + np.flatnonzero(unseen)).tolist()
        last_unseen = self.sequences.message(events[-1]) if events else b""
        news = self._news(first, events)
        if feature == NEW_EVENTS:
            reason = explanation.news(self.detector.templates, news)
        elif feature == scores.COUNTS:
            reason = self._by_counts(session, last_unseen)
        elif feature == scores.MEASUREMENTS:
            reason = self._by_measurement(session)
        else:
            reason = self._by_surprise(session)
        line = self._line(news.line, files) if news.total else 0
        return {
            "session": self.sequences.names[session],
            "score": score,
            "anomaly": 0,
            "position": reason.position + 1,
            "observed": reason.observed,
            "expected": reason.expected,
            "line": self._line(min(first + reason.position, last - 1), files),
            "new_events": news.total,
            "explanation": explanation.in_words(None, news, line),
        }

    def _news(self, first: int, events: Sequence[int]) -> News:
        """Return the new events among a session's events without a token id.

        Args:
            first: The index of the session's first event among all events.
            events: The indices of its events without a token id.
        """
        found = News()
        for event in events:
            message = self.sequences.message(event)
            if self.detector.templates.is_new(message):
                rank = self.detector.new_events.rank(message)
                found.add(rank, event - first, event, message)
        return found

    def _by_surprise(self, session: int) -> Reason:
        first, last = self.sequences.starts[session : session + 2]
        at, token_id, message = int(self.position[session]), END, b""
        if at < last - first:
            token_id = int(self.sequences.token_ids[first + at])
            message = self.sequences.message(first + at)
        likeliest = int(self.likeliest[session])
        return explanation.surprising(self.detector.templates, at, token_id, likeliest, message)

    def _by_counts(self, session: int, last_unseen: bytes) -> Reason:
        first, last = self.sequences.starts[session : session + 2]
        counts, nearest = self.counts[session], int(self.nearest[session])
        event_type = self.detector.strangest_count(counts, nearest)
        where = (self.sequences.token_ids[first:last] == event_type + UNSEEN).nonzero()[0]
        at = int(where[-1]) if len(where) else int(last - first)
        return self.detector.unusual_count(event_type, at, counts, nearest, last_unseen)

    def _by_measurement(self, session: int) -> Reason:
        found, first = self.sequences, int(self.sequences.starts[session])
        each = [(e, value) for e, some in self._measured(session).items() for value in some]
        names, values, units = np.array([value for _, value in each]).T
        events = np.array([event for event, _ in each])
        beyond = self.detector.ranges.beyond(
            found.token_ids[events], Measured(events, names.astype(int), values, units)
        )
        event, value = each[int(beyond.argmax())]
        token_id = int(found.token_ids[event])
        name = self.detector.templates.describe(token_id)
        return self.detector.unusual_measurement(event - first, token_id, value, name)

    def _measured(self, session: int) -> dict[int, list[Value]]:
        """Return the measurements of a session by the index of their event."""
        found, measured = self.sequences, self.sequences.measured
        places = np.searchsorted(measured.events, found.starts[session : session + 2])
        by_event: dict[int, list[Value]] = {}
        for at in range(*places.tolist()):
            value = int(measured.names[at]), float(measured.values[at]), int(measured.units[at])
            by_event.setdefault(int(measured.events[at]), []).append(value)
        return by_event

    def _line(self, event: int, files: Sequence[str]) -> int | str:
        line = int(self.sequences.lines[event])
        return f"{files[self.sequences.files[event]]}:{line}" if len(files) > 1 else line
