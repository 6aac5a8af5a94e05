"""A synthetic series of numbers: a service's requests per minute, with four incidents.

All of it is invented. `demonstration` has the synthetic log, and the names of both.
"""

from datetime import datetime, timedelta

import numpy as np

from keras_recipes.data.time_series import MONDAY, Record, Series

_WEEK = 7 * 144  # records of a week, one every ten minutes
_WEEKS = 4
_INCIDENTS = (
    # Row, records, factor, offset.
    (2 * _WEEK + 1 * 144 + 12 * 6, 3, 3.0, 0.0),
    (2 * _WEEK + 3 * 144 + 10 * 6, 6, 0.0, 0.0),
    (3 * _WEEK + 2 * 144 + 1 * 6, 18, 0.0, 600.0),
    (3 * _WEEK + 4 * 144 + 12 * 6, 360, 4 / 3, 0.0),
)


def normal() -> Series:
    """Return two normal weeks of requests per minute, with a record every ten minutes."""
    return _requests(0, 2 * _WEEK)


def broken() -> Series:
    """Return the next two weeks, with four incidents.

    The incidents are a burst of half an hour on Tuesday noon, an outage of an hour on Thursday
    morning, daytime traffic at night on Wednesday of the second week, and a third more traffic than
    usual from Friday of the second week on.
    """
    return _requests(2 * _WEEK, _WEEKS * _WEEK)


def truth() -> list[tuple[float, float]]:
    """Return begin and end of each incident, as `Record.seconds`."""
    return [(_seconds(row), _seconds(row + length - 1)) for row, length, _, _ in _INCIDENTS]


def _requests(first: int, last: int) -> Series:
    rows = np.arange(_WEEKS * _WEEK)
    hour, day = rows / 6 % 24, rows // 144 % 7
    usual = 400 + 300 * np.sin((hour - 9) / 24 * 2 * np.pi) * np.where(day < 5, 1, 0.4)
    values = usual * np.random.default_rng(0).lognormal(0, 0.06, len(rows))
    for start, length, factor, offset in _INCIDENTS:
        span = slice(start, start + length)
        values[span] = factor * values[span] + offset
    records = (
        Record(str(_time(row)), _seconds(row), (round(float(values[row]), 1),))
        for row in range(first, last)
    )
    return Series(("requests",), records, "timestamp", ("timestamp", "requests"))


def _time(row: int) -> datetime:
    return datetime(2024, 1, 1) + timedelta(minutes=10 * row)  # a Monday


def _seconds(row: int) -> float:
    return (_time(row) - MONDAY).total_seconds()
