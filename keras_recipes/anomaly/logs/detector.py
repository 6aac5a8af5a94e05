"""The detector of a log: the trained net, the layout, the templates and the null distributions.

`verdicts` uses it to judge many sessions at once, `open_sessions` to judge one event by event.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_recipes.anomaly.logs import explanation, scores
from keras_recipes.anomaly.logs.event_counts import EventCounts
from keras_recipes.anomaly.logs.explanation import Reason
from keras_recipes.anomaly.logs.new_events import NewEvents
from keras_recipes.anomaly.logs.normal_ranges import NormalRanges
from keras_recipes.anomaly.null_distribution import NullDistribution
from keras_recipes.anomaly.numpy_lstm import NumpyLSTM
from keras_recipes.data.logs.layout import LogLayout
from keras_recipes.data.logs.measurements import Value
from keras_recipes.data.logs.templates import UNSEEN, Templates
from keras_recipes.errors import CorruptModelError, InputError, RecipeError, printable
from keras_recipes.models.fitted import Askable
from keras_recipes.models.net import Net
from keras_recipes.recipe import Learned


@dataclass(frozen=True, eq=False)
class LogDetector:
    """All that is needed to judge a session.

    Attributes:
        lstm: The net.
        layout: How to read the lines.
        templates: The templates of the messages.
        counts: The counts of the templates in normal sessions.
        nulls: The null distribution of each feature.
        new_events: How often normal sessions have new events.
        ranges: The normal ranges of measurements.
        sessions_per_day: The number of sessions per day in the normal log; 0 if it is unknown.
        max_gap: The longest time in seconds between two events of a normal session.
    """

    lstm: NumpyLSTM
    layout: LogLayout
    templates: Templates
    counts: EventCounts
    nulls: Mapping[str, NullDistribution]
    new_events: NewEvents
    ranges: NormalRanges
    sessions_per_day: float
    max_gap: float

    @classmethod
    def of(cls, net: Net, learned: Learned) -> "LogDetector":
        """Return the detector of a net and its card, which may be untrusted.

        Raises:
            CorruptModelError: The card is damaged, or it is not the card of this net.
        """
        parts = parts_of(learned)
        return cls(lstm=_numpy_lstm(net, parts["templates"].vocabulary_size), **parts)

    @classmethod
    def of_model(cls, model: Askable) -> "LogDetector":
        """Return the detector of a model.

        Raises:
            InputError: The model has no card.
            CorruptModelError: As for `of`.
        """
        if model.card is None:
            raise InputError(
                "expected a model with a card, received a pair without one; the card holds what "
                "was learned from the log"
            )
        return cls.of(model.net, model.card.learned)

    def allowed_rate(
        self, false_alarm_rate: float | None, false_alarms_per_day: float | None
    ) -> float:
        """Return the share of normal sessions that may be false alarms; see `scores`."""
        return scores.allowed_rate(
            false_alarm_rate,
            false_alarms_per_day,
            sessions=self.new_events.sessions,
            sessions_per_day=self.sessions_per_day,
        )

    @property
    def digest(self) -> str:
        """A digest of the net and the templates, to distinguish detectors."""
        known = "\n".join(self.templates.patterns).encode(errors="replace")
        return hashlib.sha256(known + self.lstm.dense.tobytes()).hexdigest()

    def strangest_count(self, counts: np.ndarray, reference: int, *, over: bool = True) -> int:
        """Return the number of the template whose count is the most unusual.

        Args:
            counts: The count of each template in the session, of shape (E,).
            reference: The number of the nearest normal session.
            over: Whether the session is over. Only then are missing events unusual.
        """
        there = counts if over else np.maximum(counts, self.counts.references[reference])
        return int(self.counts.costs(there, reference).argmax())

    def unusual_count(
        self, event_type: int, position: int, counts: np.ndarray, reference: int, new: bytes
    ) -> Reason:
        """Return the reason for a template's count.

        Args:
            event_type: The number of the template.
            position: The position of its last event, from 0.
            counts: The count of each template in the session, of shape (E,).
            reference: The number of the nearest normal session.
            new: The masked message of the session's last new event.
        """
        normal = self.counts.references[:, event_type]
        count, nearest = int(counts[event_type]), int(normal[reference])
        least, most = int(normal.min()), int(normal.max())
        if event_type == 0:
            return explanation.unusual_count_of_news(
                self.templates, position, new, count, nearest, most
            )
        name = self.templates.describe(event_type + UNSEEN)
        return explanation.unusual_count(name, position, count, nearest, (least, most))

    def unusual_measurement(self, position: int, token_id: int, value: Value, event: str) -> Reason:
        """Return the reason for a measurement.

        Args:
            position: The position of its event, from 0.
            token_id: The token id of its event.
            value: The measurement.
            event: The event in words.
        """
        name, number, unit = value
        normal = self.ranges.ends(token_id, name)
        text = self.layout.masking.measures.name(name)
        return explanation.unusual_measurement(text, number, unit, normal, position, event)


def parts_of(learned: Learned) -> dict[str, Any]:
    """Return the attributes of a `LogDetector` besides the net, from a card that may be untrusted.

    Raises:
        CorruptModelError: The card is damaged.
    """
    templates = Templates.from_json(learned.get("templates"))
    nulls = learned.get("tails")
    numbers = [learned.get(name) for name in ("sessions_a_day", "silence")]
    if not isinstance(nulls, dict) or set(nulls) - {scores.MEASUREMENTS} != set(scores.FEATURES):
        raise CorruptModelError("the card's thresholds are missing; fit again")
    if not all(isinstance(x, int | float) and 0 <= x < 1e15 for x in numbers):
        raise CorruptModelError("the card's times are damaged; fit again")
    return {
        "layout": LogLayout.from_json(learned.get("layout")),
        "templates": templates,
        "counts": EventCounts.from_json(learned.get("counts"), templates.vocabulary_size - UNSEEN),
        "nulls": {
            feature: NullDistribution.from_json(nulls[feature])
            for feature in scores.LEAST_SCALE
            if feature in nulls
        },
        "new_events": NewEvents.from_json(learned.get("new_events")),
        "ranges": NormalRanges.from_json(learned.get("ranges")),
        "sessions_per_day": float(numbers[0] or 0),
        "max_gap": float(numbers[1] or 0),
    }


def _numpy_lstm(net: Net, vocabulary_size: int) -> NumpyLSTM:
    try:
        return NumpyLSTM.of(net, vocabulary_size)
    except RecipeError:
        raise
    except Exception as error:  # of many kinds, if the card is wrong about the net
        raise CorruptModelError(
            f"the net is not the one that its card describes: {printable(error, 120)}; fit again"
        ) from error
