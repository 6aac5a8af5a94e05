"""Shapes that repeat: the distance of the last records to the nearest normal ones.

A heartbeat or a machine's cycle has no place in the calendar, but its next shape is one of those
that were learned. The distance of a window to the nearest normal window is that of the matrix
profile (Yeh et al. 2016, ICDM), with one difference: only the mean of a window is removed. A shape
of another size is another shape, and a quiet window does not become noise of full size. A window is
sixteen means of equally long blocks of records, so that windows of all lengths cost the same.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from keras_recipes.anomaly.series.residuals import DAY, HOUR

POINTS = 16
"""The number of blocks of a window."""

LENGTHS = (1 / 12, 1 / 4, 1 / 2)
"""The lengths of the windows, in periods."""

MOST_BLOCKS = 4_096
"""The largest number of learned blocks of a length; the last ones are kept."""

FEWEST_PERIODS = 3
"""The smallest number of periods in normal data that shows a repetition."""

REGULAR = 0.3
"""The smallest autocorrelation at a period."""

ALIKE = 0.5
"""Windows of repeated shapes are less far apart than this share of their size.

Both are medians, over the normal windows: of the distance to the other half of the data, and of the
standard deviation in a window.
"""

UPPER = 0.1
"""The share of the normal windows whose distances are the tail, which is extrapolated."""

LEAST_SCALE = 0.2
"""The smallest scale of a tail, in natural logarithms."""

FLOOR = 0.01
"""The smallest distance that counts. All distances are in standard deviations of the series."""

STEP = 0.003
"""The step by which a distance in the tail raises its beginning, in scales of the tail."""

LARGEST_EVIDENCE = 20.0

LARGEST = 1e6
"""The largest value that counts, in standard deviations of the series."""


class ShapeView:
    """The evidence of shapes unlike all normal ones.

    Args:
        lengths: The windows of each length.
        period: The period of the series, in records.
        mean: The mean of the normal values.
        spread: Their standard deviation, the unit of distances; greater than 0.
    """

    def __init__(
        self, lengths: "Sequence[ShapeWindows]", *, period: int, mean: float, spread: float
    ) -> None:
        self.lengths, self.period = list(lengths), period
        self.mean, self.spread = mean, spread

    @classmethod
    def of(cls, values: np.ndarray, step: float | None = None) -> "ShapeView | None":
        """Return what is usual for the shapes of a series; None if no shape repeats.

        It is also None if the period is one of days or weeks, which `WeeklyProfile` knows.

        Args:
            values: The normal values, all finite, of shape (N,).
            step: The seconds between two records; None without times.
        """
        mean, spread = float(values.mean()), float(values.std())
        if not spread > 1e-9 * max(abs(mean), 1e-140):
            return None
        level = (values - mean) / spread
        found = period_of(level)
        if found is None or found < POINTS or (step and _in_calendar(found * step)):
            return None
        blocks = sorted({max(1, round(found * length / POINTS)) for length in LENGTHS})
        lengths = [ShapeWindows.of(level, block) for block in blocks]
        known = [windows for windows in lengths if windows is not None]
        return cls(known, period=found, mean=mean, spread=spread) if known else None

    def update(self, value: float) -> float:
        """Return -log10 of the p-value of the last shape, from 0 to `LARGEST_EVIDENCE`.

        It is the largest one over the lengths.
        """
        level = min(max((value - self.mean) / self.spread, -LARGEST), LARGEST)
        return max([windows.update(level) for windows in self.lengths])

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `from_state` needs, as arrays by name."""
        arrays = {"series": np.array([self.period, self.mean, self.spread])}
        for number, windows in enumerate(self.lengths):
            arrays |= {f"{number}_{name}": array for name, array in windows.state().items()}
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> "ShapeView":
        """Return a view that continues from a state of `state`.

        Raises:
            ValueError: No view can have this state.
        """
        period, mean, spread = state["series"].tolist()
        count = (len(state) - 1) // 2
        whole = POINTS <= period < 2**53 and period.is_integer()
        if not (whole and spread > 0 and 0 < count <= len(LENGTHS)):
            raise ValueError("shapes: no detector has this period")
        lengths = [
            ShapeWindows.from_state(state[f"{number}_blocks"], state[f"{number}_last"])
            for number in range(count)
        ]
        return cls(lengths, period=int(period), mean=mean, spread=spread)


