"""Read users' arrays from `.npy` and `.npz` files, without pickles and ZIP bombs."""

import io
import math
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from keras_recipes.errors import (
    CorruptModelError,
    InputError,
    RecipeError,
    UnsafeModelError,
    printable,
)
from keras_recipes.untrusted import archive, files, limits

MOST_AXES = 16
MOST_INPUTS = 1_000
MOST_ARRAYS = 10_000
"""The most arrays; the state for a hundred columns of a series has about thirty for each."""


def read_by_name(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a user's file by name; that of a `.npy` file has the name x.

    Raises:
        InputError: There is no such file, or it holds something else.
        UnsafeModelError: It holds Python objects, or exceeds the limits.
    """
    if not path.exists() and not path.is_symlink():
        raise InputError(f"{printable(path, 200)}: no such file")
    where, most = printable(path, 200), limits.current().array_bytes
    try:
        content = files.read(path, most)
        if path.suffix != ".npz":
            return {"x": _npy(content, where)}
        found = archive.members(content, where, most, at_most=MOST_INPUTS)
        return {name.removesuffix(".npy"): _npy(found[name], where) for name in found}
    except CorruptModelError as error:
        raise InputError(str(error)) from None


def chosen(found: dict[str, np.ndarray], where: str) -> np.ndarray:
    """Return the only array of a file, or the one named x.

    Raises:
        InputError: There are several, and none is named x.
    """
    if len(found) == 1:
        return next(iter(found.values()))
    if "x" not in found:
        raise InputError(
            f"{where}: expected one array, or one named x, received {printable(sorted(found))}"
        )
    return found["x"]


def read_pair(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the arrays x and y of a `.npz` file.

    Raises:
        InputError: There is no such file, or it holds something else.
        UnsafeModelError: It holds Python objects, or exceeds the limits.
    """
    where, most = printable(path, 200), limits.current().array_bytes
    if not path.exists() and not path.is_symlink():
        raise InputError(f"{where}: no such file")
    try:
        members = archive.members(files.read(path, most), where, most)
        missing = [name for name in ("x.npy", "y.npy") if name not in members]
        if missing:
            raise InputError(f"{where}: expected arrays x and y; {missing[0][0]} is missing")
        return _npy(members["x.npy"], where), _npy(members["y.npy"], where)
    except CorruptModelError as error:
        raise InputError(str(error)) from None


def read_named(path: Path, most: int) -> dict[str, np.ndarray]:
    """Read all arrays, by name, of a `.npz` file that this package wrote.

    Args:
        path: The file.
        most: The most bytes of all arrays together.

    Raises:
        CorruptModelError: It holds something else, or is damaged.
        UnsafeModelError: It holds Python objects, or more bytes.
    """
    where = printable(path, 200)
    try:
        found = archive.members(files.read(path, most), where, most, at_most=MOST_ARRAYS)
        return {name.removesuffix(".npy"): _npy(found[name], where) for name in found}
    except InputError as error:
        raise CorruptModelError(str(error)) from None


def _npy(content: bytes, where: str) -> np.ndarray:
    stream = io.BytesIO(content)
    try:
        version = npy.read_magic(stream)
        readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        if version not in readers:
            raise ValueError(f"unknown format version {version}")
        shape, fortran, dtype = readers[version](stream)
        _check_header(shape, dtype, len(content) - stream.tell(), where)
    except RecipeError:
        raise
    except Exception as error:  # NumPy parses the header as Python, which may raise anything
        raise InputError(
            f"{where}: not a readable NumPy array: {printable(error, 120)}; save it again"
        ) from None
    array = np.frombuffer(content, dtype, offset=stream.tell())
    return array.reshape(shape, order="F" if fortran else "C")


def _check_header(shape: tuple[int, ...], dtype: np.dtype, left: int, where: str) -> None:
    if dtype.hasobject:
        raise UnsafeModelError(
            f"{where}: refused, it holds Python objects, which could run code; save numbers"
        )
    if dtype.kind not in "biuf" or dtype.fields or dtype.subdtype:
        raise InputError(f"{where}: expected numbers, received {printable(dtype)}; save numbers")
    if len(shape) > MOST_AXES or min(shape, default=0) < 0:
        raise ValueError(f"its shape is {printable(shape)}")
    if math.prod(shape) * dtype.itemsize != left:
        raise ValueError(
            f"it declares {math.prod(shape):,} numbers, but does not hold as many bytes"
        )
