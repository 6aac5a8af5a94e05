"""From normal numbers over time to training, validation and test data: sequences of classes."""

import itertools
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_recipes.anomaly.series.source import listed, records_of
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.anomaly.series.value_classes import ValueClasses
from keras_recipes.data import demonstration, files, time_series
from keras_recipes.data.dataset import Dataset, Examples
from keras_recipes.data.time_series import CounterRate, Series, SeriesLayout
from keras_recipes.errors import InputError
from keras_recipes.recipe import Learned

TRAIN, KNOWN = 0.7, 0.9
"""Shares of the records: the training part, and the training and validation parts together."""

FEWEST = 30
"""The smallest number of values that a column can be learned from."""

VOCABULARY_SIZE = 24
"""The net's tokens: padding, twenty classes of equally frequent values, and values outside."""

MOST_COLUMNS = 100
"""Each column takes 50 to 160 kB of the card, whose size is limited."""

DAY = 86_400

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Observed:
    """Normal records, by column.

    Attributes:
        layout: How the table was read.
        counters: The columns that are counters. Their `values` are rates.
        times: The local times in seconds, of shape (N,); None for a record without a time.
        values: The values of each column, float64 of shape (N,); NaN for a missing value.
    """

    layout: SeriesLayout
    counters: Mapping[str, CounterRate]
    times: list[float | None]
    values: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def days(self) -> float:
        """The time span of the records in days; 0 if they have no times."""
        known = [time for time in self.times if time is not None]
        return (max(known) - min(known)) / DAY if known else 0.0


def asked_layout(
    *,
    columns: str | None,
    time: str | None,
    time_format: str | None,
    zone: str | None,
    decimal: str,
) -> SeriesLayout:
    """Return what is known about a table before it is read; see `kind.read`.

    Raises:
        InputError: There is no such time zone.
    """
    layout = SeriesLayout(
        time=time or None,
        columns=_wanted(columns),
        time_format=time_format or None,
        zone=zone or None,
        decimal={"point": ".", "comma": ","}.get(decimal),
    )
    layout.clock()  # refuses an unknown time zone
    return layout


def read(
    data: Sequence[str],
    learned: Learned | None,
    *,
    columns: str | None,
    time: str | None,
    time_format: str | None,
    zone: str | None,
    decimal: str,
    first: int | None,
    length: int,
) -> Dataset:
    """Return normal numbers over time, the last of them held out; see `kind.read`.

    Raises:
        InputError: The data cannot be read, or has too few numbers.
    """
    layout = asked_layout(
        columns=columns, time=time, time_format=time_format, zone=zone, decimal=decimal
    )
    before = TableDetector.of(learned) if learned else None
    paths, found = records_of(data, before.layout if before else layout)
    if before:
        found = time_series.with_rates(found, before.counters)
    observed = observe(paths, found, before, layout, first)
    if len(observed) < FEWEST:
        raise InputError(
            f"{', '.join(paths)}: expected at least {FEWEST} records, received {len(observed)}"
        )
    classes = {
        name: before.detectors[name].classes if before else _classes(observed, name)
        for name in observed.values
    }
    return Dataset(
        name=files.in_words([demonstration.SYNTHETIC.get(path, path) for path in paths]),
        **_parts(observed, classes, length),
        note=(
            f"{len(observed):,} normal records: the last tenth was held out to measure the false "
            "alarms, the fifth before it was used for validation"
        ),
        learned={"kind": "metrics"},
        implied={"classes": VOCABULARY_SIZE},
        known_as=tuple(paths),
        sequences=(observed, before),
    )


def _wanted(columns: str | None) -> tuple[str, ...] | None:
    names = [name.strip() for name in columns.split(",")] if columns else []
    if len(set(names)) < len(names):
        raise InputError(f"columns: expected each name once, received {columns}")
    return tuple(names) or None


def observe(
    paths: Sequence[str],
    found: Series,
    before: TableDetector | None,
    layout: SeriesLayout,
    first: int | None,
) -> Observed:
    """Return the first records by column, or all of them.

    Columns with too few numbers are left out. Counters are detected and replaced by their rates.

    Args:
        paths: The names of the files, for messages.
        found: The records.
        before: The detectors of a model whose training is continued.
        layout: What the user says about the table.
        first: The number of records; None takes all.

    Raises:
        InputError: There are too few numbers, or too many columns.
    """
    times, rows = [], []
    for record in itertools.islice(found.records, first or None):
        times.append(record.seconds)
        rows.append(record.values)
    table = np.array(rows, "float64").reshape(len(rows), len(found.columns))
    values = dict(zip(found.columns, table.T, strict=True))
    if before:
        observed = Observed(before.layout, before.counters, times, values)
    else:
        values = _usable(paths, values)
        counters = _with_rates(times, values)
        layout = replace(
            layout,
            time=found.time,
            columns=tuple(values),
            header=found.header or None,
            reading=found.reading or layout.reading,
        )
        observed = Observed(layout, counters, times, values)
    _report(paths, observed)
    for is_warning, note in found.notes:
        log.log(logging.WARNING if is_warning else logging.INFO, "%s", note)
    return observed


