"""Labels: which sessions or records are anomalies, from CSV files.

For sessions the columns are `session` and `anomaly`. For series of numbers they are `start` and
`end`, or `timestamp`.
"""

import csv
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_recipes.data.time_series import SeriesLayout, TimeParser
from keras_recipes.errors import InputError

BEGINS = ("start", "begin", "from", "timestamp", "time")
ENDS = ("end", "stop", "until", "to")

_TRUTH = {
    **dict.fromkeys(("1", "true", "yes", "anomaly", "anomalous", "abnormal"), 1),
    **dict.fromkeys(("0", "false", "no", "normal", "-"), 0),
}

log = logging.getLogger(__name__)


def read(file: str) -> dict[str, int]:
    """Read the labels of sessions: 1 for an anomaly, 0 for a normal session.

    The columns are `session` (or `id`, `blockid`, `key`) and `anomaly` (or `label`, `is_anomaly`),
    in upper or lower case. An anomaly is written as 1, true, yes or anomaly.

    Raises:
        InputError: The file cannot be read, or has other columns or values.
    """
    rows, header = _table(file)
    key = _column(header, ("session", "id", "blockid", "key"), file, "session,anomaly")
    label = _column(header, ("anomaly", "label", "is_anomaly"), file, "session,anomaly")
    return {row[key].strip(): _truth(row[label], where) for where, row in rows}


def _table(file: str) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """Return the rows that are as long as the header, with file and line, and the header."""
    try:
        with Path(file).open(newline="", encoding="utf-8-sig") as text:
            lines = csv.reader(text)
            header = [name.strip().lower() for name in next(lines, [])]
            rows = [(f"{file} line {lines.line_num}", row) for row in lines]
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: expected CSV text: {error}") from None
    return [(where, row) for where, row in rows if len(row) >= len(header)], header


class Window(NamedTuple):
    """A labelled anomaly of a series, its ends included.

    Attributes:
        begin: The first time, as `Record.seconds`; or the first record's number without times.
        end: The last time, or the last record's number.
    """

    begin: float
    end: float


def windows(file: str, layout: SeriesLayout) -> list[Window]:
    """Read the labelled anomalies of a series.

    The rows have the columns `start` and `end`, or `timestamp` for a single record. If there is a
    column `anomaly` (or `label`), rows with 0 in it are skipped.

    Args:
        file: A CSV file.
        layout: The layout of the series, which says how the times are written.

    Raises:
        InputError: The file cannot be read, or has other columns or values.
    """
    rows, header = _table(file)
    begin = _column(header, BEGINS, file, "start,end")
    end = next((header.index(name) for name in ENDS if name in header), begin)
    label = next((header.index(n) for n in ("anomaly", "label") if n in header), None)
    times = TimeParser(layout)
    found = []
    for where, row in rows:
        if label is not None and not _truth(row[label], where):
            continue
        texts = row[begin], row[end]
        if layout.time is None:
            first, last = (_number(where, text) for text in texts)
        else:
            first, last = (times.seconds(where, text) for text in texts)
        if last < first:
            raise InputError(f"{where}: expected an end after the start, received {','.join(row)}")
        found.append(Window(first, last))
    if not found:
        raise InputError(f"{file}: expected at least one labelled anomaly, received none")
    return found


def _number(where: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{where}: expected the number of a record, received {text!r}") from None


def matched(labels: Mapping[str, int], names: Sequence[str], file: str) -> np.ndarray:
    """Return the labels of these sessions, int64 of shape (N,).

    Raises:
        InputError: A session has no label.
    """
    without = [name for name in names if name not in labels]
    if without:
        raise InputError(
            f"{file}: expected a label for each session, received no label for {len(without):,} of "
            f"{len(names):,} sessions, such as {without[0]!r}"
        )
    unused = len(labels.keys() - set(names))
    if unused:
        log.warning("%s: %s labelled sessions do not occur in the log", file, f"{unused:,}")
    return np.array([labels[name] for name in names], "int64")


def _column(header: Sequence[str], names: Sequence[str], file: str, wanted: str) -> int:
    for name in names:
        if name in header:
            return header.index(name)
    raise InputError(f"{file}: expected the columns {wanted}, received {','.join(header)}")


def _truth(text: str, where: str) -> int:
    value = _TRUTH.get(text.strip().lower())
    if value is None:
        raise InputError(f"{where}: expected anomaly 0 or 1, received {text!r}")
    return value
