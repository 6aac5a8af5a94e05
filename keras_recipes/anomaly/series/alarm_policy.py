"""From magnitudes to p-values to incidents.

Anomaly likelihood (Ahmad, Lavin, Purdy & Agha 2017, Neurocomputing 262) compares recent errors with
all past errors, because an error says nothing without its usual size. That paper models the past as
a normal distribution. This module counts the past instead. A tail probability is then a conformal
p-value (Vovk, Gammerman & Shafer 2005; Laxhammar & Falkman 2014), and it assumes no distribution:
it is the share of the past, including this record, that was at least as large.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

BINS = 4096
"""The number of bins of a stream; a power of two."""

RESOLUTION = 0.01
"""The width of a bin in natural logarithms: bins distinguish magnitudes one per cent apart."""

FRACTIONS = 2.0**20
"""A halved count is kept to this fraction of a record."""

LEAST = math.exp(-RESOLUTION * (BINS // 2))
"""The smallest magnitude that is more than nothing."""

HISTORY = 32_768
"""The number of records after which all counts are halved, so that the distant past fades."""


class TailCounts:
    """Counts of the past magnitudes of several streams, for p-values.

    The counts are kept in Fenwick trees (1994) over logarithmic bins, as in DDSketch (Masson, Rim &
    Lee 2019), so that a query and an update cost the same however long the past is. The bins
    distinguish magnitudes from e^-20 to e^20. Smaller magnitudes count as zero.

    Args:
        streams: The number of streams.
    """

    def __init__(self, streams: int) -> None:
        self.total = 0.0
        self._trees = np.zeros(streams * (BINS + 2))
        self._start = (np.arange(streams) * (BINS + 2))[:, None, None]
        self._paths = _paths()

    def neg_log10_p(self, magnitudes: np.ndarray, *, add: bool = True) -> np.ndarray:
        """Return -log10 of the p-values of the magnitudes of some records, in order.

        The p-value is the share of the past, including this record, that was at least as large.

        Args:
            magnitudes: The magnitudes, not negative, of shape (records, streams).
            add: Whether each record becomes part of the past of those after it.

        Returns:
            Values of the same shape, which do not depend on how many records are given at once. The
            smallest magnitude gives 0. A magnitude larger than all n past records gives
            log10(n + 1).
        """
        position = np.log(np.maximum(magnitudes, LEAST))
        position *= 1 / RESOLUTION
        position += BINS // 2
        # The trees sum from the left. The query is for the larger magnitudes, so the bins are
        # numbered from the largest magnitude on.
        bins = BINS - np.minimum(position, BINS - 1).astype(np.intp)
        if not add:
            return self._said(self._nodes(bins)[..., 0, :], 0.0, self.total)
        said, first = [], 0
        while first < len(bins):
            # Counts are halved after exactly as many records as if they came one by one.
            some = bins[first : first + max(math.ceil(HISTORY - self.total), 1)]
            said.append(self._added_one_by_one(some))
            first += len(some)
        return said[0] if len(said) == 1 else np.concatenate(said)

    def _added_one_by_one(self, bins: np.ndarray) -> np.ndarray:
        count, nodes = len(bins), self._nodes(bins)
        among: np.ndarray | float = 0.0
        total: np.ndarray | float = self.total
        if count > 1:
            # Of the records given at once, those before a record are its past as well.
            before = np.tri(count, k=-1, dtype=bool)[..., None]
            among = ((bins <= bins[:, None]) & before).sum(axis=1)
            total = self.total + np.arange(count)[:, None]
        result = self._said(nodes[..., 0, :], among, total)
        np.add.at(self._trees, nodes[..., 1, :], 1.0)
        self.total += count
        if self.total >= HISTORY:
            self._trees *= 0.5
            self.total *= 0.5
            self._round()
        return result

    def _said(
        self, asked: np.ndarray, among: np.ndarray | float, total: np.ndarray | float
    ) -> np.ndarray:
        larger = np.add.reduce(self._trees.take(asked), axis=-1)
        result: np.ndarray = np.log10((total + 1) / (larger + (among + 1)))
        return result

    def _nodes(self, bins: np.ndarray) -> np.ndarray:
        nodes: np.ndarray = self._paths.take(bins, axis=0)
        nodes += self._start
        return nodes

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs."""
        trees = self._trees.copy()
        trees[BINS + 1 :: BINS + 2] = 0.0  # where paths are padded, which is never read
        return {"trees": trees, "total": np.array(self.total)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Set the counts to a state from `state`."""
        self._trees[...] = state["trees"]
        self.total = float(state["total"])
        self._round()

    def _round(self) -> None:
        """Keep the counts to fractions whose sums are exact, in any order."""
        np.rint(self._trees * FRACTIONS, self._trees)
        self._trees /= FRACTIONS


def _paths() -> np.ndarray:
    """Return the nodes of a tree that a bin's prefix sum reads, and those that an update changes.

    They have the shape (BINS + 1, 2, 13). They are padded with node 0, which is always empty, and
    with node BINS + 1, which is never read.
    """
    depth = BINS.bit_length()
    paths = np.zeros((BINS + 1, 2, depth), dtype=np.intp)
    read, change = np.arange(BINS + 1), np.arange(BINS + 1)
    change[0] = BINS + 1
    for level in range(depth):
        paths[:, 0, level], paths[:, 1, level] = read, np.minimum(change, BINS + 1)
        read = read & (read - 1)
        change = np.where(change <= BINS, change + (change & -change), change)
    return paths


class Verdict(NamedTuple):
    """What the gate says about a record.

    Attributes:
        score: From 0 to 1. From 0.5 on the record is anomalous.
        alarm: Whether an incident begins with this record.
        incident: The number of the incident that the record belongs to, from 1; 0 outside.
    """

    score: float
    alarm: bool
    incident: int


class AlarmGate:
    """Turns evidence into incidents, so that one cause gives one alarm, and a noisy series few.

    An incident begins with the record whose evidence reaches the threshold: the alarm. It ends
    before the first record whose evidence is less than half of the threshold, or earlier: when the
    evidence of the latest records alone was small for `QUIET` records. Evidence that looks far back
    remembers an incident that is over; until it has fallen as well, no other incident begins.
    A pause follows each alarm, in which no other incident begins either. Each alarm also raises the
    threshold, which then falls back slowly. A series with frequent alarms therefore needs more
    evidence each time, as in online control of an error rate (Gibbs & Candès 2021). The pause is a
    fifth of the number of learned records, as in CAD OSE.

    Args:
        threshold: The evidence of an alarm, in orders of magnitude of probability.
        rise: The amount that an alarm adds to the threshold.
        decay: The number of records in which the threshold falls by `rise` again.
        cooldown: The number of records after an alarm in which no other incident begins.
    """

    CLOSING = 0.5
    """The share of the threshold below which an incident ends."""

    QUIET, USUAL = 16, 0.65
    """The records in a row after which an incident is over, if the evidence of the latest is less.

    Less than this share of the threshold, that is. Nine in ten normal records have less.
    """

    def __init__(self, *, threshold: float, rise: float, decay: int, cooldown: int) -> None:
        self.threshold, self.rise, self.cooldown = threshold, rise, cooldown
        self._fall = rise / max(decay, 1)
        self.raised = 0.0
        self.cooling = 0
        self.inside = False
        self.remembered = False
        self.quiet = 0
        self.incidents = 0

    @property
    def incident(self) -> int:
        """The number of the incident that is not over yet, from 1; 0 outside."""
        return self.incidents if self.inside else 0

    def judge(
        self, evidence: float, *, latest: float | None = None, lasting: float = 0.0
    ) -> Verdict:
        """Return the verdict on the next record.

        The score is 1 - 2^(-e / threshold), where e is the larger of `evidence` and `lasting`. It
        is 0.5 at the threshold. Outside incidents it is less than 0.5, even if the evidence reaches
        the threshold in a pause, or reaches the threshold but not the raised one.

        Args:
            evidence: The evidence for an anomaly.
            latest: The evidence of the latest records alone; None is `evidence`.
            lasting: The evidence of the last records on the average.
        """
        self.raised = max(0.0, self.raised - self._fall)
        threshold = self.threshold + self.raised
        score = 1 - 0.5 ** (max(evidence, lasting) / self.threshold)
        self._close(evidence, evidence if latest is None else latest)
        pausing, self.cooling = self.cooling > 0, max(self.cooling - 1, 0)
        if self.inside:
            return Verdict(score, False, self.incidents)
        if pausing or self.remembered or evidence < threshold:
            return Verdict(_below(score), False, 0)
        self.raised += self.rise
        self.cooling, self.quiet = self.cooldown, 0
        self.inside = self.remembered = True
        self.incidents += 1
        return Verdict(max(score, 0.5), True, self.incidents)

    def _close(self, evidence: float, latest: float) -> None:
        """End the incident unless the next record, with this evidence, belongs to it."""
        self.remembered = self.remembered and evidence >= self.CLOSING * self.threshold
        self.quiet = self.quiet + 1 if latest < self.USUAL * self.threshold else 0
        self.inside = self.inside and self.remembered and self.quiet < self.QUIET

    def calm(self) -> None:
        """End the effect of earlier alarms."""
        self.raised, self.cooling, self.quiet = 0.0, 0, 0
        self.inside = self.remembered = False

    def state(self) -> dict[str, float]:
        """Return all that `from_state` needs, by the names that cards have."""
        return {
            "bar": self.threshold,
            "rise": self.rise,
            "rest": self.cooldown,
            "_sink": self._fall,
            "raised": self.raised,
            "resting": self.cooling,
            "inside": int(self.inside),
            "remembered": int(self.remembered),
            "quiet": self.quiet,
            "incidents": self.incidents,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "AlarmGate":
        """Return a gate that continues from a state of `state`; older states have fewer entries."""
        gate = cls(threshold=state["bar"], rise=state["rise"], decay=1, cooldown=state["rest"])
        gate._fall, gate.raised, gate.cooling = state["_sink"], state["raised"], state["resting"]
        gate.inside, gate.incidents = bool(state.get("inside", 0)), state.get("incidents", 0)
        gate.remembered = bool(state.get("remembered", gate.inside))
        gate.quiet = state.get("quiet", 0)
        return gate


def _below(score: float) -> float:
    """Return a score less than 0.5; higher scores stay higher."""
    return score if score < 0.499 else 0.499 + 0.0009 * (score - 0.499) / 0.501
