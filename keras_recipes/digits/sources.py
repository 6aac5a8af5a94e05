"""What a name given by the user holds: a named data set, a folder, an archive, or a file."""

import logging
from pathlib import Path

from keras_recipes.digits import archives, class_folders, data_sets, entries
from keras_recipes.digits.data_sets import DataSet
from keras_recipes.digits.entries import Entry, Tree
from keras_recipes.digits.labelled import Found, as_classes, without_labels
from keras_recipes.digits.named_sets import MNIST, digits, mnist
from keras_recipes.digits.part_names import TEST, TRAIN, VALIDATION
from keras_recipes.errors import InputError

NAMED = (MNIST, "digits")

log = logging.getLogger(__name__)


def read(name: str, skip_bad: bool, labels: bool = True) -> Found:
    """Read the data of a name.

    Args:
        name: A path, or a path that leads into an archive, or `mnist` or `digits`.
        skip_bad: Whether to leave out pictures that cannot be read, with a warning.
        labels: Whether labels are needed; without them, all images get the label `image`.

    Raises:
        InputError: There is nothing of this name, or it is not in a known format.
        UnsafeModelError: A file is too large, or an archive is hostile.
    """
    if name in NAMED and not is_shadowed(name):
        return digits() if name == "digits" else _mnist()
    if is_shadowed(name):
        log.info("%s: the folder of this name is read, and not the data set", name)
    place = opened(name)
    if isinstance(place, Entry):
        return _of_set(name, data_sets.of_one(place, _siblings(name, place)), labels)
    if data_set := stored(place):
        return _of_set(name, data_set, labels)
    if not labels and not any(len(entry.parts) > 1 for entry in place.pictures()):
        return _without_classes(place, skip_bad)
    return class_folders.read(place, skip_bad)


def is_shadowed(name: str) -> bool:
    """Return whether the name of a data set is also that of a folder here, which is then read."""
    return name in NAMED and Path(name).is_dir()


def opened(name: str) -> Tree | Entry:
    """Return the files of a folder or an archive, or a single file.

    Raises:
        InputError: There is nothing of this name.
    """
    path = Path(name)
    if path.is_dir():
        return entries.of_folder(path)
    if path.is_file() and not archives.is_archive(path.name):
        return entries.of_path(path)
    if within := archives.inside(path):
        archive, parts = within
        tree = archives.tree(archive)
        return _inside(name, tree, parts) if parts else tree
    raise InputError(f"{name}: no such file or folder; expected a file, a folder, mnist or digits")


def stored(tree: Tree) -> DataSet | None:
    """Return the data set of a folder or an archive; None if it has folders of pictures.

    Raises:
        InputError: It has several data sets, or one next to folders of pictures.
    """
    sets = data_sets.found(tree.entries)
    if not sets:
        return None
    if any(len(entry.parts) > 1 for entry in tree.pictures()):
        raise InputError(
            f"{tree.name}: has folders of pictures and the file "
            f"{next(iter(sets[0].parts.values()))[0].name}; name one of them"
        )
    return data_sets.one_of(tree.name, sets)


def _mnist() -> Found:
    try:
        return mnist()
    except InputError as error:
        raise InputError(f"{error}; copy mnist.npz there, or use --data digits") from error


def _inside(name: str, tree: Tree, parts: tuple[str, ...]) -> Tree | Entry:
    for entry in tree.entries:
        if entry.parts == parts:
            return entry
    for part in parts:
        if part not in tree.folders:
            raise InputError(f"{name}: there is no {part} in {tree.name}; name another")
        tree = tree.folders[part]
    return tree


def _siblings(name: str, entry: Entry) -> list[Entry]:
    path = Path(name)
    if within := archives.inside(path):
        every = archives.tree(within[0]).entries
        return [other for other in every if other.parts[:-1] == entry.parts[:-1]]
    return [entries.of_path(p) for p in sorted(path.parent.iterdir()) if p.is_file()]


def _of_set(name: str, data_set: DataSet, labels: bool) -> Found:
    tables = data_set.tables(labels)
    if TEST in tables and tables[TEST].labels is None and labels and len(tables) > 1:
        log.info("%s: has no labels and is left out", tables.pop(TEST).source)
    if labels or all(table.labels is not None for table in tables.values()):
        read = {part: table.labelled() for part, table in tables.items()}
    else:
        read = {p: without_labels(table.as_images()) for p, table in tables.items()}
    train = read.pop(TRAIN, None)
    if train is None:
        if len(read) > 1:
            raise InputError(f"{name}: has test images and no training images; add them")
        return Found(name, *read.values())
    read = {
        part: as_classes(found, train.labels, tables[part].source) for part, found in read.items()
    }
    return Found(name, train, read.get(TEST), read.get(VALIDATION))


def _without_classes(tree: Tree, skip_bad: bool) -> Found:
    import numpy as np

    read = [class_folders.picture(entry, skip_bad) for entry in tree.pictures()]
    images = [image for image in read if image is not None]
    if not images:
        raise InputError(f"{tree.name}: expected pictures that can be read, found none")
    return Found(tree.name, without_labels(np.stack(images)))
