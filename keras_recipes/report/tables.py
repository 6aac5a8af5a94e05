"""Rows for people and programs: an aligned table, CSV, or a JSON object a line."""

import csv
import glob
import io
import itertools
import json
import logging
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from keras_recipes import atomic
from keras_recipes.errors import InputError, printable
from keras_recipes.recipe import Row

log = logging.getLogger(__name__)

TABLE_ROWS = 1_000
"""A longer table is printed in pieces of this length, so that memory stays bounded."""

GAP = 2
"""Spaces between columns."""

NARROWEST = (24, 18, 12)
"""No column of texts is narrower than the first of these that all of them have room for."""

ROOM = {float: 9, int: 6}
"""Columns kept for numbers when only the first row is known."""

NARROWEST_SCREEN = 40
"""Below that, the terminal has to fold lines itself."""

FORM_OF = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
"""The form that a file's name asks for."""


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


def write_text(pieces: Iterable[str], output: str | None = None) -> None:
    """Writes plain text as it comes, and a line break at its end.

    Args:
        pieces: One behind the other.
        output: As for `write`.
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
    elif form == "csv" and columns:
        _csv(iter([]), file, columns)


def form_of(output: str | None) -> str:
    """The form for a file of that name: CSV or JSON lines by its ending, otherwise a table."""
    return FORM_OF.get(Path(output or "").suffix.lower(), "table")


def check_output(output: str, inputs: Sequence[str] = ()) -> None:
    """Refuses a place for a file before any work is done.

    Args:
        output: The file that is to be written.
        inputs: What is read meanwhile: files, folders, quoted globs, or values.

    Raises:
        InputError: It is an input, there is a folder, or it cannot be written.
    """
    if not output:
        raise InputError("--output: expected the name of a file, received an empty text")
    path = Path(output).resolve()
    read = itertools.chain.from_iterable((text, *glob.iglob(text)) for text in inputs)  # noqa: PTH207
    if path.is_file() and any(Path(text).resolve() == path for text in read):
        raise InputError(f"--output: {output} is one of the inputs; name another file")
    if path.is_file() or not path.exists() or path.is_dir():
        atomic.prepare_file(path)


@dataclass(frozen=True)
class _Column:
    """A title and the cells below it; those of numbers stay on one line."""

    title: str
    cells: Sequence[str]
    number: bool

    def least(self, most: int) -> int:
        """How narrow it may become; `most` bounds what texts are granted."""
        from rich.cells import cell_len  # which `recipes --help` has no use for

        needed = max(map(cell_len, [self.title, *self.cells]))
        return needed if self.number else min(needed, most)


def text(rows: Sequence[Row], *, numbers: Collection[str] = ()) -> str:
    """Rows as a table that fits the terminal, or 80 columns where there is none.

    Long texts go on below, words whole where they can be; numbers stay whole and nothing is cut
    off. Where there are too many columns for that, several tables follow each other, each with the
    first column and as many as fit.

    Args:
        rows: With the same keys each.
        numbers: Columns of texts that stand for numbers.
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
    parts, taken = [[first]], first.least(NARROWEST[-1])
    for column in others:
        more = GAP + column.least(NARROWEST[-1])
        if taken + more > width() and parts[-1][1:]:
            parts.append([first])
            taken = first.least(NARROWEST[-1])
        parts[-1].append(column)
        taken += more
    return parts


def _drawn(columns: Sequence[_Column]) -> str:
    from rich.table import Table

    gaps = GAP * (len(columns) - 1)
    for most in NARROWEST:
        least = [column.least(most) for column in columns]
        if sum(least) + gaps <= width():
            break
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="")
    for column, fewest in zip(columns, least, strict=True):
        table.add_column(
            column.title,
            justify="right" if column.number else "left",
            overflow="fold",
            min_width=fewest,
            no_wrap=column.number,
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    return _rendered(table, max(width(), sum(least) + gaps))


def paragraph(words: str, lead: str = "") -> str:
    """A text on as many lines as it needs in the terminal, all of them behind `lead`."""
    lines = _rendered(cell(words), width() - len(lead)).splitlines()
    return "\n".join((lead if not i else " " * len(lead)) + line for i, line in enumerate(lines))


def _rendered(what: Any, wide: int) -> str:
    """What Rich makes of a table or a text, without colours.

    It goes into a text first: Rich has its own idea of what to do when a reader goes away.
    """
    from rich.console import Console

    drawn = io.StringIO()
    plain: dict[str, Any] = {"color_system": None, "markup": False, "emoji": False}
    Console(file=drawn, width=wide, highlight=False, **plain).print(what, overflow="fold")
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines())


def width() -> int:
    """Columns of the terminal, or of COLUMNS; 80 where nobody knows."""
    return max(shutil.get_terminal_size().columns, NARROWEST_SCREEN)


def _table(rows: Iterator[Row], file: TextIO) -> None:
    while piece := list(islice(rows, TABLE_ROWS)):
        file.write(text(piece) + "\n")


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
    """How wide columns are for this row and ones like it; long texts get what is left over."""
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
    """Cells beside each other; one that is too long goes on below."""
    from rich.table import Table

    grid = Table.grid(padding=(0, GAP, 0, 0))
    for wide in widths:
        grid.add_column(width=wide, overflow="fold")
    grid.add_row(*cells)
    return _rendered(grid, sum(widths) + GAP * len(widths))


FORMS: dict[str, Callable[[Iterator[Row], TextIO], None]] = {
    "table": _table,
    "csv": _csv,
    "jsonl": _jsonl,
}


def cell(value: Any) -> str:
    """A value as it stands in a table: floats to four digits."""
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
    with atomic.growing_file(Path(output)) as file:
        yield file
