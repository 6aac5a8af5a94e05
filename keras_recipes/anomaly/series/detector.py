"""A series of numbers, record by record: what was expected, how surprising is what came.

Five views look at each record, and their evidence is averaged: an event that several of them find
odd is one, and what only one of them finds odd is mostly noise. Four look at the residual, which is
the value less what is usual at this hour of the week:

- deviation, the mean of its size;
- shift, the size of its mean;
- change, the size of the mean error of a linear prediction from the residuals before;
- spread, its standard deviation;
- surprise, the two-sided tail probability that the recipe's net gave to the value's class.

Each is taken over the last 1, 4, 16 and 64 records and compared with its own past
(`alarm_policy.TailCounts`); the evidence of the last few records is averaged. Memory is bounded,
nothing looks ahead, and one function, `update`, is behind bulk and stream alike.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from keras_recipes.anomaly.series.alarm_policy import AlarmGate, TailCounts
from keras_recipes.anomaly.series.online_lstm import OnlineLSTM
from keras_recipes.anomaly.series.residuals import (
    HOUR,
    ConformalInterval,
    LinearPredictor,
    WeeklyProfile,
)
from keras_recipes.anomaly.series.value_classes import ValueClasses
from keras_recipes.errors import InputError

_T = TypeVar("_T")

WINDOWS = (1, 4, 16, 64)
"""Records that a view looks back on; the last is the longest."""

VIEWS = ("deviation", "shift", "change", "spread", "surprise")

SMOOTHING = 0.3
"""Weight of a record in the moving average of the evidence: about three records count."""

PACE_RECORDS = 750
"""The cooldown and decay of alarms are set as if no more than so many records were learned from."""

LARGEST = 1e150
"""Numbers beyond this are as good as infinite: their squares would be."""


class Reading(NamedTuple):
    """The verdict on one record.

    Attributes:
        score: In [0, 1]; 0.5 and more is an anomaly, a new one: see `alarm_policy.AlarmGate`.
        surprise: In orders of magnitude of probability: the mean over the views, averaged over the
            last records; goes on through the whole of an anomaly.
        low: Lower end of what was expected; in the long run 99 in 100 records are between the ends.
            Not below zero where no value that was learned from is.
        high: Upper end of it.
        views: What each of `VIEWS` made of this record, in the same unit as `surprise`.
    """

    score: float
    surprise: float
    low: float
    high: float
    views: tuple[float, ...]


class SeriesDetector:
    """Finds what does not fit in one series of numbers, record by record, learning on.

    `learn` first, from records taken for normal; then `update` for each record.

    Args:
        threshold: Surprise of an alarm: the mean over the views of -log10 of a p-value, averaged
            over the last records.
        rise: What an alarm adds to the threshold; it falls back in three times as many records as
            were learned from, at most 3 * 750.
        seed: Of the net's first weights.
        learning_rate: The net's while reading on.
        views: Those that have a say, of `VIEWS`; without "surprise" there is no net.
        units: Of the net.
    """

    def __init__(
        self,
        *,
        threshold: float = 0.85,
        rise: float = 0.3,
        seed: int = 0,
        learning_rate: float = 0.003,
        views: Sequence[str] = VIEWS,
        units: int = 10,
    ) -> None:
        self.threshold, self.rise, self.seed = threshold, rise, seed
        self.learning_rate, self.views, self.units = learning_rate, tuple(views), units
        self._longest = max(WINDOWS)
        # Each record stands in it twice, so that the last 64 always lie side by side.
        self._buffer = np.zeros((5, 2 * self._longest))
        age = np.arange(self._longest)[::-1, None]
        self._means = (age < np.array(WINDOWS)) / np.array(WINDOWS)
        self._weights = _equal_weights(views)
        # The spread of a single record is always 0, and left out.
        windows = [len(WINDOWS) - (view == "spread") for view in VIEWS]
        self._mean_of_windows = np.repeat(np.eye(len(VIEWS)), windows, axis=0) / windows
        self._counts = TailCounts(sum(windows))
        self._linear = LinearPredictor()
        self._seen = 0
        self._surprise = 0.0
        self._learned = False

    def learn(
        self,
        times: "Sequence[float | None]",
        values: "Sequence[float]",
        weights: Callable[[ValueClasses], Sequence[np.ndarray]] | None = None,
    ) -> None:
        """Learn what is normal.

        Args:
            times: Seconds of the clock on the wall since some Monday, or any day's midnight where
                weeks do not matter; None for each where there is no clock.
            values: As many numbers; those that are not finite are passed over.
            weights: Gives those of a net that knows the classes already, in the order of
                `OnlineLSTM.weights`; else the net is trained here.

        Raises:
            InputError: Fewer than ten finite numbers.
        """
        kept = [(t, float(v)) for t, v in zip(times, values, strict=True) if _usable(v)]
        if len(kept) < 10:
            raise InputError(
                f"expected at least 10 numbers to learn what is normal from, received {len(kept)}"
            )
        normal = np.array([value for _, value in kept])
        self._profile = WeeklyProfile(_per_hour([t for t, _ in kept]))
        residuals = self._residuals(kept)
        self._scale = _scale(residuals, normal)
        # Those of a profile that has seen something.
        self._interval = ConformalInterval(residuals[len(kept) // 2 :], self._scale)
        self._profile = WeeklyProfile(self._profile.per_hour)
        self.classes = ValueClasses(normal)
        self._make_net(normal.tolist(), weights)
        self._make_gate(len(kept))
        for number, (time, value) in enumerate(kept):
            # The first residuals are those of a profile that knows nothing yet.
            self._evidence(time, value, add=number >= len(kept) // 6)

    def set_threshold(self, threshold: float) -> None:
        """Another threshold from now on; nothing has to be learned again."""
        self.threshold = self._gate.threshold = threshold

    def accept_as_normal(self, values: "Sequence[float]") -> None:
        """Take these for normal, too: nothing between them is outside, and no alarm is pending."""
        known = [value for value in values if _usable(value)]
        if known:
            self.classes.widen(min(known), max(known))
        self._gate.raised, self._gate.cooling, self._surprise = 0.0, 0, 0.0

    def replace_net(self, weights: Callable[[ValueClasses], Sequence[np.ndarray]]) -> None:
        """Go on with another net that knows the classes, as in `learn`."""
        self._make_net([], weights)

    def update(self, time: float | None, value: float) -> Reading:
        """Judge a record by all that came before it, then learn from it.

        Args:
            time: As in `learn`.
            value: A number; one that is not finite scores 0 and changes nothing.

        Raises:
            InputError: Nothing was learned yet.
        """
        if not self._learned:
            raise InputError(
                "expected a detector that has learned what is normal: call learn first"
            )
        expected = self._profile.expected(time)
        low, high = expected - self._interval.width, expected + self._interval.width
        if self.classes.low >= 0 and expected >= 0:
            low = max(low, 0.0)  # a count, or something else that is never negative
        if not _usable(value):
            return Reading(0.0, 0.0, low, high, (0.0,) * len(VIEWS))
        views = self._evidence(time, float(value), add=True)
        # What is odd for a moment only is mostly noise; what matters stays in the windows.
        self._surprise += SMOOTHING * (float(views @ self._weights) - self._surprise)
        self._interval.learn(value - expected)
        score = self._gate.score(self._surprise)
        return Reading(score, self._surprise, low, high, tuple(views.tolist()))

    def readings(
        self, times: "Sequence[float | None]", values: "Sequence[float]"
    ) -> Iterator[Reading]:
        """`update` for each record in turn."""
        for time, value in zip(times, values, strict=True):
            yield self.update(time, value)

    def state(self) -> dict[str, np.ndarray]:
        """Everything that `from_state` needs, as arrays by name: `numpy.savez` keeps them."""
        if not self._learned:
            raise InputError(
                "expected a detector that has learned what is normal: call learn first"
            )
        plain = {
            "options": {
                "bar": self.threshold,
                "rise": self.rise,
                "seed": self.seed,
                "rate": self.learning_rate,
                "views": self.views,
                "units": self.units,
            },
            "scale": self._scale,
            "seen": self._seen,
            "surprise": self._surprise,
            "classes": vars(self.classes),
            "profile": vars(self._profile),
            "gate": self._gate.state(),
            "reach": vars(self._interval),
        }
        arrays = {
            "plain": np.frombuffer(json.dumps(plain).encode(), "uint8"),
            "buffer": self._buffer.copy(),
            **{f"linear_{name}": value.copy() for name, value in vars(self._linear).items()},
            **{f"counts_{name}": value for name, value in self._counts.state().items()},
        }
        if self._net is not None:
            arrays |= {f"net_{name}": value for name, value in self._net.state().items()}
            arrays["said"] = np.array([]) if self._predicted is None else self._predicted
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> "SeriesDetector":
        """A detector that goes on where the one stood that gave this state."""
        plain = json.loads(state["plain"].tobytes())
        options = dict(plain["options"])
        threshold, rate = options.pop("bar"), options.pop("rate")
        detector = cls(threshold=threshold, learning_rate=rate, **options)
        detector._scale, detector._seen = plain["scale"], plain["seen"]
        detector._surprise = plain["surprise"]
        detector.classes = _with(ValueClasses, plain["classes"])
        detector._profile = _with(WeeklyProfile, plain["profile"])
        detector._gate = AlarmGate.from_state(plain["gate"])
        detector._interval = _with(ConformalInterval, plain["reach"])
        detector._buffer[...] = state["buffer"]
        for name, value in part(state, "linear_").items():
            setattr(detector._linear, name, value.copy())
        detector._counts.restore(part(state, "counts_"))
        detector._net = detector._predicted = None
        if "said" in state:
            detector._net = OnlineLSTM(
                detector.classes.count, units=detector.units, learning_rate=rate
            )
            detector._net.restore(part(state, "net_"))
            detector._predicted = state["said"] if len(state["said"]) else None
        detector._learned = True
        return detector

    def _residuals(self, kept: list[tuple[float | None, float]]) -> np.ndarray:
        residuals = []
        for time, value in kept:
            expected = self._profile.expected(time)
            residuals.append(value - expected)
            self._profile.learn(time, value, expected)
        return np.array(residuals)

    def _make_net(
        self,
        normal: Sequence[float],
        weights: Callable[[ValueClasses], Sequence[np.ndarray]] | None,
    ) -> None:
        self._net: OnlineLSTM | None = None
        self._predicted: np.ndarray | None = None
        if "surprise" not in self.views:
            return
        self._net = OnlineLSTM(
            self.classes.count,
            units=self.units,
            seed=self.seed,
            learning_rate=self.learning_rate,
        )
        if weights is not None:
            self._net.weights = list(weights(self.classes))
        else:
            self._net.learn(np.array([self.classes.of(value) for value in normal]))

    def _make_gate(self, learned: int) -> None:
        records = min(learned, PACE_RECORDS)
        self._gate = AlarmGate(
            threshold=self.threshold,
            rise=self.rise,
            decay=3 * records,
            cooldown=records // 5,
        )
        self._learned = True

    def _evidence(self, time: float | None, value: float, *, add: bool) -> np.ndarray:
        """For each view -log10 of its p-value, shape (5,); everything learns on the way."""
        expected = self._profile.expected(time)
        residual = min(max((value - expected) / self._scale, -1e12), 1e12)
        self._profile.learn(time, value, expected)
        size = abs(residual)
        recent = (
            size,
            residual,
            size * size,
            self._linear.error(residual),
            self._class_surprise(value),
        )
        at = self._seen % self._longest
        self._buffer[:, at] = self._buffer[:, at + self._longest] = recent
        means = self._buffer[:, at + 1 : at + 1 + self._longest] @ self._means
        self._seen += 1
        if self._seen < self._longest:
            means *= np.maximum(np.array(WINDOWS) / self._seen, 1)
        spread = np.sqrt(np.maximum(means[2, 1:] - means[1, 1:] ** 2, 0))
        views = np.concatenate([means[0], np.abs(means[1]), np.abs(means[3]), spread, means[4]])
        evidence: np.ndarray = self._counts.neg_log10_p(views, add=add) @ self._mean_of_windows
        return evidence

    def _class_surprise(self, value: float) -> float:
        """-log10 of the two-sided tail probability of the value's class, given those before."""
        if self._net is None:
            return 0.0
        observed, surprise = self.classes.of(value), 0.0
        if self._predicted is not None:
            above, below = self._predicted[observed:].sum(), self._predicted[: observed + 1].sum()
            surprise = max(0.0, -math.log10(2 * min(above, below) + 1e-12))
        self._predicted = self._net.observe(observed)
        return surprise


