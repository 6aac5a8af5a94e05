"""Tables in text with an image in each row: 784 pixels and, in most, a label.

They come with and without a header, with the label first or last or under a name, with numbers up
to 255 or up to 1, packed or not: from Kaggle, from pjreddie.com, from any export of a program.
"""

import csv
import itertools
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from keras_recipes.digits import entries
from keras_recipes.digits.entries import Entry
from keras_recipes.digits.tables import Table
from keras_recipes.errors import InputError, printable

if TYPE_CHECKING:
    import numpy as np

PIXELS = 784
LONGEST_LINE = 1 << 16
LABELS = {"label", "labels", "class", "target", "targets", "digit", "y", "category", "标签"}
_PIXEL = re.compile(r"(?:pixel|pix|px|p|x|v|col|column|feature|f)?[-_ ]?(\d+)(?:[x_](\d+))?")
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


@dataclass(frozen=True)
class _Layout:
    """Where the columns of a table are.

    Attributes:
        delimiter: What separates the cells.
        header: The cells of the header, if there is one.
        pixels: The columns of the pixels in their order.
        label: The column of the label; None if there is none, -1 if the rows have to tell.
        columns: The number of columns.
    """

    delimiter: str
    header: list[str] | None
    pixels: list[int]
    label: int | None
    columns: int


def is_one(entry: Entry) -> bool:
    """Return whether the first line of a file has as many cells as a table of pixels."""
    try:
        first = next(_lines(entry), "")
    except InputError:
        return False
    return len(_cells(first, _delimiter(first))) >= PIXELS


def read(entry: Entry) -> Table:
    """Read a table of pixels.

    Raises:
        InputError: It has another number of columns, or a cell that is no number.
        UnsafeModelError: It is too large after unpacking.
    """
    layout = _layout(entry)
    if next(_rows(entry, layout), None) is None:
        raise InputError(f"{entry.name}: expected rows of pixels, received none; add some")
    table, labels = _numbers(entry, layout)
    if table.shape[1] != layout.columns:
        raise _wrong_width(entry.name, table.shape[1])
    label, pixels = layout.label, layout.pixels
    if label == -1:
        label, pixels = _first_or_last(entry.name, table)
        numbers = table[:, label].astype("int64")
        return Table(entry.name, table[:, pixels], numbers)
    images = table[:, pixels]
    if label is None:
        return Table(entry.name, images)
    return Table(entry.name, images, _as_labels(labels)[table[:, label].astype(int)])


def _numbers(entry: Entry, layout: _Layout) -> "tuple[np.ndarray, list[str]]":
    """Return all cells as numbers; labels under a name become their places in the list."""
    import numpy as np

    labels: dict[str, int] = {}

    def place(text: str) -> int:
        return labels.setdefault(_label(text), len(labels))

    convert: dict[int | str, Callable[[str], int]] = {}
    if layout.label is not None and layout.label >= 0:
        convert[layout.label] = place
    try:
        table = np.loadtxt(
            _rows(entry, layout),
            delimiter=layout.delimiter if layout.delimiter != " " else None,
            dtype="float32",
            comments=None,
            quotechar='"',
            ndmin=2,
            converters=convert or None,
            encoding=None,
        )
    except InputError:
        raise
    except ValueError:
        raise _first_fault(entry, layout) from None
    if not np.isfinite(table).all():
        raise _first_fault(entry, layout)
    return table, list(labels)


def _label(text: str) -> str:
    """Return a label; a whole number that a program wrote as 7.0 is 7."""
    text = text.strip()
    if not text:
        raise ValueError("no label")
    if _NUMBER.fullmatch(text) and float(text).is_integer():
        return str(int(float(text)))
    return text


def _as_labels(names: list[str]) -> "np.ndarray":
    import numpy as np

    whole = all(re.fullmatch(r"-?\d{1,9}", name) for name in names)
    return np.array([int(name) for name in names] if whole else names)


def _layout(entry: Entry) -> _Layout:
    first = next(_lines(entry), "")
    delimiter = _delimiter(first)
    cells = _cells(first, delimiter)
    counting = cells == [str(i) for i in range(len(cells))]
    numbers = [bool(_NUMBER.fullmatch(cell)) for cell in cells]
    # A row of labels that are names has one cell that is no number.
    header = counting or sum(numbers) < len(cells) - 1 or _is_header(cells, numbers)
    if header and not counting:
        return _by_header(entry.name, delimiter, cells)
    names = cells if header else None
    if len(cells) == PIXELS:
        return _Layout(delimiter, names, list(range(PIXELS)), None, PIXELS)
    if len(cells) != PIXELS + 1:
        raise _wrong_width(entry.name, len(cells))
    if all(numbers) or not cells[numbers.index(False)].strip():
        return _Layout(delimiter, names, [], -1, PIXELS + 1)
    label = numbers.index(False)
    pixels = [i for i in range(PIXELS + 1) if i != label]
    return _Layout(delimiter, names, pixels, label, PIXELS + 1)


def _is_header(cells: list[str], numbers: list[bool]) -> bool:
    """Return whether the names of the pixels are numbers that count, next to a label's name."""
    pairs = list(zip(cells, numbers, strict=True))
    named = [cell.strip().lower() for cell, number in pairs if not number]
    counted = [cell.strip() for cell, number in pairs if number]
    counting = [[str(i) for i in range(start, start + len(counted))] for start in (0, 1)]
    return bool(named) and named[0] in LABELS | {""} and counted in counting


