"""Numbers as classes, so that a net can predict the next one by a softmax."""

import bisect

import numpy as np


class ValueClasses:
    """Numbers as classes: equally frequent ones of the normal values, one below all, one above.

    Args:
        values: The normal values, finite.
        wanted: Classes inside the range; fewer where values repeat.
    """

    def __init__(self, values: np.ndarray, wanted: int = 20) -> None:
        inside = np.unique(np.quantile(values, np.linspace(0, 1, wanted + 1)))[1:-1]
        self.edges = [float(edge) for edge in inside]
        self.low, self.high = float(values.min()), float(values.max())

    @property
    def count(self) -> int:
        """How many classes there are, the two outside included."""
        return len(self.edges) + 3

    def of(self, value: float) -> int:
        """A value's class: 0 below anything seen, `count - 1` above."""
        if value < self.low:
            return 0
        if value > self.high:
            return self.count - 1
        return 1 + bisect.bisect_right(self.edges, value)

    def widen(self, low: float, high: float) -> None:
        """What lies between these is not outside anything seen any more."""
        self.low, self.high = min(self.low, low), max(self.high, high)
