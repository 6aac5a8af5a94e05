"""How often each event type occurs in normal sessions, and how far others are from these."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from keras_recipes.errors import CorruptModelError, printable

REFERENCES = 1_000
"""So many different normal sessions are kept to compare with, at most."""

LEAST_WEIGHT = 0.05
LARGEST = 1e9
"""No weight is larger, and none smaller than the inverse of it."""


def count_matrix(event_types: np.ndarray, lengths: np.ndarray, size: int) -> np.ndarray:
    """How often each event type occurs in each session.

    Args:
        event_types: From 0, of all events, session after session, of shape (total,).
        lengths: Of the sessions, of shape (N,).
        size: How many event types there are.

    Returns:
        int64 of shape (N, size).
    """
    rows = np.repeat(np.arange(len(lengths)), lengths)
    flat = np.bincount(rows * size + event_types, minlength=len(lengths) * size)
    counts: np.ndarray = flat.reshape(len(lengths), size)
    return counts


@dataclass(frozen=True, eq=False)
class EventCounts:
    """How often event types occur in normal sessions.

    Attributes:
        references: Different normal sessions: the count of each event type, int32 of shape (K, E).
        weights: What it costs to differ in a count by a factor of two, of shape (E,).
    """

    references: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray, seed: int) -> "tuple[EventCounts, np.ndarray]":
        """Learns from normal sessions.

        Args:
            counts: Of each event type in each session, of shape (N, E).
            seed: Of the choice among more different sessions than are kept.

        Returns:
            What was learned; and for sessions (all, or a sample where they are too many) their
            distances from the others, of shape (N,).
        """
        different, inverse, times = np.unique(
            counts, axis=0, return_inverse=True, return_counts=True
        )
        usual = np.array([np.bincount(column).max() for column in counts.T])
        weights = np.maximum(np.log((len(counts) + 1) / (len(counts) - usual + 1)), LEAST_WEIGHT)
        if len(different) > REFERENCES:
            # The frequent ones, and of the others as many as there is room for.
            random = np.random.default_rng(seed).random(len(different))
            kept = np.sort(np.lexsort((random, -times))[:REFERENCES])
        else:
            kept = np.arange(len(different))
        learned = cls(different[kept].astype("int32"), weights)
        # A session that occurs twice is at no distance from the others.
        distances = np.zeros(len(different))
        for part in np.array_split(np.flatnonzero(times == 1), 1 + len(different) // 4_096):
            apart = learned._distance_matrix(different[part])
            apart[part[:, None] == kept[None]] = np.inf
            distances[part] = apart.min(axis=1, initial=np.inf)
        furthest = distances[np.isfinite(distances)].max(initial=0.0)
        return learned, np.where(np.isfinite(distances), distances, furthest)[inverse.reshape(-1)]

    def distances(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far sessions are from normal ones.

        Args:
            counts: Of each event type in each session, of shape (N, E).

        Returns:
            The distance of each, float64; and the number of the nearest reference.
        """
        different, inverse = np.unique(counts, axis=0, return_inverse=True)
        pieces = [
            self._distance_matrix(different[first : first + 4_096])
            for first in range(0, len(different), 4_096)
        ]
        nearest = np.concatenate([piece.argmin(axis=1) for piece in pieces])
        distance = np.concatenate([piece.min(axis=1) for piece in pieces])
        inverse = inverse.reshape(-1)
        return distance[inverse], nearest[inverse]

    def costs(self, counts: np.ndarray, reference: int) -> np.ndarray:
        """What each event type adds to the distance from a reference, of shape (E,)."""
        apart = np.log2(1.0 + counts) - np.log2(1.0 + self.references[reference])
        return np.asarray(self.weights * np.abs(apart))

    def _distance_matrix(self, counts: np.ndarray) -> np.ndarray:
        mine, theirs = (np.log2(1.0 + x) * self.weights for x in (counts, self.references))
        return np.asarray(cdist(mine, theirs, "cityblock"))

    def to_json(self) -> dict[str, Any]:
        """As plain values; of a reference only the event types that occur in it, with counts."""
        rows = [[[int(e), int(row[e])] for e in row.nonzero()[0]] for row in self.references]
        return {"references": rows, "weights": self.weights.tolist()}

    @classmethod
    def from_json(cls, found: Any, size: int) -> "EventCounts":
        """What `to_json` gave, trusting nothing in it.

        Args:
            found: The values.
            size: How many event types there are.

        Raises:
            CorruptModelError: It is something else.
        """
        try:
            weights = np.array(found["weights"], "float64")
            references = _references(found["references"], size)
            if weights.shape != (size,):
                raise ValueError(f"expected {size} weights")
            if not ((weights >= 1 / LARGEST) & (weights <= LARGEST)).all():
                raise ValueError("a weight that cannot be")
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise CorruptModelError(
                f"the card's counts are damaged: {printable(error)}; fit again"
            ) from None
        return cls(references, weights)


def _references(rows: Any, size: int) -> np.ndarray:
    if not isinstance(rows, list) or not 0 < len(rows) <= REFERENCES:
        raise ValueError(f"expected 1 to {REFERENCES:,} normal sessions")
    references = np.zeros((len(rows), size), "int32")
    for row, entries in zip(references, rows, strict=True):
        for event_type, count in entries:
            if {type(event_type), type(count)} != {int} or not 0 <= event_type < size:
                raise ValueError("an event type that there is not")
            if not 0 < count < 2**31:
                raise ValueError("a count that cannot be")
            row[event_type] = count
    return references
