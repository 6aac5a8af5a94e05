"""The records of an input: tables in files, a synthetic table, or values from Python."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.data import demonstration, demonstration_series, files, time_series
from keras_recipes.data.numbers import array
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
    return names, _joined([(name, partial(time_series.read, name, layout)) for name in names])


def to_judge(given: Any, table: TableDetector) -> Series:
    """Return the records to judge.

    Args:
        given: Paths, or a DataFrame or numbers from Python.
        table: The detectors of the table.

    Raises:
        InputError: `given` is none of these.
    """
    if hasattr(given, "columns"):
        return time_series.from_frame(given, table.layout)
    if texts := files.as_texts(given):
        return records_of(texts, table.layout)[1]
    names = list(table.detectors)
    expected = f"numbers of shape (N, {len(names)}), a DataFrame, or paths"
    found = array(given, expected).astype("float64")
    values = found[:, None] if found.ndim == 1 and len(names) == 1 else found
    if values.ndim != 2 or values.shape[1] != len(names) or not len(values):
        raise InputError(f"expected {expected}, received shape {found.shape}")
    records = (Record(str(number), None, tuple(row)) for number, row in enumerate(values.tolist()))
    return Series(tuple(names), records)


def listed(names: Sequence[str]) -> str:
    """Return names of columns in words; of more than five names, the first five."""
    some = ", ".join(names[:5])
    return some if len(names) <= 5 else f"{some} and {len(names) - 5} more"


def _joined(several: Sequence[tuple[str, Callable[[], Series]]]) -> Series:
    """Return the records of several files that are parts of one table.

    Args:
        several: The name of each file, and a function that begins to read it.

    Raises:
        InputError: A file has other columns than the first. It is raised while the records are
            read.
    """
    first_name, read = several[0]
    first = read()

    def records() -> Iterator[Record]:
        yield from first.records
        for name, read in several[1:]:
            found = read()
            if found.columns != first.columns:
                raise InputError(
                    f"{name}: expected the columns of {first_name}, {', '.join(first.columns)}, "
                    f"received {', '.join(found.columns)}; fit a model for each table"
                )
            yield from found.records

    return Series(first.columns, records(), first.time, first.header)
