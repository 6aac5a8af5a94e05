"""A table of numbers under watch: every column has its detector; records in, rows out.

One function, `Watch.rows`, is behind bulk and stream; what it remembers goes into a card, or into
the file that a stream's state is kept in.
"""

import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from keras_recipes.anomaly.series import state
from keras_recipes.anomaly.series.detector import SeriesDetector, part
from keras_recipes.anomaly.state_file import Keeper
from keras_recipes.data import lines, time_series
from keras_recipes.data.time_series import Increase, Layout, Record, Series
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.recipe import Row

if TYPE_CHECKING:
    import numpy as np

MOST_COLUMNS = 10_000
LONGEST_NAME = 1_000

TICK = 1.0
"""Seconds without a line after which is looked whether the state has to be kept."""

TOLD = 3
"""So many rows of a stream that do not fit are shown; further ones are only counted."""

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Watch:
    """What is remembered of a table.

    Attributes:
        layout: How it is read: the column of times (None: it has none), those of values.
        detectors: One for each column of values, in order.
        counters: Those columns that are counters, of which the growth a second is watched.
        records: How many were read.
    """

    layout: Layout
    detectors: dict[str, SeriesDetector]
    counters: dict[str, Increase] = field(default_factory=dict)
    records: int = 0

    def rows(self, found: Series) -> Iterator[Row]:
        """What is said of each record, as soon as it is there.

        Args:
            found: To be read from its next record on, with this watch's columns.

        Returns:
            A row for each value with the keys `timestamp`, `value` (None where it is missing; of a
            counter its growth a second), `score`, `anomaly` (0 or 1), `expected_low` and
            `expected_high`; where there are several columns, with their names as `column`.
        """
        named = len(self.detectors) > 1
        several = [(name, self.detectors[name], self.counters.get(name)) for name in found.columns]
        for timestamp, seconds, values in found.records:
            when = seconds
            if self.layout.time is None:
                # Such records are numbered, also those of a stream that was interrupted.
                timestamp, when = str(self.records), None
            self.records += 1
            for (name, detector, counter), value in zip(several, values, strict=True):
                if counter:
                    value = counter.of(when, value)
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

    def live(self, state: str | None, digest: str) -> Iterator[Row]:
        """What is said of each record on standard input, as soon as it is there.

        Args:
            state: File that keeps what is remembered when the input ends or the program is stopped,
                and from which the next run goes on.
            digest: Of the model.

        Raises:
            InputError: The file was kept for another model, or cannot be written.
            CorruptModelError: The file is damaged.
            StoppedError: The program was asked to stop, and the state is kept.
        """
        keeper = Keeper(
            state,
            lambda: f"the state after {self.records:,} records is kept",
            lambda: self._state(digest),
        )
        keeper.restore(lambda kept: self._restore(kept, digest))
        with keeper.watching():
            refused = _Refused()
            text = _arriving(lines.arriving(TICK), keeper)
            try:
                found = time_series.from_lines("standard input", text, self.layout, refused)
            except InputError:
                if not self.records:
                    raise
                found = None  # nothing new since the last run
            if found is not None:
                # A later run may begin behind the header.
                self.layout = replace(self.layout, header=found.header)
                yield from self.rows(found)
            refused.tell()
            keeper.keep()

    def set_threshold(self, threshold: float) -> None:
        """Another threshold for every column."""
        for detector in self.detectors.values():
            detector.set_bar(threshold)

    def to_json(self) -> dict[str, Any]:
        """As plain values, the whole of it."""
        return {
            "layout": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(self.layout).items()
            },
            "counters": {name: _increase(one) for name, one in self.counters.items()},
            "records": self.records,
            "detectors": {name: state.to_json(one) for name, one in self.detectors.items()},
        }

    @classmethod
    def from_json(cls, values: Any) -> "Watch":
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
            grown = {str(name): _restored(value) for name, value in counters.items()}
            records = _whole(values["records"])
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise CorruptModelError(
                f"the card's way to read numbers is damaged: {str(error)[:80]}; fit again"
            ) from None
        made = {name: state.from_json(detectors[name]) for name in layout.columns}
        return cls(layout, made, grown, records)

    def _state(self, digest: str) -> "Mapping[str, np.ndarray]":
        import numpy as np

        meta = {
            "model": digest,
            "records": self.records,
            "header": self.layout.header,
            "counters": {name: _increase(one) for name, one in self.counters.items()},
        }
        arrays = {"meta": np.frombuffer(json.dumps(meta).encode(), "uint8")}
        for number, detector in enumerate(self.detectors.values()):
            for name, array in detector.state().items():
                arrays[f"{number}/{name}"] = array
        return arrays

    def _restore(self, kept: "Mapping[str, np.ndarray]", digest: str) -> None:
        meta = json.loads(kept["meta"].tobytes())
        if meta["model"] != digest:
            raise InputError("was kept with another model; name another file")
        counters = {name: _restored(meta["counters"][name]) for name in self.counters}
        thresholds = [detector.options["bar"] for detector in self.detectors.values()]
        detectors = [state.detector(part(kept, f"{number}/")) for number in range(len(thresholds))]
        for one, threshold in zip(detectors, thresholds, strict=True):
            one.set_bar(threshold)
        self.records, self.counters = _whole(meta["records"]), counters
        self.layout = replace(self.layout, header=_names(meta["header"]))
        self.detectors = dict(zip(self.detectors, detectors, strict=True))


