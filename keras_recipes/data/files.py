"""The files that an input names: files, folders and quoted globs."""

import glob
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_recipes.errors import InputError

LONGEST_ROTATION = 4
"""The largest number of digits of a rotated log's number."""

# app.log-20260105, app.log.2026-01-05, app.log.20260105-0800
_DATED = re.compile(r"(?<=[a-z])[.-]\d{4}-?\d\d-?\d\d(?:[-T.]?\d{2,6})?$")


def as_texts(given: Any) -> list[str] | None:
    """Return texts and paths from Python as a list of texts; None for any other value."""
    some = [given] if isinstance(given, str | Path) else given
    if not isinstance(some, Sequence) or not some:
        return None
    if not all(isinstance(item, str | Path) for item in some):
        return None
    return [str(item) for item in some]


def read_once(texts: Sequence[str]) -> bool:
    """Return whether one of the paths can be read only once, as a pipe can."""
    paths = [Path(text) for text in texts]
    return any(path.exists() and not (path.is_file() or path.is_dir()) for path in paths)


def found(text: str, endings: Collection[str]) -> Iterator[Path] | None:
    """Return the files that a text names, or None if it names no files, such as a literal.

    Args:
        text: A file, a folder, or a glob such as `logs/*.csv`.
        endings: The suffixes of the files to find in a folder, in lower case with the dot.

    Raises:
        InputError: The folder has no such files, the glob matches nothing, or no file can have this
            name.
    """
    if not text:
        raise InputError("expected a file, a folder or a glob, received an empty text")
    path = Path(text)
    try:
        if path.is_dir():
            return _some(text, (p for p in path.rglob("*") if _ending(p.name) in endings))
        if path.exists():
            return iter([path])
    except OSError as error:
        raise InputError(f"{text[:60]}...: {error.strerror}") from None
    if glob.has_magic(text):
        return _some(text, map(Path, glob.iglob(text, recursive=True)))  # noqa: PTH207
    return None


def _ending(name: str) -> str:
    """Return the suffix of a file's name, without what rotation adds: of `app.log.1`, `.log`."""
    stem, _, last = name.rpartition(".")
    if "." in stem and last.isdecimal() and len(last) <= LONGEST_ROTATION:
        name = stem
    name = _DATED.sub("", name)
    return Path(name).suffix.lower()


def in_words(texts: Sequence[str]) -> str:
    """Return files in words; of more than two, the first and a number: "a.csv and 11 more"."""
    return ", ".join(texts) if len(texts) <= 2 else f"{texts[0]} and {len(texts) - 1:,} more"


def _some(text: str, paths: Iterator[Path]) -> Iterator[Path]:
    ordered = sorted(path for path in paths if path.is_file())
    if not ordered:
        raise InputError(f"{text}: no file there that can be read; name other files")
    return iter(ordered)
