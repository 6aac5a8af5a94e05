"""The delimiter between cells, told by the first lines of a table together.

Of all delimiters that cut the lines into as many cells each, the one is taken that leaves the most
numbers and times. Where a comma may be a decimal mark or a delimiter, the lines together may show
it; if they do not, the table is refused.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence

from keras_recipes.data.series import numbers, times
from keras_recipes.errors import InputError

DELIMITERS = ",;\t|"

LOOKED_AT = 100
"""The number of lines that are cut in each way."""

MOST_CELLS = 100
"""The largest number of cells of a line that are looked at."""

_PAIR = re.compile(r"[+-]?\d+,\d+")
_TRIPLES = re.compile(r"\d{1,3}(,\d{3})+")


def by_first_line(line: str) -> str:
    """Return the delimiter between the cells of this line."""
    return max(DELIMITERS, key=line.count)


def delimiter_of(source: str, lines: Sequence[str], decimal: str | None = None) -> str:
    """Return the delimiter of a table.

    Args:
        source: The name of the table in messages.
        lines: Its first lines.
        decimal: The decimal mark, if the user says it.

    Raises:
        InputError: A comma may be a decimal mark or a delimiter.
    """
    some = [line.strip("\r\n") for line in lines if line.strip()][:LOOKED_AT]
    best, most = by_first_line(some[0]) if some else ",", (0.0, 0.0)
    for mark in DELIMITERS:
        quality = _quality(some, mark)
        if quality > most:
            best, most = mark, quality
    return _without_ambiguity(source, some, decimal) if best == "," else best


def _quality(lines: Sequence[str], mark: str) -> tuple[float, float]:
    """Return how well a delimiter cuts the lines; 0 if it does not cut them at all."""
    rows = cut(lines, mark)
    width = width_of(rows)
    if width < 2:
        return 0.0, 0.0
    regular = [row for row in rows if len(row) == width]
    cells = [cell for row in regular for cell in row[:MOST_CELLS]]
    typed = sum(map(is_typed, cells)) / len(cells)
    return round(len(regular) / len(rows) * (0.1 + typed), 3), float(width)


def cut(lines: Sequence[str], mark: str) -> list[list[str]]:
    """Return the cells of each line; a line with an open quotation mark is left out."""
    rows = []
    for line in lines:
        try:
            rows.append(next(csv.reader([line], delimiter=mark), []))
        except csv.Error:
            continue
    return rows


def width_of(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of cells that most rows have."""
    counted = Counter(len(row) for row in rows)
    return max(counted, key=lambda width: (counted[width], width)) if counted else 0


def is_typed(cell: str) -> bool:
    """Return whether a cell is a number in some notation, a time, or a part of one; not text."""
    text = cell.strip()
    if not text or text.casefold() in numbers.BOOLEANS:
        return bool(text)
    marks = (numbers.Marks(mark, True) for mark in ".,")
    if numbers.is_value(text) or any(mark.measure(text) for mark in marks):
        return True
    return times.is_time_of_day(text) or times.is_time(text)


def _without_ambiguity(source: str, lines: Sequence[str], decimal: str | None) -> str:
    """Return a delimiter other than the comma if the commas are all decimal or thousands marks."""
    first = next(iter(cut(lines[:1], ",")), [])
    header = lines[0] if first and not is_typed(first[0]) else None
    body = lines[1:] if header else lines
    pairs = all(_PAIR.fullmatch(line.strip()) for line in body if "," in line)
    triples = all(_TRIPLES.fullmatch(line.strip()) for line in body if "," in line)
    if not body or not (pairs or triples) or not any("," in line for line in body):
        return ","
    one_column = header is not None and "," not in header
    if one_column or decimal == "," or any("," not in line for line in body):
        return ";"
    if header is not None or _shows_two_columns(body):
        return ","
    if decimal is None:
        raise InputError(
            f"{source}: expected a table whose commas have one meaning, received {body[0][:40]!r}, "
            "one number or two; give the columns names in a first line, or add --set decimal=comma "
            "for one number, decimal=point for two"
        )
    return ","


def _shows_two_columns(body: Sequence[str]) -> bool:
    """Return whether these pairs of digits are no decimals.

    Decimals have the same number of digits everywhere, or else no zeros at their ends.
    """
    behind = [line.strip().split(",")[1] for line in body]
    if any(len(text) > 1 and text[0] == "0" for text in behind):
        return False
    one_width = len({len(text) for text in behind}) == 1
    return not one_width and any(len(text) > 1 and text[-1] == "0" for text in behind)
