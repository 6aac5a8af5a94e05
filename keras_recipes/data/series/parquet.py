"""Rows of Parquet tables: columns of numbers, times and short texts, in bounded memory."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_recipes.data.series.records import Rows
from keras_recipes.data.series.tables import numbered
from keras_recipes.errors import InputError, first_line, printable

ROWS = 4_096
"""The number of rows that are decoded together."""

LONGEST_TEXT = 1_000
"""The most characters of a text that are read. Numbers and times have fewer."""


def rows(path: Path) -> Rows:
    """Return the rows of a Parquet file."""
    return numbered(f"{path} row", _rows(path))


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(
            f"{path}: reading Parquet needs pyarrow: pip install 'keras_recipes[parquet]'"
        ) from None
    try:
        with ParquetFile(path) as table:
            columns = _columns(table)
            texts = [name for name, is_text in columns.items() if is_text]
        # A text that many rows have stays one text if it is read as a dictionary.
        with ParquetFile(path, read_dictionary=texts) as table:
            for batch in table.iter_batches(ROWS, columns=list(columns)):
                yield from _shortened(batch).to_pylist()
    except (OSError, ArrowException) as error:
        reason = printable(first_line(error), 200)
        raise InputError(f"{path}: expected Parquet that can be read: {reason}") from None


def _columns(table: Any) -> dict[str, bool]:
    """Return the columns that may hold numbers or times, and whether they hold texts."""
    from pyarrow import types

    sizes, found = _sizes(table), {}
    for field in table.schema_arrow:
        kind = field.type.value_type if types.is_dictionary(field.type) else field.type
        text = types.is_string(kind) or types.is_large_string(kind)
        if types.is_primitive(kind) or types.is_decimal(kind):
            found[field.name] = False
        elif text and sizes.get(field.name, 0) <= LONGEST_TEXT * table.metadata.num_rows:
            found[field.name] = True
    return found


def _sizes(table: Any) -> "Counter[str]":
    """Return the number of bytes of each column, as the file declares it."""
    sizes: Counter[str] = Counter()
    for group in map(table.metadata.row_group, range(table.metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            sizes[column.path_in_schema] += column.total_uncompressed_size
    return sizes


def _shortened(batch: Any) -> Any:
    """Return a batch with no text longer than `LONGEST_TEXT`."""
    from pyarrow import DictionaryArray, RecordBatch, compute, types

    def shortened(column: Any) -> Any:
        if not types.is_dictionary(column.type):
            return column
        known = column.dictionary
        if not (types.is_string(known.type) or types.is_large_string(known.type)):
            return column
        cut = compute.utf8_slice_codeunits(known, 0, LONGEST_TEXT)
        return DictionaryArray.from_arrays(column.indices, cut)

    return RecordBatch.from_arrays([*map(shortened, batch.columns)], names=batch.schema.names)
