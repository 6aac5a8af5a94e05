"""Parquet files as Hugging Face publishes MNIST: a picture and a label in each row.

A picture is a record `{bytes, path}`, or the bytes of a picture file. The names of the classes are
in the file's metadata. A table with a column for each pixel is read too.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras_recipes.digits.entries import Entry
from keras_recipes.digits.pixel_tables import LABELS, PIXELS
from keras_recipes.digits.tables import Table
from keras_recipes.errors import InputError, first_line, printable

if TYPE_CHECKING:
    import numpy as np

ROWS = 256
"""The number of rows that are decoded together."""

IMAGES = ("image", "img", "images", "picture", "digit_image", "pixels")


def read(entry: Entry) -> Table:
    """Read a table of pictures.

    Raises:
        InputError: It is damaged, has no pictures, or pyarrow is not installed.
        UnsafeModelError: It is too large.
    """
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(
            f"{entry.name}: reading Parquet needs pyarrow: pip install 'keras_recipes[parquet]'"
        ) from None
    try:
        with entry.open() as file, ParquetFile(file) as table:
            return _read(entry.name, table)
    except (OSError, ArrowException, KeyError) as error:
        raise InputError(
            f"{entry.name}: expected Parquet that can be read: {printable(first_line(error))}"
        ) from None


def _read(name: str, table: Any) -> Table:
    import numpy as np

    columns = list(table.schema_arrow.names)
    label = next((c for c in columns if c.lower() in LABELS), None)
    image = next((c for c in columns if c.lower() in IMAGES), None)
    if image is None and len(columns) - (label is not None) != PIXELS:
        raise InputError(
            f"{name}: expected a column image of pictures and a column label, received "
            f"{printable(', '.join(columns))}; rename them"
        )
    wanted = [image] if image is not None else [c for c in columns if c != label]
    images: list[np.ndarray] = []
    labels: list[Any] = []
    for batch in table.iter_batches(ROWS, columns=wanted + [label] * (label is not None)):
        if label is not None:
            labels += batch.column(len(wanted)).to_pylist()
        if image is not None:
            images += _pictures(name, len(images), batch.column(0).to_pylist())
        else:
            images += list(np.stack([c.to_numpy(False) for c in batch.columns[:PIXELS]], axis=1))
    if not images:
        raise InputError(f"{name}: expected rows with pictures, received none")
    if label is None:
        return Table(name, np.stack(images))
    if any(value is None for value in labels):
        row = labels.index(None) + 1
        raise InputError(f"{name}: row {row:,}: expected a label, received none; add it")
    known = _names(table.schema_arrow.metadata, label)
    return Table(name, np.stack(images), np.asarray(labels), known)


def _pictures(name: str, start: int, values: Sequence[Any]) -> "Iterator[np.ndarray]":
    import numpy as np

    from keras_recipes.digits import pictures

    for row, value in enumerate(values, start + 1):
        where = f"{name}: row {row:,}"
        content = value.get("bytes") if isinstance(value, Mapping) else value
        if isinstance(content, bytes):
            yield pictures.stored(where, io.BytesIO(content))
        elif isinstance(content, list) and np.size(content) == PIXELS:
            yield np.asarray(content).reshape(28, 28)
        else:
            raise InputError(
                f"{where}: expected a picture's bytes, received {type(content).__name__}; write "
                "the table with the pictures in it"
            )


def _names(metadata: Mapping[bytes, bytes] | None, label: str) -> dict[int, str] | None:
    """Return the names of the classes that Hugging Face's `datasets` writes into the file."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        names = features[label]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return dict(enumerate(names))