def _by_header(name: str, delimiter: str, header: list[str]) -> _Layout:
    lower = [cell.strip().lower() for cell in header]
    pixels = [i for i, cell in enumerate(lower) if _PIXEL.fullmatch(cell)]
    others = [i for i in range(len(header)) if i not in set(pixels)]
    labels = [i for i in others if lower[i] in LABELS]
    if len(pixels) != PIXELS:
        raise _wrong_width(name, len(header), len(pixels))
    if len(labels) > 1 or (not labels and len(others) > 1):
        shown = ", ".join(printable(header[i], 20) for i in (labels or others)[:5])
        raise InputError(f"{name}: expected one column of labels, received {shown}; call it label")
    label = labels[0] if labels else None
    if label is None and others and lower[others[0]] not in ("", "id", "index", "imageid"):
        label = others[0]
    return _Layout(delimiter, header, _in_order(lower, pixels), label, len(header))


def _in_order(names: list[str], pixels: list[int]) -> list[int]:
    """Return the columns of the pixels in the order of the numbers in their names."""
    keys = {}
    for i in pixels:
        found = _PIXEL.fullmatch(names[i])
        assert found
        keys[i] = tuple(int(number or 0) for number in found.groups())
    return sorted(pixels, key=lambda i: keys[i]) if len(set(keys.values())) == PIXELS else pixels


def _wrong_width(name: str, columns: int, pixels: int | None = None) -> InputError:
    of_them = "" if pixels is None else f", {pixels:,} of them with the name of a pixel"
    return InputError(
        f"{name}: expected 784 columns of pixels and one of labels, received "
        f"{columns:,} columns{of_them}; scale the images to 28 x 28 pixels, or use a folder of "
        "pictures"
    )


def _first_or_last(name: str, table: "np.ndarray") -> tuple[int, list[int]]:
    """Return the column of the labels, which a corner of the images is not, and the others."""
    first, last = table[:, 0], table[:, -1]
    may_be = [_may_be_labels(column) for column in (first, last)]
    # In almost all images the corner is empty, so a column of zeros is a corner.
    if all(may_be) and first.any() and last.any():
        raise InputError(
            f"{name}: expected one column of labels, first or last, received numbers that could be "
            "labels in both; add a header with the column label"
        )
    if not any(may_be):
        raise InputError(
            f"{name}: expected labels in the first or the last column, received {first[0]:g} and "
            f"{last[0]:g} in its first row; add a header with the column label"
        )
    at_end = may_be[1] and (not may_be[0] or (last.any() and not first.any()))
    return (PIXELS, list(range(PIXELS))) if at_end else (0, list(range(1, PIXELS + 1)))


def _may_be_labels(column: "np.ndarray") -> bool:
    return bool((column == column.round()).all() and column.min() >= 0 and column.max() < 62)


def _rows(entry: Entry, layout: _Layout) -> Iterator[str]:
    lines = _lines(entry)
    rows = itertools.islice(lines, 1, None) if layout.header is not None else lines
    return (line for line in rows if line.strip())


def _first_fault(entry: Entry, layout: _Layout) -> InputError:
    """Return the error for the first row or cell that cannot be read."""
    start = 1 + (layout.header is not None)
    for number, line in enumerate(itertools.islice(_lines(entry), start - 1, None), start):
        cells = _cells(line, layout.delimiter) if line.strip() else []
        if cells and len(cells) != layout.columns:
            return InputError(
                f"{entry.name}: line {number:,}: expected {layout.columns:,} columns, received "
                f"{len(cells):,}; complete it, or leave it out"
            )
        for column, cell in enumerate(cells):
            if column == layout.label:
                good, wanted = bool(cell.strip()), "a label"
            else:
                good, wanted = bool(_NUMBER.fullmatch(cell)), "a number from 0 to 255"
            if not good:
                return InputError(
                    f"{entry.name}: line {number:,}, column {column + 1}: expected {wanted}, "
                    f"received {printable(repr(cell), 40)}; correct it, or leave the line out"
                )
    return InputError(f"{entry.name}: expected rows of numbers; write it again as CSV")


def _cells(line: str, delimiter: str) -> list[str]:
    line = line.rstrip("\r\n")
    return line.split() if delimiter == " " else next(csv.reader([line], delimiter=delimiter), [])


def _delimiter(line: str) -> str:
    return max(",;\t ", key=line.count)


def _lines(entry: Entry) -> Iterator[str]:
    """Yield the lines of a table, as long as they are not too long or too many."""
    total = 0
    try:
        with entry.open() as packed:
            file: IO[bytes] = entries.unpacking(entry, packed)
            for line in iter(lambda: file.readline(LONGEST_LINE), b""):
                if total == 0:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                total += len(line)
                if total > entries.MOST_BYTES:
                    raise entries.too_large(entry.name)
                if len(line) == LONGEST_LINE:
                    raise InputError(
                        f"{entry.name}: expected lines of 785 cells, received a longer one"
                    )
                yield line.decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise entries.unreadable(entry.name, error) from None