def _with_rates(times: list[float | None], values: dict[str, np.ndarray]) -> dict[str, CounterRate]:
    """Replace the values of counters by their rates, and return the counters by column."""
    names = [name for name in values if time_series.is_counter(values[name].tolist())]
    counters = {name: CounterRate() for name in names}
    for name, counter in counters.items():
        pairs = zip(times, values[name].tolist(), strict=True)
        values[name] = np.array([counter.update(time, value) for time, value in pairs])
    return counters


def _usable(paths: Sequence[str], values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the columns that have enough numbers."""
    numbers = {name: int(np.isfinite(column).sum()) for name, column in values.items()}
    kept = {name: column for name, column in values.items() if numbers[name] >= FEWEST}
    if not kept:
        raise InputError(
            f"{', '.join(paths)}: expected a column with at least {FEWEST} numbers to learn from, "
            f"received {max(numbers.values(), default=0)}; give more records"
        )
    if len(kept) > MOST_COLUMNS:
        raise InputError(
            f"{', '.join(paths)}: expected at most {MOST_COLUMNS} columns of numbers, received "
            f"{len(kept)}; choose some with --set columns=A,B"
        )
    if left := [name for name in values if name not in kept]:
        log.warning("columns with fewer than %d numbers are left out: %s", FEWEST, listed(left))
    return kept


def _report(paths: Sequence[str], observed: Observed) -> None:
    layout = observed.layout
    log.info(
        "%s: metrics, %s records of %s%s, %s",
        files.in_words(paths),
        f"{len(observed):,}",
        listed(list(observed.values)),
        f" (counters, watched as growth per second: {listed(list(observed.counters))})"
        * bool(observed.counters),
        f"times in {layout.times_in}" if layout.time is not None else "without times",
    )


def _classes(observed: Observed, name: str) -> ValueClasses:
    known = observed.values[name][: int(KNOWN * len(observed))]
    finite = known[np.isfinite(known)]
    if len(finite) < 10:
        raise InputError(
            f"{name}: expected at least 10 numbers in the first nine tenths of the records, "
            f"received {len(finite)}; choose other columns with --set columns=A,B"
        )
    return ValueClasses(finite)


def _parts(
    observed: Observed, classes: Mapping[str, ValueClasses], length: int
) -> dict[str, Examples]:
    """Return each column's token ids as rows, split by time into training and other parts."""
    cuts = [0, *(int(share * len(observed)) for share in (TRAIN, KNOWN)), len(observed)]
    parts = {}
    for number, name in enumerate(("train", "validation", "test")):
        pieces = [
            _rows(values[cuts[number] : cuts[number + 1]], classes[column], length)
            for column, values in observed.values.items()
        ]
        parts[name] = _examples(pieces, length)
        if not len(parts[name].x):
            raise InputError(
                f"records {cuts[number]:,} to {cuts[number + 1]:,}: expected numbers to "
                f"{'train on' if number == 0 else 'measure on'}, all are missing; remove these "
                "records"
            )
    return parts


def _rows(values: np.ndarray, classes: ValueClasses, length: int) -> np.ndarray:
    """Return a column's token ids as padded rows of shape (rows, length + 1).

    The last token of a row is the first token of the next row, so that it can be its target.
    """
    of_class = token_ids(classes)
    found = np.array(
        [of_class[classes.of(value)] for value in values.tolist() if math.isfinite(value)], "int32"
    )
    count = -(-max(len(found) - 1, 0) // length)
    rows = np.zeros((count, length + 1), "int32")
    for row in range(count):
        piece = found[row * length : row * length + length + 1]
        rows[row, : len(piece)] = piece
    return rows


def _examples(pieces: list[np.ndarray], length: int) -> Examples:
    rows = np.concatenate([np.zeros((0, length + 1), "int32"), *pieces])
    x, y = rows[:, :-1].copy(), rows[:, 1:]
    x[y == 0] = 0
    return Examples(x, y)


def token_ids(classes: ValueClasses) -> list[int]:
    """Return the net's token id for each class.

    Values below and values above the learned range have token ids of their own. A column with fewer
    classes leaves some token ids out.
    """
    return [*range(1, classes.count), VOCABULARY_SIZE - 1]
