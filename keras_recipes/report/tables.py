"""Rows as an aligned table, as CSV, or as one JSON object per line."""

import csv
import io
import itertools
import json
import logging
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from keras_recipes import atomic
from keras_recipes.data import never_replaced
from keras_recipes.errors import InputError, printable
from keras_recipes.recipe import Row
from keras_recipes.report import spreadsheets

log = logging.getLogger(__name__)

TABLE_ROWS = 1_000
"""The most rows of a table; a longer one is printed in pieces, so that memory stays bounded."""

GAP = 2
"""Spaces between columns."""

NARROWEST = (24, 18, 12, 10)
"""The least width of a column of texts: the first of these for which all columns fit."""

NAME = 12
"""The least width of the first column, if it is a column of texts."""

ROOM = {float: 9, int: 6}
"""The width kept for a column of numbers if only the first row is known."""

LONGEST_HEADING = 9
"""The longest title that stays on one line above narrower numbers."""

NARROWEST_SCREEN = 40
"""The narrowest terminal that tables are made for; a narrower one folds the lines itself."""

LONGEST_ESCAPE = 10
"""The length of an escaped character, such as `\\U0001f600`."""

FORM_OF = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
"""The form of a file by the ending of its name."""


def write(
    rows: Iterable[Row],
    form: str,
    output: str | None = None,
    *,
    columns: Sequence[str] = (),
    live: bool = False,
) -> None:
    """Write rows as they are computed.

    Args:
        rows: Dicts that all have the same keys.
        form: "table" (numbers with four digits), or "csv", "raw-csv" or "jsonl" (numbers with all
            digits). Texts in "csv" are those of `spreadsheets`.
        output: A file to write instead of stdout; it appears when it is complete.
        columns: The keys, for the header of a CSV file without rows.
        live: Whether somebody waits for each row: it is printed as soon as it is there.

    Raises:
        InputError: The file cannot be written.
    """
    there = output is not None and Path(output).is_file()
    with _destination(output) as file:
        _write(rows, form, file, columns, live)
    if there:
        log.info("replaced the file that was at %s", output)


def write_text(pieces: Iterable[str], output: str | None = None) -> None:
    """Write plain text as it is computed, and a line break at its end.

    Args:
        pieces: The pieces of the text, in order.
        output: A file to write instead of stdout.
    """
    with _destination(output) as file:
        for piece in pieces:
            file.write(piece)
            file.flush()
        file.write("\n")


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
    elif columns and form in HEADED:
        HEADED[form](iter([]), file, columns)


def form_of(output: str | None) -> str:
    """Return the form for a file by the ending of its name; "table" for other endings."""
    return FORM_OF.get(Path(output or "").suffix.lower(), "table")


def check_output(output: str, inputs: Sequence[str] = ()) -> None:
    """Refuse the path of an output file before any work is done.

    Args:
        output: The file to write.
        inputs: The files, folders, globs or values that are read.

    Raises:
        InputError: The file is one of the inputs, is a folder, or cannot be written.
    """
    if not output:
        raise InputError("--output: expected the name of a file, received an empty text")
    path = Path(output)
    never_replaced.check(path, inputs)
    if path.is_file() or not path.exists() or path.is_dir():
        atomic.prepare_file(path)


@dataclass(frozen=True)
class _Column:
    """A column: its title and its cells. Numbers stay on one line."""

    title: str
    cells: Sequence[str]
    number: bool

    def folded(self) -> "_Column":
        """Return the column with its title on two lines if it is wider than its numbers."""
        longest = max(map(len, self.cells), default=0)
        wide = self.number and longest < len(self.title) > LONGEST_HEADING
        return replace(self, title=self.title.replace("_", "_\n", 1)) if wide else self

    def least(self, most: int) -> int:
        """Return the least width of the column; for texts at most `most`."""
        from rich.cells import cell_len  # imported here because `recipes --help` does not need it

        titles = self.title.split("\n")
        needed = max(map(cell_len, [*titles, *self.cells]))
        return needed if self.number else min(needed, most)


def text(rows: Sequence[Row], *, numbers: Collection[str] = ()) -> str:
    """Return rows as a table that fits the terminal, or 80 columns without a terminal.

    Long texts continue on the next line, broken between words if possible. Numbers stay whole, and
    nothing is cut off. If there are too many columns, several tables follow each other, each with
    the first column and as many others as fit.

    Args:
        rows: Dicts that all have the same keys.
        numbers: Names of columns whose texts are numbers.
    """
    columns = [
        _Column(
            cell(name),
            [cell(row[name]) for row in rows],
            name in numbers or isinstance(value, int | float),
        )
        for name, value in rows[0].items()
    ]
    return "\n\n".join(_drawn(part) for part in _parts(columns))


def _parts(columns: Sequence[_Column]) -> list[list[_Column]]:
    first, *others = columns
    parts, taken = [[first]], first.least(NAME)
    for column in others:
        more = GAP + column.folded().least(NARROWEST[-1])
        if taken + more > width() and parts[-1][1:]:
            parts.append([first])
            taken = first.least(NAME)
        parts[-1].append(column)
        taken += more
    return parts


