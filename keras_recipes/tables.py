"""Rows for people and programs: an aligned table, CSV, or a JSON object a line."""

import csv
import io
import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from keras_recipes import publish
from keras_recipes.errors import printable
from keras_recipes.recipe import Row

log = logging.getLogger(__name__)

TABLE_ROWS = 1_000
"""A longer table is printed in pieces of this length, so that memory stays bounded."""


def write(
    rows: Iterable[Row],
    form: str,
    output: str | None = None,
    *,
    columns: Sequence[str] = (),
    live: bool = False,
) -> None:
    """Writes rows as they come.

    Args:
        rows: With the same keys each.
        form: "table" (numbers to four digits), "csv" or "jsonl" (in full).
        output: A file to write instead of stdout; it appears when it is complete.
        columns: Their keys, for the header of a CSV file without any row.
        live: Whether somebody watches: each row then comes out as soon as it is there.

    Raises:
        InputError: The file cannot be written.
    """
    there = output is not None and Path(output).is_file()
    with _destination(output) as file:
        _write(rows, form, file, columns, live)
    if there:
        log.info("replaced the file that was at %s", output)


def _write(
    rows: Iterable[Row], form: str, file: TextIO, columns: Sequence[str], live: bool
) -> None:
    if live:
        _live(rows, form, file)
        return
    several = iter(rows)
    first = next(several, None)
    if first is not None:
        FORMS[form](chain([first], several), file)
    elif form == "csv" and columns:
        _csv(iter([]), file, columns)


def check_output(output: str) -> None:
    """Refuses a place for a file before any work is done.

    Raises:
        InputError: There is a folder, or it cannot be written.
    """
    path = Path(output).resolve() if output else Path()
    if path.is_file() or not path.exists() or path.is_dir():
        publish.prepare_file(path)


def _table(rows: Iterator[Row], file: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table

    # No colours, nothing cut off: only a terminal has a width that lines must keep to.
    width = shutil.get_terminal_size().columns if file.isatty() else 1_000_000
    while piece := list(islice(rows, TABLE_ROWS)):
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
        for name, value in piece[0].items():
            numeric = isinstance(value, int | float)
            table.add_column(_cell(name), justify="right" if numeric else "left", overflow="fold")
        for row in piece:
            table.add_row(*map(_cell, row.values()))
        # Into a text first: Rich has its own idea of what to do when a reader goes away.
        text = io.StringIO()
        console = Console(
            file=text, width=width, color_system=None, markup=False, emoji=False, highlight=False
        )
        console.print(table)
        file.writelines(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _csv(rows: Iterator[Row], file: TextIO, columns: Sequence[str] = ()) -> None:
    writer = csv.writer(file, lineterminator="\n")
    if columns:
        writer.writerow(columns)
    for first in rows:
        writer.writerow(first)
        writer.writerows(row.values() for row in chain([first], rows))


def _jsonl(rows: Iterator[Row], file: TextIO) -> None:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _live(rows: Iterable[Row], form: str, file: TextIO) -> None:
    widths: list[int] = []
    for count, row in enumerate(rows):
        if form == "table":
            # Columns are as wide as the first row wants them: nobody knows what is to come.
            texts = [list(row), [_cell(value) for value in row.values()]]
            widths = widths or [max(map(len, column)) for column in zip(*texts, strict=True)]
            shown = ["  ".join(map(str.ljust, cells, widths)).rstrip() + "\n" for cells in texts]
        else:
            text = io.StringIO()
            FORMS[form](iter([row]), text)
            shown = text.getvalue().splitlines(keepends=True)
        file.writelines(shown[1:] if count and form != "jsonl" else shown)
        file.flush()


FORMS: dict[str, Callable[[Iterator[Row], TextIO], None]] = {
    "table": _table,
    "csv": _csv,
    "jsonl": _jsonl,
}


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    # What came out of a file may be anything: a terminal is not to obey it.
    return text if text.isprintable() else printable(text, len(text))


@contextmanager
def _destination(output: str | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with publish.growing_file(Path(output)) as file:
        yield file
