"""The five features of a record of one series, and the evidence of each.

A record that is unusual in several features is likely to be an anomaly. A record that is unusual in
one feature only is mostly noise. Four features use the residual, which is the value minus the usual
value at this hour of the week:

- deviation: the mean size of the residuals;
- shift: the size of the mean residual;
- change: the size of the mean error of a linear prediction from the residuals before;
- spread: the standard deviation of the residuals;
- surprise: -log10 of the two-sided tail probability that the net gave to the value's class.

Each feature is taken over the last 1, 4, 16 and 64 records and compared with its own past
(`alarm_policy.TailCounts`).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_recipes.anomaly.series.alarm_policy import TailCounts
from keras_recipes.anomaly.series.residuals import LinearPredictor

WINDOWS = (1, 4, 16, 64)
"""The windows of a feature, in records; the last is the longest."""

FEATURES = ("deviation", "shift", "change", "spread", "surprise")

STREAMS = tuple((f, w) for f in FEATURES for w in WINDOWS if (f, w) != ("spread", 1))
"""Each feature over each window; the spread of one record is always 0."""

_LONGEST = max(WINDOWS)

_RECENT = ("size", "residual", "square", "error", "surprise")
"""What is kept of a record."""

_KEPT_AS = {"deviation": 0, "shift": 1, "spread": 2, "change": 3, "surprise": 4}
"""The place in `_RECENT` that a feature is computed from."""

_PLACES = np.array([_KEPT_AS[f] * len(WINDOWS) + WINDOWS.index(w) for f, w in STREAMS])

_AVERAGES = (np.arange(_LONGEST)[::-1, None] < np.array(WINDOWS)) / np.array(WINDOWS)
"""The weights of the last 64 records, the oldest first, in the mean over each window."""


class FeatureEvidence:
    """The evidence of the features of each record by all records before it.

    Attributes:
        seen: The number of records so far.
    """

    def __init__(self) -> None:
        self._recent = np.zeros((_LONGEST - 1, len(_RECENT)))
        self._counts = TailCounts(len(STREAMS))
        self._linear = LinearPredictor()
        self.seen = 0

    def update(
        self, residuals: Sequence[float], surprises: Sequence[float], *, add: bool = True
    ) -> np.ndarray:
        """Return -log10 of the p-value of each of `STREAMS` for each record.

        Args:
            residuals: The residual of each record, in mean sizes of normal ones.
            surprises: The surprise of each record.
            add: Whether the records become part of the past that later ones are compared with.

        Returns:
            The evidence, of shape (records, 19). It does not depend on how many records are given
            at once.
        """
        error = self._linear.error
        pairs = zip(residuals, surprises, strict=True)
        recent = np.array([(abs(r), r, r * r, error(r), surprise) for r, surprise in pairs])
        means = self._means(recent)
        residual, square = means[:, 1], means[:, 2]
        np.sqrt(np.maximum(square - residual * residual, 0), square)
        magnitudes = np.abs(means).reshape(len(recent), -1).take(_PLACES, axis=1)
        return self._counts.neg_log10_p(magnitudes, add=add)

    def _means(self, recent: np.ndarray) -> np.ndarray:
        """Return the means over `WINDOWS` of what is kept, of shape (records, kept, windows)."""
        count, width = recent.shape
        rows = np.concatenate([self._recent, recent])
        self._recent = rows[count:]
        # The last 64 of what is kept, for each record. A product for each record, so that its
        # rounding does not depend on the others.
        steps = (rows.strides[0], rows.strides[1], rows.strides[0])
        last = np.ndarray((count, width, _LONGEST), buffer=rows, strides=steps)
        means: np.ndarray = last @ _AVERAGES
        if self.seen < _LONGEST:
            seen = self.seen + 1 + np.arange(count)[:, None, None]
            means *= np.maximum(np.array(WINDOWS) / seen, 1)
        self.seen += count
        return means

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs but `seen`, as arrays by name."""
        # The buffer of a state has each record twice, at its number modulo 64.
        buffer = np.zeros((len(_RECENT), 2 * _LONGEST))
        at = np.arange(self.seen - len(self._recent), self.seen) % _LONGEST
        buffer[:, at] = buffer[:, at + _LONGEST] = self._recent.T
        return {
            "buffer": buffer,
            **{f"linear_{name}": value for name, value in self._linear.state().items()},
            **{f"counts_{name}": value for name, value in self._counts.state().items()},
        }

    def restore(self, state: Mapping[str, np.ndarray], seen: int) -> None:
        """Continue from a state of `state` after so many records."""
        self.seen = seen
        at = np.arange(seen - len(self._recent), seen) % _LONGEST
        self._recent = state["buffer"][:, at].T.copy()
        self._linear.restore(part(state, "linear_"))
        self._counts.restore(part(state, "counts_"))


def means_of(windows: Sequence[int]) -> np.ndarray:
    """Return the matrix that averages each feature over some of its windows, of shape (19, 5)."""
    chosen = np.array(
        [[f == name and w in windows for name in FEATURES] for f, w in STREAMS], "float64"
    )
    means: np.ndarray = chosen / chosen.sum(axis=0)
    return means


def part(state: Mapping[str, np.ndarray], before: str) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin with `before`, by their names without it."""
    return {name.removeprefix(before): state[name] for name in state if name.startswith(before)}
