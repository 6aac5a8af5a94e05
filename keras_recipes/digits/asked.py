"""The images that `recipes predict` is asked about."""

import itertools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes.data import files, numbers
from keras_recipes.data.dataset import Batch
from keras_recipes.digits.arrays import npz_images
from keras_recipes.digits.folders import picture
from keras_recipes.digits.idx import idx_array
from keras_recipes.digits.labelled import as_images
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

BATCH = 256
"""The number of pictures that are read and answered together."""


SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp"}
"""The endings of picture files that are looked for in a folder."""


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
        images = npz_images(path) if path.suffix == ".npz" else idx_array(path, 3)
        images = as_images(str(path), images)
        for start in range(0, len(images), BATCH):
            piece = images[start : start + BATCH]
            yield [f"{path}[{start + row}]" for row in range(len(piece))], piece


def _drawn(paths: Iterator[Path], skip_bad: bool) -> "Iterator[tuple[list[str], np.ndarray]]":
    import numpy as np

    readable = False
    while some := list(itertools.islice(paths, BATCH)):
        read = [(str(path), picture(path, skip_bad)) for path in some]
        good = [(name, image) for name, image in read if image is not None]
        if good:
            readable = True
            yield [name for name, _ in good], np.stack([image for _, image in good])
    if not readable:
        raise InputError("no picture could be read; see the warnings above")


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


def example(data: Sequence[str]) -> str:
    """Return the example input for `recipes predict`: a name in capitals stands for a picture."""
    return "PICTURE.png"