class _Refused:
    """Rows of a stream that do not fit: passed over, since those behind them matter more."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, message: str) -> None:
        self.count += 1
        if self.count <= TOLD:
            log.warning("%s; passed over", message)

    def tell(self) -> None:
        if self.count > TOLD:
            log.warning("%s rows did not fit and were passed over", f"{self.count:,}")


def _arriving(blocks: Iterable[list[bytes]], keeper: Keeper) -> Iterator[str]:
    """Lines of text; between two of them nothing is half done, and the state can be kept."""
    first = True
    for some in blocks:
        for line in some:
            text = lines.shown(line)
            yield (text.removeprefix("\ufeff") if first else text) + "\n"
            first = False
        keeper.look()


def joined(several: Sequence[tuple[str, Callable[[], Series]]]) -> Series:
    """Files that are parts of one table, one behind the other.

    Args:
        several: What each is called, and what begins to read it.

    Raises:
        InputError: As the records are read: the columns of one differ.
    """
    first_name, read = several[0]
    first = read()

    def records() -> Iterator[Record]:
        yield from first.records
        for name, read in several[1:]:
            found = read()
            if found.columns != first.columns:
                raise InputError(
                    f"{name}: expected the columns of {first_name}, {', '.join(first.columns)}; "
                    f"there are {', '.join(found.columns)}: fit a model for each"
                )
            yield from found.records

    return Series(first.columns, records(), first.time, first.header)


def _increase(one: Increase) -> list[float | None]:
    return [one.seconds, one.value if math.isfinite(one.value) else None]


def _restored(values: Any) -> Increase:
    made, (seconds, value) = Increase(), values
    for number in (seconds, value):
        if number is not None and not (type(number) in (int, float) and math.isfinite(number)):
            raise ValueError("counters")
    made.seconds, made.value = seconds, math.nan if value is None else float(value)
    return made


def _layout(values: Any) -> Layout:
    columns, header = _names(values["columns"]), _names(values["header"] or [])
    if not columns:
        raise ValueError("columns")
    texts = [values[name] for name in ("time", "time_format", "zone")]
    if not all(text is None or (isinstance(text, str) and text) for text in texts):
        raise ValueError("layout")
    time, time_format, zone = texts
    layout = Layout(time, columns, time_format, zone, header)
    layout.clock()
    return layout


def _names(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or len(set(values)) < len(values) or len(values) > MOST_COLUMNS:
        raise ValueError("columns")
    if not all(isinstance(name, str) and len(name) <= LONGEST_NAME for name in values):
        raise ValueError("columns")
    return tuple(values)


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < state.MOST_RECORDS:
        raise ValueError("records")
    return value
