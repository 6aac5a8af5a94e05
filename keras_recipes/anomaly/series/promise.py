"""The threshold of a promised number of false alarms a day.

The evidence of normal records is cut into spans as long as the longest window, so that one cause
counts about once. The highest evidence of a span has a distribution whose tail is extrapolated, as
the scores of logs are. A threshold that one in K normal spans reaches gives an alarm every K spans.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_recipes.anomaly.null_distribution import NullDistribution
from keras_recipes.anomaly.series.features import WINDOWS
from keras_recipes.errors import CorruptModelError

SPAN = max(WINDOWS)
"""The number of records of a span."""

FEWEST = 10
"""The smallest number of spans that say anything about others."""

LEAST_SCALE = 0.05
"""The smallest evidence over which the share of the spans falls by a factor of e."""

LEAST_THRESHOLD = 0.01

MOST_A_DAY = 1e9

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Promise:
    """How high the evidence of normal records gets, and how often.

    Attributes:
        peaks: The highest evidence of a span of normal records.
        spans: The number of spans that were looked at.
        per_day: The number of spans on a day.
    """

    peaks: NullDistribution
    spans: int
    per_day: float

    @classmethod
    def of(cls, evidence: np.ndarray, records_per_day: float) -> "Promise | None":
        """Return the promise of normal records; None if they are too few, or have no times.

        Args:
            evidence: The evidence of normal records that were not learned from, of shape (N,).
            records_per_day: The number of records on a day; 0 if it is not known.
        """
        spans = len(evidence) // SPAN
        if spans < FEWEST or not records_per_day:
            return None
        peaks = evidence[len(evidence) - spans * SPAN :].reshape(spans, SPAN).max(axis=1)
        return cls(NullDistribution.of(peaks, LEAST_SCALE), spans, records_per_day / SPAN)

    def threshold(self, false_alarms_per_day: float) -> float:
        """Return the evidence that normal records reach so many times a day.

        What is rarer than anything in the normal data is extrapolated, with a warning.
        """
        if false_alarms_per_day * self.days < 1:
            log.warning(
                "false_alarms_per_day: %.3g is rarer than %.1f days of normal records can show, "
                "which is %.2g; the threshold is an estimate",
                false_alarms_per_day,
                self.days,
                1 / self.days,
            )
        share = min(0.5, false_alarms_per_day / self.per_day)
        return max(self.peaks.critical_value(share), LEAST_THRESHOLD)

    @property
    def days(self) -> float:
        """The days of normal records that were looked at."""
        return self.spans / self.per_day

    def false_alarms_per_day(self, thresholds: np.ndarray) -> np.ndarray:
        """Return how often a day normal records reach each threshold, of the same shape."""
        return self.per_day * self.peaks.p_value(thresholds)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"peaks": self.peaks.to_json(), "spans": self.spans, "per_day": self.per_day}

    @classmethod
    def from_json(cls, values: Any) -> "Promise | None":
        """Return the promise of `to_json`'s values, which may be untrusted.

        Args:
            values: The values; None where there is no promise, and in older cards.

        Raises:
            CorruptModelError: The values are damaged.
        """
        if values is None:
            return None
        try:
            spans, per_day = values["spans"], values["per_day"]
            good = type(spans) is int and FEWEST <= spans <= MOST_A_DAY
            if not (good and type(per_day) is float and 1 / MOST_A_DAY <= per_day <= MOST_A_DAY):
                raise ValueError("spans")
            return cls(NullDistribution.from_json(values["peaks"]), spans, per_day)
        except (TypeError, KeyError, ValueError) as error:
            raise CorruptModelError(
                f"the card's promise of false alarms is damaged: {str(error)[:80]}; fit again"
            ) from None
