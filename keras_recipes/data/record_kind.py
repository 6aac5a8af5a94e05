"""Whether a file is a log or a table of numbers, going by its name and its first lines."""

import csv
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from keras_recipes.data import demonstration, files, lines, time_series

Kind = Literal["logs", "metrics"]
"""Of records: events of a log, or numbers over time."""

SAMPLE = 200
"""Lines that are looked at."""

TABLES = (".csv", ".tsv", ".parquet")


def recognise(data: Sequence[str]) -> Kind:
    """What is meant by these paths, going by the first of their files.

    Files whose names end in .csv, .tsv or .parquet are tables. Other ones are where they hold
    numbers, and no text but times that changes from line to line.
    """
    if not data or data[0] in (demonstration.NAME, demonstration.BROKEN):
        return "logs"
    if data[0] in (demonstration.METRICS, demonstration.BROKEN_METRICS):
        return "metrics"
    found = files.found(data[0], (*lines.ENDINGS, *time_series.ENDINGS))
    path = next(found, None) if found is not None else None
    if path is None or not path.is_file():
        return "logs"
    if {suffix.lower() for suffix in path.suffixes[-2:]} & set(TABLES):
        return "metrics"
    texts = itertools.chain.from_iterable(lines.blocks(path))
    return of_lines([lines.decode(text) for text in itertools.islice(texts, SAMPLE)])


def has_content(text: str) -> bool:
    """Whether a path means anything that a kind could be recognised by."""
    if text in demonstration.SYNTHETIC:
        return True
    found = files.found(text, (*lines.ENDINGS, *time_series.ENDINGS))
    path = next(found, None) if found is not None else None
    if path is None or not path.is_file():
        return False
    return any(line.strip() for block in lines.blocks(path) for line in block)


def of_lines(sample: Sequence[str]) -> Kind:
    """The same for the first lines of a file."""
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
    """The cells by column, without a header; nothing where rows differ in length."""
    try:
        found = list(csv.reader(rows, delimiter=time_series.delimiter(rows[0])))
    except csv.Error:
        return
    body = found[1:] if not any(map(time_series.is_number_or_time, found[0])) else found
    if len({len(cells) for cells in found}) == 1:
        yield from ({str(n): cell for n, cell in enumerate(cells)} for cells in body)


def _numbers(rows: Sequence[dict[str, Any]]) -> bool:
    """Whether there is a column of numbers, and no text that changes."""
    names = {name for row in rows for name in row}
    columns = [[row[name] for row in rows if name in row] for name in names]
    texts = [cells for cells in columns if not all(map(time_series.is_value, cells))]
    times = [cells for cells in texts if all(map(time_series.is_number_or_time, cells))]
    changing = [cells for cells in texts if cells not in times and len(set(map(str, cells))) > 1]
    return len(columns) > len(texts) and not changing
