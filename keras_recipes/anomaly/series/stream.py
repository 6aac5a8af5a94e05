"""Records on standard input: judged as they arrive, what is remembered kept in a file."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.anomaly.state_file import StateFile
from keras_recipes.data import lines, time_series
from keras_recipes.errors import InputError
from keras_recipes.recipe import Row

TICK = 1.0
"""Seconds without a line after which is looked whether the state has to be kept."""

REPORTED = 3
"""So many rows of a stream that do not fit are reported; further ones are only counted."""

log = logging.getLogger(__name__)


def rows(table: TableDetector, state: str | None, model: str) -> Iterator[Row]:
    """Rows about each record on standard input, as soon as it is there.

    Args:
        table: What judges; goes on where the state was kept.
        state: File that keeps what is remembered when the input ends or the program is stopped, and
            from which the next run goes on.
        model: The model's digest.

    Raises:
        InputError: The file was kept for another model, or cannot be written.
        CorruptModelError: The file is damaged.
        StoppedError: The program was asked to stop, and the state is kept.
    """
    file = StateFile(
        state,
        lambda: f"the state after {table.records:,} records is kept",
        lambda: table.state(model),
    )
    file.restore(lambda plain, arrays: table.restore(plain, arrays, model))
    return _rows(table, file)


def _rows(table: TableDetector, file: StateFile) -> Iterator[Row]:
    with file.watching():
        misfits = _Misfits()
        text = _text(lines.from_standard_input(TICK), file)
        try:
            found = time_series.from_lines("standard input", text, table.layout, misfits)
        except InputError:
            if not table.records:
                raise
            found = None  # nothing new since the last run
        if found is not None:
            # A later run may begin behind the header.
            table.layout = replace(table.layout, header=found.header)
            yield from table.rows(found)
        misfits.report()
        file.write()


class _Misfits:
    """Rows of a stream that do not fit: passed over, since those behind them matter more."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, message: str) -> None:
        self.count += 1
        if self.count <= REPORTED:
            log.warning("%s; passed over", message)

    def report(self) -> None:
        if self.count > REPORTED:
            log.warning("%s rows did not fit and were passed over", f"{self.count:,}")


def _text(blocks: Iterable[list[bytes]], file: StateFile) -> Iterator[str]:
    """Lines of text; between two of them nothing is half done, and the state can be kept."""
    first = True
    for block in blocks:
        for line in block:
            text = lines.decode(line)
            yield (text.removeprefix("\ufeff") if first else text) + "\n"
            first = False
        file.boundary()
