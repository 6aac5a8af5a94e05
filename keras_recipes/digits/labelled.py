"""Images with labels: the rules for both, parts of them, and splits."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras_recipes.data import files
from keras_recipes.data.dataset import Examples
from keras_recipes.errors import InputError, printable

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

LONGEST_LABEL = 255
"""The most characters of a label; a folder's name has no more."""


NO_LABEL = "image"
"""The label of all images, if none has a label."""


FAINT = 64
"""The brightness of 255 that some pixel of each data set in use exceeds."""


def is_label(label: Any) -> bool:
    """Return whether a class may have this label: a printable text that is not too long."""
    return isinstance(label, str) and label.isprintable() and len(label) <= LONGEST_LABEL


@dataclass(frozen=True)
class Labelled:
    """Images with labels.

    Attributes:
        images: Shape (N, 28, 28), uint8.
        indices: The class of each image, shape (N,); `labels[index]` is its label.
        labels: The label of each class.
    """

    images: "np.ndarray"
    indices: "np.ndarray"
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        for label in self.labels:
            if not is_label(label):
                raise InputError(
                    f"{printable(repr(label))}: expected a class's name of printable characters, "
                    f"at most {LONGEST_LABEL}; rename it"
                )

    def __len__(self) -> int:
        return len(self.images)

    def part(self, rows: "np.ndarray") -> "Labelled":
        """Return the examples of these rows, in this order."""
        return Labelled(self.images[rows], self.indices[rows], self.labels)

    def examples(self) -> Examples:
        """Return the examples with one-hot targets."""
        import numpy as np

        targets = np.eye(len(self.labels), dtype="float32")[self.indices]
        return Examples(self.images[..., None], targets)


@dataclass(frozen=True)
class Found:
    """Data that was read: its name, its training part, and the other parts that it has."""

    name: str
    train: Labelled
    test: Labelled | None = None
    validation: Labelled | None = None


def as_images(source: str, images: "np.ndarray") -> "np.ndarray":
    """Return images of any numeric dtype as uint8 of shape (N, 28, 28).

    Args:
        source: The name of the file or array, for messages.
        images: Shape (N, 28, 28), (N, 28, 28, 1), (N, 1, 28, 28) or (N, 784); brightness 0 to 255,
            or 0 to 1.

    Raises:
        InputError: The array has another shape or other values.
    """
    import numpy as np

    received = images.shape
    if images.shape[1:] in ((28, 28, 1), (1, 28, 28), (784,)):
        images = images.reshape(-1, 28, 28)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or not len(images):
        raise InputError(f"{source}: expected images of shape (N, 28, 28), received {received}")
    if images.dtype.kind not in "biuf":
        raise InputError(f"{source}: expected numbers, received {images.dtype}")
    if not np.isfinite(images).all():
        raise InputError(f"{source}: expected finite numbers, received NaN or infinity")
    least, most = float(images.min()), float(images.max())
    if least < 0 or most > 255:
        raise InputError(
            f"{source}: expected brightness 0 to 255, or 0 to 1, received {least:g} to "
            f"{most:g}; scale it"
        )
    if most <= 1:
        images = images * np.float32(255)
    elif most < FAINT:
        log.warning(
            "%s: its brightest pixel is %g of 255; if these are other units, scale them",
            source,
            most,
        )
    _warn_of_paper(source, images)
    return images if images.dtype == np.uint8 else np.round(images).astype("uint8")


