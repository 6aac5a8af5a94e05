"""The range of each measurement in normal sessions, by the template of its event and by its name.

How far a number is beyond its range is measured on a logarithmic scale, in ranges: 1 means that it
is as far beyond the largest normal number as that is above the median. A session's feature is its
most extreme measurement, 0 if all are within their ranges.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from keras_recipes.data.logs.sessions import Measured, Sequences
from keras_recipes.errors import CorruptModelError, printable

FEWEST = 20
"""The smallest number of measurements that have a range."""

MOST = 2_000
"""The largest number of ranges."""

LEAST_WIDTH = 0.25
"""The smallest distance of an end of a range from the median, as a logarithm to the base of 2."""

NEGLIGIBLE = 0.01
"""Numbers below this share of the median hardly differ from 0."""

NAMES = 1_000
"""More than the largest number of names of measurements."""

LARGEST = 1e30


@dataclass(frozen=True, eq=False)
class NormalRanges:
    """The ranges of R pairs of a template and a name.

    Attributes:
        keys: The numbers of the pairs, token id times `NAMES` plus name, ascending, of shape (R,).
        low: The smallest number of each, in seconds, bytes or as it is, of shape (R,).
        median: The median of each, of shape (R,).
        high: The largest number of each, of shape (R,).
    """

    keys: np.ndarray
    low: np.ndarray
    median: np.ndarray
    high: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def of(
        cls, sequences: Sequences, before: "NormalRanges | None" = None
    ) -> "tuple[NormalRanges, np.ndarray]":
        """Learn from normal sessions.

        Args:
            sequences: The sessions.
            before: The ranges of an earlier training, which are widened.

        Returns:
            The ranges, and how far each session is beyond those of the other sessions, of shape
            (N,).
        """
        found, alone = sequences.measured, np.zeros(len(sequences))
        if not len(found.events):
            return before or cls.from_rows([]), alone
        pairs = _keys(sequences.token_ids[found.events], found.names)
        owners = np.searchsorted(sequences.starts, found.events, side="right") - 1
        kept: list[tuple[int, float, float, float]] = []
        order = np.argsort(pairs, kind="stable")
        keys, starts = np.unique(pairs[order], return_index=True)
        for key, some in zip(keys.tolist(), np.split(order, starts[1:]), strict=True):
            values, sessions = found.values[some], owners[some]
            if len(some) < FEWEST or len(kept) >= MOST or len(np.unique(sessions)) < 2:
                continue
            median = float(np.median(values))
            kept.append((key, float(values.min()), median, float(values.max())))
            for first in (values.argmin(), values.argmax()):
                others = values[sessions != sessions[first]]
                ends = np.array([others.min(), median, others.max()])
                beyond = _beyond(values[first : first + 1], *ends)
                alone[sessions[first]] = max(alone[sessions[first]], float(beyond[0]))
        ranges = cls.from_rows(kept)
        return (ranges if before is None else ranges.with_earlier(before)), alone

    @classmethod
    def from_rows(cls, rows: "list[tuple[int, float, float, float]]") -> "NormalRanges":
        """Return ranges of rows with the key, the low end, the median and the high end."""
        keys = np.array([row[0] for row in rows], "int64")
        ends = np.array([row[1:] for row in rows], "float64").reshape(-1, 3)
        order = np.argsort(keys)
        return cls(keys[order], *ends[order].T)

    def with_earlier(self, before: "NormalRanges") -> "NormalRanges":
        """Return the ranges that cover both these and those of an earlier training."""
        rows = {row[0]: row for row in before.to_json()}
        for key, low, median, high in self.to_json():
            earlier = rows.get(key, (key, low, median, high))
            rows[key] = (key, min(low, earlier[1]), median, max(high, earlier[3]))
        return NormalRanges.from_rows(list(rows.values())[:MOST])

    @cached_property
    def _ends(self) -> dict[int, tuple[float, float, float]]:
        return {key: (low, median, high) for key, low, median, high in self.to_json()}

    def ends(self, token_id: int, name: int) -> tuple[float, float]:
        """Return the smallest and the largest normal number, or infinite ones if unknown."""
        low, _, high = self._ends.get(token_id * NAMES + name, (-np.inf, 0.0, np.inf))
        return low, high

    def beyond_one(self, token_id: int, name: int, value: float) -> float:
        """Return how far one measurement is beyond its range."""
        found = self._ends.get(token_id * NAMES + name)
        if found is None or found[0] <= value <= found[2]:
            return 0.0
        return float(_beyond(np.array([value]), *np.array(found)[:, None])[0])

    def beyond(self, token_ids: np.ndarray, measured: Measured) -> np.ndarray:
        """Return how far measurements are beyond their ranges, of shape (M,).

        Args:
            token_ids: The token id of the event of each measurement, of shape (M,).
            measured: The measurements.
        """
        if not len(self):
            return np.zeros(len(measured.values))
        keys = _keys(token_ids, measured.names)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self) - 1)
        found = _beyond(measured.values, self.low[at], self.median[at], self.high[at])
        return np.asarray(np.where(self.keys[at] == keys, found, 0.0))

    def of_sessions(self, sequences: Sequences) -> np.ndarray:
        """Return how far each session's most extreme measurement is beyond, of shape (N,)."""
        found, measured = np.zeros(len(sequences)), sequences.measured
        owners = np.searchsorted(sequences.starts, measured.events, side="right") - 1
        beyond = self.beyond(sequences.token_ids[measured.events], measured)
        np.maximum.at(found, owners, beyond)
        return found

    def to_json(self) -> "list[tuple[int, float, float, float]]":
        """Return JSON values: a row for each range."""
        columns = (self.keys, self.low, self.median, self.high)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    @classmethod
    def from_json(cls, rows: Any) -> "NormalRanges":
        """Return the ranges of `to_json`'s values, which may be untrusted; none in older cards.

        Raises:
            CorruptModelError: The values are damaged.
        """
        try:
            found = [(key, *map(float, ends)) for key, *ends in rows or []]
            ranges = cls.from_rows(found)
            ends = np.stack([ranges.low, ranges.median, ranges.high])
            good = (
                len(found) <= MOST
                and all(type(key) is int and 0 <= key < 2**40 for key, *_ in found)
                and bool((np.diff(ranges.keys) > 0).all())
                and bool(((ends >= 0) & (ends <= LARGEST)).all())
                and bool((np.diff(ends, axis=0) >= 0).all())
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise CorruptModelError(
                f"the card's ranges are damaged: {printable(error)}; fit again"
            ) from None
        if not good:
            raise CorruptModelError("the card's ranges are damaged; fit again")
        return ranges


def _keys(token_ids: np.ndarray, names: np.ndarray) -> np.ndarray:
    return np.asarray(token_ids.astype("int64") * NAMES + names)


def _beyond(
    values: np.ndarray, low: np.ndarray, median: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Return how far values are beyond ranges, in ranges, 0 within them."""
    # The smallest of these keeps a range around 0 from being infinitely long.
    least = np.maximum(NEGLIGIBLE * np.where(median > 0, median, np.maximum(high, 1.0)), 1e-12)
    scaled, *ends = (np.asarray(np.log2(x + least)) for x in (values, low, median, high))
    above = (scaled - ends[2]) / np.maximum(ends[2] - ends[1], LEAST_WIDTH)
    below = (ends[0] - scaled) / np.maximum(ends[1] - ends[0], LEAST_WIDTH)
    found: np.ndarray = np.maximum(np.maximum(above, below), 0.0)
    return found
