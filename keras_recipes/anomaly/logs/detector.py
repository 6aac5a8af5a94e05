"""A trained net with all that was learned of a log: how to read it, its templates, what is normal.

`verdicts` judges many sessions at once by it, `open_sessions` one event by event.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes.anomaly.logs import scores
from keras_recipes.anomaly.logs.event_counts import EventCounts
from keras_recipes.anomaly.logs.null_distribution import NullDistribution
from keras_recipes.anomaly.numpy_lstm import NumpyLSTM
from keras_recipes.data.log_formats import LogLayout
from keras_recipes.data.templates import UNSEEN, Templates
from keras_recipes.errors import CorruptModelError, InputError, RecipeError, printable
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Learned

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class LogDetector:
    """What a session is judged by.

    Attributes:
        lstm: The net.
        layout: How lines are read.
        templates: The event types.
        counts: How often they occur.
        nulls: The null distribution of each view.
        sessions_per_day: In the normal log.
        max_gap: The longest time in seconds between two events of a normal session.
    """

    lstm: NumpyLSTM
    layout: LogLayout
    templates: Templates
    counts: EventCounts
    nulls: Mapping[str, NullDistribution]
    sessions_per_day: float
    max_gap: float

    @classmethod
    def of(cls, model: "keras.Model", learned: Learned) -> "LogDetector":
        """The detector that a model's card describes, trusting nothing in the card.

        Raises:
            CorruptModelError: The card and the model do not belong together, or it is damaged.
        """
        parts = parts_of(learned)
        return cls(lstm=_numpy_lstm(model, parts["templates"].vocabulary_size), **parts)

    @classmethod
    def of_fitted(cls, fitted: Fitted) -> "LogDetector":
        """The detector that a fitted model is.

        Raises:
            InputError: It has no card.
            CorruptModelError: As for `of`.
        """
        if fitted.card is None:
            raise InputError(
                "a pair without a card cannot read logs: what it learned is in the card"
            )
        return cls.of(fitted.model, fitted.card.learned)

    @property
    def digest(self) -> str:
        """Tells detectors with other nets or templates apart."""
        known = "\n".join(self.templates.patterns).encode(errors="replace")
        return hashlib.sha256(known + self.lstm.dense.tobytes()).hexdigest()

    def strangest_count(
        self, counts: np.ndarray, reference: int, last_unseen: bytes, *, over: bool = True
    ) -> tuple[int, str, str]:
        """The event type whose count is the strangest, what it is, and what it should be.

        Args:
            counts: Of each event type in the session, of shape (E,).
            reference: The nearest normal session.
            last_unseen: The masked message of the session's last event of a type never seen.
            over: Whether the session is; what is missing counts only then.
        """
        expected = self.counts.references[reference]
        there = counts if over else np.maximum(counts, expected)
        event_type = int(self.counts.costs(there, reference).argmax())
        name = self.templates.describe(event_type + UNSEEN, last_unseen)
        return event_type, f"{counts[event_type]} x {name}", f"{expected[event_type]} x {name}"


def parts_of(learned: Learned) -> dict[str, Any]:
    """What a `LogDetector` has besides the net, trusting nothing in the card.

    Raises:
        CorruptModelError: The card is damaged.
    """
    templates = Templates.from_json(learned.get("templates"))
    nulls = learned.get("tails")
    numbers = [learned.get(name) for name in ("sessions_a_day", "silence")]
    if not isinstance(nulls, dict) or set(nulls) != set(scores.VIEWS):
        raise CorruptModelError("the card's thresholds are missing; fit again")
    if not all(isinstance(x, int | float) and 0 <= x < 1e15 for x in numbers):
        raise CorruptModelError("the card's times are damaged; fit again")
    return {
        "layout": LogLayout.from_json(learned.get("layout")),
        "templates": templates,
        "counts": EventCounts.from_json(learned.get("counts"), templates.vocabulary_size - UNSEEN),
        "nulls": {view: NullDistribution.from_json(nulls[view]) for view in scores.VIEWS},
        "sessions_per_day": float(numbers[0] or 0),
        "max_gap": float(numbers[1] or 0),
    }


def _numpy_lstm(model: "keras.Model", vocabulary_size: int) -> NumpyLSTM:
    try:
        return NumpyLSTM.of(model, vocabulary_size)
    except RecipeError:
        raise
    except Exception as error:  # Keras has many for what a card wrongly says of a model
        raise CorruptModelError(
            f"the net is not the one that its card describes: {printable(error, 120)}; fit again"
        ) from error
