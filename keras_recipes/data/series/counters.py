"""Counters: columns that only rise, whose growth is watched instead of their values."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from keras_recipes.data.series.records import Record, Series

ENOUGH_RISES = 20
"""The number of rises that shows a counter; any other value falls a little in between."""


def is_counter(values: Sequence[float]) -> bool:
    """Return whether the values are those of a counter, which rises and falls only to restart.

    A restart is a fall to less than half. A counter restarts at most once in a hundred records. It
    rises in at least half of the records, or `ENOUGH_RISES` times.
    """
    known = [value for value in values if math.isfinite(value)]
    if len(known) < 10 or known[0] < 0:
        return False
    steps = list(itertools.pairwise(known))
    falls = [(a, b) for a, b in steps if b < a]
    rises = sum(b > a for a, b in steps)
    restarts = all(0 <= b < a / 2 for a, b in falls)
    return (
        restarts and len(falls) <= len(steps) / 100 and rises >= min(len(steps) / 2, ENOUGH_RISES)
    )


def with_rates(found: Series, counters: "Mapping[str, CounterRate]") -> Series:
    """Return the series with the rates of these counters instead of their values."""
    rates = [counters.get(name) for name in found.columns]

    def records() -> Iterator[Record]:
        for timestamp, seconds, values in found.records:
            yield Record(
                timestamp,
                seconds,
                tuple(
                    one.update(seconds, value) if one else value
                    for one, value in zip(rates, values, strict=True)
                ),
            )

    return replace(found, records=records())


class CounterRate:
    """The rate of a counter: its growth per second, or per record without times.

    After a restart the counter's value is the growth.
    """

    def __init__(self) -> None:
        self.seconds: float | None = None
        self.value = math.nan

    def update(self, seconds: float | None, value: float) -> float:
        """Return the rate since the last record; NaN for the first and for a missing value."""
        if not math.isfinite(value):
            return math.nan
        if seconds is not None and self.seconds is not None and seconds < self.seconds:
            self.value = math.nan  # the table is read again from its beginning
        grown = value - self.value if value >= self.value or math.isnan(self.value) else value
        since = 1.0
        if seconds is not None and self.seconds is not None and seconds > self.seconds:
            since = seconds - self.seconds
        self.seconds, self.value = seconds, value
        return grown / since
