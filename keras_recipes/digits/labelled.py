"""Images with labels: the rules for both, parts of them, and splits."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes.data import files
from keras_recipes.data.dataset import Examples
from keras_recipes.errors import InputError, UnsafeModelError, printable

if TYPE_CHECKING:
    import numpy as np

LONGEST_LABEL = 255
"""The most characters of a label; a folder's name has no more."""


NO_LABEL = "image"
"""The label of all images, if none has a label."""


MOST_BYTES = 1 << 30
"""The most bytes of an unpacked file that is read as a whole: 1,370,000 images."""


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
    """Data that was read: its name, its training part and, if it has one, its test part."""

    name: str
    train: Labelled
    test: Labelled | None = None


def too_large(path: Path) -> UnsafeModelError:
    """Return the error for a file that is too large after unpacking."""
    return UnsafeModelError(
        f"{path}: expected at most {MOST_BYTES:,} bytes after unpacking, received more; split it, "
        "or use a folder of pictures"
    )


def as_images(source: str, images: "np.ndarray") -> "np.ndarray":
    """Return images of any numeric dtype as uint8 of shape (N, 28, 28).

    Args:
        source: The name of the file or array, for messages.
        images: Shape (N, 28, 28) or (N, 28, 28, 1); brightness 0 to 255, or floats 0 to 1.

    Raises:
        InputError: The array has another shape or other values.
    """
    import numpy as np

    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 or images.shape[1:] != (28, 28) or not len(images):
        raise InputError(f"{source}: expected images of shape (N, 28, 28), received {images.shape}")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "biuf":
        raise InputError(f"{source}: expected numbers, received {images.dtype}")
    if not np.isfinite(images).all():
        raise InputError(f"{source}: expected finite numbers, received NaN or infinity")
    if images.dtype.kind == "f" and images.max() <= 1:
        images = images * 255
    if images.min() < 0 or images.max() > 255:
        raise InputError(
            f"{source}: expected brightness 0 to 255, or 0 to 1, received {images.min():g} to "
            f"{images.max():g}; scale it"
        )
    return np.round(images).astype("uint8")


def labelled(source: str, images: "np.ndarray", labels: "np.ndarray") -> Labelled:
    """Join images and labels; ten digits are ten classes, even if some are missing."""
    import numpy as np

    if labels.ndim != 1 or len(labels) != len(images):
        raise InputError(
            f"{source}: expected a label for each of {len(images):,} images, "
            f"received labels of shape {labels.shape}"
        )
    if labels.dtype.kind not in "iuU":
        raise InputError(
            f"{source}: expected whole numbers or names as labels, received {labels.dtype}"
        )
    if labels.dtype.kind in "iu" and labels.min() >= 0 and labels.max() < 10:
        # There are ten digits, even if a small sample lacks some of them.
        return Labelled(as_images(source, images), labels, tuple(map(str, range(10))))
    names, indices = np.unique(labels, return_inverse=True)
    return Labelled(as_images(source, images), indices, tuple(map(str, names)))


def without_labels(images: "np.ndarray") -> Labelled:
    """Give all images the same label."""
    import numpy as np

    return Labelled(images, np.zeros(len(images), "int64"), (NO_LABEL,))


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
    return Found(files.in_words([f.name for f in found]), train, test)
