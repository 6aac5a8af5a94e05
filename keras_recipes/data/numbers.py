"""Rows of numbers from the command line, from CSV files, and from standard input."""

import csv
import io
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from keras_recipes.data import files
from keras_recipes.errors import InputError, described

if TYPE_CHECKING:
    import numpy as np

LONGEST_LINE = 16_000_000
"""The largest number of characters of a line; a picture of 1,000 by 1,000 pixels fits."""

NumberedRow = tuple[str, list[float]]
"""The source of a row ("points.csv line 3"), and its numbers."""


def rows(inputs: Sequence[str], *, width: int, example: str) -> Iterator[NumberedRow]:
    """Yield the rows of each input: a literal such as `0,1`, CSV files, or `-` for standard input.

    Files are read row by row, so their length does not matter. A first line of the right width
    without any number is a header. Empty lines are skipped.

    Args:
        inputs: The inputs as the user gave them. An existing file takes precedence over a literal
            of the same spelling.
        width: The number of values in a row.
        example: A valid literal, for the messages.

    Raises:
        InputError: An input is neither numbers nor a readable file; or a row is malformed, has
            another width, or holds a value that is not finite.
    """
    for text in inputs:
        if text == "-":
            yield from _standard_input(width)
        elif (paths := files.found(text, (".csv",))) is not None:
            for path in paths:
                yield from _file_rows(path, width)
        elif _looks_like_a_path(text):
            raise _no_such(text, example)
        else:
            yield _row(f"input {text!r}", text.split(","), width)


def array(values: Any, expected: str) -> "np.ndarray":
    """Return numbers from Python as an array of their own type and shape.

    Args:
        values: An array, a list of lists, or a DataFrame.
        expected: What was expected, for the message.

    Raises:
        InputError: The values are not numbers, a single number, or lists of different lengths.
    """
    import numpy as np

    try:
        found = np.asarray(values)
        if found.ndim and found.dtype.kind == "O":  # a DataFrame's columns may have several types
            found = found.astype("float64")
    except (TypeError, ValueError):
        found = np.array(None)
    if not found.ndim or found.dtype.kind not in "biuf":
        raise InputError(f"expected {expected}, received {described(values)}")
    return found


def check_there(inputs: Sequence[str], *, example: str) -> None:
    """Check that each input is a literal or an existing file, before the model is known.

    Args:
        inputs: As for `rows`.
        example: A valid literal, for the message.

    Raises:
        InputError: There is no such file.
    """
    for text in inputs:
        if text != "-" and files.found(text, (".csv",)) is None and _looks_like_a_path(text):
            raise _no_such(text, example)


def _no_such(text: str, example: str) -> InputError:
    return InputError(
        f"{text}: no such file; expected values like {example}, a CSV file, or - for standard input"
    )


def _looks_like_a_path(text: str) -> bool:
    return "," not in text and not text.lstrip("+-.")[:1].isdigit()


def _standard_input(width: int) -> Iterator[NumberedRow]:
    if sys.stdin is None:
        raise InputError("standard input is closed")
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
    try:
        yield from _csv_rows("standard input", lines, width)
    finally:
        lines.detach()


def _file_rows(path: Path, width: int) -> Iterator[NumberedRow]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            yield from _csv_rows(str(path), lines, width)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _csv_rows(source: str, lines: TextIO, width: int) -> Iterator[NumberedRow]:
    reader, first = csv.reader(_bounded(source, lines)), True
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not (first and _is_header(cells, width)):
                yield _row(f"{source} line {reader.line_num}", cells, width)
            first = False
    except csv.Error as error:
        raise InputError(f"{source} line {reader.line_num}: not CSV: {error}") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source}: expected CSV text in UTF-8, byte {error.start} is not"
        ) from None


def _bounded(source: str, lines: TextIO) -> Iterator[str]:
    """Yield the lines of a file; refuse a line that could fill the memory."""
    while line := lines.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise InputError(
                f"{source}: expected lines of at most {LONGEST_LINE:,} characters, received a "
                "longer one; is it CSV?"
            )
        yield line


def _is_header(cells: Sequence[str], width: int) -> bool:
    return len(cells) == width and not any(_number(cell) is not None for cell in cells)


def _row(where: str, cells: Sequence[str], width: int) -> NumberedRow:
    if len(cells) != width:
        raise InputError(f"{where}: expected {width} numbers, received {len(cells)}")
    values = []
    for cell in cells:
        value = _number(cell)
        if value is None or not math.isfinite(value):
            raise InputError(f"{where}: expected {width} finite numbers, received {cell.strip()!r}")
        values.append(value)
    return where, values


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None
