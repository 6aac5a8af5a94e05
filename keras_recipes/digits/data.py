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

import contextlib
import csv
import itertools
import logging
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes.bounds import Share
from keras_recipes.data import files, numbers
from keras_recipes.data.dataset import Batch, Dataset, Examples
from keras_recipes.errors import SUBSTITUTION, InputError, UnsafeModelError, printable

if TYPE_CHECKING:
    import numpy as np

MNIST = "mnist"
"""The name of the data set, for `--data` and in every result."""

TEST_SHARE = 0.2
"""The share of the examples that is held out for the test, if the data has no test part."""

SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp"}
"""The endings of picture files that are looked for in a folder."""

BATCH = 256
"""The number of pictures that are read and answered together."""

MOST_BYTES = 1 << 30
"""The most bytes of an unpacked file that is read as a whole: 1,370,000 images."""

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

LONGEST_LABEL = 255
"""The most characters of a label; a folder's name has no more."""

NO_LABEL = "image"
"""The label of all images, if none has a label."""

NETWORK_SECONDS = 10.0
IDX_UINT8 = 0x08

log = logging.getLogger(__name__)


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
    read = _read if labels else _read_images
    found = _joined([read(name, skip_bad) for name in data]) if data else _mnist_or_digits()
    train, test, note = found.train, found.test, "its own test part is held out"
    if test is None:
        train, test = _split(train, TEST_SHARE, seed)
        note = f"it has no test part: {len(test):,} of its examples are held out at random"
        log.info("%s: %s", found.name, note)
    watched = None
    if validation:
        train, watched = _split(train, validation, seed)
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
        labelled = _without_labels(as_images("the arrays", pixels))
    else:
        try:
            names = np.asarray(labels)
        except ValueError:
            raise InputError(
                "expected one label for each image, received lists of labels"
            ) from None
        labelled = _labelled("the arrays", pixels, names)
    train, test = _split(labelled, TEST_SHARE, seed=0)
    note = f"{len(test):,} examples are held out at random"
    return Parts("arrays from Python", train, None, test, note)


def inputs(texts: Sequence[str], *, seen: str | None = None, skip_bad: bool) -> Iterator[Batch]:
    """Yield the pictures of files, folders with their subfolders, and globs, or of standard input.

    The images of IDX and NPZ files are in MNIST's form already and are used as they are.

    Args:
        texts: Paths and globs as the user gave them, or `-`.
        seen: Folder in which to save each picture in the form in which the net sees it, as PNG.
        skip_bad: Whether to leave out pictures that cannot be read, instead of stopping.
    """
    number, replaced = itertools.count(), 0
    if seen and Path(seen).exists() and not Path(seen).is_dir():
        raise InputError(f"seen: expected a folder to save pictures in, received the file {seen}")
    for many, paths in itertools.groupby(_paths(texts), _holds_many):
        for names, images in (_stored if many else _drawn)(paths, skip_bad):
            if seen:
                replaced += _save_seen(Path(seen), number, names, images)
            yield Batch(names, images[..., None])
    if replaced:
        log.info("replaced %d picture%s in %s", replaced, "s" * (replaced > 1), seen)


def _holds_many(path: Path) -> bool:
    return path.suffix == ".npz" or "idx3" in path.name


def _stored(paths: Iterator[Path], skip_bad: bool) -> "Iterator[tuple[list[str], np.ndarray]]":
    for path in paths:
        images = _npz_images(path) if path.suffix == ".npz" else _idx_array(path, 3)
        images = as_images(str(path), images)
        for start in range(0, len(images), BATCH):
            piece = images[start : start + BATCH]
            yield [f"{path}[{start + row}]" for row in range(len(piece))], piece


def _drawn(paths: Iterator[Path], skip_bad: bool) -> "Iterator[tuple[list[str], np.ndarray]]":
    import numpy as np

    readable = False
    while some := list(itertools.islice(paths, BATCH)):
        read = [(str(path), _picture(path, skip_bad)) for path in some]
        good = [(name, image) for name, image in read if image is not None]
        if good:
            readable = True
            yield [name for name, _ in good], np.stack([image for _, image in good])
    if not readable:
        raise InputError("no picture could be read; see the warnings above")


def _picture(path: Path, skip_bad: bool) -> "np.ndarray | None":
    from keras_recipes.digits import pictures

    try:
        return pictures.read(path)
    except InputError as error:
        if not skip_bad:
            raise InputError(f"{error}; --set skip_bad=true leaves it out") from None
        log.warning("%s; left out", error)
        return None