def _fitted(columns: Sequence[_Column]) -> tuple[Sequence[_Column], list[int]]:
    """Return the columns, and the least widths with which they fit if there are any.

    Titles are folded only where texts would have to be narrower otherwise.
    """
    gaps = GAP * (len(columns) - 1)
    name, *others = columns
    narrow = [name, *(column.folded() for column in others)]
    tried = itertools.product(NARROWEST, (columns, narrow))
    for most, shown in tried:
        # The first column names the row, so it is the last one to be broken.
        first, *rest = shown
        least = [first.least(max(most, NAME)), *(column.least(most) for column in rest)]
        if sum(least) + gaps <= width():
            break
    return shown, least


def _widths(columns: Sequence[_Column], least: Sequence[int], most: int) -> list[int]:
    """Return the width of each column: what is left goes to the narrowest that need more."""
    found, needed = list(least), [column.least(most) for column in columns]
    for _ in range(most - sum(least)):
        short = [i for i, (has, needs) in enumerate(zip(found, needed, strict=True)) if has < needs]
        if not short:
            break
        found[min(short, key=found.__getitem__)] += 1
    return found


def _drawn(columns: Sequence[_Column]) -> str:
    from rich.table import Table

    columns, least = _fitted(columns)
    gaps = GAP * (len(columns) - 1)
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="")
    for column, wide in zip(columns, _widths(columns, least, width() - gaps), strict=True):
        table.add_column(
            column.title,
            justify="right" if column.number else "left",
            overflow="fold",
            width=wide,
            no_wrap=column.number,
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    return _rendered(table, max(width(), sum(least) + gaps))


def paragraph(words: str, lead: str = "") -> str:
    """Return a text wrapped to the terminal's width, with `lead` in front and an even margin."""
    lines = _rendered(cell(words), width() - len(lead)).splitlines()
    return "\n".join((lead if not i else " " * len(lead)) + line for i, line in enumerate(lines))


def _rendered(what: Any, wide: int) -> str:
    """Return a table or a text as Rich renders it, without colours.

    Rich writes into a text and not to stdout, because it would handle a closed pipe itself.
    """
    from rich.console import Console

    drawn = io.StringIO()
    plain: dict[str, Any] = {"color_system": None, "markup": False, "emoji": False}
    Console(file=drawn, width=wide, highlight=False, **plain).print(what, overflow="fold")
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines())


def width() -> int:
    """Return the width of the terminal, or of the variable COLUMNS; 80 if both are unknown."""
    return max(shutil.get_terminal_size().columns, NARROWEST_SCREEN)


def _table(rows: Iterator[Row], file: TextIO) -> None:
    while piece := list(islice(rows, TABLE_ROWS)):
        file.write(text(piece) + "\n")


def _csv(
    rows: Iterator[Row],
    file: TextIO,
    columns: Sequence[str] = (),
    spelt: Callable[[Any], Any] = spreadsheets.cell,
) -> None:
    writer = csv.writer(file, lineterminator="\n")
    if columns:
        writer.writerow(map(spelt, columns))
    for first in rows:
        writer.writerow(map(spelt, first))
        writer.writerows(map(spelt, row.values()) for row in chain([first], rows))


def _raw_csv(rows: Iterator[Row], file: TextIO, columns: Sequence[str] = ()) -> None:
    _csv(rows, file, columns, lambda value: value)


def _jsonl(rows: Iterator[Row], file: TextIO) -> None:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _live(rows: Iterable[Row], form: str, file: TextIO) -> None:
    widths: list[int] = []
    for count, row in enumerate(rows):
        if form == "table":
            # The later rows are not known yet, so the first one decides the widths.
            texts = [list(map(cell, row)), list(map(cell, row.values()))]
            widths = widths or _fitting(row)
            shown = [_line(cells, widths) + "\n" for cells in texts]
        else:
            text = io.StringIO()
            FORMS[form](iter([row]), text)
            shown = text.getvalue().splitlines(keepends=True)
        file.writelines(shown[1:] if count and form != "jsonl" else shown)
        file.flush()


def _fitting(row: Row) -> list[int]:
    """Return the widths of the columns for rows like this one; long texts share what is left."""
    from rich.cells import cell_len

    widths = [
        max(cell_len(cell(name)), cell_len(cell(value)), ROOM.get(type(value), 0))
        for name, value in row.items()
    ]
    gaps = GAP * (len(widths) - 1)
    while sum(widths) + gaps > width() and max(widths) > NARROWEST[-1]:
        widths[widths.index(max(widths))] -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return cells next to each other; a cell that is too long continues on the next line."""
    from rich.table import Table

    grid = Table.grid(padding=(0, GAP, 0, 0))
    for wide in widths:
        grid.add_column(width=wide, overflow="fold")
    grid.add_row(*cells)
    return _rendered(grid, sum(widths) + GAP * len(widths))


HEADED = {"csv": _csv, "raw-csv": _raw_csv}
"""The forms with a header, also without rows."""

FORMS: dict[str, Callable[[Iterator[Row], TextIO], None]] = {
    "table": _table,
    "jsonl": _jsonl,
    **HEADED,
}


def cell(value: Any) -> str:
    """Return a value as text for a table; floats have four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    # A text from a file may contain control characters, which a terminal would obey.
    return text if text.isprintable() else printable(text, LONGEST_ESCAPE * len(text))


@contextmanager
def _destination(output: str | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with atomic.growing_file(Path(output)) as file:
        yield file
