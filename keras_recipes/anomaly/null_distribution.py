"""The distribution of a number over normal sessions or records, with an extrapolated tail."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_recipes.errors import CorruptModelError, printable

KNOTS = 200
"""The largest number of values of a distribution that are kept."""

KNOTS_OF_TAIL = 100
"""The largest number of them that are in the tail."""

LARGEST = 1e9
"""The largest value or scale that a log can have; its inverse is the smallest scale."""

SLACK = 0.002
"""Values closer than this count as equal, because equal sessions differ by rounding errors."""


@dataclass(frozen=True, eq=False)
class NullDistribution:
    """The null distribution of a number, which gives its p-values.

    The p-value is the share of normal sessions in which the number is at least as large. The tail
    is assumed to be exponential, as the tail of the surprise is: a net with correct probabilities
    has a surprise of s nats or more in at most exp(-s) of the cases. But the p-value is never below
    the share that was observed, because sessions of an unusual kind are no tail of the others. The
    largest value alone shows nothing, since it may be an anomaly that nobody noticed; so the share
    of normal sessions beyond a threshold may be twice the promised one.

    Attributes:
        values: Values of the number, ascending.
        p_values: The p-values of these values, descending, in (0, 1].
        beyond: The p-value just beyond the last value.
        scale: The distance beyond the last value over which the p-value falls by a factor of e.
    """

    values: np.ndarray
    p_values: np.ndarray
    beyond: float
    scale: float

    @classmethod
    def of(cls, values: np.ndarray, least_scale: float = 1e-3) -> "NullDistribution":
        """Return the distribution of observed values of shape (N,), N > 0."""
        ordered = np.sort(np.round(values.astype("float64"), 3))
        count = len(ordered)
        upper = min(count - 1, max(10, count // 200))
        kept, more = ordered[: count - upper], ordered[count - upper :] - ordered[-1 - upper]
        # The largest value counts as the second largest, so that no single session sets the scale.
        more[-1:] = more[-2:][:1]
        scale = max(float(np.mean(more)) if upper else 0.0, least_scale)
        knots = np.unique(kept[np.linspace(0, len(kept) - 1, KNOTS - KNOTS_OF_TAIL).astype(int)])
        p_values = (count - np.searchsorted(ordered, knots, side="left")) / count
        beyond = (upper + 1) / (count + 1)
        tail = np.unique(ordered[count - upper : count - 1])[-KNOTS_OF_TAIL:]
        tail = tail[tail > knots[-1]]
        exponential = beyond * np.exp(-(tail - knots[-1]) / scale)
        if len(tail):
            observed = (count - np.searchsorted(ordered, tail, side="left")) / (count + 1)
            more = np.minimum(np.maximum(exponential, observed), p_values[-1])
            knots, p_values = np.append(knots, tail), np.append(p_values, more)
            beyond = max(float(exponential[-1]), 1 / (count + 1))
        return cls(knots, p_values, beyond, scale)

    def p_value(self, values: np.ndarray) -> np.ndarray:
        """Return the p-value of each value, float64 of the same shape."""
        values = values - SLACK
        inside = np.exp(np.interp(values, self.values, np.log(self.p_values), left=0.0))
        further = np.maximum(values - self.values[-1], 0) / self.scale
        outside = self.beyond * np.exp(-np.minimum(further, 700))
        return np.asarray(np.where(further > 0, np.minimum(inside, outside), inside))

    def critical_value(self, p_value: float) -> float:
        """Return the smallest value whose p-value is at most this, up to rounding."""
        low, high = 0.0, float(self.values[-1]) + 700 * self.scale
        for _ in range(100):
            middle = (low + high) / 2
            small = float(self.p_value(np.array([middle]))[0]) <= p_value
            low, high = (low, middle) if small else (middle, high)
        return high

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "values": self.values.tolist(),
            "shares": self.p_values.tolist(),
            "beyond": self.beyond,
            "scale": self.scale,
        }

    @classmethod
    def from_json(cls, found: Any) -> "NullDistribution":
        """Return the distribution of `to_json`'s values, which may be untrusted.

        Raises:
            CorruptModelError: The values are damaged.
        """
        try:
            values = np.array(found["values"], "float64")
            p_values = np.array(found["shares"], "float64")
            beyond, scale = float(found["beyond"]), float(found["scale"])
        except (TypeError, KeyError, ValueError) as error:
            raise CorruptModelError(
                f"the card's threshold is damaged: {printable(error)}; fit again"
            ) from None
        good = (
            values.ndim == 1
            and values.shape == p_values.shape
            and 0 < len(values) <= KNOTS
            and bool(np.all(np.abs(values) <= LARGEST))
            and bool(np.all(np.diff(values) > 0))
            and bool(np.all((p_values >= 1 / LARGEST) & (p_values <= 1)))
            and bool(np.all(np.diff(p_values) <= 0))
            and 1 / LARGEST <= beyond <= 1
            and 1 / LARGEST <= scale <= LARGEST
        )
        if not good:
            raise CorruptModelError("the card's threshold is damaged; fit again")
        return cls(values, p_values, beyond, scale)
