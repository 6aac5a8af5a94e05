"""Images and labels in NumPy's files: NPZ, and NPY.

The names of the arrays are those that people use: `x_train`, `y_train`, `x_test`, `y_test` as Keras
has them, `train_images`, `train_labels`, `val_images`, ..., or `x`, `y`, `images`, `labels`.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keras_recipes.digits import entries
from keras_recipes.digits.entries import Entry
from keras_recipes.digits.part_names import TRAIN, part_of
from keras_recipes.digits.tables import Table
from keras_recipes.errors import InputError, printable

if TYPE_CHECKING:
    import numpy as np

IMAGES = {"x", "images", "image", "imgs", "data", "digits", "pixels"}
LABELS = {"y", "labels", "label", "target", "targets", "classes"}

_DAMAGED = (OSError, ValueError, EOFError, KeyError, MemoryError, zlib.error, zipfile.BadZipFile)
"""The errors that NumPy and the standard library raise for a damaged file."""


def of_npz(entry: Entry) -> "dict[str, np.ndarray]":
    """Return the arrays of an NPZ file by name.

    Raises:
        InputError: It is damaged, or holds Python objects.
        UnsafeModelError: It is too large after unpacking.
    """
    import numpy as np

    try:
        with entry.open() as file, zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > entries.MOST_BYTES:
                raise entries.too_large(entry.name)
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
    except _DAMAGED as error:
        raise InputError(
            f"{entry.name}: expected an NPZ file, received a damaged one: {_reason(error)}"
        ) from None


def of_npy(entry: Entry) -> "np.ndarray":
    """Return the array of an NPY file.

    Raises:
        InputError: It is damaged, or holds Python objects.
        UnsafeModelError: It is too large.
    """
    import numpy as np

    try:
        array: np.ndarray = np.load(io.BytesIO(entry.content()), allow_pickle=False)
    except _DAMAGED as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{entry.name}: expected an NPY file, received a damaged one: {_reason(error)}"
        ) from None
    return array[None] if array.shape == (28, 28) else array


def tables(source: str, arrays: "Mapping[str, np.ndarray]") -> dict[str, Table]:
    """Return the tables of named arrays by part; a single part is called `train`.

    Raises:
        InputError: There are no images, or two arrays of the same meaning.
    """
    images, labels = _by_part(source, arrays, IMAGES), _by_part(source, arrays, LABELS)
    if not images and len(arrays) == 1:
        images = {TRAIN: next(iter(arrays))}
    if not images or (len(images) > 1 and TRAIN not in images):
        raise InputError(
            f"{source}: expected the arrays x_train, y_train, x_test, y_test, or x and y, found "
            f"{printable(', '.join(arrays)) or 'none'}; rename them"
        )
    return {
        part: Table(
            source if len(images) == 1 else f"{source}/{printable(name)}",
            arrays[name],
            arrays[labels[part]] if part in labels else None,
        )
        for part, name in images.items()
    }


def _by_part(source: str, names: Mapping[str, object], wanted: set[str]) -> dict[str, str]:
    """Return the name of the array of each part, such as `{"test": "x_test"}`."""
    found: dict[str, str] = {}
    for name in names:
        words = re.split(r"[^a-z0-9]+", name.lower())
        parts = [part for part in map(part_of, words) if part]
        kinds = [word for word in words if not part_of(word)]
        if len(parts) > 1 or kinds not in ([kind] for kind in wanted):
            continue
        part = parts[0] if parts else TRAIN
        if part in found:
            raise InputError(
                f"{source}: expected one array for each part, received "
                f"{printable(found[part])} and {printable(name)}; leave one out"
            )
        found[part] = name
    return found


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "pickle" in text or "Object arrays" in text:
        return "it holds Python objects; save numbers only"
    return printable(text) or "it ends too early"
