"""From what was typed to files: folders are searched through, quoted globs are spelt out."""

import glob
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_recipes.errors import InputError


def as_texts(given: Any) -> list[str] | None:
    """The texts, where a text, a path or a list of them was given from Python; None elsewhere."""
    some = [given] if isinstance(given, str | Path) else given
    if not isinstance(some, Sequence) or not some:
        return None
    if not all(isinstance(item, str | Path) for item in some):
        return None
    return [str(item) for item in some]


def read_once(texts: Sequence[str]) -> bool:
    """Whether one of them is a pipe or the like, which is empty when it is read again."""
    paths = [Path(text) for text in texts]
    return any(path.exists() and not (path.is_file() or path.is_dir()) for path in paths)


def found(text: str, endings: Collection[str]) -> Iterator[Path] | None:
    """The files that a text means, or None where it means none (a literal, say).

    Args:
        text: A file, a folder or a pattern such as `logs/*.csv`.
        endings: Suffixes, lower case with the dot, of the files in a folder that count.

    Raises:
        InputError: A folder without such files, a pattern that matches nothing, or a name that no
            file can have.
    """
    if not text:
        raise InputError("expected a file, a folder or a pattern, received an empty text")
    path = Path(text)
    try:
        if path.is_dir():
            return _some(text, (p for p in path.rglob("*") if p.suffix.lower() in endings))
        if path.exists():
            return iter([path])
    except OSError as error:
        raise InputError(f"{text[:60]}...: {error.strerror}") from None
    if glob.has_magic(text):
        return _some(text, map(Path, glob.iglob(text, recursive=True)))  # noqa: PTH207
    return None


def in_words(texts: Sequence[str]) -> str:
    """Files in words, of many the first and their number: "a.csv and 11 more"."""
    return ", ".join(texts) if len(texts) <= 2 else f"{texts[0]} and {len(texts) - 1:,} more"


def _some(text: str, paths: Iterator[Path]) -> Iterator[Path]:
    ordered = sorted(path for path in paths if path.is_file())
    if not ordered:
        raise InputError(f"{text}: no file there that could be read")
    return iter(ordered)
