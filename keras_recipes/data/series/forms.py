"""The form of a table, told by its first lines: delimited text, reports, JSON, and exports."""

import csv
import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from keras_recipes.data.series import blanks, columns, dialect, exports, preamble, tables
from keras_recipes.data.series.records import FORMER, Reading, Refuse, Rows, SeriesLayout
from keras_recipes.errors import InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """The rows of a table, before its columns are known.

    Attributes:
        rows: The rows.
        reading: The form and the delimiter; of a table that was seen before, all of its reading.
        keys: The fields that may tell several series apart.
        time: The column of times, if the form says it.
        sorted: Whether the series come one after the other, so that their records are sorted.
        header: The names of the columns in every row; empty if rows may differ.
        passed: The lines before the table that are no header.
    """

    rows: Rows
    reading: Reading
    keys: Sequence[str] = ()
    time: str | None = None
    sorted: bool = False
    header: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()


def form_of(lines: Sequence[str], *, whole: bool = False) -> str:
    """Return the form of a table by its first lines, one of `records.FORMS`, or "document".

    Args:
        lines: The first lines that are not empty, at least one.
        whole: Whether there is no other line.
    """
    first = lines[0]
    if exports.is_document(first, whole=whole and len(lines) == 1):
        return "document"
    if first.lstrip().startswith("{"):
        return "json"
    if exports.is_annotated(lines):
        return "annotated"
    points = [line for line in lines if not line.startswith("#")]
    if points and all(exports.point(line) for line in points[: dialect.LOOKED_AT]):
        return "line-protocol"
    if all("\t" in line for line in lines[: dialect.LOOKED_AT]):
        return "csv"  # reports are written with blanks
    return "blanks" if blanks.are_reports(lines) else "csv"


def rows_of(source: str, lines: Iterator[str], layout: SeriesLayout, refuse: Refuse) -> Found:
    """Return the rows of a table.

    Args:
        source: The name of the lines in messages.
        lines: The lines; of a table that was seen before, none is read beyond the first row.
        layout: What is known about the table.
        refuse: Gets the message about a malformed row, which is then skipped.

    Raises:
        InputError: There is no line, or the form cannot be read.
    """
    blank, kept = _peeked(lines)
    if not kept:
        raise InputError(f"{source}: expected rows of numbers, received nothing")
    lines = itertools.chain(blank, kept, lines)
    known = layout.reading
    if known is None:
        sample = list(itertools.islice(lines, columns.SAMPLE))
        rest = next(lines, None)
        lines = itertools.chain(sample, [] if rest is None else [rest], lines)
        filled = [line for line in sample if line.strip()]
        form = form_of(filled, whole=rest is None)
    else:
        sample, form = kept, _known_form(kept[0], known)
    reading = replace(known or Reading(), form=form if form != "document" else "json")
    if form == "document":
        rows, keys, time = exports.document(source, "".join(lines), _named(layout))
        return Found(rows, reading, keys, time, sorted=time is not None)
    if form == "json":
        return Found(tables.json_rows(source, lines, refuse), reading)
    if form == "line-protocol":
        tags, both = exports.tags_of(sample)
        both |= exports.shared(reading.keys)
        keys = list(dict.fromkeys([*tags, *reading.keys]))
        return Found(exports.points(source, lines, both, refuse), reading, keys, "time")
    if form == "annotated":
        return _annotated(source, lines, reading)
    if form == "blanks":
        return _blanks(source, lines, layout, reading, sample, refuse)
    return _csv(source, lines, sample, layout, reading, refuse)


def _named(layout: SeriesLayout) -> bool | None:
    """Return whether the columns have the names of keys; None if they are not known yet."""
    if layout.reading is None:
        return None
    names, keys = layout.columns or (), layout.reading.keys
    return any(f"{key}{exports.NAMED}" in name for key in keys for name in names)


