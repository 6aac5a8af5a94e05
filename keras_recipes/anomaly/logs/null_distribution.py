"""How a number is distributed over normal sessions, as far as they show it and beyond."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_recipes.errors import CorruptModelError, printable

KNOTS = 200
"""So many values of a distribution are kept, at most."""

LARGEST = 1e9
"""No value or scale that a log can give is larger, and no scale smaller than the inverse of it."""

SLACK = 0.002
"""A value is larger than another one only by more: equal sessions are, however sums are rounded."""


@dataclass(frozen=True, eq=False)
class NullDistribution:
    """The p-value of a number: the share of normal sessions in which it is at least as large.

    The upper part is taken for exponential, as the tails of surprises are: a net that is right
    about its probabilities is surprised by s nats or more in at most exp(-s) of the cases.

    Attributes:
        values: Ascending.
        p_values: Of these, descending, in (0, 1].
        beyond: The share of normal sessions beyond the last of them.
        scale: By which a value has to grow beyond the last one for its p-value to fall by e.
    """

    values: np.ndarray
    p_values: np.ndarray
    beyond: float
    scale: float

    @classmethod
    def of(cls, values: np.ndarray, least_scale: float = 1e-3) -> "NullDistribution":
        """The distribution of observed values, of shape (N,), N > 0."""
        ordered = np.sort(np.round(values.astype("float64"), 3))
        count = len(ordered)
        upper = min(count - 1, max(10, count // 200))
        kept, more = ordered[: count - upper], ordered[count - upper :] - ordered[-1 - upper]
        # The largest counts as the second largest: no single session is to set the scale.
        more[-1:] = more[-2:][:1]
        scale = max(float(np.mean(more)) if upper else 0.0, least_scale)
        knots = np.unique(kept[np.linspace(0, len(kept) - 1, KNOTS).astype(int)])
        p_values = (count - np.searchsorted(ordered, knots, side="left")) / count
        return cls(knots, p_values, (upper + 1) / (count + 1), scale)

    def p_value(self, values: np.ndarray) -> np.ndarray:
        """The p-value of each value, float64 of the same shape."""
        values = values - SLACK
        inside = np.exp(np.interp(values, self.values, np.log(self.p_values), left=0.0))
        further = np.maximum(values - self.values[-1], 0) / self.scale
        outside = self.beyond * np.exp(-np.minimum(further, 700))
        return np.asarray(np.where(further > 0, np.minimum(inside, outside), inside))

    def critical_value(self, p_value: float) -> float:
        """The smallest value whose p-value is at most this, to rounding."""
        low, high = 0.0, float(self.values[-1]) + 700 * self.scale
        for _ in range(100):
            middle = (low + high) / 2
            small = float(self.p_value(np.array([middle]))[0]) <= p_value
            low, high = (low, middle) if small else (middle, high)
        return high

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "values": self.values.tolist(),
            "shares": self.p_values.tolist(),
            "beyond": self.beyond,
            "scale": self.scale,
        }

    @classmethod
    def from_json(cls, found: Any) -> "NullDistribution":
        """What `to_json` gave, trusting nothing in it.

        Raises:
            CorruptModelError: It is something else.
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
