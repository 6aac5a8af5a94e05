"""Images and labels in NumPy's files."""

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.digits import labelled as limits
from keras_recipes.digits.labelled import Found, labelled, too_large
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import numpy as np

_DAMAGED = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    MemoryError,
    zlib.error,
    zipfile.BadZipFile,
)
"""The errors that NumPy and the standard library raise for a damaged NPZ file."""


def npz_arrays(path: Path) -> "dict[str, np.ndarray]":
    """Return the arrays of an NPZ file by name."""
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > limits.MOST_BYTES:
            raise too_large(path)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except _DAMAGED as error:
        raise InputError(f"{path}: expected an NPZ file, received a damaged one: {error}") from None


def npz_images(path: Path) -> "np.ndarray":
    """Return the images of an NPZ file that is asked about."""
    have = npz_arrays(path)
    if "x" in have or len(have) == 1:
        return have.get("x", next(iter(have.values())))
    raise InputError(
        f"{path}: expected an array x of images, or a single array, found {', '.join(have)}"
    )


def read_npz(path: Path) -> Found:
    """Read an NPZ file of images and labels."""
    have = npz_arrays(path)
    if {"x_train", "y_train"} <= have.keys():
        train = labelled(str(path), have["x_train"], have["y_train"])
        if {"x_test", "y_test"} <= have.keys():
            return Found(str(path), train, labelled(str(path), have["x_test"], have["y_test"]))
        return Found(str(path), train)
    if {"x", "y"} <= have.keys():
        return Found(str(path), labelled(str(path), have["x"], have["y"]))
    raise InputError(
        f"{path}: expected the arrays x_train, y_train, x_test, y_test, or x and y, found "
        f"{', '.join(have)}"
    )