def example(data: Sequence[str]) -> str:
    """Return the example input for `recipes predict`: a name in capitals stands for a picture."""
    return "PICTURE.png"


def as_batch(images: Any) -> Batch:
    """Return images from Python as a batch.

    Args:
        images: Shape (N, 28, 28) or (N, 28, 28, 1), or one image of shape (28, 28) or (28, 28, 1),
            white on black; brightness 0 to 255, or floats 0 to 1.

    Raises:
        InputError: The array has another shape or other values.
    """
    array = numbers.array(images, "images of shape (N, 28, 28)")
    single = array.shape in ((28, 28), (28, 28, 1))
    x = as_images("the images", array[None] if single else array)
    return Batch([str(row) for row in range(len(x))], x[..., None])


def _paths(texts: Sequence[str]) -> Iterator[Path]:
    from keras_recipes.digits import pictures

    for text in texts:
        if text == "-":
            yield pictures.STANDARD_INPUT
        else:
            found = files.found(text, SUFFIXES)
            yield from [Path(text)] if found is None else found


def _save_seen(folder: Path, number: Iterator[int], names: list[str], images: "np.ndarray") -> int:
    """Save pictures, and return how many files were replaced."""
    from PIL import Image

    replaced = 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in zip(names, images, strict=True):
        # The number tells apart pictures of the same name in different folders.
        path = folder / f"{next(number):06}-{Path(name).stem}.png"
        replaced += path.exists()
        Image.fromarray(image).save(path)
    return replaced


def mnist_is_here() -> bool:
    """Return whether MNIST is in Keras' cache."""
    return _mnist_cache().is_file()


def _mnist_cache() -> Path:
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return home / "datasets" / "mnist.npz"


def _mnist_or_digits() -> Found:
    try:
        return _mnist()
    except InputError as error:
        log.log(SUBSTITUTION, "%s; using scikit-learn's 1,797 digits instead", error)
        return _digits()


def _read_images(name: str, skip_bad: bool) -> Found:
    """Read data that may have no labels."""
    import numpy as np

    if name in (MNIST, "digits") or not _has_no_labels(Path(name)):
        return _read(name, skip_bad)
    images = [batch.x for batch in inputs([name], skip_bad=skip_bad)]
    return Found(name, _without_labels(np.concatenate(images)[..., 0]))


def _read(name: str, skip_bad: bool) -> Found:
    path = Path(name)
    if name == MNIST:
        try:
            return _mnist()
        except InputError as error:
            raise InputError(f"{error}; copy mnist.npz there, or use --data digits") from error
    if name == "digits":
        return _digits()
    if path.is_dir():
        return _folder(path, skip_bad)
    if not path.is_file():
        raise InputError(
            f"{name}: no such file or folder; expected a file, a folder, mnist or digits"
        )
    if path.suffix == ".npz":
        return _npz(path)
    if path.suffix == ".csv":
        return Found(name, _csv(path))
    return _idx(path)


def _has_no_labels(path: Path) -> bool:
    """Return whether this is a folder of pictures without classes, or an NPZ file of images only.

    A CSV file has a column of labels, and IDX images have a file of labels.
    """
    if path.is_dir():
        return not any(found.is_dir() or "idx3" in found.name for found in path.iterdir())
    if path.suffix != ".npz" or not path.is_file():
        return False
    return not any(name.startswith("y") for name in _npz_arrays(path))


def _without_labels(images: "np.ndarray") -> Labelled:
    import numpy as np

    return Labelled(images, np.zeros(len(images), "int64"), (NO_LABEL,))


def _mnist() -> Found:
    from keras_recipes import backend

    backend.start()
    import keras

    with _network_timeout():
        try:
            (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
        except Exception as error:
            reason = str(error).rpartition("-- ")[2] or type(error).__name__
            raise InputError(
                f"MNIST is not in {_mnist_cache().parent} and cannot be downloaded ({reason})"
            ) from error
    train, test = _labelled("MNIST", x, y), _labelled("MNIST", x_test, y_test)
    return Found(MNIST, train, test)


@contextlib.contextmanager
def _network_timeout() -> Iterator[None]:
    """Stop waiting for a network that does not answer, and keep stdout free, inside the block."""
    import socket

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)
    try:
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            yield
    finally:
        socket.setdefaulttimeout(before)


