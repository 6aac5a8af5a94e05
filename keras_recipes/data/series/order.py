"""What is said about the order of records: older ones, those of one time, irregular times."""

import logging
import math
import statistics
from collections.abc import Iterator

from keras_recipes.data.series.records import Record

LEARNED_FROM = 50
"""The number of gaps between records that show the usual one."""

IRREGULAR = 0.05
"""The share of unusual gaps from which it is said that the times are irregular."""

FEWEST = 10
"""The smallest number of gaps of which it is said that they are irregular."""

log = logging.getLogger(__name__)


def watched(source: str, records: Iterator[Record], *, stream: bool = False) -> Iterator[Record]:
    """Yield the records; at their end, say whether some are older or come irregularly.

    Args:
        source: The name of the records in messages.
        records: The records.
        stream: Whether the first older record is reported at once.
    """
    order = _Order()
    try:
        for record in records:
            if record.seconds is not None and order.add(record.seconds) and stream:
                log.warning(
                    "%s: the record of %r is older than the one before it; records are read in the "
                    "given order",
                    source,
                    record.timestamp[:40],
                )
            yield record
    finally:
        order.report(source)


class _Order:
    """Counts records that are older than the one before, and unusual gaps."""

    def __init__(self) -> None:
        self.before = math.nan
        self.first: list[float] = []
        self.low, self.high = 0.0, math.nan
        self.gaps = self.older = self.odd = self.same = 0

    def add(self, seconds: float) -> bool:
        """Count a record, and return whether it is the first older one."""
        gap = seconds - self.before
        self.before = seconds
        if gap >= 0:
            self.gaps += 1
            self.same += gap == 0
            if len(self.first) == LEARNED_FROM:
                self.odd += not self.low <= gap <= self.high
            else:
                self.first.append(gap)
                if len(self.first) == LEARNED_FROM:
                    self._learn()
        elif gap < 0:
            self.gaps += 1
            self.older += 1
            return self.older == 1
        return False

    def _learn(self) -> None:
        usual = statistics.median(self.first)
        self.low, self.high = 0.5 * usual, 1.5 * usual
        self.odd = sum(not self.low <= gap <= self.high for gap in self.first)

    def report(self, source: str) -> None:
        if 0 < len(self.first) < LEARNED_FROM:
            self._learn()
        if self.older:
            log.warning(
                "%s: %s records are older than the record before them%s; records are read in the "
                "given order, so sort them by time first",
                source,
                f"{self.older:,}",
                ": the newest come first" * (self.older > self.gaps / 2),
            )
        if self.gaps >= FEWEST and self.same > max(2, IRREGULAR * self.gaps):
            log.warning(
                "%s: %s of %s records have the time of the record before them; each counts as one "
                "step; if a column tells several series apart, give a file each",
                source,
                f"{self.same:,}",
                f"{self.gaps + 1:,}",
            )
        elif self.gaps >= FEWEST and self.high > 0 and self.odd > max(2, IRREGULAR * self.gaps):
            log.warning(
                "%s: the times are irregular: %s of %s gaps between records are unlike the usual "
                "one, %s; each record counts as one step",
                source,
                f"{self.odd:,}",
                f"{self.gaps:,}",
                _span(self.high / 1.5),
            )


def _span(seconds: float) -> str:
    for name, unit in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= unit:
            number = round(seconds / unit, 1)
            return f"{number:g} {name}{'s' * (number != 1)}"
    return f"{seconds:g} s"