class ShapeWindows:
    """Normal windows of one length, and the last window of the series.

    Args:
        block: The number of records of a block.
        blocks: The means of the learned blocks, of shape (K,), K > POINTS.
        upper: The logarithm of the distance at which the tail begins.
        scale: The difference, in logarithms, over which the tail falls by a factor of e.
    """

    def __init__(self, block: int, blocks: np.ndarray, *, upper: float, scale: float) -> None:
        self.block, self.blocks = block, blocks
        self.upper, self.scale = upper, scale
        self._least_upper = upper
        windows = sliding_window_view(blocks, POINTS)
        self._sizes: np.ndarray = ((windows - windows.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
        # The buffer holds each block twice, so that the last sixteen are always contiguous.
        self._last = np.zeros(2 * POINTS)
        self._seen = 0
        self._sum, self._count, self._evidence = 0.0, 0, 0.0

    @classmethod
    def of(cls, values: np.ndarray, block: int) -> "ShapeWindows | None":
        """Return the windows of normal values; None if they do not repeat.

        Each half of the values is compared with the other half, to learn the usual distance.
        """
        half = len(values) // 2
        first, second = (_block_means(part, block) for part in (values[:half], values[half:]))
        if len(first) < 2 * POINTS:
            return None
        made, *others = (
            cls(block, part[-MOST_BLOCKS:], upper=0.0, scale=1.0)
            for part in (_block_means(values, block), first, second)
        )
        distances = np.array(
            [
                known.distance(window)
                for known, asked in zip(others, (second, first), strict=True)
                for window in sliding_window_view(asked[-MOST_BLOCKS:], POINTS)
            ]
        )
        size = math.sqrt(float(np.median(made._sizes)) / POINTS)
        # Most windows of a series that is mostly flat have no shape: both are 0.
        if float(np.median(distances)) >= ALIKE * size:
            return None
        made.upper, made.scale = _tail(np.log(np.maximum(distances, FLOOR)))
        made._least_upper = made.upper
        return made

    def distance(self, window: np.ndarray) -> float:
        """Return the distance of a window to the nearest normal one, per block.

        Args:
            window: The means of the last blocks, of shape (POINTS,).
        """
        shape = window - window.sum() / POINTS
        # The mean of `shape` is zero, so the means of the learned windows do not matter.
        nearest = (self._sizes - 2 * np.correlate(self.blocks, shape, "valid")).min()
        return math.sqrt(max(float(nearest) + float(shape @ shape), 0.0) / POINTS)

    def update(self, value: float) -> float:
        """Return -log10 of the p-value of the last window, after a value.

        A new window is compared when a block is complete.
        """
        self._sum += value
        self._count += 1
        if self._count < self.block:
            return self._evidence
        at = self._seen % POINTS
        self._last[at] = self._last[at + POINTS] = self._sum / self.block
        self._sum, self._count = 0.0, 0
        self._seen += 1
        if self._seen >= POINTS:
            self._compare(self._last[at + 1 : at + 1 + POINTS])
        return self._evidence

    def _compare(self, window: np.ndarray) -> None:
        distance = self.distance(window)
        beyond = (math.log(max(distance, FLOOR)) - self.upper) / self.scale
        self._evidence = 0.0
        if beyond > 0:
            orders = (beyond - math.log(UPPER)) / math.log(10)
            self._evidence = min(orders, LARGEST_EVIDENCE)
        # What stays unusual becomes usual in time.
        self.upper += STEP * self.scale * ((beyond > 0) - UPPER)
        self.upper = max(self.upper, self._least_upper)

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `from_state` needs."""
        numbers = (
            *(self.block, self.upper, self.scale, self._least_upper),
            *(self._seen, self._sum, self._count, self._evidence),
        )
        return {
            "blocks": self.blocks.copy(),
            "last": np.concatenate([np.array(numbers, "float64"), self._last]),
        }

    @classmethod
    def from_state(cls, blocks: np.ndarray, last: np.ndarray) -> "ShapeWindows":
        """Return windows that continue from a state of `state`.

        Raises:
            ValueError: No windows can have this state.
        """
        if len(last) != 8 + 2 * POINTS or not POINTS < len(blocks) <= MOST_BLOCKS:
            raise ValueError("shapes: no detector has such arrays")
        block, upper, scale, least, seen, total, count, evidence = last[:8].tolist()
        whole = all(0 <= number < 2**53 and number.is_integer() for number in (block, seen, count))
        good = whole and count < block and scale > 0 and least <= upper <= 1e3
        if not (good and 0 <= evidence <= LARGEST_EVIDENCE):
            raise ValueError("shapes: no detector has these values")
        made = cls(int(block), blocks.copy(), upper=upper, scale=scale)
        made._least_upper, made._seen = least, int(seen)
        made._sum, made._count, made._evidence = total, int(count), evidence
        made._last = last[8:].copy()
        return made


def period_of(values: np.ndarray) -> int | None:
    """Return the period of a series in records, by its autocorrelation; None if it has none.

    It is the shortest of the periods that are nearly as regular as the most regular one.

    Args:
        values: The series with standard deviation 1, of shape (N,).
    """
    count = len(values)
    if count < 8 * FEWEST_PERIODS:
        return None
    steps = np.linspace(-1, 1, count)
    level = values - np.polyval(np.polyfit(steps, values, 1), steps)
    power = np.abs(np.fft.rfft(level, 2 * count)) ** 2
    products = np.fft.irfft(power)[: count // FEWEST_PERIODS]
    if products[0] < 1e-6 * count:
        return None  # a straight line
    alike = products / products[0] * count / (count - np.arange(len(products)))
    low = np.flatnonzero(alike < 0.25)
    if not len(low):
        return None
    inner = alike[1:-1]
    peaks = 1 + np.flatnonzero((inner >= alike[:-2]) & (inner > alike[2:]) & (inner >= REGULAR))
    peaks = peaks[peaks > low[0]]
    if not len(peaks):
        return None
    return int(peaks[alike[peaks] >= 0.9 * alike[peaks].max()][0])


def _in_calendar(seconds: float) -> bool:
    """Return whether a period is a part of a day of some hours, or some days that make a week."""
    if seconds < 4 * HOUR * 0.97:
        return False
    return any(abs(seconds * n / m - DAY) < 0.03 * DAY for n, m in [(1, 1), (2, 1), (3, 1), (1, 7)])


def _block_means(values: np.ndarray, block: int) -> np.ndarray:
    count = len(values) // block
    means: np.ndarray = values[: count * block].reshape(count, block).mean(axis=1)
    return means


def _tail(logarithms: np.ndarray) -> tuple[float, float]:
    """Return where the tail of these values begins, and its scale."""
    ordered = np.sort(logarithms)
    upper = max(3, int(UPPER * len(ordered)))
    more = ordered[-upper:] - ordered[-upper - 1]
    # The largest value counts as the second largest, so that no single window sets the scale.
    more[-1] = more[-2]
    return float(ordered[-upper - 1]), max(float(more.mean()), LEAST_SCALE)
