"""Folders of pictures: one for each class, in parts or not."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.digits.idx import read_idx
from keras_recipes.digits.labelled import Found, Labelled
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)


def picture(path: Path, skip_bad: bool) -> "np.ndarray | None":
    """Return a picture in MNIST's form, or None if it is damaged and may be left out."""
    from keras_recipes.digits import pictures

    try:
        return pictures.read(path)
    except InputError as error:
        if not skip_bad:
            raise InputError(f"{error}; --set skip_bad=true leaves it out") from None
        log.warning("%s; left out", error)
        return None


def read_folder(folder: Path, skip_bad: bool) -> Found:
    """Read a folder of IDX files or of pictures."""
    images = sorted(p for p in folder.iterdir() if "images" in p.name and "idx3" in p.name)
    if images:
        train = [p for p in images if not p.name.startswith("t10k")]
        return read_idx((train or images)[0])
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
            image = picture(path, skip_bad)
            if image is not None:
                images.append(image)
                indices.append(index)
    if not images:
        raise InputError(f"{folder}: expected pictures that can be read, found none")
    return Labelled(np.stack(images), np.array(indices), found)
