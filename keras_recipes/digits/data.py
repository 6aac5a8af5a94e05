"""Pictures of digits with their labels: MNIST, scikit-learn's digits, and files of the user.

Images become uint8 of shape (N, 28, 28, 1), white on black. Targets become one-hot float32 of shape
(N, classes). The data may be:

    (nothing)         MNIST; if it cannot be loaded, `digits` with a warning
    mnist             MNIST from Keras' cache or its download; an error if it cannot be loaded
    digits            the 1,797 digits of the UCI collection that come with scikit-learn
    FOLDER            MNIST's four IDX files (.gz too), or a folder of pictures for each class
    FILE              IDX images (with their labels next to them), NPZ, or CSV of pixels

LeCun, Cortes, Burges: the MNIST database of handwritten digits, 60,000 + 10,000.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras_recipes.bounds import Share
from keras_recipes.data import numbers
from keras_recipes.data.dataset import Dataset
from keras_recipes.digits.asked import as_batch, example, inputs
from keras_recipes.digits.labelled import (
    NO_LABEL,
    Labelled,
    as_images,
    is_label,
    joined,
    labelled,
    split,
    without_labels,
)
from keras_recipes.digits.named_sets import MNIST, mnist_is_here, mnist_or_digits
from keras_recipes.digits.sources import read, read_images
from keras_recipes.errors import InputError

__all__ = [
    "MNIST", "NO_LABEL", "Labelled", "Parts", "as_batch", "as_images", "example", "from_arrays",
    "held_out", "inputs", "is_label", "load", "mnist_is_here", "parts_of_arrays", "read_parts",
]  # fmt: skip

log = logging.getLogger(__name__)

TEST_SHARE = 0.2
"""The share of the examples that is held out for the test, if the data has no test part."""


@dataclass(frozen=True)
class Parts:
    """Data that was read and split.

    Attributes:
        name: The name of the data.
        train: The training part.
        validation: The validation part, if there is one; not part of `train`.
        test: The test part.
        note: What was held out, in words.
    """

    name: str
    train: Labelled
    validation: Labelled | None
    test: Labelled
    note: str


def load(
    data: Sequence[str],
    *,
    validation: Share = 0.1,
    skip_bad: bool = False,
    seed: int,
) -> Dataset:
    """Read the data and split it into training, validation and test part.

    Args:
        data: Names or paths, as the module's docstring lists them; several are joined.
        validation: Share of the training part that is used for validation instead.
        skip_bad: Leaves out pictures that cannot be read, with a warning, instead of stopping.
        seed: Seed of the splits.

    Raises:
        InputError: Something is missing or damaged, or is not what was expected.
    """
    parts = read_parts(data, validation=validation, skip_bad=skip_bad, seed=seed)
    # Without MNIST, digits was used. Another machine, or this one later, may have MNIST.
    return _classified(parts, () if data else (parts.name,))


def held_out(data: Sequence[str], *, skip_bad: bool, seed: int) -> Dataset:
    """Read data to measure on: as `load`, without a validation part."""
    return load(data, validation=0.0, skip_bad=skip_bad, seed=seed)


def from_arrays(images: Any, labels: Any) -> Dataset:
    """Make a data set of arrays from Python.

    Args:
        images: Shape (N, 28, 28) or (N, 28, 28, 1); brightness 0 to 255, or floats 0 to 1.
        labels: A whole number or a name for each image, shape (N,).

    Raises:
        InputError: The arrays have other shapes or values.
    """
    return _classified(parts_of_arrays(images, labels))


def _classified(parts: Parts, known_as: tuple[str, ...] = ()) -> Dataset:
    labels = list(parts.train.labels)
    return Dataset(
        name=parts.name,
        train=parts.train.examples(),
        validation=parts.validation.examples() if parts.validation else None,
        test=parts.test.examples(),
        note=parts.note,
        learned={"labels": labels},
        implied={"classes": len(labels)},
        known_as=known_as,
    )


def read_parts(
    data: Sequence[str],
    *,
    validation: float,
    skip_bad: bool,
    seed: int,
    labels: bool = True,
) -> Parts:
    """Read the data and split it, with the labels' indices instead of targets.

    Args:
        data: As for `load`.
        validation: As for `load`.
        skip_bad: As for `load`.
        seed: As for `load`.
        labels: Whether labels are needed. Without them, a folder of pictures and an NPZ file of
            images are data too; all their images get the label `image`.

    Raises:
        InputError: As for `load`.
    """
    reader = read if labels else read_images
    found = joined([reader(name, skip_bad) for name in data]) if data else mnist_or_digits()
    train, test, note = found.train, found.test, "its own test part is held out"
    if test is None:
        train, test = split(train, TEST_SHARE, seed)
        note = f"it has no test part: {len(test):,} of its examples are held out at random"
        log.info("%s: %s", found.name, note)
    watched = None
    if validation:
        train, watched = split(train, validation, seed)
        note = f"{note}; {len(watched):,} of the training part for validation"
    return Parts(found.name, train, watched, test, note)


def parts_of_arrays(images: Any, labels: Any) -> Parts:
    """Split arrays from Python.

    Args:
        images: As for `from_arrays`.
        labels: As for `from_arrays`; None gives all images the label `image`.

    Raises:
        InputError: As for `from_arrays`.
    """
    import numpy as np

    pixels = numbers.array(images, "images of shape (N, 28, 28)")
    if labels is None:
        whole = without_labels(as_images("the arrays", pixels))
    else:
        try:
            names = np.asarray(labels)
        except ValueError:
            raise InputError(
                "expected one label for each image, received lists of labels"
            ) from None
        whole = labelled("the arrays", pixels, names)
    train, test = split(whole, TEST_SHARE, seed=0)
    note = f"{len(test):,} examples are held out at random"
    return Parts("arrays from Python", train, None, test, note)
