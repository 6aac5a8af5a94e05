"""IDX files, as MNIST is published: images, and the labels next to them."""

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.digits import labelled as limits
from keras_recipes.digits.labelled import Found, Labelled, labelled, too_large
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import numpy as np

IDX_UINT8 = 0x08


def read_idx(path: Path) -> Found:
    """Read IDX images, the labels next to them and, if they are there, MNIST's test files."""
    if "images" not in path.name:
        raise InputError(
            f"{path}: expected NPZ, CSV, or IDX images with a name such as train-images-idx3-ubyte"
        )
    train = _idx_pair(path)
    name = path.name.replace("train", "t10k", 1)
    test = _idx_variant(path.with_name(name)) if path.name.startswith("train") else None
    return Found(str(path.parent), train, _idx_pair(test) if test else None)


def _idx_pair(path: Path) -> Labelled:
    named = path.name.replace("images", "labels").replace("idx3", "idx1")
    labels = _idx_variant(path.with_name(named))
    if labels is None:
        raise InputError(f"{path}: its labels are missing; expected {named} next to it")
    return labelled(str(path), idx_array(path, 3), idx_array(labels, 1))


def _idx_variant(path: Path) -> Path | None:
    """Return the file or its `.gz` variant, whichever exists, else None."""
    plain = path.with_name(path.name.removesuffix(".gz"))
    return next(
        (p for p in (path, plain, plain.with_name(f"{plain.name}.gz")) if p.is_file()), None
    )


def idx_array(path: Path, dimensions: int) -> "np.ndarray":
    """Read IDX: two zero bytes, a type, the number of dimensions, their sizes, the values."""
    import gzip

    import numpy as np

    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(limits.MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if len(content) > limits.MOST_BYTES:
        raise too_large(path)
    start = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, IDX_UINT8, dimensions]) or len(content) < start:
        raise InputError(
            f"{path}: expected IDX with {dimensions} dimensions of bytes, "
            f"received a file that begins with {content[:4].hex() or 'nothing'}"
        )
    shape = tuple(np.frombuffer(content, ">u4", dimensions, 4).tolist())
    values = np.frombuffer(content, "uint8", -1, start)
    if values.size != np.prod(shape):
        raise InputError(
            f"{path}: expected {np.prod(shape):,} values {shape}, found {values.size:,}"
        )
    return values.reshape(shape)
