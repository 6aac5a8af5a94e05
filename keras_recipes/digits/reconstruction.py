"""Shared parts of recipes that reconstruct images: the input is its own target.

Inputs are uint8 of shape (N, 28, 28, 1), white on black. Targets and outputs are float32 of shape
(N, 784): the brightness of each pixel, from 0 to 1. Labels are not learned. If the data has them,
the pictures show them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras_recipes.answers.per_input import PerInput
from keras_recipes.bounds import Share
from keras_recipes.data.dataset import Batch, Dataset, Examples
from keras_recipes.digits import data as digits
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Guess, Metric, Row

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

COLUMNS = ("file", "reconstruction_error")

METRICS = {
    "reconstruction_error": Metric("Mean squared difference per pixel; pixels are from 0 to 1."),
    "variance_explained": Metric("Share of the pixels' variance that is reconstructed.", "share"),
    "usual_error": Metric("Reconstruction error that 99 % of the images do not exceed."),
}


@dataclass(frozen=True, kw_only=True)
class LabelledDataset(Dataset):
    """Images as their own targets, with the labels of the test images, which only pictures use.

    Attributes:
        test_labels: The label of each test image; empty if the data has no labels.
    """

    test_labels: tuple[str, ...] = ()


def load(
    data: Sequence[str],
    *,
    validation: Share = 0.1,
    skip_bad: bool = False,
    seed: int,
) -> LabelledDataset:
    """Read images with or without labels, and split them into training, validation and test part.

    Args:
        data: Names or paths, as for `digits.data.load`; also a folder of pictures without classes,
            or an NPZ file of images only.
        validation: Share of the training part that is used for validation instead.
        skip_bad: Leaves out pictures that cannot be read, with a warning, instead of stopping.
        seed: Seed of the splits.

    Raises:
        InputError: Something is missing or damaged, or is not what was expected.
    """
    parts = digits.read_parts(
        data, validation=validation, skip_bad=skip_bad, seed=seed, labels=False
    )
    return _dataset(parts, digits.known_as(data, parts.name))


def held_out(data: Sequence[str], *, skip_bad: bool, seed: int) -> LabelledDataset:
    """Read data to measure on: as `load`, without a validation part."""
    return load(data, validation=0.0, skip_bad=skip_bad, seed=seed)


def from_arrays(images: Any, targets: Any) -> LabelledDataset:
    """Make a data set of arrays from Python.

    Args:
        images: Shape (N, 28, 28) or (N, 28, 28, 1); brightness 0 to 255, or floats 0 to 1.
        targets: The images again, or None, or a label for each image, shape (N,).

    Raises:
        InputError: The arrays have other shapes or values, or the targets are other images.
    """
    import numpy as np

    if targets is not None and np.shape(targets) == np.shape(images):
        if not np.array_equal(targets, images):
            raise InputError(
                "expected the images as their own targets, received other images; give None"
            )
        targets = None
    return _dataset(digits.parts_of_arrays(images, targets))


def _dataset(parts: digits.Parts, known_as: tuple[str, ...] = ()) -> LabelledDataset:
    labels, test = parts.test.labels, parts.test
    known = labels != (digits.NO_LABEL,)
    return LabelledDataset(
        name=parts.name,
        train=_own_targets(parts.train),
        validation=_own_targets(parts.validation) if parts.validation else None,
        test=_own_targets(test),
        note=parts.note,
        known_as=known_as,
        test_labels=tuple(labels[index] for index in test.indices) if known else (),
    )


def _own_targets(part: digits.Labelled) -> Examples:
    return Examples(part.images[..., None], as_targets(part.images))


def as_targets(images: "np.ndarray") -> "np.ndarray":
    """Return images of dtype uint8 and shape (N, 28, 28) or (N, 28, 28, 1) as targets."""
    import numpy as np

    return images.reshape(len(images), -1) / np.float32(255)


def errors(targets: "np.ndarray", outputs: "np.ndarray") -> "np.ndarray":
    """Return the reconstruction error of each image: the mean squared difference per pixel.

    Args:
        targets: Shape (N, pixels), from 0 to 1.
        outputs: The reconstructions, of the same shape.

    Returns:
        Shape (N,).
    """
    import numpy as np

    found: np.ndarray = np.mean((targets - outputs) ** 2, axis=1)
    return found


def measure(targets: "np.ndarray", outputs: "np.ndarray") -> dict[str, float]:
    """Return the mean reconstruction error, the variance explained, and the 99th percentile."""
    import numpy as np

    found = errors(targets, outputs)
    variance = float(np.mean(targets.var(axis=0)))
    return {
        "reconstruction_error": float(found.mean()),
        # Equal images have no variance that could be explained.
        "variance_explained": 1 - float(found.mean()) / variance if variance else 0.0,
        "usual_error": usual(found),
    }


def usual(found: "np.ndarray") -> float:
    """Return the reconstruction error that 99 % of the images do not exceed."""
    import numpy as np

    return float(np.quantile(found, 0.99, method="inverted_cdf"))


def guess(data: Dataset) -> Guess:
    """Return the reconstruction error of the mean training image as the answer to every image."""
    mean = data.train.y.mean(axis=0, keepdims=True)
    error = float(errors(data.test.y, mean).mean())
    return Guess("reconstruction_error", error, "always answering the mean image", best=0.0)


def interpret(batch: Batch, outputs: "np.ndarray", learned: Mapping[str, Any]) -> Iterator[Row]:
    """Yield rows with the keys `file,reconstruction_error`.

    Args:
        batch: The names of the images, and the images.
        outputs: Reconstructions of shape (N, 784).
        learned: What the card knows of the data; it is not needed.

    Raises:
        CorruptModelError: The outputs are no reconstructions of the images.
    """
    targets = as_targets(batch.x)
    if outputs.shape != targets.shape:
        raise CorruptModelError(
            f"its card: expected reconstructions of {targets.shape[1]} pixels, received outputs of "
            f"shape {outputs.shape[1:]}; restore it, or fit again"
        )
    for name, error in zip(batch.names, errors(targets, outputs).tolist(), strict=True):
        yield {"file": name, "reconstruction_error": error}


def answers(pictures: "Callable[[Fitted, Dataset], Iterator[tuple[str, Figure]]]") -> PerInput:
    """Return the functions with which a recipe that reconstructs images reads data and answers.

    Args:
        pictures: The function that draws the recipe's pictures.
    """
    return PerInput(
        columns=COLUMNS,
        read=load,
        held_out=held_out,
        from_arrays=from_arrays,
        inputs=digits.inputs,
        as_batch=digits.as_batch,
        interpret=interpret,
        figures=pictures,
    )
