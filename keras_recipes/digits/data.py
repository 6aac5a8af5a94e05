"""Pictures of digits with their labels: MNIST, scikit-learn's digits, and files of the user.

Images become uint8 of shape (N, 28, 28, 1), white on black. Targets become one-hot float32 of shape
(N, classes). The data may be:

    (nothing)         MNIST; if it cannot be loaded, `digits` with a warning
    mnist             MNIST from Keras' cache or its download; an error if it cannot be loaded
    digits            the 1,797 digits of the UCI collection that come with scikit-learn
    FOLDER            a folder of pictures for each class, in parts such as train and test or not;
                      or the files of one data set: MNIST's four IDX files, CSV, NPZ, Parquet
    FILE              IDX images (with their labels next to them), NPZ, CSV of pixels, Parquet
    ARCHIVE           a ZIP or tar of any of these; ARCHIVE/NAME is what is inside under this name

LeCun, Cortes, Burges: the MNIST database of handwritten digits, 60,000 + 10,000.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras_recipes.bounds import Share
from keras_recipes.data import numbers
from keras_recipes.data.dataset import Dataset
from keras_recipes.digits.asked import Pictures, as_batch, as_text, characters, example, inputs
from keras_recipes.digits.class_folders import LAYOUT
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
from keras_recipes.digits.sources import NAMED, is_shadowed, read
from keras_recipes.errors import InputError, printable

__all__ = [
    "MNIST",
    "NO_LABEL",
    "Labelled",
    "Parts",
    "Pictures",
    "as_batch",
    "as_images",
    "as_text",
    "characters",
    "example",
    "from_arrays",
    "held_out",
    "inputs",
    "is_label",
    "is_unseen",
    "known_as",
    "load",
    "mnist_is_here",
    "parts_of_arrays",
    "read_parts",
    "unseen",
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
        validation: Share of the training part that is used for validation instead, if the data has
            no validation part of its own.
        skip_bad: Leaves out pictures that cannot be read, with a warning, instead of stopping.
        seed: Seed of the splits.

    Raises:
        InputError: Something is missing or damaged, or is not what was expected.
    """
    parts = read_parts(data, validation=validation, skip_bad=skip_bad, seed=seed)
    if len(parts.train.labels) < 2:
        raise InputError(
            f"{parts.name}: expected at least two classes to learn, received only "
            f"{printable(parts.train.labels[0])}; {LAYOUT}"
        )
    return _classified(parts, known_as(data, parts.name))


def held_out(data: Sequence[str], *, skip_bad: bool, seed: int) -> Dataset:
    """Read data to measure on: as `load`, without a validation part."""
    parts = read_parts(data, validation=0.0, skip_bad=skip_bad, seed=seed)
    return _classified(parts, known_as(data, parts.name))


def unseen(data: Sequence[str], *, skip_bad: bool, seed: int) -> Dataset:
    """Read data that a model cannot have learned from: all of it is measured, or its test part."""
    parts = read_parts(data, validation=0.0, skip_bad=skip_bad, seed=seed, whole=True)
    return _classified(parts, known_as(data, parts.name))


def is_unseen(fitted_on: Any, data: Sequence[str]) -> bool:
    """Return whether a model that was fitted on a named data set cannot know other data.

    Args:
        fitted_on: The paths in the model's card, which may be a file from elsewhere.
        data: The names or paths to measure on.
    """
    named = isinstance(fitted_on, list) and fitted_on and all(n in NAMED for n in fitted_on)
    return bool(named and data and not any(n in NAMED and not is_shadowed(n) for n in data))


def known_as(data: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the names by which a card keeps data, or an empty tuple for those that were given."""
    if not data:
        # Without MNIST, digits was used. Another machine, or this one later, may have MNIST.
        return (name,)
    if any(map(is_shadowed, data)):
        return tuple(f"./{given}" if is_shadowed(given) else given for given in data)
    return ()


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
    whole: bool = False,
) -> Parts:
    """Read the data and split it, with the labels' indices instead of targets.

    Args:
        data: As for `load`.
        validation: As for `load`.
        skip_bad: As for `load`.
        seed: As for `load`.
        labels: Whether labels are needed. Without them, a folder of pictures and an NPZ file of
            images are data too; all their images get the label `image`.
        whole: Whether all of data without a test part is the test part, because nothing of it is
            used for training.

    Raises:
        InputError: As for `load`.
    """
    every = [read(name, skip_bad, labels) for name in data]
    found = joined(every) if data else mnist_or_digits()
    train, test, note = found.train, found.test, "its own test part is held out"
    if test is None and whole:
        test, note = train, "all of its examples are measured, for none was learned from"
        log.info(
            "%s: it has no test part: all %s examples are measured", found.name, f"{len(test):,}"
        )
    elif test is None:
        train, test = split(train, TEST_SHARE, seed)
        note = f"it has no test part: {len(test):,} of its examples are held out at random"
        log.info("%s: %s", found.name, note)
    watched = found.validation if validation else None
    if watched is not None:
        note = f"{note}, and its own {len(watched):,} validation examples are used"
    elif validation:
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
