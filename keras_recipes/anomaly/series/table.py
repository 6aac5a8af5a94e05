"""The detectors of a table of numbers: one for each column, and one for all of them together.

A record has one verdict. It is that of the only column's detector or, of several columns, that of
`joint.JointView` and of the columns' detectors together, so that more columns do not give more
alarms. Files and streams use the same function, `TableDetector.judged`. The detectors' state is
kept in the card, or in the state's file of a stream.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from keras_recipes.anomaly import summary
from keras_recipes.anomaly.series import detector_state, verdicts
from keras_recipes.anomaly.series.alarm_policy import Verdict
from keras_recipes.anomaly.series.detector import AT_ONCE, Reading, SeriesDetector
from keras_recipes.anomaly.series.features import part
from keras_recipes.anomaly.series.joint_detector import JointDetector
from keras_recipes.anomaly.series.promise import Promise
from keras_recipes.anomaly.series.verdicts import Incidents, Judged
from keras_recipes.anomaly.state_file import State
from keras_recipes.data.series.records import names_of
from keras_recipes.data.time_series import CounterRate, Record, Series, SeriesLayout
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Askable
from keras_recipes.recipe import Learned, Row


@dataclass(eq=False)
class TableDetector:
    """The detectors of a table, and how to read it.

    Attributes:
        layout: The layout of the table; its `time` is None if the table has no times.
        detectors: One detector for each column of values, in order.
        counters: The columns that are counters. Their rates are watched.
        records: The number of records that were read.
        joint: The detector of all columns together; None for one column.
        promise: How high the evidence of normal records gets; None if it is not known.
        incidents: The rows about incidents.
    """

    layout: SeriesLayout
    detectors: dict[str, SeriesDetector]
    counters: dict[str, CounterRate] = field(default_factory=dict)
    records: int = 0
    joint: JointDetector | None = None
    promise: Promise | None = None
    incidents: Incidents = field(default_factory=Incidents)

    def __post_init__(self) -> None:
        if self.joint is None and len(self.detectors) > 1:
            # Cards from before there were joint detectors: the columns' own evidence decides.
            self.joint = JointDetector.of_columns(list(self.detectors.values()))

    @classmethod
    def of(cls, learned: Learned) -> "TableDetector":
        """Return the detectors in a card, which may be untrusted.

        Raises:
            CorruptModelError: The card is damaged.
        """
        if "watch" not in learned:
            raise CorruptModelError("the card's state of the series is missing; fit again")
        return cls.from_json(learned["watch"])

    @classmethod
    def of_model(
        cls, model: Askable, threshold: float, false_alarms_per_day: float | None
    ) -> "TableDetector":
        """Return the detectors of a model, with another threshold.

        Args:
            model: The model.
            threshold: The threshold.
            false_alarms_per_day: The promised number of false alarms a day, which decides the
                threshold; None uses `threshold`.

        Raises:
            InputError: The model has no card, or its normal records cannot promise anything.
            CorruptModelError: The card is damaged.
        """
        if model.card is None:
            raise InputError(
                "expected a model with a card, received a pair without one; the card holds what "
                "was learned from the numbers"
            )
        table = cls.of(model.card.learned)
        table.set_threshold(table.promised(threshold, false_alarms_per_day))
        return table

    def promised(self, threshold: float, false_alarms_per_day: float | None) -> float:
        """Return the threshold of a promised number of false alarms a day, or this threshold.

        Raises:
            InputError: The normal records cannot promise anything.
        """
        if false_alarms_per_day is None:
            return threshold
        if self.promise is None:
            raise InputError(
                "false_alarms_per_day: expected a model of records with times that are enough to "
                "promise it, received one of records without times, of too few, or an older one; "
                "give a threshold, or fit on more normal records"
            )
        return self.promise.threshold(false_alarms_per_day)

    def set_threshold(self, threshold: float) -> None:
        """Use another threshold from now on; nothing has to be learned again."""
        for detector in self.detectors.values():
            detector.set_threshold(threshold)
        if self.joint:
            self.joint.set_threshold(threshold)

    def rows(
        self,
        found: Series,
        *,
        per_column: bool = False,
        incidents: bool = False,
        goes_on: bool = False,
        at_once: int = AT_ONCE,
    ) -> Iterator[Row]:
        """Yield the rows about records.

        Args:
            found: The records, with the watched columns. Reading continues at its next record.
            per_column: Whether each column has a row for each record.
            incidents: Whether there is a row for each incident instead, when it is over.
            goes_on: Whether a later run continues an incident that is open at the end.
            at_once: As for `judged`.

        Returns:
            Rows with the keys of `verdicts.keys`.
        """
        judged = self.judged(found, at_once=at_once)
        if incidents:
            return self.incidents.rows(judged, goes_on=goes_on)
        return verdicts.rows(judged, per_column=per_column)

    def judged(self, found: Series, *, at_once: int = AT_ONCE) -> Iterator[Judged]:
        """Yield the verdict on each record.

        Args:
            found: The records, with the watched columns.
            at_once: The number of records that are read before the first of them is answered. The
                verdicts do not depend on it. If it is 1, the state is that after each record.
        """
        names = found.columns
        for records in _pieces(found.records, at_once):
            times = [None if self.layout.time is None else one.seconds for one in records]
            shown, said = [], []
            for number, name in enumerate(names):
                values = [one.values[number] for one in records]
                if counter := self.counters.get(name):
                    values = [counter.update(t, v) for t, v in zip(times, values, strict=True)]
                shown.append([value if math.isfinite(value) else None for value in values])
                said.append(self.detectors[name].update_all(times, values))
            for row, record in enumerate(records):
                # Records without times are numbered, and a continued stream counts on.
                written = str(self.records) if self.layout.time is None else record.timestamp
                self.records += 1
                values_of = {name: cells[row] for name, cells in zip(names, shown, strict=True)}
                readings = {name: cells[row] for name, cells in zip(names, said, strict=True)}
                verdict, blamed = self._verdict(values_of, readings)
                yield Judged(written, values_of, readings, verdict, blamed)

    def _verdict(
        self, values: Mapping[str, float | None], readings: Mapping[str, Reading]
    ) -> tuple[Verdict, tuple[str, ...]]:
        if self.joint is None:
            ((name, reading),) = readings.items()
            verdict = Verdict(reading.score, reading.alarm, reading.incident)
            return verdict, (name,) if reading.incident else ()
        order = list(self.detectors)
        verdict, deviations = self.joint.update(
            [math.nan if (value := values[name]) is None else value for name in order],
            [readings[name].evidence for name in order],
        )
        found = dict(zip(order, deviations.tolist(), strict=True)) if verdict.incident else {}
        return verdict, verdicts.blamed(found)

    def to_json(self) -> dict[str, Any]:
        """Return the layout and the detectors as JSON values."""
        return {
            "layout": self.layout.to_json(),
            "counters": {name: _counter_json(one) for name, one in self.counters.items()},
            "records": self.records,
            "detectors": {
                name: detector_state.to_json(one) for name, one in self.detectors.items()
            },
            "joint": self.joint.to_json() if self.joint else None,
            "promise": self.promise.to_json() if self.promise else None,
        }

    @classmethod
    def from_json(cls, values: Any) -> "TableDetector":
        """Return the detectors of `to_json`'s values, which may be untrusted.

        Raises:
            CorruptModelError: The values are damaged.
        """
        try:
            layout = SeriesLayout.from_json(values["layout"])
            assert layout.columns is not None
            detectors, counters = values["detectors"], values["counters"]
            if set(detectors) != set(layout.columns) or not set(counters) <= set(detectors):
                raise ValueError("columns")
            rates = {str(name): _counter(value) for name, value in counters.items()}
            records = _whole(values["records"])
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise CorruptModelError(
                f"the card's layout of the table is damaged: {str(error)[:80]}; fit again"
            ) from None
        made = {name: detector_state.from_json(detectors[name]) for name in layout.columns}
        joint = JointDetector.from_json(values.get("joint"), len(made))
        promise = Promise.from_json(values.get("promise"))
        return cls(layout, made, rates, records, joint, promise)

    def shown(self, rows: Iterator[Row], *, only_anomalies: bool, incidents: bool) -> Iterator[Row]:
        """Yield the rows that were asked for; if only anomalies were and there is none, log that.

        Args:
            rows: The rows from `rows`.
            only_anomalies: Whether only the first records of incidents are wanted.
            incidents: Whether the rows are about incidents, all of which are wanted.
        """
        before, found = self.records, False
        for row in rows:
            if incidents or not only_anomalies or row["anomaly"]:
                found = True
                yield row
        if not found and (incidents or only_anomalies):
            summary.say_none(self.records - before, "records")

    def state(self, model: str) -> State:
        """Return all that `restore` needs.

        Args:
            model: The model's digest.
        """
        plain = {
            "model": model,
            "records": self.records,
            "header": list(self.layout.header or ()),
            "counters": {name: _counter_json(one) for name, one in self.counters.items()},
            "incident": self.incidents.to_json(),
            "joint": self.joint.to_json() if self.joint else None,
        }
        arrays = {
            f"{number}/{name}": array
            for number, detector in enumerate(self.detectors.values())
            for name, array in detector.state().items()
        }
        return plain, arrays

    def restore(
        self, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], model: str
    ) -> None:
        """Set the detectors to a state from `state`, but keep the present thresholds.

        Args:
            plain: The JSON values of the state, which may be untrusted.
            arrays: The arrays of the state, which may be untrusted.
            model: The model's digest.

        Raises:
            InputError: The state was kept with another model.
            Exception: The state is damaged; Python and NumPy raise many different errors.
        """
        if plain["model"] != model:
            raise InputError("the state was kept with another model; name another file")
        counters = {name: _counter(plain["counters"][name]) for name in self.counters}
        detectors = {}
        for number, (name, before) in enumerate(self.detectors.items()):
            detectors[name] = detector_state.restored(part(arrays, f"{number}/"))
            detectors[name].set_threshold(before.threshold)
        joint = JointDetector.from_json(plain.get("joint"), len(detectors))
        if joint and self.joint:
            joint.set_threshold(self.joint.threshold)
            self.joint = joint
        self.incidents = Incidents.from_json(plain.get("incident"))
        self.records, self.counters = _whole(plain["records"]), counters
        self.layout = replace(self.layout, header=names_of(plain["header"]))
        self.detectors = detectors


def digest(learned: Learned) -> str:
    """Return a digest of what a model learned, to distinguish models."""
    return hashlib.sha256(json.dumps(learned, sort_keys=True).encode()).hexdigest()


def _pieces(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    """Yield records, some at a time; if reading fails, those that were read come first."""
    some: list[Record] = []
    try:
        for record in records:
            some.append(record)
            if len(some) == size:
                yield some
                some = []
    except Exception:
        if some:
            yield some
        raise
    if some:
        yield some


def _counter_json(one: CounterRate) -> list[float | None]:
    return [one.seconds, one.value if math.isfinite(one.value) else None]


def _counter(values: Any) -> CounterRate:
    made, (seconds, value) = CounterRate(), values
    for number in (seconds, value):
        if number is not None and not (type(number) in (int, float) and math.isfinite(number)):
            raise ValueError("counters")
    made.seconds, made.value = seconds, math.nan if value is None else float(value)
    return made


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < detector_state.MOST_RECORDS:
        raise ValueError("records")
    return value
