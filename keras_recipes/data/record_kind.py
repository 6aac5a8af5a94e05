"""Detection of the kind of a file, a log or a table of numbers, by its name and first lines."""

import csv
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from keras_recipes.data import demonstration, files, lines, time_series
from keras_recipes.data.logs import documents

Kind = Literal["logs", "metrics"]
"""The kind of records: events of a log, or numbers over time."""

SAMPLE = 200
"""The number of lines to detect a kind by."""

TABLES = (*documents.TABLES, ".parquet")


def recognise(data: Sequence[str]) -> Kind:
    """Detect the kind of the first file of these paths.

    Files whose names end with .csv, .tsv or .parquet are tables of numbers, unless they have a
    column of messages. Any other file is one if it holds numbers and no text that differs from line
    to line, except times.
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
    return of_lines(_first(documents.blocks(path)))


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
    objects = rows[0].lstrip().startswith("{")
    cells = list(_objects(rows) if objects else _cells(rows))
    return "metrics" if cells and _numbers(cells) else "logs"


def _objects(rows: Iterable[str]) -> Iterable[dict[str, Any]]:
    refused: list[Any] = []
    for _, row in time_series.json_rows("", rows, refused.append):
        yield {name: cell for name, cell in row.items() if not isinstance(cell, bool | list)}
    if refused:
        yield {"": "no table"}


def _cells(rows: list[str]) -> Iterable[dict[str, Any]]:
    """Yield the cells of each row by column, without the header; no rows if lengths differ."""
    try:
        found = list(csv.reader(rows, delimiter=time_series.delimiter(rows[0])))
    except csv.Error:
        return
    body = found[1:] if not any(map(time_series.is_number_or_time, found[0])) else found
    if len({len(cells) for cells in found}) == 1:
        yield from ({str(n): cell for n, cell in enumerate(cells)} for cells in body)


def _numbers(rows: Sequence[dict[str, Any]]) -> bool:
    """Return whether there is a column of numbers, and no text that differs between rows."""
    names = {name for row in rows for name in row}
    columns = [[row[name] for row in rows if name in row] for name in names]
    texts = [cells for cells in columns if not all(map(time_series.is_value, cells))]
    times = [cells for cells in texts if all(map(time_series.is_number_or_time, cells))]
    changing = [cells for cells in texts if cells not in times and len(set(map(str, cells))) > 1]
    return len(columns) > len(texts) and not changing
