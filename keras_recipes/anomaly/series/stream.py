"""Rows about records on standard input, as they arrive, with a state that is kept in a file."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.anomaly.state_file import StateFile
from keras_recipes.data import lines, time_series
from keras_recipes.errors import InputError
from keras_recipes.recipe import Row

TICK = 1.0
"""Seconds without a line after which the program checks whether to write the state."""

REPORTED = 3
"""The number of skipped rows that are reported one by one; further rows are only counted."""

log = logging.getLogger(__name__)


def rows(
    table: TableDetector, state: str | None, model: str, *, per_column: bool, incidents: bool
) -> Iterator[Row]:
    """Yield the rows about each record on standard input, as soon as it arrives.

    Args:
        table: The detectors; they continue from the state if it was kept.
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
    return _rows(table, file, asked)


def _rows(table: TableDetector, file: StateFile, asked: Mapping[str, bool]) -> Iterator[Row]:
    with file.watching():
        skipped = _SkippedRows()
        text = _text(lines.from_standard_input(TICK), file)
        try:
            found = time_series.from_lines("standard input", text, table.layout, skipped)
        except InputError:
            if not table.records:
                raise
            found = None  # no new rows since the last run
        if found is not None:
            # A later run may begin after the header.
            table.layout = replace(table.layout, header=found.header)
            yield from table.rows(found, **asked)
        skipped.report()
        file.write()


class _SkippedRows:
    """Reports and counts malformed rows of a stream, which are skipped so that it goes on."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, message: str) -> None:
        self.count += 1
        if self.count <= REPORTED:
            log.warning("%s; row skipped", message)

    def report(self) -> None:
        if self.count > REPORTED:
            log.warning("%s malformed rows were skipped", f"{self.count:,}")


def _text(blocks: Iterable[list[bytes]], file: StateFile) -> Iterator[str]:
    """Yield the lines as text; between two blocks of lines the state may be written."""
    first = True
    for block in blocks:
        for line in block:
            text = lines.decode(line)
            yield (text.removeprefix("\ufeff") if first else text) + "\n"
            first = False
        file.boundary()
