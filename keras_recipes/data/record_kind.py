"""Detection of the kind of a file, a log or a table of numbers, by its name and first lines."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from keras_recipes.data import demonstration, files, lines, time_series
from keras_recipes.data.logs import documents
from keras_recipes.data.series import dialect, exports, forms, numbers, preamble, tables, times
from keras_recipes.errors import InputError

Kind = Literal["logs", "metrics"]
"""The kind of records: events of a log, or numbers over time."""

SAMPLE = 200
"""The number of lines to detect a kind by."""

MOST_BYTES = 1 << 26
"""The largest size of a JSON document that is looked through for series."""

TABLES = (*documents.TABLES, ".parquet")


def recognise(data: Sequence[str]) -> Kind:
    """Detect the kind of the first file of these paths.

    Files whose names end with .csv, .tsv or .parquet are tables of numbers, unless they have a
    column of messages. Any other file is one if it is an export of a monitoring system, or holds
    numbers and no text that differs from line to line, except times.
    """
    if not data or data[0] in (demonstration.NAME, demonstration.BROKEN):
        return "logs"
    if data[0] in (demonstration.METRICS, demonstration.BROKEN_METRICS):
        return "metrics"
    found = files.found(data[0], (*lines.ENDINGS, *time_series.ENDINGS))
    path = next(found, None) if found is not None else None
    if path is None or not path.is_file():
        return "logs"
    endings = {suffix.lower() for suffix in path.suffixes[-2:]}
    if endings & set(TABLES):
        text = endings & set(documents.TABLES)
        messages = text and documents.is_table(path, _first(lines.blocks(path)))
        return "logs" if messages else "metrics"
    return "metrics" if _is_export(path) else of_lines(_first(documents.blocks(path)))


def _first(blocks: Iterable[list[bytes]]) -> list[str]:
    texts = itertools.chain.from_iterable(blocks)
    return [lines.decode(text) for text in itertools.islice(texts, SAMPLE) if text.strip()]


def has_content(text: str) -> bool:
    """Return whether a path has any content to detect its kind by."""
    if text in demonstration.SYNTHETIC:
        return True
    found = files.found(text, (*lines.ENDINGS, *time_series.ENDINGS))
    path = next(found, None) if found is not None else None
    if path is None or not path.is_file():
        return False
    return any(line.strip() for block in lines.blocks(path) for line in block)


def of_lines(sample: Sequence[str]) -> Kind:
    """Detect the kind of a file by its first lines."""
    rows = [line for line in sample if line.strip()]
    if not rows:
        return "logs"
    form = forms.form_of(rows)
    if form in ("line-protocol", "annotated", "blanks"):
        return "metrics"
    cells = list(_objects(rows) if form == "json" else _cells(rows))
    return "metrics" if cells and _numbers(cells) else "logs"


def _is_export(path: Path) -> bool:
    """Return whether a file is a JSON document with the series of a monitoring system."""
    pieces = lines.pieces(path)
    text = next(pieces, b"")
    if text.lstrip()[:1] not in (b"{", b"["):
        return False
    first, _, rest = text.partition(b"\n")
    if rest.strip() and not exports.is_document(lines.decode(first)):
        return False
    for piece in pieces:
        text += piece
        if len(text) > MOST_BYTES:
            return False
    return exports.is_export(lines.decode(text))


def _objects(rows: Iterable[str]) -> Iterable[dict[str, Any]]:
    refused: list[Any] = []
    for _, row in tables.json_rows("", rows, refused.append).rows:
        yield {name: cell for name, cell in row.items() if not isinstance(cell, bool | list)}
    if refused:
        yield {"": "no table"}


def _cells(rows: list[str]) -> Iterable[dict[str, Any]]:
    """Yield the cells of each row by column, without the header; no rows if lengths differ."""
    try:
        delimiter = preamble.separator(rows) or dialect.delimiter_of("", rows)
    except InputError:  # numbers that may be read in two ways
        delimiter = ";"
    try:
        beginning = preamble.begin("", rows, delimiter)
    except InputError:
        return
    body = dialect.cut([line.rstrip("\r\n") for line in rows[beginning.lines :]], delimiter)
    if len({len(cells) for cells in body}) == 1:
        yield from ({str(n): cell for n, cell in enumerate(cells)} for cells in body)


def _numbers(rows: Sequence[dict[str, Any]]) -> bool:
    """Return whether there is a column of numbers, and no text that differs between rows."""
    names = {name for row in rows for name in row}
    columns = [[row[name] for row in rows if name in row] for name in names]
    texts = [cells for cells in columns if not all(map(_is_value, cells))]
    timed = [cells for cells in texts if all(map(_is_time, cells))]
    changing = [cells for cells in texts if cells not in timed and len(set(map(str, cells))) > 1]
    return len(columns) > len(texts) and not changing


def _is_value(cell: Any) -> bool:
    return any(numbers.is_value(cell, numbers.Marks(mark, True)) for mark in ".,")


def _is_time(cell: Any) -> bool:
    return times.is_number_or_time(cell) or times.is_time_of_day(cell)