def _warn_of_paper(source: str, images: "np.ndarray") -> None:
    import numpy as np

    some = images[:: max(1, len(images) // 1_000)]
    edges = np.concatenate([some[:, [0, -1]].ravel(), some[:, :, [0, -1]].ravel()])
    if np.median(edges) > 127:
        log.warning(
            "%s: its images look dark on light; expected white on black: 255 minus the image",
            source,
        )


def without_labels(images: "np.ndarray") -> Labelled:
    """Give all images the same label."""
    import numpy as np

    return Labelled(images, np.zeros(len(images), "int64"), (NO_LABEL,))


def labelled(
    source: str, images: "np.ndarray", labels: "np.ndarray", names: Mapping[int, str] | None = None
) -> Labelled:
    """Join images and labels; ten digits are ten classes, even if a sample lacks some of them.

    Args:
        source: The name of the file or array, for messages.
        images: As for `as_images`.
        labels: A whole number or a name for each image, shape (N,) or (N, 1), or one-hot (N, K).
        names: The label for each number, if the numbers stand for names.

    Raises:
        InputError: There is not one label for each image, or it is of another kind.
    """
    import numpy as np

    labels = _one_each(source, len(images), labels)
    if labels.dtype.kind in "iu":
        if names is None and labels.min() >= 0 and labels.max() < 10:
            names = dict(enumerate("0123456789"))
        if names is not None:
            return _by_number(source, as_images(source, images), labels, names)
    known, indices = np.unique(labels, return_inverse=True)
    return Labelled(as_images(source, images), indices, tuple(map(str, known)))


def _one_each(source: str, count: int, labels: "np.ndarray") -> "np.ndarray":
    import numpy as np

    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.shape[1] > 1 and labels.dtype.kind in "biuf":
        one_hot = (labels.sum(axis=1) == 1).all() and np.isin(labels, (0, 1)).all()
        labels = labels.argmax(axis=1) if one_hot else labels
    if labels.ndim != 1 or len(labels) != count:
        raise InputError(
            f"{source}: expected a label for each of {count:,} images, "
            f"received labels of shape {labels.shape}"
        )
    if labels.dtype.kind not in "iuU":
        raise InputError(
            f"{source}: expected whole numbers or names as labels, received {labels.dtype}"
        )
    return labels


def _by_number(
    source: str, images: "np.ndarray", labels: "np.ndarray", names: Mapping[int, str]
) -> Labelled:
    import numpy as np

    numbers = np.array(sorted(names))
    at = np.searchsorted(numbers, labels).clip(0, len(numbers) - 1)
    if (strange := labels[numbers[at] != labels]).size:
        raise InputError(
            f"{source}: expected labels from {numbers[0]} to {numbers[-1]}, as its names of "
            f"classes have them, received {strange[0]}"
        )
    return Labelled(images, at, tuple(names[number] for number in numbers.tolist()))


def as_classes(part: Labelled, labels: tuple[str, ...], source: str) -> Labelled:
    """Return a part with the classes of another part.

    Raises:
        InputError: It has images of a class that is not among them.
    """
    import numpy as np

    if part.labels == labels:
        return part
    strange = [part.labels[i] for i in np.unique(part.indices) if part.labels[i] not in labels]
    if strange:
        raise InputError(
            f"{source}: has the class {printable(strange[0])}, which the training part lacks; add "
            "it there, or leave it out"
        )
    places = np.array([labels.index(name) if name in labels else -1 for name in part.labels])
    return Labelled(part.images, places[part.indices], labels)


def split(whole: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """Split into two parts, the second with about this share of each class."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    _, sizes = np.unique(whole.indices, return_counts=True)
    count = max(len(sizes), round(share * len(whole)))
    if sizes.min() < 2 or count > len(whole) - len(sizes):
        raise InputError(
            f"expected at least two examples of each class and enough for a split, received "
            f"{sizes.min()} of one class and {len(whole):,} in all; add some"
        )
    rows = np.arange(len(whole))
    one, other = train_test_split(rows, test_size=count, random_state=seed, stratify=whole.indices)
    return whole.part(np.sort(one)), whole.part(np.sort(other))


def joined(found: list[Found]) -> Found:
    """Join several sources with the same classes."""
    import numpy as np

    if len(found) == 1:
        return found[0]
    labels = found[0].train.labels
    if any(f.train.labels != labels for f in found):
        raise InputError(
            "--data: expected data with the same classes, received different ones; give one source"
        )

    def together(parts: list[Labelled]) -> Labelled | None:
        if not parts:
            return None
        images = np.concatenate([p.images for p in parts])
        return Labelled(images, np.concatenate([p.indices for p in parts]), labels)

    train = together([f.train for f in found])
    assert train is not None
    test = together([f.test for f in found if f.test])
    validation = together([f.validation for f in found if f.validation])
    return Found(files.in_words([f.name for f in found]), train, test, validation)