def _with(kind: type[_T], attributes: dict[str, Any]) -> _T:
    made = kind.__new__(kind)
    vars(made).update(attributes)
    return made


def part(state: Mapping[str, np.ndarray], before: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin so, without that beginning."""
    return {name.removeprefix(before): state[name] for name in state if name.startswith(before)}


def _equal_weights(views: Sequence[str]) -> np.ndarray:
    """Of the views that have a say, in the order of `VIEWS`."""
    if not views or not set(views) <= set(VIEWS):
        raise InputError(f"views: expected some of {', '.join(VIEWS)}, received {', '.join(views)}")
    return np.array([(view in views) / len(views) for view in VIEWS])


def _usable(value: float) -> bool:
    return -LARGEST < value < LARGEST  # false for NaN, too


def _per_hour(times: list[float | None]) -> float:
    """Records in an hour, going by the median step; 1 where there is no clock."""
    known = [t for t in times if t is not None]
    steps = np.diff(known)
    steps = steps[steps > 0]
    return HOUR / float(np.median(steps)) if len(steps) else 1.0


def _scale(residuals: np.ndarray, normal: np.ndarray) -> float:
    """The mean size of the residuals; of a constant series what rounding could make of it."""
    return max(float(np.abs(residuals).mean()), 1e-9 * float(np.abs(normal).max()), 1e-140)
