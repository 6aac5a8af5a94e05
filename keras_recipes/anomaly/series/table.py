"""A table of numbers under watch: every column has its detector; records in, rows out.

One function, `TableDetector.rows`, is behind bulk and stream; what it remembers goes into a card,
or into the file that a stream's state is kept in.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from keras_recipes.anomaly import summary
from keras_recipes.anomaly.series import detector_state
from keras_recipes.anomaly.series.detector import SeriesDetector, part
from keras_recipes.anomaly.state_file import State
from keras_recipes.data.time_series import CounterRate, Series, SeriesLayout
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Learned, Row

MOST_COLUMNS = 10_000
LONGEST_NAME = 1_000


@dataclass(eq=False)
class TableDetector:
    """What is remembered of a table.

    Attributes:
        layout: How it is read: the column of times (None: it has none), those of values.
        detectors: One for each column of values, in order.
        counters: Those columns that are counters, of which the rate is watched.
        records: How many were read.
    """

    layout: SeriesLayout
    detectors: dict[str, SeriesDetector]
    counters: dict[str, CounterRate] = field(default_factory=dict)
    records: int = 0

    @classmethod
    def of(cls, learned: Learned) -> "TableDetector":
        """What a card remembers, trusting nothing in it.

        Raises:
            CorruptModelError: It is damaged.
        """
        if "watch" not in learned:
            raise CorruptModelError("the card's state of the series is missing; fit again")
        return cls.from_json(learned["watch"])

    @classmethod
    def of_fitted(cls, fitted: Fitted, threshold: float) -> "TableDetector":
        """The same with another threshold for every column.

        Raises:
            InputError: The model has no card.
            CorruptModelError: The card is damaged.
        """
        if fitted.card is None:
            raise InputError("a pair without a card cannot judge: what it learned is in the card")
        table = cls.of(fitted.card.learned)
        for detector in table.detectors.values():
            detector.set_threshold(threshold)
        return table

    def rows(self, found: Series) -> Iterator[Row]:
        """Rows about each record, as soon as it is there.

        Args:
            found: To be read from its next record on, with the columns that are watched.

        Returns:
            A row for each value with the keys `timestamp`, `value` (None where it is missing; of a
            counter its growth a second), `score`, `anomaly` (0 or 1), `expected_low` and
            `expected_high`; where there are several columns, with their names as `column`.
        """
        named = len(self.detectors) > 1
        columns = [(name, self.detectors[name], self.counters.get(name)) for name in found.columns]
        for timestamp, seconds, values in found.records:
            when = seconds
            if self.layout.time is None:
                # Such records are numbered, also those of a stream that was interrupted.
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
        """As plain values, the whole of it."""
        return {
            "layout": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(self.layout).items()
            },
            "counters": {name: _counter_json(one) for name, one in self.counters.items()},
            "records": self.records,
            "detectors": {
                name: detector_state.to_json(one) for name, one in self.detectors.items()
            },
        }

    @classmethod
    def from_json(cls, values: Any) -> "TableDetector":
        """What `to_json` gave, trusting nothing in it.

        Raises:
            CorruptModelError: It is something else.
        """
        try:
            layout = _layout(values["layout"])
            assert layout.columns is not None
            detectors, counters = values["detectors"], values["counters"]
            if set(detectors) != set(layout.columns) or not set(counters) <= set(detectors):
                raise ValueError("columns")
            rates = {str(name): _counter(value) for name, value in counters.items()}
            records = _whole(values["records"])
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise CorruptModelError(
                f"the card's way to read numbers is damaged: {str(error)[:80]}; fit again"
            ) from None
        made = {name: detector_state.from_json(detectors[name]) for name in layout.columns}
        return cls(layout, made, rates, records)

    def anomalies(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Those of this table's rows that are anomalies; where there is none, that is said."""
        return summary.anomalies(rows, "records", at_once=len(self.detectors))

    def state(self, model: str) -> State:
        """What `restore` needs.

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
        """Goes on where the state was given, with today's thresholds.

        Args:
            plain: Of the state, which may be anybody's.
            arrays: Likewise.
            model: The model's digest.

        Raises:
            InputError: It was kept with another model.
            Exception: Whatever Python and NumPy say of a damaged one.
        """
        if plain["model"] != model:
            raise InputError("was kept with another model; name another file")
        counters = {name: _counter(plain["counters"][name]) for name in self.counters}
        detectors = {}
        for number, (name, before) in enumerate(self.detectors.items()):
            detectors[name] = detector_state.restored(part(arrays, f"{number}/"))
            detectors[name].set_threshold(before.threshold)
        self.records, self.counters = _whole(plain["records"]), counters
        self.layout = replace(self.layout, header=_names(plain["header"]))
        self.detectors = detectors


def digest(learned: Learned) -> str:
    """Tells models apart by what they learned."""
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


def _layout(values: Any) -> SeriesLayout:
    columns, header = _names(values["columns"]), _names(values["header"] or [])
    if not columns:
        raise ValueError("columns")
    texts = [values[name] for name in ("time", "time_format", "zone")]
    if not all(text is None or (isinstance(text, str) and text) for text in texts):
        raise ValueError("layout")
    time, time_format, zone = texts
    layout = SeriesLayout(time, columns, time_format, zone, header)
    layout.clock()
    return layout


def _names(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or len(set(values)) < len(values) or len(values) > MOST_COLUMNS:
        raise ValueError("columns")
    if not all(isinstance(name, str) and len(name) <= LONGEST_NAME for name in values):
        raise ValueError("columns")
    return tuple(values)


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < detector_state.MOST_RECORDS:
        raise ValueError("records")
    return value
