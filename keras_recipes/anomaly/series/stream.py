"""Rows about records as they arrive, with a state that is kept in a file."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from keras_recipes.anomaly.passed_over import PassedOver
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.anomaly.state_file import StateFile
from keras_recipes.data import lines, time_series
from keras_recipes.data.series.dialect import by_first_line
from keras_recipes.data.series.records import FORMER, SeriesLayout
from keras_recipes.errors import InputError
from keras_recipes.recipe import Row

TOO_LONG = f"expected at most {lines.LONGEST:,} bytes"


def rows(
    table: TableDetector,
    blocks: Iterator[list[bytes]],
    state: str | None,
    model: str,
    *,
    per_column: bool,
    incidents: bool,
) -> Iterator[Row]:
    """Yield the rows about each record, as soon as it arrives.

    Args:
        table: The detectors; they continue from the state if it was kept.
        blocks: The lines, some at a time; an empty list means that time passed.
        state: File that keeps the state when the input ends or the program is stopped. The next run
            continues from it. None keeps no state.
        model: The model's digest.
        per_column: As for `TableDetector.rows`.
        incidents: As for `TableDetector.rows`.

    Raises:
        InputError: The file is the state of another model, or cannot be written.
        CorruptModelError: The file is damaged.
        StoppedError: The program was stopped, and the state was kept.
    """
    file = StateFile(
        state,
        lambda: f"the state after {table.records:,} records is kept",
        lambda: table.state(model),
    )
    file.restore(lambda plain, arrays: table.restore(plain, arrays, model))
    asked = {"per_column": per_column, "incidents": incidents, "goes_on": state is not None}
    return _rows(table, blocks, file, asked)


def _rows(
    table: TableDetector,
    blocks: Iterator[list[bytes]],
    file: StateFile,
    asked: Mapping[str, bool],
) -> Iterator[Row]:
    with file.watching():
        skipped = PassedOver("row")
        text = _records(blocks, file, table.layout, skipped)
        try:
            found = time_series.from_lines("standard input", text, table.layout, skipped)
        except InputError:
            if not table.records:
                raise
            found = None  # no new rows since the last run
        if found is not None:
            # A later run may begin after the header.
            table.layout = replace(table.layout, header=found.header)
            # A record is answered before the next one is there.
            yield from table.rows(found, **asked, at_once=1)
        skipped.report()
        file.write()


def _records(
    blocks: Iterable[list[bytes]], file: StateFile, layout: SeriesLayout, skipped: PassedOver
) -> Iterator[str]:
    """Yield the lines that may be records; between two blocks of lines the state may be written.

    Other lines become empty, so that all keep their numbers.
    """
    first, number = "", 0
    for block in blocks:
        for line in block:
            number += 1
            text = lines.decode(line).removeprefix("\ufeff")
            first = first or text.strip()
            wrong = _wrong(text, first, layout) if len(line) < lines.LONGEST else TOO_LONG
            if wrong:
                skipped(f"standard input line {number}: {wrong}, received {text.strip()[:40]!r}")
            yield "\n" if wrong else text + "\n"
        file.boundary()


def _wrong(text: str, first: str, layout: SeriesLayout) -> str:
    """Return what was expected of a line that is no record by itself; empty if it may be one.

    A quotation mark that is never closed would otherwise take all later lines for its cell.
    """
    known = layout.reading or FORMER
    if first[:1] == "{" or known.form not in ("", "csv"):
        return ""
    if len(text) <= csv.field_size_limit() and '"' not in text and "\r" not in text:
        return ""
    delimiter = known.delimiter or by_first_line(first)
    try:
        cells = next(csv.reader([text + "\n"], delimiter=delimiter))
    except csv.Error as error:
        return "expected no carriage return" if "\r" in text else f"expected CSV, but {error}"
    return "expected a closing quotation mark" if cells and cells[-1].endswith("\n") else ""
