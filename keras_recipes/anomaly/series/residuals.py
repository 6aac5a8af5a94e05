"""The usual value at an hour of the week, and predictions from the residuals."""

import math
from collections.abc import Mapping

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

    The four linear weights are fitted by recursive least squares. They are so few that Python's own
    numbers are faster than arrays.
    """

    CLIP = 20.0

    def __init__(self) -> None:
        self._weights, self._given = [0.0] * 4, [0.0, 0.0, 0.0, 1.0]
        self._inverse = [[10.0 * (row == column) for column in range(4)] for row in range(4)]

    def error(self, residual: float) -> float:
        """Return the error of the prediction of this residual, and learn from the residual."""
        a, b, c, d = self._given
        w, x, y, z = self._weights
        error = residual - (w * a + x * b + y * c + z * d)
        gain = [p * a + q * b + r * c + s * d for p, q, r, s in self._inverse]
        i, j, k, m = gain
        size = 1 + (i * a + j * b + k * c + m * d)
        step = min(max(error, -5.0), 5.0) / size
        self._weights = [w + step * i, x + step * j, y + step * k, z + step * m]
        i, j, k, m = i / size, j / size, k / size, m / size
        self._inverse = [
            [p - g * i, q - g * j, r - g * k, s - g * m]
            for g, (p, q, r, s) in zip(gain, self._inverse, strict=True)
        ]
        clipped = min(max(residual, -self.CLIP), self.CLIP)
        self._given = [clipped, a, c + 0.1 * (clipped - c), d]
        return error

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs."""
        return {
            "weights": np.array(self._weights),
            "inverse": np.array(self._inverse),
            "given": np.array(self._given),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Set the predictor to a state from `state`."""
        self._weights, self._given = state["weights"].tolist(), state["given"].tolist()
        self._inverse = state["inverse"].tolist()
