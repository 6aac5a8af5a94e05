"""The usual value at an hour of the week, and predictions from the residuals."""

import math

import numpy as np

HOUR, DAY, HOURS = 3600, 86_400, 168


class WeeklyProfile:
    """The usual value of a series at each hour of the week, learned record by record.

    It is a shrinkage estimate. If an hour of the week has few records, its mean is drawn towards
    that of its hour of the day, and that towards the mean of all records, the level. An outlier
    counts as a value at five mean residuals from the expected one.

    Args:
        per_hour: The number of records per hour, at least 1.
    """

    VISITS = 20
    """The number of visits to an hour, in days or weeks, after which its past fades."""

    LEAN = 2.0
    """The weight of the coarser mean in the shrinkage, in visits."""

    CLIP = 5.0

    def __init__(self, per_hour: float) -> None:
        self.per_hour = max(per_hour, 1.0)
        self.level, self.size, self.seen = 0.0, 0.0, 0.0
        self.by_day, self.seen_by_day = [0.0] * 24, [0.0] * 24
        self.by_week, self.seen_by_week = [0.0] * HOURS, [0.0] * HOURS

    def expected(self, seconds: float | None) -> float:
        """Return the usual value at a local time in seconds; None gives the level."""
        if seconds is None:
            return self.level
        hour, lean = int(seconds // HOUR % HOURS), self.LEAN * self.per_hour
        day, weight = hour % 24, self.seen_by_day[hour % 24]
        daily = (weight * self.by_day[day] + lean * self.level) / (weight + lean)
        weight = self.seen_by_week[hour]
        return (weight * self.by_week[hour] + lean * daily) / (weight + lean)

    def learn(self, seconds: float | None, value: float, expected: float) -> None:
        """Learn from a value.

        Args:
            seconds: The local time, or None.
            value: The value.
            expected: What `expected` returned for this time.
        """
        residual = value - expected
        if self.seen > 20:
            limit = self.CLIP * self.size
            value = expected + min(max(residual, -limit), limit)
        self.seen = min(self.seen + 1, 2 * HOURS * self.per_hour)
        self.level += (value - self.level) / self.seen
        self.size += (abs(residual) - self.size) / self.seen
        if seconds is not None:
            hour, most = int(seconds // HOUR % HOURS), self.VISITS * self.per_hour
            _average(self.by_day, self.seen_by_day, hour % 24, value, most)
            _average(self.by_week, self.seen_by_week, hour, value, most)


def _average(means: list[float], seen: list[float], at: int, value: float, most: float) -> None:
    seen[at] = min(seen[at] + 1, most)
    means[at] += (value - means[at]) / seen[at]


class ConformalInterval:
    """An interval around the usual value that holds 99 in 100 records of any distribution.

    It is adaptive conformal inference (Gibbs & Candès 2021) in its multiplicative form. A record
    outside widens the interval by a twentieth. The records inside narrow it by as much in the long
    run.

    Args:
        residuals: The residuals of records like those to come.
        least: The smallest half-width to start with; greater than 0.
    """

    OUTSIDE, STEP = 0.01, 0.05

    def __init__(self, residuals: np.ndarray, least: float) -> None:
        self.width = max(float(np.quantile(np.abs(residuals), 1 - self.OUTSIDE)), least)

    def learn(self, residual: float) -> None:
        """Adapt the width to a residual."""
        beyond = abs(residual) > self.width
        self.width *= math.exp(self.STEP * (beyond - self.OUTSIDE))


class LinearPredictor:
    """Predicts the next residual from the last two and a moving average.

    The linear weights are fitted by recursive least squares.
    """

    CLIP = 20.0

    def __init__(self) -> None:
        self.weights, self.inverse = np.zeros(4), 10 * np.eye(4)
        self.given = np.array([0.0, 0.0, 0.0, 1.0])

    def error(self, residual: float) -> float:
        """Return the error of the prediction of this residual, and learn from the residual."""
        given = self.given
        error = residual - float(self.weights @ given)
        gain = self.inverse @ given
        size = 1 + float(gain @ given)
        self.weights += gain * (min(max(error, -5.0), 5.0) / size)
        self.inverse -= gain[:, None] * (gain / size)
        clipped = min(max(residual, -self.CLIP), self.CLIP)
        given[1] = given[0]
        given[0] = clipped
        given[2] += 0.1 * (clipped - given[2])
        return error
