"""From magnitudes to probabilities to alarms: how rare is this, and is it worth interrupting for?

Anomaly likelihood (Ahmad, Lavin, Purdy & Agha 2017, Neurocomputing 262) compares recent errors with
the errors of all the past, since an error says nothing without its usual size. There the past is a
normal distribution; here it is what was counted, so that a tail probability is a conformal p-value
(Vovk, Gammerman & Shafer 2005; Laxhammar & Falkman 2014) and needs no shape to hold: the share of
the past, this record included, that was at least as large.
"""

import math
from collections.abc import Mapping
from typing import Any

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
        self.total = 0.0
        self._trees = np.zeros(streams * (BINS + 2))
        self._start = (np.arange(streams) * (BINS + 2))[:, None]
        self._asked, self._added = _paths()

    def neg_log10_p(self, magnitudes: np.ndarray, *, add: bool = True) -> np.ndarray:
        """-log10 of the p-value: the share of the past, this record included, at least as large.

        Args:
            magnitudes: Shape (streams,), not negative.
            add: Whether this record is part of the past from now on.

        Returns:
            Shape (streams,): 0 for nothing special, log10(n + 1) for what n records never reached.
        """
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

    def state(self) -> dict[str, np.ndarray]:
        """Everything that `restore` needs."""
        return {"trees": self._trees.copy(), "total": np.array(self.total)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on where the counts were that gave this state."""
        self._trees[...] = state["trees"]
        self.total = float(state["total"])


def _paths() -> tuple[np.ndarray, np.ndarray]:
    """Which nodes of a tree a bin's prefix sum reads, and which an addition changes.

    Shape (BINS + 1, 13) each, filled up with node 0, always empty, and BINS + 1, never read.
    """
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

    A record whose surprise reaches the threshold is an alarm: its score is 0.5 or more. After an
    alarm there is a cooldown; and each alarm raises the threshold, which then falls back slowly. A
    series that alarms often has to come up with something more surprising each time, as in online
    control of an error rate (Gibbs & Candès 2021); the cooldown is that of CAD OSE, a fifth of what
    was learned.

    Args:
        threshold: Surprise of an alarm, in orders of magnitude of probability.
        rise: What an alarm adds to the threshold.
        decay: Records in which the threshold falls by `rise` again.
        cooldown: Records after an alarm in which there is no other.
    """

    def __init__(self, *, threshold: float, rise: float, decay: int, cooldown: int) -> None:
        self.threshold, self.rise, self.cooldown = threshold, rise, cooldown
        self._fall = rise / max(decay, 1)
        self.raised = 0.0
        self.cooling = 0

    def score(self, surprise: float) -> float:
        """1 - 2^(-surprise / threshold), in [0, 1], halved in a cooldown; 0.5 is an alarm."""
        self.raised = max(0.0, self.raised - self._fall)
        threshold = self.threshold + self.raised
        score: float = 1 - 0.5 ** (surprise / threshold)
        if self.cooling:
            self.cooling -= 1
            return score / 2
        if surprise >= threshold:
            self.raised += self.rise
            self.cooling = self.cooldown
            return max(score, 0.5)
        return min(score, math.nextafter(0.5, 0))

    def state(self) -> dict[str, float]:
        """Plain values that `from_state` needs, by the names that cards have."""
        return {
            "bar": self.threshold,
            "rise": self.rise,
            "rest": self.cooldown,
            "_sink": self._fall,
            "raised": self.raised,
            "resting": self.cooling,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "AlarmGate":
        """A gate that goes on where the one stood that gave this state."""
        gate = cls(threshold=state["bar"], rise=state["rise"], decay=1, cooldown=state["rest"])
        gate._fall, gate.raised, gate.cooling = state["_sink"], state["raised"], state["resting"]
        return gate
