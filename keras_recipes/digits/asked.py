"""The images that `recipes predict` is asked about."""

import io
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from keras_recipes import atomic
from keras_recipes.data import files, never_replaced, numbers
from keras_recipes.data.dataset import Batch
from keras_recipes.digits import archives, data_sets, entries, sources
from keras_recipes.digits.class_folders import read_by
from keras_recipes.digits.data_sets import DataSet
from keras_recipes.digits.entries import Entry, Tree
from keras_recipes.digits.labelled import as_images
from keras_recipes.digits.part_names import TEST, TRAIN
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from keras_recipes.digits.characters import Seen
    from keras_recipes.digits.several import Character

    Reader = Callable[[Entry, bool], Sequence[Seen | Character] | None]

log = logging.getLogger(__name__)

GAP = 0.8
"""The gap between two words, as a share of the height of a character."""

BATCH = 256
"""The number of pictures that are read and answered together."""


@dataclass(frozen=True)
class Pictures(Batch):
    """A batch of images of which it is known how they were found.

    Attributes:
        crowded: For each image, whether its picture holds more characters than this one.
        characters: For each image its place, if the characters of pictures were asked for.
    """

    crowded: Sequence[bool] = ()
    characters: "Sequence[Character]" = ()


def inputs(texts: Sequence[str], *, seen: str | None = None, skip_bad: bool) -> Iterator[Batch]:
    """Yield the pictures of files, folders with their subfolders, and globs, or of standard input.

    The same files are read as for `data.load`, with or without labels, and of a data set with parts
    its test part. Images of files that hold many are in MNIST's form and are used as they are.

    Args:
        texts: Paths and globs as the user gave them, or `-`.
        seen: Folder in which to save each picture in the form in which the net sees it, as PNG.
        skip_bad: Whether to leave out pictures that cannot be read, instead of stopping.
    """
    yield from _batches(texts, seen, skip_bad, _one_each)


def characters(
    texts: Sequence[str], *, seen: str | None = None, several: bool = False, skip_bad: bool
) -> Iterator[Batch]:
    """Yield pictures as `inputs` does, or the characters of pictures that hold several.

    Args:
        texts: Paths and globs as the user gave them, or `-`.
        seen: Folder in which to save each picture in the form in which the net sees it, as PNG.
        several: Answer for each character of a picture, line by line and from left to right, with
            its place in pixels. Otherwise a picture with more than one is `unsure`.
        skip_bad: Whether to leave out pictures that cannot be read, instead of stopping.
    """
    yield from _batches(texts, seen, skip_bad, _each_character if several else _one_each)


def _batches(
    texts: Sequence[str], seen: str | None, skip_bad: bool, drawn: "Reader"
) -> Iterator[Batch]:
    number, replaced = itertools.count(), 0
    if seen and Path(seen).exists() and not Path(seen).is_dir():
        raise InputError(f"seen: expected a folder to save pictures in, received the file {seen}")
    for many, some in itertools.groupby(_asked(texts), lambda asked: isinstance(asked, DataSet)):
        for batch in _stored(some) if many else _drawn(some, skip_bad, drawn):
            if seen:
                images = batch.x[..., 0]
                replaced += _save_seen(Path(seen), number, batch.names, images, texts)
            yield batch
    if replaced:
        log.info("replaced %d picture%s in %s", replaced, "s" * (replaced > 1), seen)


def _asked(texts: Sequence[str]) -> "Iterator[DataSet | Entry]":
    """Yield the data sets and the pictures that texts name."""
    for text in texts:
        if text == "-":
            yield Entry("-", ("-",), _standard_input)
        elif Path(text).is_dir() or archives.inside(Path(text)):
            yield from _of_place(text, sources.opened(text))
        else:
            found = files.found(text, ())
            for path in [Path(text)] if found is None else found:
                if not path.exists():
                    raise InputError(f"{path}: no such file; expected a picture, or other images")
                yield from _of_place(str(path), entries.of_path(path))


