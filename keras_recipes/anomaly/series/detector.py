"""The detector of one series of numbers: it judges each record by the records before it.

Each record has five features, and their evidence is averaged. A record that is unusual in several
features is likely to be an anomaly. A record that is unusual in one feature only is mostly noise.
Four features use the residual, which is the value minus the usual value at this hour of the week:

- deviation: the mean size of the residuals;
- shift: the size of the mean residual;
- change: the size of the mean error of a linear prediction from the residuals before;
- spread: the standard deviation of the residuals;
- surprise: -log10 of the two-sided tail probability that the net gave to the value's class.

Each feature is taken over the last 1, 4, 16 and 64 records and compared with its own past
(`alarm_policy.TailCounts`). The evidence of the last few records is averaged. If the series has a
shape that repeats, the evidence of `shapes.ShapeView` is added. Memory is bounded, and no record is
judged by later ones. Files and streams use the same function, `update`.
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
from keras_recipes.anomaly.series.shapes import LARGEST_EVIDENCE, ShapeView
from keras_recipes.anomaly.series.value_classes import ValueClasses
from keras_recipes.errors import InputError

_T = TypeVar("_T")

WINDOWS = (1, 4, 16, 64)
"""The windows of a feature, in records; the last is the longest."""

LATEST = (1, 4)
"""The windows that say whether an incident goes on; longer ones remember it when it is over."""

FEATURES = ("deviation", "shift", "change", "spread", "surprise")

_EQUAL_WEIGHTS = np.full(len(FEATURES), 1 / len(FEATURES))

SMOOTHING = 0.3
"""The weight of a record in the moving average of the evidence: about three records count."""

LASTING = 0.03
"""The same for the score, which stays high for a while: about thirty records count."""

FEATURES_WEIGHT, SHAPE_WEIGHT = 0.4, 0.2
"""The weights of the features' evidence and of the shapes', in a series whose shapes repeat."""

SETTLED = 20
"""The number of records after which a new past is long enough to compare with."""

PACE_RECORDS = 750
"""The pause and the decay of the alarm gate grow with the learned records up to this number."""

LEARNING_RATE = 0.003
"""The net's learning rate while it reads."""

LARGEST = 1e150
"""Larger numbers count as infinite, because their squares would be."""


class Reading(NamedTuple):
    """The verdict on one record.

    Attributes:
        score: From 0 to 1; from 0.5 on the record is anomalous, see `alarm_policy.AlarmGate`.
        evidence: The evidence of all features and shapes, in orders of magnitude of probability. It
            stays high during the whole of an anomaly.
        low: The lower end of the expected interval, which holds 99 in 100 records in the long run.
            It is not negative if no learned value is.
        high: The upper end of the expected interval.
        features: The evidence of each of `FEATURES` for this record alone, in the same unit.
        alarm: Whether an incident begins with this record.
        incident: The number of the incident that the record belongs to; 0 outside.
        shape: The evidence of the last shape, in the same unit; 0 if no shape repeats.
    """

    score: float
    evidence: float
    low: float
    high: float
    features: tuple[float, ...]
    alarm: bool = False
    incident: int = 0
    shape: float = 0.0


