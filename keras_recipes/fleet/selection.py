"""The records of a table that have a value in a column, as a table of their own."""

import csv
import gzip
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from keras_recipes.data.series import dialect, preamble, tables
from keras_recipes.errors import InputError, first_line, printable

SAMPLE = 100
"""The number of lines by which the delimiter and the header are told."""

JSON_LINES = (".jsonl", ".ndjson", ".json")


def values(path: Path, column: str) -> list[str]:
    """Return the different values of a column, in order.

    Raises:
        InputError: The file cannot be read, or has no such column.
    """
    if path.suffix == ".parquet":
        from pyarrow import compute

        found = compute.unique(_parquet(path, column, [column])[column]).to_pylist()
        return sorted({str(value) for value in found if value is not None})
    if _is_json(path):
        return sorted({str(row[column]) for row in _objects(path, column)})
    _, number, rows = _cells(path, column)
    return sorted({row[number] for row in rows})


def write(path: Path, column: str, value: str, target: Path) -> None:
    """Write the records with this value, without the column; nothing is written if there is none.

    Args:
        path: The table.
        column: The column.
        value: The value as a text.
        target: The file to write, of the same kind.

    Raises:
        InputError: As for `values`.
    """
    if path.suffix == ".parquet":
        from pyarrow import compute, parquet, string

        table = _parquet(path, column)
        same = compute.equal(compute.cast(table[column], string()), value)
        parquet.write_table(table.filter(same).drop_columns([column]), target)
        return
    with target.open("w", encoding="utf-8", newline="") as file:
        if _is_json(path):
            for record in _objects(path, column):
                if str(record.pop(column)) == value:
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
            return
        names, number, rows = _cells(path, column)
        writer = csv.writer(file, lineterminator="\n")
        for row in itertools.chain([names], rows):
            if row is names or row[number] == value:
                writer.writerow([*row[:number], *row[number + 1 :]])


def _is_json(path: Path) -> bool:
    return bool({suffix.lower() for suffix in path.suffixes[-2:]} & set(JSON_LINES))


def _opened(path: Path) -> IO[str]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        if packed:
            return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
        return path.open(encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _cells(path: Path, column: str) -> tuple[list[str], int, Iterator[list[str]]]:
    """Return the names of the columns, the place of one of them, and the rows."""
    with _opened(path) as lines:
        first = list(itertools.islice(lines, SAMPLE))
    delimiter = preamble.separator(first) or dialect.delimiter_of(str(path), first)
    beginning = preamble.begin(str(path), first, delimiter)
    names = beginning.names or []
    if column not in names:
        raise _missing(path, column, names)

    def rows() -> Iterator[list[str]]:
        with _opened(path) as lines:
            reader = csv.reader(itertools.islice(lines, beginning.lines, None), delimiter=delimiter)
            try:
                yield from (row for row in reader if len(row) == len(names))
            except csv.Error as error:
                raise InputError(f"{path}: not CSV: {error}") from None

    return names, names.index(column), rows()


def _objects(path: Path, column: str) -> Iterator[dict[str, Any]]:
    there = False
    with _opened(path) as lines:
        for _, row in tables.json_rows(str(path), lines, None).rows:
            if row.get(column) is not None:
                there = True
                yield dict(row)
    if not there:
        raise _missing(path, column, [])


def _parquet(path: Path, column: str, columns: list[str] | None = None) -> Any:
    from keras_recipes import extras

    extras.require(str(path), "parquet", ["pyarrow"])
    from pyarrow import ArrowException, parquet

    try:
        names = parquet.read_schema(path).names
        if column not in names:
            raise _missing(path, column, names)
        return parquet.read_table(path, columns=columns, partitioning=None)
    except (OSError, ArrowException) as error:
        reason = printable(first_line(error), 200)
        raise InputError(f"{path}: expected Parquet that can be read: {reason}") from None


def _missing(path: Path, column: str, names: list[str]) -> InputError:
    known = printable(", ".join(names), 200) or "none"
    return InputError(
        f"{path}: expected a column {printable(column)!r}, received {known}; name another by --by"
    )
