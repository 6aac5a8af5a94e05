"""The records of an input: tables in files, a synthetic table, or values from Python."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.data import demonstration, demonstration_series, files, time_series
from keras_recipes.data.numbers import array
from keras_recipes.data.series import order
from keras_recipes.data.time_series import Record, Series, SeriesLayout
from keras_recipes.errors import InputError

_SYNTHETIC: dict[str, Callable[[], Series]] = {
    demonstration.METRICS: demonstration_series.normal,
    demonstration.BROKEN_METRICS: demonstration_series.broken,
}


def records_of(data: Sequence[str], layout: SeriesLayout) -> tuple[list[str], Series]:
    """Return the names of the files, and the records of all of them in order.

    Args:
        data: Paths, or the name of a synthetic series.
        layout: What is known about the table.

    Raises:
        InputError: There is no such file, or it is not such a table.
    """
    if "-" in data:
        raise InputError("expected files, received -; standard input can be read only once")
    if len(data) == 1 and data[0] in _SYNTHETIC:
        found = _SYNTHETIC[data[0]]()
        if layout.columns and layout.columns != found.columns:
            raise InputError(
                f"{data[0]}: expected the column {listed(found.columns)}, received "
                f"{listed(layout.columns)}"
            )
        return list(data), found
    names = time_series.names(data)
    found = _joined(names, layout)
    return names, replace(found, records=order.watched(files.in_words(names), found.records))


def to_judge(given: Any, table: TableDetector, after: int = 0) -> Series:
    """Return the records to judge.

    Args:
        given: Paths, or a DataFrame or numbers from Python.
        table: The detectors of the table.
        after: The number of first records that are not judged; `table` counts them.

    Raises:
        InputError: `given` is none of these.
    """
    found = _all(given, table)
    table.records += after
    return _later(found, after)


def _all(given: Any, table: TableDetector) -> Series:
    if hasattr(given, "columns"):
        found = time_series.from_frame(given, table.layout)
        return replace(found, records=order.watched("DataFrame", found.records))
    if texts := files.as_texts(given):
        return records_of(texts, table.layout)[1]
    names = list(table.detectors)
    expected = f"numbers of shape (N, {len(names)}), a DataFrame, or paths"
    numbers = array(given, expected).astype("float64")
    values = numbers[:, None] if numbers.ndim == 1 and len(names) == 1 else numbers
    if values.ndim != 2 or values.shape[1] != len(names) or not len(values):
        raise InputError(f"expected {expected}, received shape {numbers.shape}")
    records = (Record(str(number), None, tuple(row)) for number, row in enumerate(values.tolist()))
    return Series(tuple(names), records)


def _later(found: Series, after: int) -> Series:
    return replace(found, records=itertools.islice(found.records, after, None))


def check_any(found: Series, paths: Sequence[str], after: int) -> None:
    """Refuse files without records after the first ones.

    Raises:
        InputError: There are none.
    """
    if next(iter(_later(found, after).records), None) is None:
        where = f" after the first {after:,}" if after else ""
        raise InputError(f"{', '.join(paths)}: expected records{where}, received none")


def listed(names: Sequence[str]) -> str:
    """Return names of columns in words; of more than five names, the first five."""
    some = ", ".join(names[:5])
    return some if len(names) <= 5 else f"{some} and {len(names) - 5} more"


def _joined(names: Sequence[str], layout: SeriesLayout) -> Series:
    """Return the records of several files that are parts of one table.

    The first file decides how all of them are read.

    Raises:
        InputError: A file has other columns than the first. It is raised while the records are
            read.
    """
    first = time_series.read(names[0], layout)
    known = replace(
        layout,
        time=first.time,
        columns=first.columns,
        header=first.header or None,
        reading=first.reading,
    )

    def records() -> Iterator[Record]:
        yield from first.records
        for name in names[1:]:
            found = time_series.read(name, known)
            if layout.reading is None and set(found.header) != set(first.header):
                raise InputError(
                    f"{name}: expected the columns of {names[0]}, {', '.join(first.header)}, "
                    f"received {', '.join(found.header)}; fit a model for each table"
                )
            yield from found.records

    return replace(first, records=records())
