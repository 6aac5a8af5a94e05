"""The detector of one series of numbers: it judges each record by the records before it.

The evidence of a record's features (`features`) is averaged, and so is that of the last few
records. If the series has a shape that repeats, the evidence of `shapes.ShapeView` is added. Memory
is bounded, and no record is judged by later ones. A file gives many records at once, which is
faster, and a stream gives one; the readings are the same.
"""

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from keras_recipes.anomaly.series.alarm_policy import AlarmGate
from keras_recipes.anomaly.series.features import (
    FEATURES,
    WINDOWS,
    FeatureEvidence,
    means_of,
    part,
)
from keras_recipes.anomaly.series.online_lstm import OnlineLSTM
from keras_recipes.anomaly.series.residuals import HOUR, ConformalInterval, WeeklyProfile
from keras_recipes.anomaly.series.shapes import LARGEST_EVIDENCE, ShapeView
from keras_recipes.anomaly.series.value_classes import ValueClasses
from keras_recipes.errors import InputError

_T = TypeVar("_T")

LATEST = (1, 4)
"""The windows that say whether an incident goes on; longer ones remember it when it is over."""

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

AT_ONCE = 64
"""The records that a file gives at once: more are no faster."""

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
        by_feature, latest = means_of(WINDOWS), means_of(LATEST)
        # From the evidence of the streams to that of all features, of the latest records alone, and
        # of each feature.
        self._mixed = np.column_stack(
            [by_feature @ _EQUAL_WEIGHTS, latest @ _EQUAL_WEIGHTS, by_feature]
        )
        self._features = FeatureEvidence()
        self._shapes: ShapeView | None = None
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
        begin, evidence, found = len(kept) // 6, 0.0, []
        for number, (mean, *_) in enumerate(self._evidence_of_normal(kept, begin)):
            evidence += SMOOTHING * (mean - evidence)
            found.append(evidence)
            if self._shapes:
                self._shapes.update(kept[number][1])
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
        (reading,) = self.update_all([time], [float(value)])
        return reading

    def readings(
        self, times: "Sequence[float | None]", values: "Sequence[float]"
    ) -> Iterator[Reading]:
        """Yield what `update` returns for each record in turn, `AT_ONCE` of them at a time."""
        for first in range(0, max(len(times), len(values)), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            yield from self.update_all(times[some], [float(value) for value in values[some]])

    def update_all(
        self, times: "Sequence[float | None]", values: "Sequence[float]"
    ) -> list[Reading]:
        """Return what `update` returns for each record in turn; the memory grows with their square.

        Raises:
            InputError: `learn` was not called yet.
        """
        self._require_learned()
        expected, said = self._expected(times, values), []
        kept = [(v, e) for v, e in zip(values, expected, strict=True) if _usable(v)]
        evidence = iter(self._evidence(kept, add=True) if kept else ())
        for value, usual in zip(values, expected, strict=True):
            low, high = usual - self._interval.width, usual + self._interval.width
            if self.classes.low >= 0 and usual >= 0:
                low = max(low, 0.0)  # a count, or something else that is not negative
            if _usable(value):
                said.append(self._reading(value, usual, (low, high), next(evidence)))
            else:
                nothing = (0.0,) * len(FEATURES)
                said.append(Reading(0.0, 0.0, low, high, nothing, incident=self._gate.incident))
        return said

    def _require_learned(self) -> None:
        if not self._learned:
            raise InputError(
                "expected a detector that has learned what is normal: call learn first"
            )

    def _reading(
        self, value: float, expected: float, interval: tuple[float, float], mixed: list[float]
    ) -> Reading:
        mean, newest, *features = mixed
        # A value that is unusual for a moment only is mostly noise; an event stays in the windows.
        self._mean_evidence += SMOOTHING * (mean - self._mean_evidence)
        self._latest += SMOOTHING * (newest - self._latest)
        evidence, latest, shape = self._mean_evidence, self._latest, 0.0
        if self._shapes:
            shape = self._shapes.update(value)
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
            *interval,
            tuple(features),
            verdict.alarm,
            verdict.incident,
            shape,
        )

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `from_state` needs, as arrays by name, which `numpy.savez` can save."""
        self._require_learned()
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
            "seen": self._features.seen,
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
            **self._features.state(),
        }
        arrays |= {f"net_{name}": value for name, value in self._net.state().items()}
        if self._shapes:
            arrays |= {f"shapes_{name}": array for name, array in self._shapes.state().items()}
        arrays["said"] = self._said
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
        detector._scale = plain["scale"]
        detector._mean_evidence = plain["surprise"]
        # Older states have neither of these.
        detector._latest = plain.get("latest", detector._mean_evidence)
        detector._lasting = plain.get("lasting", 1.0)
        detector.classes = _with(ValueClasses, plain["classes"])
        detector._profile = _with(WeeklyProfile, plain["profile"])
        detector._gate = AlarmGate.from_state(plain["gate"])
        detector._interval = _with(ConformalInterval, plain["reach"])
        detector._features.restore(state, plain["seen"])
        detector._net = OnlineLSTM(
            detector.classes.count, units=detector.units, learning_rate=detector.learning_rate
        )
        detector._net.restore(part(state, "net_"))
        detector._said = state["said"]
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
        self._said = np.zeros(0)  # the net's last answer, empty before the first
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

    def _expected(self, times: "Sequence[float | None]", values: "Sequence[float]") -> list[float]:
        """Return the usual value at each time; the profile learns from each value after that."""
        found, profile = [], self._profile
        for time, value in zip(times, values, strict=True):
            usual = profile.expected(time)
            found.append(usual)
            if _usable(value):
                profile.learn(time, value, usual)
        return found

    def _evidence_of_normal(
        self, kept: list[tuple[float | None, float]], begin: int
    ) -> Iterator[list[float]]:
        """Yield what `_evidence` returns for learned records; those before `begin` are not added.

        The first residuals come from a profile that has hardly learned.
        """
        cuts = (0, begin, len(kept))
        for (start, end), add in zip(itertools.pairwise(cuts), (False, True), strict=True):
            for first in range(start, end, AT_ONCE):
                times, values = zip(*kept[first : min(first + AT_ONCE, end)], strict=True)
                expected = self._expected(times, values)
                yield from self._evidence(list(zip(values, expected, strict=True)), add=add)

    def _evidence(self, kept: list[tuple[float, float]], *, add: bool) -> list[list[float]]:
        """Return the evidence of all features of each record, of the latest records, and of each.

        The linear prediction and the net learn from the records.

        Args:
            kept: Usable values and the usual ones.
            add: Whether the records become part of the past that later ones are compared with.
        """
        limit = 1e12
        residuals = [min(max((v - e) / self._scale, -limit), limit) for v, e in kept]
        surprises = self._surprises([self.classes.of(value) for value, _ in kept])
        streams = self._features.update(residuals, surprises, add=add)
        # A product for each record, so that its rounding does not depend on the others.
        mixed: list[list[float]] = (streams[:, None] @ self._mixed)[:, 0].tolist()
        return mixed

    def _surprises(self, observed: list[int]) -> list[float]:
        """Return -log10 of the two-sided tail probability of each class, by the net."""
        answers = self._net.observe(observed)
        before = self._said.reshape(-1, self.classes.count)
        sums = np.concatenate([before, answers[:-1]]).cumsum(axis=1).tolist()
        self._said = answers[-1]
        first = len(observed) - len(sums)  # 1 before the net has said anything
        later = zip(sums, observed[first:], strict=True)
        return [0.0] * first + [_surprise(one, at) for one, at in later]


def _surprise(sums: list[float], observed: int) -> float:
    """Return -log10 of the two-sided tail probability of a class.

    Args:
        sums: The cumulative sums of the predicted probabilities.
        observed: The class.
    """
    above = sums[-1] - sums[observed - 1] if observed else sums[-1]
    return max(0.0, -math.log10(2 * max(min(above, sums[observed]), 0.0) + 1e-12))


def _with(kind: type[_T], attributes: dict[str, Any]) -> _T:
    made = kind.__new__(kind)
    vars(made).update(attributes)
    return made


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
