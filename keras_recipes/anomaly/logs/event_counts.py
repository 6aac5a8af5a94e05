"""The counts of each template in normal sessions, and the distances of other sessions from them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from keras_recipes.errors import CorruptModelError, printable

REFERENCES = 1_000
"""The largest number of different normal sessions that are kept to compare with."""

DIGITS = 9
"""The decimal places of a distance."""

LEAST_WEIGHT = 0.05
LARGEST = 1e9
"""The largest possible weight; its inverse is the smallest."""


def count_matrix(event_types: np.ndarray, lengths: np.ndarray, size: int) -> np.ndarray:
    """Count each template in each session.

    Args:
        event_types: The numbers of the events' templates, from 0, session after session, integers
            of shape (total,).
        lengths: The number of events in each session, of shape (N,).
        size: The number of templates.

    Returns:
        The counts, int64 of shape (N, size).
    """
    rows = np.repeat(np.arange(len(lengths)), lengths)
    flat = np.bincount(rows * size + event_types, minlength=len(lengths) * size)
    counts: np.ndarray = flat.reshape(len(lengths), size)
    return counts


@dataclass(frozen=True, eq=False)
class EventCounts:
    """The counts of templates in normal sessions.

    Attributes:
        references: The count of each template in different normal sessions, int32 of shape (K, E).
        weights: The cost of a count that differs by a factor of two, of shape (E,).
    """

    references: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray, seed: int) -> "tuple[EventCounts, np.ndarray]":
        """Learn from normal sessions.

        Args:
            counts: The count of each template in each session, of shape (N, E).
            seed: The seed of the random choice of sessions if there are too many to keep.

        Returns:
            What was learned, and the distance of each session from the nearest other kept one, of
            shape (N,).
        """
        different, inverse, times = np.unique(
            counts, axis=0, return_inverse=True, return_counts=True
        )
        usual = np.array([np.bincount(column).max() for column in counts.T])
        weights = np.maximum(np.log((len(counts) + 1) / (len(counts) - usual + 1)), LEAST_WEIGHT)
        if len(different) > REFERENCES:
            # The most frequent sessions come first, and equally frequent ones in random order.
            random = np.random.default_rng(seed).random(len(different))
            kept = np.sort(np.lexsort((random, -times))[:REFERENCES])
        else:
            kept = np.arange(len(different))
        learned = cls(different[kept].astype("int32"), weights)
        # A session that occurs twice has the distance 0 from the others.
        distances = np.zeros(len(different))
        for part in np.array_split(np.flatnonzero(times == 1), 1 + len(different) // 4_096):
            apart = learned._distance_matrix(different[part])
            apart[part[:, None] == kept[None]] = np.inf
            distances[part] = apart.min(axis=1, initial=np.inf)
        furthest = distances[np.isfinite(distances)].max(initial=0.0)
        return learned, np.where(np.isfinite(distances), distances, furthest)[inverse.reshape(-1)]

    def distances(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distances of sessions from the nearest normal ones.

        Args:
            counts: The count of each template in each session, of shape (N, E).

        Returns:
            The distances, float64 of shape (N,), and the numbers of the nearest references.
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
        """Return what each template adds to the distance from a reference, of shape (E,)."""
        apart = np.log2(1.0 + counts) - np.log2(1.0 + self.references[reference])
        return np.asarray(self.weights * np.abs(apart))

    def _distance_matrix(self, counts: np.ndarray) -> np.ndarray:
        """Return the weighted city-block distances between log counts, shape (N, K).

        A session has few of the templates, so the distance is that of an empty session with a
        correction for these. SciPy compares all of them, and importing it takes 0.3 s.
        """
        theirs, of_empty = self._transformed
        mine = np.log2(1.0 + counts) * self.weights
        apart = np.empty((len(counts), len(self.references)))
        for row, values in enumerate(mine):
            there = values.nonzero()[0]
            part = theirs[there]
            apart[row] = (np.abs(part - values[there, None]) - part).sum(axis=0)
        # The sum is exact to about 1e-12, and equal sessions have the distance 0.
        return np.asarray(np.round(apart + of_empty, DIGITS))

    @cached_property
    def _transformed(self) -> tuple[np.ndarray, np.ndarray]:
        """The references by template, shape (E, K), and their distances from an empty session."""
        theirs = np.ascontiguousarray((np.log2(1.0 + self.references) * self.weights).T)
        return theirs, theirs.sum(axis=0)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; a reference is a list of the templates that occur, with counts."""
        rows = [[[int(e), int(row[e])] for e in row.nonzero()[0]] for row in self.references]
        return {"references": rows, "weights": self.weights.tolist()}

    @classmethod
    def from_json(cls, found: Any, size: int) -> "EventCounts":
        """Return the counts of `to_json`'s values, which may be untrusted.

        Args:
            found: The values.
            size: The number of templates.

        Raises:
            CorruptModelError: The values are damaged.
        """
        try:
            weights = np.array(found["weights"], "float64")
            references = _references(found["references"], size)
            if weights.shape != (size,):
                raise ValueError(f"expected {size} weights")
            if not ((weights >= 1 / LARGEST) & (weights <= LARGEST)).all():
                raise ValueError(f"expected weights from {1 / LARGEST:g} to {LARGEST:g}")
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
                raise ValueError(f"expected numbers of templates below {size}")
            if not 0 < count < 2**31:
                raise ValueError("expected counts from 1 to 2^31 - 1")
            row[event_type] = count
    return references