def _peeked(lines: Iterator[str]) -> tuple[list[str], list[str]]:
    """Return the blank lines at the beginning, and the first line that is not blank, if any."""
    blank: list[str] = []
    for line in lines:
        if line.strip():
            return blank, [line]
        blank.append(line)
    return blank, []


def _known_form(first: str, known: Reading) -> str:
    """Return the form of a table that was seen before; only JSON can be told by one line."""
    if exports.is_document(first) and known != FORMER:
        return "document"
    if first.lstrip().startswith("{"):
        return "json"
    if known == FORMER:
        return "csv"
    if exports.is_annotated([first]):
        return "annotated"
    return "csv" if known.form == "json" else known.form


def _annotated(source: str, lines: Iterator[str], reading: Reading) -> Found:
    rows, keys = exports.annotated(source, lines)
    try:
        every = list(rows.rows)
    except csv.Error as error:
        raise InputError(f"{source}: not CSV: {error}") from None
    return Found(Rows(rows.where, iter(every)), reading, tuple(keys), "_time", sorted=True)


def _blanks(
    source: str,
    lines: Iterator[str],
    layout: SeriesLayout,
    reading: Reading,
    sample: Sequence[str],
    refuse: Refuse,
) -> Found:
    if layout.reading is not None:
        # A stream may go on behind its header.
        names = [name for name in layout.header or () if name != blanks.TIME and not reading.keys]
        rows = blanks.rows(source, lines, refuse, [] if "value_1" in names else names)
        return Found(rows, reading, blanks.KEYS, blanks.TIME)
    if date := blanks.open_date(sample):
        log.warning(
            "%s: the date %s is read with the month first; if that is wrong, give the output of "
            "sadf -d, whose dates can be read in one way only",
            source,
            date,
        )
    some = [row for _, row in blanks.rows(source, sample, lambda message: None).rows]
    keys = [key for key in blanks.KEYS if any(key in row for row in some)]
    return Found(blanks.rows(source, lines, refuse), reading, keys, blanks.TIME)


def _csv(
    source: str,
    lines: Iterator[str],
    sample: list[str],
    layout: SeriesLayout,
    reading: Reading,
    refuse: Refuse,
) -> Found:
    if layout.reading is None:
        said = preamble.separator(sample)
        delimiter = said or dialect.delimiter_of(source, sample, layout.decimal)
        beginning = preamble.begin(source, sample, delimiter)
    elif reading.delimiter:
        known = layout.header or ()
        first = next(line for line in sample if line.strip())
        delimiter = _known_delimiter(first, reading.delimiter, known)
        beginning, taken = preamble.begin_known(source, lines, delimiter, known)
        lines = itertools.chain(taken, lines)
    else:
        first = sample[0]
        delimiter = dialect.by_first_line(first)
        lines = itertools.dropwhile(lambda line: not line.strip(), lines)
        beginning = preamble.begin_with(source, first, delimiter)
    used = replace(reading, delimiter=delimiter)
    if layout.reading is not FORMER and not reading.delimiter:
        used = replace(used, form="csv" if layout.reading is None else reading.form)
    rows = tables.csv_rows(source, lines, beginning, used, layout.header, refuse)
    special = exports.keys_of(beginning.names or layout.header or ())
    keys, time, is_sorted = special or ([], None, False)
    header = tuple(beginning.names or layout.header or ())
    return Found(rows, used, keys, time, is_sorted, header, beginning.passed)


def _known_delimiter(first: str, usual: str, known: Sequence[str]) -> str:
    """Return the delimiter of a table whose columns are known, by its header if it has one."""
    marks: list[str] = [usual, *dialect.DELIMITERS]
    for mark in marks:
        row = next(iter(dialect.cut([first.strip()], mark)), [])
        cells = [cell.strip().lstrip("# ") for cell in row]
        if len(cells) == len(known) and len(cells) > 1 and set(cells) == set(known):
            return mark
    return usual
