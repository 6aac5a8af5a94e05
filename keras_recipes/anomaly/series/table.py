"""The detectors of a table of numbers, one for each column.

Files and streams use the same function, `TableDetector.rows`. The detectors' state is kept in the
card, or in the state's file of a stream.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from keras_recipes.anomaly import summary
from keras_recipes.anomaly.series import detector_state
from keras_recipes.anomaly.series.detector import SeriesDetector, part
from keras_recipes.anomaly.state_file import State
from keras_recipes.data.series.records import names_of
from keras_recipes.data.time_series import CounterRate, Series, SeriesLayout
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Learned, Row


@dataclass(eq=False)
class TableDetector:
    """The detectors of a table, and how to read it.

    Attributes:
        layout: The layout of the table; its `time` is None if the table has no times.
        detectors: One detector for each column of values, in order.
        counters: The columns that are counters. Their rates are watched.
        records: The number of records that were read.
    """

    layout: SeriesLayout
    detectors: dict[str, SeriesDetector]
    counters: dict[str, CounterRate] = field(default_factory=dict)
    records: int = 0

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
    def of_fitted(cls, fitted: Fitted, threshold: float) -> "TableDetector":
        """Return the detectors of a model, with another threshold for every column.

        Raises:
            InputError: The model has no card.
            CorruptModelError: The card is damaged.
        """
        if fitted.card is None:
            raise InputError(
                "expected a model with a card, received a pair without one; the card holds what "
                "was learned from the numbers"
            )
        table = cls.of(fitted.card.learned)
        for detector in table.detectors.values():
            detector.set_threshold(threshold)
        return table

    def rows(self, found: Series) -> Iterator[Row]:
        """Yield the rows about each record, as soon as it is read.

        Args:
            found: The records, with the watched columns. Reading continues at its next record.

        Returns:
            A row for each value with the keys `timestamp`, `value` (None if it is missing; the
            growth per second for a counter), `score`, `anomaly` (0 or 1), `expected_low` and
            `expected_high`. If several columns are watched, `column` is the column's name.
        """
        named = len(self.detectors) > 1
        columns = [(name, self.detectors[name], self.counters.get(name)) for name in found.columns]
        for timestamp, seconds, values in found.records:
            when = seconds
            if self.layout.time is None:
                # Records without times are numbered, and a continued stream counts on.
                timestamp, when = str(self.records), None
            self.records += 1
            for (name, detector, counter), value in zip(columns, values, strict=True):
                if counter:
                    value = counter.update(when, value)
                reading = detector.update(when, value)
                yield {
                    "timestamp": timestamp,
                    **({"column": name} if named else {}),
                    "value": value if math.isfinite(value) else None,
                    "score": reading.score,
                    "anomaly": int(reading.score >= 0.5),
                    "expected_low": reading.low,
                    "expected_high": reading.high,
                }

    def to_json(self) -> dict[str, Any]:
        """Return the layout and the detectors as JSON values."""
        return {
            "layout": self.layout.to_json(),
            "counters": {name: _counter_json(one) for name, one in self.counters.items()},
            "records": self.records,
            "detectors": {
                name: detector_state.to_json(one) for name, one in self.detectors.items()
            },
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
        return cls(layout, made, rates, records)

    def anomalies(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield the rows that are anomalies; if there is none, log that."""
        return summary.anomalies(rows, "records", at_once=len(self.detectors))

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
        self.records, self.counters = _whole(plain["records"]), counters
        self.layout = replace(self.layout, header=names_of(plain["header"]))
        self.detectors = detectors


def digest(learned: Learned) -> str:
    """Return a digest of what a model learned, to distinguish models."""
    return hashlib.sha256(json.dumps(learned, sort_keys=True).encode()).hexdigest()


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