def _of_place(name: str, place: "Tree | Entry") -> "Iterator[DataSet | Entry]":
    if isinstance(place, Entry):
        kind = data_sets.kind_of(place)
        yield place if kind is None else data_sets.DataSet(kind, name, {TRAIN: [place]}, [])
    elif pictures := place.pictures():
        yield from pictures
    elif data_set := sources.stored(place):
        yield data_set
    else:
        raise InputError(f"{name}: no file there that can be read; name other files")


def _standard_input() -> IO[bytes]:
    from keras_recipes.digits import pictures

    return pictures.opened(pictures.STANDARD_INPUT)


def _stored(sets: "Iterator[Any]") -> Iterator[Batch]:
    for data_set in sets:
        tables = data_set.tables(labels=False)
        part = TEST if TEST in tables else next(iter(tables))
        if len(tables) > 1:
            left = ", ".join(table.source for p, table in tables.items() if p != part)
            log.info("%s: its test part is read, and not %s", tables[part].source, left)
        table = tables[part]
        images = table.as_images()
        for start in range(0, len(images), BATCH):
            piece = images[start : start + BATCH]
            names = [f"{table.source}[{start + row}]" for row in range(len(piece))]
            yield Batch(names, piece[..., None])


def _drawn(some: "Iterator[Any]", skip_bad: bool, read: "Reader") -> Iterator[Batch]:
    """Yield batches of whole pictures, so that the characters of one picture stay together."""
    readable = False
    while batch := list(itertools.islice(some, BATCH)):
        good = [(entry.name, found) for entry in batch if (found := read(entry, skip_bad))]
        if good:
            readable = True
            yield _batch(good)
    if not readable:
        raise InputError("no picture could be read; see the warnings above")


def _batch(good: "Sequence[tuple[str, Sequence[Seen | Character]]]") -> Pictures:
    import numpy as np

    from keras_recipes.digits.several import Character

    pairs = [(name, one) for name, found in good for one in found]
    return Pictures(
        [name for name, _ in pairs],
        np.stack([one.image for _, one in pairs])[..., None],
        [not isinstance(one, Character) and one.several for _, one in pairs],
        [one for _, one in pairs if isinstance(one, Character)],
    )


def _one_each(entry: Entry, skip_bad: bool) -> "list[Seen] | None":
    from keras_recipes.digits import pictures

    found = read_by(pictures.seen_in, entry, skip_bad)
    return None if found is None else [found]


def _each_character(entry: Entry, skip_bad: bool) -> "list[Character] | None":
    from keras_recipes.digits import pictures

    return read_by(pictures.characters_in, entry, skip_bad)


def as_text(batch: Pictures, said: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the name of each picture and its characters as text; ` / ` is between lines.

    Args:
        batch: The characters, in reading order.
        said: What each of them is.
    """
    rows = zip(batch.names, batch.characters, said, strict=True)
    for name, some in itertools.groupby(rows, key=lambda row: row[0]):
        lines: dict[int, str] = {}
        end: dict[int, int] = {}
        for _, one, text in some:
            # Characters of one word are closer to each other than they are high.
            far = one.line in end and one.left - end[one.line] > GAP * one.height
            lines[one.line] = lines.get(one.line, "") + " " * far + text
            end[one.line] = one.left + one.width
        yield name, " / ".join(lines.values())


def _save_seen(
    folder: Path,
    number: Iterator[int],
    names: Sequence[str],
    images: "np.ndarray",
    asked: Sequence[str],
) -> int:
    """Save pictures, and return how many files were replaced; none of those that were asked for."""
    from PIL import Image

    replaced = 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in zip(names, images, strict=True):
        # The number tells apart pictures of the same name in different folders.
        path = folder / f"{next(number):06}-{Path(name).stem}.png"
        if path.exists():
            never_replaced.check(path, asked, "seen")
            replaced += 1
        content = io.BytesIO()
        Image.fromarray(image).save(content, "PNG")
        atomic.file(path, content.getvalue())
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
