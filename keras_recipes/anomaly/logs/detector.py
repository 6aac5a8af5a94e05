"""Judging sessions: the net's views and the counts' view of each, and what to say about it.

A `Detector` is a trained net with all that was learned of a log: how to read it, its templates,
what is normal. It judges many sessions at once; `growing.py` judges them event by event, and
explains the anomalies.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras_recipes.anomaly import summary
from keras_recipes.anomaly.logs import normality
from keras_recipes.anomaly.logs.normality import Counts, Tail
from keras_recipes.anomaly.logs.open_sessions import Judge
from keras_recipes.anomaly.numpy_lstm import Twin
from keras_recipes.data.log_formats import Layout
from keras_recipes.data.sessions import Sequences
from keras_recipes.data.templates import END, UNSEEN, Templates
from keras_recipes.errors import CorruptModelError, RecipeError, printable
from keras_recipes.recipe import Row

if TYPE_CHECKING:
    import keras
    import numpy as np


@dataclass(frozen=True, eq=False)
class Detector:
    """What a session is judged by.

    Attributes:
        twin: The net.
        layout: How lines are read.
        templates: Kinds of events.
        counts: How often they occur.
        tails: What is strange, by view.
        sessions_a_day: In the normal log.
        silence: The longest time in seconds that a normal session was silent.
    """

    twin: Twin
    layout: Layout
    templates: Templates
    counts: Counts
    tails: Mapping[str, Tail]
    sessions_a_day: float
    silence: float

    @classmethod
    def of(cls, model: "keras.Model", learned: Mapping[str, Any]) -> "Detector":
        """The detector that a model's card describes, trusting nothing in the card.

        Raises:
            CorruptModelError: The card and the model do not belong together, or it is damaged.
        """
        found = known(learned)
        return cls(twin=_twin(model, found["templates"].symbols), **found)

    @property
    def digest(self) -> str:
        """Tells detectors with other nets or templates apart."""
        import hashlib

        known = "\n".join(self.templates.patterns).encode(errors="replace")
        return hashlib.sha256(known + self.twin.kernel.tobytes()).hexdigest()

    def counted(
        self, counts: "np.ndarray", reference: int, strange: bytes, *, over: bool = True
    ) -> tuple[int, str, str]:
        """The kind whose count is the strangest, how often it is there, and how often it should be.

        Args:
            counts: Of each kind in the session, of shape (E,).
            reference: The nearest normal session.
            strange: The form of the session's last event of no known kind.
            over: Whether the session is; what is missing counts only then.
        """
        import numpy as np

        usually = self.counts.references[reference]
        there = counts if over else np.maximum(counts, usually)
        kind = int(self.counts.cost(there, reference).argmax())
        usual = int(usually[kind])
        name = self.templates.shown(kind + UNSEEN, strange)
        return kind, f"{counts[kind]} x {name}", f"{usual} x {name}"

    def judge(self, sequences: Sequences) -> "Verdicts":
        """What is to be thought of each session."""
        import numpy as np

        inputs, targets, starts = sequences.steps()
        seen = self.twin.surprises(inputs, targets, starts)
        largest, at = normality.worst(seen.nats, starts)
        table = normality.table(
            sequences.symbols - UNSEEN, sequences.lengths, len(self.counts.weights)
        )
        distance, nearest = self.counts.distances(table)
        values = {"surprise": largest, "order": np.log1p(seen.runs), "counts": distance}
        return Verdicts(
            self, sequences, seen.nats, values, at - starts[:-1], seen.expected[at], table, nearest
        )


def known(learned: Mapping[str, Any]) -> dict[str, Any]:
    """What a `Detector` has besides the net, trusting nothing in the card.

    Raises:
        CorruptModelError: The card is damaged.
    """
    templates = Templates.from_json(learned.get("templates"))
    tails = learned.get("tails")
    numbers = [learned.get(name) for name in ("sessions_a_day", "silence")]
    if not isinstance(tails, dict) or set(tails) != set(normality.VIEWS):
        raise CorruptModelError("the card's thresholds are missing; fit again")
    if not all(isinstance(x, int | float) and 0 <= x < 1e15 for x in numbers):
        raise CorruptModelError("the card's times are damaged; fit again")
    return {
        "layout": Layout.from_json(learned.get("layout")),
        "templates": templates,
        "counts": Counts.from_json(learned.get("counts"), templates.symbols - UNSEEN),
        "tails": {view: Tail.from_json(tails[view]) for view in normality.VIEWS},
        "sessions_a_day": float(numbers[0] or 0),
        "silence": float(numbers[1] or 0),
    }


def _twin(model: "keras.Model", symbols: int) -> Twin:
    try:
        return Twin.of(model, symbols)
    except RecipeError:
        raise
    except Exception as error:  # Keras has many for what a card wrongly says of a model
        raise CorruptModelError(
            f"the net is not the one that its card describes: {printable(error, 120)}; fit again"
        ) from error


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What a detector thinks of N sessions.

    Attributes:
        detector: Who judged.
        sequences: The sessions.
        surprise: At each event and each end, in nats, as in `sequences.steps()`.
        values: By view, each of shape (N,).
        position: Of the largest surprise, from 0; the number of events for the end.
        expected: The likeliest symbol there.
        table: The count of each kind, of shape (N, E).
        nearest: The nearest normal session.
    """

    detector: Detector
    sequences: Sequences
    surprise: "np.ndarray"
    values: "Mapping[str, np.ndarray]"
    position: "np.ndarray"
    expected: "np.ndarray"
    table: "np.ndarray"
    nearest: "np.ndarray"

    def scores(self, false_alarm_rate: float) -> "np.ndarray":
        """A score from 0 to 1 for each session; from 0.5 it is an anomaly."""
        return normality.score(normality.share(self.detector.tails, self.values), false_alarm_rate)

    def steps(self, session: int) -> "tuple[list[str], np.ndarray]":
        """A session's events, its end last, for people; and the surprise at each."""
        first, last = self.sequences.starts[session : session + 2].tolist()
        show, found = self.detector.templates.shown, self.sequences
        names = [show(int(found.symbols[i]), found.message(i)) for i in range(first, last)]
        return [*names, show(END)], self.surprise[first + session : last + session + 1]

    def rows(
        self, false_alarm_rate: float, files: Sequence[str], *, only_anomalies: bool = False
    ) -> Iterator[Row]:
        """Rows `session,score,anomaly,position,observed,expected,line`.

        Args:
            false_alarm_rate: The share of normal sessions that may be called anomalies.
            files: Names of the files; where they are several, a line is given with its file's.
            only_anomalies: Whether to leave out the rest.
        """
        import numpy as np

        scores, judge = self.scores(false_alarm_rate), Judge(self.detector, false_alarm_rate)
        by_counts = normality.by_counts(self.detector.tails, self.values)
        chosen = np.flatnonzero(scores >= 0.5) if only_anomalies else np.arange(len(scores))
        if only_anomalies and not len(chosen):
            summary.say_none(len(scores), "sessions")
        for session in chosen.tolist():
            if scores[session] >= 0.5:
                yield self._growing(judge, session, files)
                continue
            reason = self._counted(session) if by_counts[session] else self._surprising(session)
            yield {
                "session": self.sequences.names[session],
                "score": float(scores[session]),
                "anomaly": 0,
                **self._placed(session, reason, files),
            }

    def _growing(self, judge: Judge, session: int, files: Sequence[str]) -> Row:
        """An anomaly's row, explained by the event that a stream would have answered at."""
        found, row = self.sequences, None
        growing = judge.session(found.names[session])
        first, last = found.starts[session : session + 2].tolist()
        for event in range(first, last):
            # For the line the event itself: files are told apart by it.
            row = judge.event(growing, int(found.symbols[event]), event, found.message(event))
            if row:
                break
        row = row or judge.end(growing)
        assert row is not None
        return {**row, "line": self._line(row["line"], files)}

    def _surprising(self, session: int) -> tuple[int, str, str]:
        first, last = self.sequences.starts[session : session + 2]
        at, show = int(self.position[session]), self.detector.templates.shown
        observed = show(END)
        if at < last - first:
            symbol = int(self.sequences.symbols[first + at])
            observed = show(symbol, self.sequences.message(first + at))
        return at, observed, show(int(self.expected[session]))

    def _counted(self, session: int) -> tuple[int, str, str]:
        first, last = self.sequences.starts[session : session + 2]
        symbols = self.sequences.symbols[first:last]
        unseen = (symbols == UNSEEN).nonzero()[0]
        strange = self.sequences.message(first + unseen[-1]) if len(unseen) else b""
        kind, said, usual = self.detector.counted(
            self.table[session], int(self.nearest[session]), strange
        )
        where = (symbols == kind + UNSEEN).nonzero()[0]
        at = int(where[-1]) if len(where) else int(last - first)
        return at, said, usual

    def _placed(self, session: int, reason: tuple[int, str, str], files: Sequence[str]) -> Row:
        at, observed, expected = reason
        first, last = self.sequences.starts[session : session + 2].tolist()
        line = self._line(min(first + at, last - 1), files)
        return {"position": at + 1, "observed": observed, "expected": expected, "line": line}

    def _line(self, event: int, files: Sequence[str]) -> int | str:
        line = int(self.sequences.lines[event])
        return f"{files[self.sequences.files[event]]}:{line}" if len(files) > 1 else line
