"""From magnitudes to probabilities to alarms: how rare is this, and is it worth interrupting for?

Anomaly likelihood (Ahmad, Lavin, Purdy & Agha 2017, Neurocomputing 262) compares recent errors with
the errors of all the past, since an error says nothing without its usual size. There the past is a
normal distribution; here it is what was counted, so that a tail probability is a conformal p-value
(Vovk, Gammerman & Shafer 2005; Laxhammar & Falkman 2014) and needs no shape to hold: the share of
the past, this record included, that was at least as large.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BINS = 4096
"""Bins of a stream, a power of two."""

RESOLUTION = 0.01
"""Width of a bin in natural logarithms: magnitudes that differ by one per cent are told apart."""

HISTORY = 32_768
"""Records after which all counts are halved: memory stays flat, and the distant past fades."""


class TailCounts:
    """How often each of several streams of magnitudes was at least this large.

    Counts stand in Fenwick trees (1994) over logarithmic bins, as in DDSketch (Masson, Rim & Lee
    2019), so that asking and adding cost the same however long the past is. Magnitudes from
    e^-20 to e^20 are told apart, smaller ones count as zero.

    Args:
        streams: How many.
    """

    def __init__(self, streams: int) -> None:
        import numpy as np

        self.total = 0.0
        self._trees = np.zeros(streams * (BINS + 2))
        self._start = (np.arange(streams) * (BINS + 2))[:, None]
        self._asked, self._added = _paths()

    def rarity(self, magnitudes: "np.ndarray", *, add: bool = True) -> "np.ndarray":
        """-log10 of the share of the past, this record included, that was at least as large.

        Args:
            magnitudes: Shape (streams,), not negative.
            add: Whether this record is part of the past from now on.

        Returns:
            Shape (streams,): 0 for nothing special, log10(n + 1) for what n records never reached.
        """
        import numpy as np

        position = np.log(np.maximum(magnitudes, 1e-9))
        position *= 1 / RESOLUTION
        position += BINS // 2
        # The trees sum from the left, and what is asked for lies to the right.
        bins = BINS - np.clip(position, 0, BINS - 1).astype(np.intp)
        larger = self._trees[self._start + self._asked[bins]].sum(axis=1)
        result: np.ndarray = np.log10((self.total + 1) / (larger + 1))
        if add:
            self._trees[self._start + self._added[bins]] += 1
            self.total += 1
            if self.total >= HISTORY:
                self._trees *= 0.5
                self.total *= 0.5
        return result

    def state(self) -> "dict[str, np.ndarray]":
        """Everything that `restore` needs."""
        import numpy as np

        return {"trees": self._trees.copy(), "total": np.array(self.total)}

    def restore(self, state: "dict[str, np.ndarray]") -> None:
        """Go on where the counts were that gave this state."""
        self._trees[...] = state["trees"]
        self.total = float(state["total"])


def _paths() -> "tuple[np.ndarray, np.ndarray]":
    """Which nodes of a tree a bin's prefix sum reads, and which an addition changes.

    Shape (BINS + 1, 13) each, filled up with node 0, always empty, and BINS + 1, never read.
    """
    import numpy as np

    depth = BINS.bit_length()
    asked = np.zeros((BINS + 1, depth), dtype=np.intp)
    added = np.full((BINS + 1, depth), BINS + 1, dtype=np.intp)
    read, change = np.arange(BINS + 1), np.arange(BINS + 1)
    change[0] = BINS + 1
    for level in range(depth):
        asked[:, level], added[:, level] = read, np.minimum(change, BINS + 1)
        read = read & (read - 1)
        change = np.where(change <= BINS, change + (change & -change), change)
    return asked, added


class AlarmGate:
    """Turns surprise into scores, so that one cause gives one alarm and a noisy series few.

    A record whose surprise reaches the bar is an alarm: its score is 0.5 or more. After an alarm
    the gate rests; and each alarm raises the bar, which then sinks back slowly. A series that
    alarms often has to come up with something more surprising each time, as in online control of
    an error rate (Gibbs & Candès 2021); the rest is that of CAD OSE, a fifth of what was learned.

    Args:
        bar: Surprise of an alarm, in orders of magnitude of probability.
        rise: What an alarm adds to the bar.
        fall: Records in which the bar sinks by `rise` again.
        rest: Records after an alarm in which there is no other.
    """

    def __init__(self, *, bar: float, rise: float, fall: int, rest: int) -> None:
        self.bar, self.rise, self.rest = bar, rise, rest
        self._sink = rise / max(fall, 1)
        self.raised = 0.0
        self.resting = 0

    def score(self, surprise: float) -> float:
        """A score in [0, 1]: 1 - 2^(-surprise / bar), halved at rest; 0.5 and more is an alarm."""
        self.raised = max(0.0, self.raised - self._sink)
        bar = self.bar + self.raised
        score: float = 1 - 0.5 ** (surprise / bar)
        if self.resting:
            self.resting -= 1
            return score / 2
        if surprise >= bar:
            self.raised += self.rise
            self.resting = self.rest
            return max(score, 0.5)
        return min(score, math.nextafter(0.5, 0))
