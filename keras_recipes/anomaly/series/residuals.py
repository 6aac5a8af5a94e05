"""What is usual at an hour of the week, and what is made of how far a value is from it."""

import math

import numpy as np

HOUR, DAY, HOURS = 3600, 86_400, 168


class WeeklyProfile:
    """What is usual at an hour of the week, leaning on the hour of the day, leaning on the level.

    An hour of the week that was seen little is drawn towards its hour of the day, and that towards
    the level (shrinkage, as with few observations everywhere). Outliers move nothing further than
    five mean residuals would.

    Args:
        per_hour: Records in an hour, at least 1.
    """

    VISITS = 20
    """Days after which an hour's past fades."""

    LEAN = 2.0
    """Visits that what is leant on is worth."""

    CLIP = 5.0

    def __init__(self, per_hour: float) -> None:
        self.per_hour = max(per_hour, 1.0)
        self.level, self.size, self.seen = 0.0, 0.0, 0.0
        self.by_day, self.seen_by_day = [0.0] * 24, [0.0] * 24
        self.by_week, self.seen_by_week = [0.0] * HOURS, [0.0] * HOURS

    def expected(self, seconds: float | None) -> float:
        """At a time in seconds of the clock on the wall; of any time where there is no clock."""
        if seconds is None:
            return self.level
        hour, lean = int(seconds // HOUR % HOURS), self.LEAN * self.per_hour
        day, weight = hour % 24, self.seen_by_day[hour % 24]
        daily = (weight * self.by_day[day] + lean * self.level) / (weight + lean)
        weight = self.seen_by_week[hour]
        return (weight * self.by_week[hour] + lean * daily) / (weight + lean)

    def learn(self, seconds: float | None, value: float, expected: float) -> None:
        """Take in a value, of which was `expected` what that function said."""
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
    """An interval around what is usual in which 99 in 100 records lie, of any distribution.

    Adaptive conformal inference (Gibbs & Candès 2021) in its multiplicative form: a record further
    off widens the interval by a twentieth, the others narrow it by as much in the long run.

    Args:
        residuals: Of records like those to come.
        least: Half the width at least; greater than 0.
    """

    OUTSIDE, STEP = 0.01, 0.05

    def __init__(self, residuals: np.ndarray, least: float) -> None:
        self.width = max(float(np.quantile(np.abs(residuals), 1 - self.OUTSIDE)), least)

    def learn(self, residual: float) -> None:
        """Take in a residual."""
        beyond = abs(residual) > self.width
        self.width *= math.exp(self.STEP * (beyond - self.OUTSIDE))


class LinearPredictor:
    """The next residual from the last two and a moving average, by recursive least squares."""

    CLIP = 20.0

    def __init__(self) -> None:
        self.weights, self.inverse = np.zeros(4), 10 * np.eye(4)
        self.given = np.array([0.0, 0.0, 0.0, 1.0])

    def error(self, residual: float) -> float:
        """How wrong the prediction of this residual was; learns from it."""
        given = self.given
        error = residual - float(self.weights @ given)
        gain = self.inverse @ given
        self.weights += gain * (min(max(error, -5.0), 5.0) / (1 + float(gain @ given)))
        self.inverse -= gain[:, None] * (gain / (1 + float(gain @ given)))
        clipped = min(max(residual, -self.CLIP), self.CLIP)
        given[1] = given[0]
        given[0] = clipped
        given[2] += 0.1 * (clipped - given[2])
        return error