class SeriesDetector:
    """A detector of anomalies in one series of numbers.

    Call `learn` first, with normal records, and then `update` for each record. The detector goes on
    learning from each record.

    Attributes:
        usual: The largest evidence among the records that `learn` learned from.
        normal: The evidence of each of these records as they were learned, 0 for a missing one. It
            is not part of the state.
        honest_from: The number of the first of them that was judged as later records will be.

    Args:
        threshold: The evidence of an alarm: the mean over the features of -log10 of a p-value,
            averaged over the last records.
        rise: The amount that an alarm adds to the threshold. The threshold falls by it again in
            three times as many records as were learned from, at most 3 * 750.
        seed: The seed of the net's initial weights.
        learning_rate: The net's learning rate in `update`; None is `LEARNING_RATE`.
        units: The number of LSTM units of the net.
    """

    def __init__(
        self,
        *,
        threshold: float = 0.85,
        rise: float = 0.3,
        seed: int = 0,
        learning_rate: float | None = None,
        units: int = 10,
    ) -> None:
        self.threshold, self.rise, self.seed = threshold, rise, seed
        self.learning_rate = LEARNING_RATE if learning_rate is None else learning_rate
        self.units = units
        self._longest = max(WINDOWS)
        # The buffer holds each record twice, so that the last 64 are always contiguous.
        self._buffer = np.zeros((5, 2 * self._longest))
        age = np.arange(self._longest)[::-1, None]
        self._means = (age < np.array(WINDOWS)) / np.array(WINDOWS)
        self._mean_of_windows, latest = _means_of(WINDOWS), _means_of(LATEST)
        self._mean_of_latest = latest @ _EQUAL_WEIGHTS
        self._counts = TailCounts(len(self._mean_of_windows))
        self._linear = LinearPredictor()
        self._shapes: ShapeView | None = None
        self._seen = 0
        self._mean_evidence, self._latest, self._lasting = 0.0, 0.0, 1.0
        self._learned = False
        self.usual = 0.0
        self.normal, self.honest_from = np.zeros(0), 0

    def learn(
        self,
        times: "Sequence[float | None]",
        values: "Sequence[float]",
        weights: Callable[[ValueClasses], Sequence[np.ndarray]] | None = None,
    ) -> None:
        """Learn what is normal.

        Args:
            times: Local times in seconds since midnight of some Monday (of any day if weeks do not
                matter); None for a record without a time.
            values: As many numbers. Numbers that are not finite are skipped.
            weights: Returns the weights of a trained net for these classes, in the order of
                `OnlineLSTM.weights`. Without it the net is trained here.

        Raises:
            InputError: There are fewer than ten finite numbers.
        """
        kept = [(t, float(v)) for t, v in zip(times, values, strict=True) if _usable(v)]
        if len(kept) < 10:
            raise InputError(
                f"expected at least 10 numbers to learn from, received {len(kept)}; give more "
                "records"
            )
        normal = np.array([value for _, value in kept])
        self._profile = WeeklyProfile(_per_hour([t for t, _ in kept]))
        residuals = self._residuals(kept)
        self._scale = _scale(residuals, normal)
        # The first residuals come from a profile that has hardly learned, so they are left out.
        self._interval = ConformalInterval(residuals[len(kept) // 2 :], self._scale)
        self._profile = WeeklyProfile(self._profile.per_hour)
        self.classes = ValueClasses(normal)
        self._make_net(normal.tolist(), weights)
        self._shapes = ShapeView.of(normal, _step([time for time, _ in kept]))
        self._make_gate(len(kept))
        # The first residuals come from a profile that has hardly learned.
        begin, evidence, found = len(kept) // 6, 0.0, []
        for number, (time, value) in enumerate(kept):
            streams = self._evidence(time, value, add=number >= begin)
            mean = float((streams @ self._mean_of_windows) @ _EQUAL_WEIGHTS)
            evidence += SMOOTHING * (mean - evidence)
            found.append(evidence)
            if self._shapes:
                self._shapes.update(value)
            if number >= begin + SETTLED:
                self.usual = max(self.usual, evidence)
        if self._shapes:
            self.usual *= FEATURES_WEIGHT
        self.normal, places = np.zeros(len(values)), _places(values)
        self.normal[places] = found
        self.honest_from = begin + SETTLED
        if self._shapes:
            self._judge_shapes(normal, places, _step([time for time, _ in kept]))

    @property
    def knows_shapes(self) -> bool:
        """Whether the shape of the learned values repeats."""
        return self._shapes is not None

    def set_threshold(self, threshold: float) -> None:
        """Use another threshold from now on; nothing has to be learned again."""
        self.threshold = self._gate.threshold = threshold

    def accept_as_normal(self, values: "Sequence[float]") -> None:
        """Accept these values as normal.

        The learned range is widened to hold them, and the effect of earlier alarms ends.
        """
        known = [value for value in values if _usable(value)]
        if known:
            self.classes.widen(min(known), max(known))
        self._gate.calm()
        self._mean_evidence, self._latest, self._lasting = 0.0, 0.0, 1.0

    def replace_net(self, weights: Callable[[ValueClasses], Sequence[np.ndarray]]) -> None:
        """Continue with another trained net; `weights` is as in `learn`."""
        self._make_net([], weights)

    def update(self, time: float | None, value: float) -> Reading:
        """Judge a record by all records before it, then learn from it.

        Args:
            time: The time of the record, as in `learn`.
            value: A number. A number that is not finite scores 0 and changes nothing.

        Raises:
            InputError: `learn` was not called yet.
        """
        if not self._learned:
            raise InputError(
                "expected a detector that has learned what is normal: call learn first"
            )
        expected = self._profile.expected(time)
        low, high = expected - self._interval.width, expected + self._interval.width
        if self.classes.low >= 0 and expected >= 0:
            low = max(low, 0.0)  # the series is a count, or something else that is not negative
        if not _usable(value):
            nothing = (0.0,) * len(FEATURES)
            return Reading(0.0, 0.0, low, high, nothing, incident=self._gate.incident)
        streams = self._evidence(time, float(value), add=True)
        features = streams @ self._mean_of_windows
        # A value that is unusual for a moment only is mostly noise; an event stays in the windows.
        self._mean_evidence += SMOOTHING * (float(features @ _EQUAL_WEIGHTS) - self._mean_evidence)
        self._latest += SMOOTHING * (float(streams @ self._mean_of_latest) - self._latest)
        evidence, latest, shape = self._mean_evidence, self._latest, 0.0
        if self._shapes:
            shape = self._shapes.update(float(value))
            # A shape is unusual as a whole, so all of its evidence says whether it goes on.
            evidence = latest = FEATURES_WEIGHT * evidence + SHAPE_WEIGHT * shape
        # The average of powers is close to the largest evidence.
        self._lasting += LASTING * (2 ** min(evidence, LARGEST_EVIDENCE) - self._lasting)
        lasting = math.log2(self._lasting)
        verdict = self._gate.judge(evidence, latest=latest, lasting=lasting)
        if not self._gate.remembered and evidence < self.threshold:
            # What an incident does to the interval would last for thousands of records.
            self._interval.learn(value - expected)
        return Reading(
            verdict.score,
            evidence,
            low,
            high,
            tuple(features.tolist()),
            alarm=verdict.alarm,
            incident=verdict.incident,
            shape=shape,
        )

    def readings(
        self, times: "Sequence[float | None]", values: "Sequence[float]"
    ) -> Iterator[Reading]:
        """Call `update` for each record in turn, and yield what it returns."""
        for time, value in zip(times, values, strict=True):
            yield self.update(time, value)

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `from_state` needs, as arrays by name, which `numpy.savez` can save."""
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
                "views": FEATURES,
                "units": self.units,
            },
            "scale": self._scale,
            "seen": self._seen,
            "surprise": self._mean_evidence,
            "latest": self._latest,
            "lasting": self._lasting,
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
        arrays |= {f"net_{name}": value for name, value in self._net.state().items()}
        if self._shapes:
            arrays |= {f"shapes_{name}": array for name, array in self._shapes.state().items()}
        arrays["said"] = np.array([]) if self._predicted is None else self._predicted
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> "SeriesDetector":
        """Return a detector that continues from a state of `state`."""
        plain = json.loads(state["plain"].tobytes())
        options = plain["options"]
        detector = cls(
            threshold=options["bar"],
            rise=options["rise"],
            seed=options["seed"],
            learning_rate=options["rate"],
            units=options["units"],
        )
        detector._scale, detector._seen = plain["scale"], plain["seen"]
        detector._mean_evidence = plain["surprise"]
        # Older states have neither of these.
        detector._latest = plain.get("latest", detector._mean_evidence)
        detector._lasting = plain.get("lasting", 1.0)
        detector.classes = _with(ValueClasses, plain["classes"])
        detector._profile = _with(WeeklyProfile, plain["profile"])
        detector._gate = AlarmGate.from_state(plain["gate"])
        detector._interval = _with(ConformalInterval, plain["reach"])
        detector._buffer[...] = state["buffer"]
        for name, value in part(state, "linear_").items():
            setattr(detector._linear, name, value.copy())
        detector._counts.restore(part(state, "counts_"))
        detector._net = OnlineLSTM(
            detector.classes.count, units=detector.units, learning_rate=detector.learning_rate
        )
        detector._net.restore(part(state, "net_"))
        detector._predicted = state["said"] if len(state["said"]) else None
        if shapes := part(state, "shapes_"):
            detector._shapes = ShapeView.from_state(shapes)
        detector._learned = True
        return detector

    def _judge_shapes(self, normal: np.ndarray, places: np.ndarray, step: float | None) -> None:
        """Add to `normal` the evidence of the shapes in the second half, by those in the first."""
        half = len(normal) // 2
        self.normal *= FEATURES_WEIGHT
        self.honest_from = int(places[half])
        view = ShapeView.of(normal[:half], step)
        if view is None:
            self.honest_from = len(self.normal)  # half of the records do not show the shapes
            return
        shapes = [view.update(value) for value in normal[half:].tolist()]
        self.normal[places[half:]] += SHAPE_WEIGHT * np.array(shapes)

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
        self._predicted: np.ndarray | None = None
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
        rise, cooldown = self.rise, records // 5
        if self._shapes:
            # A bad shape is over after a period, and the next one may be bad again.
            rise, cooldown = rise / 3, min(cooldown, self._shapes.period // 2)
        self._gate = AlarmGate(
            threshold=self.threshold, rise=rise, decay=3 * records, cooldown=cooldown
        )
        self._learned = True

    def _evidence(self, time: float | None, value: float, *, add: bool) -> np.ndarray:
        """Return -log10 of the p-value of each feature over each window, of shape (19,).

        The profile, the linear prediction and the net learn from the record.
        """
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
        features = np.concatenate([means[0], np.abs(means[1]), np.abs(means[3]), spread, means[4]])
        return self._counts.neg_log10_p(features, add=add)

    def _class_surprise(self, value: float) -> float:
        """Return -log10 of the two-sided tail probability of the value's class, by the net."""
        observed, surprise = self.classes.of(value), 0.0
        if self._predicted is not None:
            above, below = self._predicted[observed:].sum(), self._predicted[: observed + 1].sum()
            surprise = max(0.0, -math.log10(2 * min(above, below) + 1e-12))
        self._predicted = self._net.observe(observed)
        return surprise


def _means_of(windows: Sequence[int]) -> np.ndarray:
    """Return the matrix that averages each feature over some of its windows, of shape (19, 5)."""
    rows = [(f, w) for f in FEATURES for w in WINDOWS if not _always_zero(f, w)]
    part = np.array([[f == name and w in windows for name in FEATURES] for f, w in rows], float)
    means: np.ndarray = part / part.sum(axis=0)
    return means


def _always_zero(feature: str, window: int) -> bool:
    return feature == "spread" and window == 1


def _with(kind: type[_T], attributes: dict[str, Any]) -> _T:
    made = kind.__new__(kind)
    vars(made).update(attributes)
    return made


def part(state: Mapping[str, np.ndarray], before: str) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin with `before`, by their names without it."""
    return {name.removeprefix(before): state[name] for name in state if name.startswith(before)}


def _places(values: Sequence[float]) -> np.ndarray:
    """Return the numbers of the records that have a usable value."""
    return np.flatnonzero([_usable(value) for value in values])


def _usable(value: float) -> bool:
    return -LARGEST < value < LARGEST  # false for NaN, too


def _step(times: list[float | None]) -> float | None:
    """Return the median number of seconds between two records; None if there are no times."""
    steps = np.diff([t for t in times if t is not None])
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else None


def _per_hour(times: list[float | None]) -> float:
    """Return the number of records per hour; 1 if there are no times."""
    step = _step(times)
    return HOUR / step if step else 1.0


def _scale(residuals: np.ndarray, normal: np.ndarray) -> float:
    """Return the mean size of the residuals, at least the size of rounding errors."""
    return max(float(np.abs(residuals).mean()), 1e-9 * float(np.abs(normal).max()), 1e-140)
