"""Tables with one image a row, a column for each pixel, and a column of labels."""

import csv
from pathlib import Path

from keras_recipes.digits.labelled import Labelled, labelled
from keras_recipes.errors import InputError


def read_csv(path: Path) -> Labelled:
    """Read a CSV file with a column of labels and 784 columns of pixels."""
    import numpy as np

    with path.open(newline="", encoding="utf-8-sig") as lines:
        header = next(csv.reader(lines), [])
    if "label" not in header or len(header) != 785:
        raise InputError(
            f"{path}: expected a header with the column label and 784 columns of pixels, received "
            f"{len(header)} columns"
        )
    try:
        table = np.loadtxt(path, delimiter=",", skiprows=1, dtype="int64", ndmin=2)
    except ValueError as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from None
    label = header.index("label")
    pixels = np.delete(table, label, axis=1).reshape(-1, 28, 28)
    return labelled(str(path), pixels, table[:, label])
