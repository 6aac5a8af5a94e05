"""Folders of pictures: one for each class, in parts or not."""

import logging
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, TypeVar

from keras_recipes.digits.class_names import digit_of
from keras_recipes.digits.entries import Entry, Tree
from keras_recipes.digits.labelled import Found, Labelled, as_classes
from keras_recipes.digits.part_names import TEST, TRAIN, VALIDATION, part_of
from keras_recipes.errors import InputError, printable

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

T = TypeVar("T")

LAYOUT = (
    "expected a folder of pictures for each class, or the folders train and test with one for each "
    "class in each"
)


def picture(entry: Entry, skip_bad: bool) -> "np.ndarray | None":
    """Return a picture in MNIST's form, or None if it is damaged and may be left out.

    Raises:
        InputError: It is damaged and may not be left out.
    """
    from keras_recipes.digits import pictures

    return read_by(pictures.read_file, entry, skip_bad)


def read_by(read: Callable[[str, IO[bytes]], T], entry: Entry, skip_bad: bool) -> T | None:
    """Read a picture by a function, or return None if it is damaged and may be left out.

    Args:
        read: A function of the name and the open file.
        entry: The picture.
        skip_bad: Whether a damaged picture may be left out.

    Raises:
        InputError: It is damaged and may not be left out.
    """
    try:
        try:
            with entry.open() as file:
                return read(entry.name, file)
        except OSError as error:
            raise InputError(f"{entry.name}: cannot be read: {error.strerror or error}") from None
    except InputError as error:
        if not skip_bad:
            raise InputError(f"{error}; --set skip_bad=true leaves it out") from None
        log.warning("%s; left out", error)
        return None


def read(tree: Tree, skip_bad: bool) -> Found:
    """Read the pictures of a folder or an archive, which has a folder for each class.

    Raises:
        InputError: The folders are neither classes nor parts, or a picture is damaged.
    """
    parts = _parts(_outermost(tree))
    train = _classes(parts.pop(TRAIN), skip_bad) if TRAIN in parts else None
    others = {
        part: _classes(found, skip_bad) for part, found in parts.items() if _has_classes(found)
    }
    if train is None:
        if len(others) != 1:
            raise InputError(f"{tree.name}: has no folder train; {LAYOUT}")
        return Found(tree.name, *others.values())
    for part, found in others.items():
        others[part] = as_classes(found, train.labels, parts[part].name)
    test, validation = others.get(TEST), others.get(VALIDATION)
    if test is None and validation is not None:
        log.info("%s: has no folder test, so %s is used", tree.name, parts[VALIDATION].name)
        test, validation = validation, None
    return Found(tree.name, train, test, validation)


def _outermost(tree: Tree) -> Tree:
    """Go into a single folder that holds other folders, such as that of a ZIP's name."""
    while len(tree.folders) == 1 and not any(len(e.parts) == 1 for e in tree.pictures()):
        name, below = next(iter(tree.folders.items()))
        flat = not below.folders or any(len(e.parts) == 1 for e in below.pictures())
        if flat or _may_be_a_class(name):
            break
        tree = below
    return tree


def _parts(tree: Tree) -> dict[str, Tree]:
    """Return the parts of a tree; all of it is the training part if it has none."""
    tops = {name: below for name, below in tree.folders.items() if below.pictures()}
    named = {name: part for name in tops if (part := part_of(name))}
    if not named:
        return _inner_parts(tree, tops)
    if len(named) < len(tops):
        other = next(name for name in tops if name not in named)
        raise InputError(
            f"{tree.name}: has the part {printable(next(iter(named)))} and the folder "
            f"{printable(other)} next to it; {LAYOUT}"
        )
    found: dict[str, Tree] = {}
    for name, part in named.items():
        if part in found:
            raise InputError(
                f"{tree.name}: expected one folder for each part, received {found[part].name} and "
                f"{printable(name)}; name one of them"
            )
        found[part] = tops[name]
    for below in found.values():
        if not _has_classes(below):
            log.warning("%s: has no folders of classes and is left out", below.name)
    return found


def _inner_parts(tree: Tree, tops: dict[str, Tree]) -> dict[str, Tree]:
    """Return the parts of a tree in which each class has its own folders of parts, if it has."""
    inner = {name for below in tops.values() for name in below.folders}
    if not inner or not all(map(part_of, inner)):
        return {TRAIN: tree}
    if any(len(e.parts) == 1 for below in tops.values() for e in below.pictures()):
        raise InputError(f"{tree.name}: has pictures next to folders of parts; {LAYOUT}")
    found: dict[str, list[Entry]] = {}
    for entry in (e for e in tree.entries if len(e.parts) > 2):
        moved = Entry(entry.name, (entry.parts[0], *entry.parts[2:]), entry.open)
        found.setdefault(str(part_of(entry.parts[1])), []).append(moved)
    return {part: Tree(f"{tree.name} ({part})", tuple(some)) for part, some in found.items()}


def _has_classes(tree: Tree) -> bool:
    return any(len(entry.parts) > 1 for entry in tree.pictures())


def _classes(tree: Tree, skip_bad: bool) -> Labelled:
    """Read a tree that has a folder of pictures for each class, named after the class."""
    import numpy as np

    classes = {name: below for name, below in tree.folders.items() if below.pictures()}
    for label, below in classes.items():
        _check_depth(label, below)
    if loose := [entry for entry in tree.pictures() if len(entry.parts) == 1]:
        log.warning(
            "%s: %d picture%s next to the folders of the classes %s left out, such as %s",
            tree.name, len(loose), "s" * (len(loose) > 1), "are" if len(loose) > 1 else "is",
            loose[0].name,
        )  # fmt: skip
    for name in tree.empty:
        log.warning("%s/%s: has no pictures, so this class is left out", tree.name, name)
    images, indices = [], []
    for index, below in enumerate(classes.values()):
        for entry in below.entries:
            image = picture(entry, skip_bad)
            if image is not None:
                images.append(image)
                indices.append(index)
    if not images:
        raise InputError(f"{tree.name}: expected pictures that can be read, found none; {LAYOUT}")
    return Labelled(np.stack(images), np.array(indices), tuple(classes))


def _check_depth(label: str, below: Tree) -> None:
    """Refuse folders of folders, unless the outer ones are called as digits or letters are."""
    flat = any(len(entry.parts) == 1 for entry in below.pictures())
    if not flat and not _may_be_a_class(label):
        raise InputError(
            f"{below.name}: holds folders ({printable(', '.join(list(below.folders)[:3]))}) and no "
            f"pictures; {LAYOUT}"
        )


def _may_be_a_class(name: str) -> bool:
    return len(name) == 1 or digit_of(name) is not None