def _digits() -> Found:
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    def enlarged(grey: "np.ndarray") -> "np.ndarray":
        # MNIST's digits fill 20 x 20 pixels in the middle of 28 x 28.
        large = Image.fromarray(grey).resize((20, 20), Image.Resampling.BICUBIC)
        return np.pad(np.asarray(large).clip(0, 255), 4)

    images, labels = load_digits(return_X_y=True)
    small = (images.reshape(-1, 8, 8) * (255 / 16)).astype("float32")
    return Found("digits", _labelled("digits", np.stack(list(map(enlarged, small))), labels))


def _folder(folder: Path, skip_bad: bool) -> Found:
    images = sorted(p for p in folder.iterdir() if "images" in p.name and "idx3" in p.name)
    if images:
        train = [p for p in images if not p.name.startswith("t10k")]
        return _idx((train or images)[0])
    parts = {p.name: p for p in folder.iterdir() if p.is_dir()}
    if set(parts) == {"train", "test"}:
        train_part = _classes(parts["train"], skip_bad)
        test_part = _classes(parts["test"], skip_bad, train_part.labels)
        return Found(str(folder), train_part, test_part)
    return Found(str(folder), _classes(folder, skip_bad))


def _classes(folder: Path, skip_bad: bool, labels: tuple[str, ...] | None = None) -> Labelled:
    """Read a folder that has a folder of pictures for each class, named after the class."""
    import numpy as np

    found = labels or tuple(sorted(p.name for p in folder.iterdir() if p.is_dir()))
    if len(found) < 2:
        raise InputError(
            f"{folder}: expected a folder of pictures for each of at least two classes, or MNIST's "
            "IDX files"
        )
    images, indices = [], []
    for index, label in enumerate(found):
        for path in sorted(p for p in (folder / label).rglob("*") if p.is_file()):
            image = _picture(path, skip_bad)
            if image is not None:
                images.append(image)
                indices.append(index)
    if not images:
        raise InputError(f"{folder}: expected pictures that can be read, found none")
    return Labelled(np.stack(images), np.array(indices), found)


def _npz_arrays(path: Path) -> "dict[str, np.ndarray]":
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MOST_BYTES:
            raise _too_large(path)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except _DAMAGED as error:
        raise InputError(f"{path}: expected an NPZ file, received a damaged one: {error}") from None


def _too_large(path: Path) -> UnsafeModelError:
    return UnsafeModelError(
        f"{path}: expected at most {MOST_BYTES:,} bytes after unpacking, received more; split it, "
        "or use a folder of pictures"
    )


def _npz_images(path: Path) -> "np.ndarray":
    have = _npz_arrays(path)
    if "x" in have or len(have) == 1:
        return have.get("x", next(iter(have.values())))
    raise InputError(
        f"{path}: expected an array x of images, or a single array, found {', '.join(have)}"
    )


def _npz(path: Path) -> Found:
    have = _npz_arrays(path)
    if {"x_train", "y_train"} <= have.keys():
        train = _labelled(str(path), have["x_train"], have["y_train"])
        if {"x_test", "y_test"} <= have.keys():
            return Found(str(path), train, _labelled(str(path), have["x_test"], have["y_test"]))
        return Found(str(path), train)
    if {"x", "y"} <= have.keys():
        return Found(str(path), _labelled(str(path), have["x"], have["y"]))
    raise InputError(
        f"{path}: expected the arrays x_train, y_train, x_test, y_test, or x and y, found "
        f"{', '.join(have)}"
    )


def _csv(path: Path) -> Labelled:
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
    return _labelled(str(path), pixels, table[:, label])


def _idx(path: Path) -> Found:
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
    return _labelled(str(path), _idx_array(path, 3), _idx_array(labels, 1))


def _idx_variant(path: Path) -> Path | None:
    """Return the file or its `.gz` variant, whichever exists, else None."""
    plain = path.with_name(path.name.removesuffix(".gz"))
    return next(
        (p for p in (path, plain, plain.with_name(f"{plain.name}.gz")) if p.is_file()), None
    )


def _idx_array(path: Path, dimensions: int) -> "np.ndarray":
    """Read IDX: two zero bytes, a type, the number of dimensions, their sizes, the values."""
    import gzip

    import numpy as np

    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if len(content) > MOST_BYTES:
        raise _too_large(path)
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


def _labelled(source: str, images: "np.ndarray", labels: "np.ndarray") -> Labelled:
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


def _split(whole: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
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


def _joined(found: list[Found]) -> Found:
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
