"""What is said about the order of records: older than the one before, and irregular times."""

import logging
import math
import statistics
from collections.abc import Iterator

from keras_recipes.data.series.records import Record

LEARNED_FROM = 50
"""The number of gaps between records that show the usual one."""

IRREGULAR = 0.05
"""The share of unusual gaps from which it is said that the times are irregular."""

log = logging.getLogger(__name__)


def watched(source: str, records: Iterator[Record], *, stream: bool = False) -> Iterator[Record]:
    """Yield the records; at their end, say whether some are older or come irregularly.

    Args:
        source: The name of the records in messages.
        records: The records.
        stream: Whether the first older record is reported at once.
    """
    first: list[float] = []
    low, high = 0.0, math.nan
    older = odd = gaps = 0
    before: float | None = None
    try:
        for record in records:
            seconds = record.seconds
            if seconds is not None:
                if before is not None:
                    gap = seconds - before
                    gaps += 1
                    if gap < 0:
                        older += 1
                        if stream and older == 1:
                            log.warning("%s: %s is older than the record before it; records are "
                                        "read in the given order", source, record.timestamp)  # fmt: skip
                    elif len(first) == LEARNED_FROM:
                        odd += not low <= gap <= high
                    else:
                        first.append(gap)
                        if len(first) == LEARNED_FROM:
                            low, high = _usual(first)
                            odd += sum(not low <= one <= high for one in first)
                before = seconds
            yield record
    finally:
        if 0 < len(first) < LEARNED_FROM:
            low, high = _usual(first)
            odd += sum(not low <= one <= high for one in first)
        if older:
            log.warning(
                "%s: %s records are older than the record before them%s; records are read in the "
                "given order, so sort them by time first",
                source, f"{older:,}", ": the newest come first" * (older > gaps / 2),
            )  # fmt: skip
        if gaps >= 10 and high > 0 and odd > IRREGULAR * gaps:
            log.warning(
                "%s: the times are irregular: %s of %s gaps between records are unlike the usual "
                "one, %s; each record counts as one step",
                source, f"{odd:,}", f"{gaps:,}", _span(high / 1.5),
            )  # fmt: skip


def _usual(gaps: list[float]) -> tuple[float, float]:
    """Return the range of gaps that are like the usual one."""
    usual = statistics.median(gaps)
    return 0.5 * usual, 1.5 * usual


def _span(seconds: float) -> str:
    for name, unit in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= unit:
            number = round(seconds / unit, 1)
            return f"{number:g} {name}{'s' * (number != 1)}"
    return f"{seconds:g} s"
