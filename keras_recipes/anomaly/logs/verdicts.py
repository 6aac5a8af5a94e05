"""Judging whole sessions: the features, scores and rows of each session."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_recipes.anomaly import summary
from keras_recipes.anomaly.logs import scores
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.event_counts import count_matrix
from keras_recipes.anomaly.logs.open_sessions import Judge
from keras_recipes.data.logs.sessions import Sequences
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
        values = {"surprise": largest, "order": np.log1p(seen.cusum), "counts": distance}
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
        by_new_events = self.detector.new_events.p_values(self.sequences.new_events)
        by_features = scores.p_values(self.detector.nulls, self.values)
        return np.asarray(np.minimum(by_features, by_new_events))

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
        found, judge = self.scores(false_alarm_rate), Judge(self.detector, false_alarm_rate)
        by_counts = scores.decided_by_counts(self.detector.nulls, self.values)
        chosen = np.flatnonzero(found >= 0.5) if only_anomalies else np.arange(len(found))
        if only_anomalies and not len(chosen):
            summary.say_none(len(found), "sessions")
        new_events = self.sequences.new_events
        for session in chosen.tolist():
            if found[session] >= 0.5:
                yield self._explained_by_event(judge, session, files)
                continue
            reason = self._by_counts(session) if by_counts[session] else self._by_surprise(session)
            yield {
                "session": self.sequences.names[session],
                "score": float(found[session]),
                "anomaly": 0,
                **self._placed(session, reason, files),
                "new_events": int(new_events[session]),
            }

    def _explained_by_event(self, judge: Judge, session: int, files: Sequence[str]) -> Row:
        """Return an anomaly's row, explained by the event at which a stream would have given it."""
        found, row = self.sequences, None
        opened = judge.session(found.names[session])
        first, last = found.starts[session : session + 2].tolist()
        for event in range(first, last):
            # The event's own number stands for the line, because it also gives the file.
            row = judge.event(opened, int(found.token_ids[event]), event, found.message(event))
            if row:
                break
        row = row or judge.end(opened)
        assert row is not None
        return {**row, "line": self._line(row["line"], files)}

    def _by_surprise(self, session: int) -> tuple[int, str, str]:
        first, last = self.sequences.starts[session : session + 2]
        at, describe = int(self.position[session]), self.detector.templates.describe
        observed = describe(END)
        if at < last - first:
            token_id = int(self.sequences.token_ids[first + at])
            observed = describe(token_id, self.sequences.message(first + at))
        return at, observed, describe(int(self.likeliest[session]))

    def _by_counts(self, session: int) -> tuple[int, str, str]:
        first, last = self.sequences.starts[session : session + 2]
        token_ids = self.sequences.token_ids[first:last]
        unseen = (token_ids == UNSEEN).nonzero()[0]
        last_unseen = self.sequences.message(first + unseen[-1]) if len(unseen) else b""
        event_type, observed, expected = self.detector.strangest_count(
            self.counts[session], int(self.nearest[session]), last_unseen
        )
        where = (token_ids == event_type + UNSEEN).nonzero()[0]
        at = int(where[-1]) if len(where) else int(last - first)
        return at, observed, expected

    def _placed(self, session: int, reason: tuple[int, str, str], files: Sequence[str]) -> Row:
        at, observed, expected = reason
        first, last = self.sequences.starts[session : session + 2].tolist()
        line = self._line(min(first + at, last - 1), files)
        return {"position": at + 1, "observed": observed, "expected": expected, "line": line}

    def _line(self, event: int, files: Sequence[str]) -> int | str:
        line = int(self.sequences.lines[event])
        return f"{files[self.sequences.files[event]]}:{line}" if len(files) > 1 else line
