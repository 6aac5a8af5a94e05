"""Classes of numbers, so that a net can predict the next number by a softmax."""

import bisect

import numpy as np


class ValueClasses:
    """Classes of numbers: equally frequent ones in the learned range, one below it, one above it.

    Args:
        values: The normal values, all finite.
        wanted: The number of classes in the range; there are fewer if values repeat.
    """

    def __init__(self, values: np.ndarray, wanted: int = 20) -> None:
        inside = np.unique(np.quantile(values, np.linspace(0, 1, wanted + 1)))[1:-1]
        self.edges = [float(edge) for edge in inside]
        self.low, self.high = float(values.min()), float(values.max())

    @property
    def count(self) -> int:
        """The number of classes, including the two outside the learned range."""
        return len(self.edges) + 3

    def of(self, value: float) -> int:
        """Return a value's class: 0 below the learned range, `count - 1` above it."""
        if value < self.low:
            return 0
        if value > self.high:
            return self.count - 1
        return 1 + bisect.bisect_right(self.edges, value)

    def widen(self, low: float, high: float) -> None:
        """Widen the learned range to hold these two values."""
        self.low, self.high = min(self.low, low), max(self.high, high)
