"""What a name given by the user holds: a named data set, a folder or a file."""

from pathlib import Path

from keras_recipes.digits.arrays import npz_arrays, read_npz
from keras_recipes.digits.asked import inputs
from keras_recipes.digits.folders import read_folder
from keras_recipes.digits.idx import read_idx
from keras_recipes.digits.labelled import Found, without_labels
from keras_recipes.digits.named_sets import MNIST, digits, mnist
from keras_recipes.digits.pixel_tables import read_csv
from keras_recipes.errors import InputError


def read_images(name: str, skip_bad: bool) -> Found:
    """Read data that may have no labels."""
    import numpy as np

    if name in (MNIST, "digits") or not _has_no_labels(Path(name)):
        return read(name, skip_bad)
    images = [batch.x for batch in inputs([name], skip_bad=skip_bad)]
    return Found(name, without_labels(np.concatenate(images)[..., 0]))


def read(name: str, skip_bad: bool) -> Found:
    """Read the data of a name."""
    path = Path(name)
    if name == MNIST:
        try:
            return mnist()
        except InputError as error:
            raise InputError(f"{error}; copy mnist.npz there, or use --data digits") from error
    if name == "digits":
        return digits()
    if path.is_dir():
        return read_folder(path, skip_bad)
    if not path.is_file():
        raise InputError(
            f"{name}: no such file or folder; expected a file, a folder, mnist or digits"
        )
    if path.suffix == ".npz":
        return read_npz(path)
    if path.suffix == ".csv":
        return Found(name, read_csv(path))
    return read_idx(path)


def _has_no_labels(path: Path) -> bool:
    """Return whether this is a folder of pictures without classes, or an NPZ file of images only.

    A CSV file has a column of labels, and IDX images have a file of labels.
    """
    if path.is_dir():
        return not any(found.is_dir() or "idx3" in found.name for found in path.iterdir())
    if path.suffix != ".npz" or not path.is_file():
        return False
    return not any(name.startswith("y") for name in npz_arrays(path))
