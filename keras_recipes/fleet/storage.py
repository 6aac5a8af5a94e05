"""Where data is: paths, and addresses such as `s3://` that fsspec reads."""

import glob
from pathlib import Path
from typing import Any

from keras_recipes.errors import InputError, first_line, printable


def is_address(text: str) -> bool:
    """Return whether a text is an address and not a path."""
    return "://" in text


def listed(text: str) -> list[str]:
    """Return what a path, an address or a pattern of either names, in order.

    A folder is one item, because a folder may be one data set.

    Raises:
        InputError: Nothing is there.
    """
    if is_address(text):
        found = _addresses(text)
    elif Path(text).exists() or not glob.has_magic(text):
        found = [text] if Path(text).exists() else []
    else:
        found = sorted(glob.glob(text, recursive=True))  # noqa: PTH207
    if not found:
        raise InputError(f"{printable(text, 200)}: no such file; name files, or quote a pattern")
    return found


def folder_of(text: str) -> str:
    """Return the part of a path, an address or a pattern that all of its matches begin with."""
    if not glob.has_magic(text) or (not is_address(text) and Path(text).exists()):
        return text.rpartition("/")[0]
    fixed = text[: next(i for i, letter in enumerate(text) if letter in "*?[")]
    return fixed.rpartition("/")[0]


def fetched(text: str, folder: Path) -> Path:
    """Return the path of an item here; what an address names is copied into a folder.

    Raises:
        InputError: It cannot be read.
    """
    if not is_address(text):
        return Path(text)
    here = folder / text.rstrip("/").rpartition("/")[2]
    system, path = _system(text)
    try:
        system.get(path, str(here), recursive=system.isdir(path))
    except Exception as error:  # each storage has errors of its own
        raise _unreadable(text, error) from None
    return here


def _addresses(text: str) -> list[str]:
    system, path = _system(text)
    try:
        found = system.glob(path) if glob.has_magic(path) else [path] * system.exists(path)
    except Exception as error:  # each storage has errors of its own
        raise _unreadable(text, error) from None
    return sorted(system.unstrip_protocol(item) for item in found)


def _system(text: str) -> tuple[Any, str]:
    try:
        import fsspec

        system, path = fsspec.url_to_fs(text)
    except (ImportError, ValueError, OSError) as error:
        raise _unreadable(text, error) from None
    return system, path


def _unreadable(text: str, error: Exception) -> InputError:
    reason = printable(first_line(error), 200)
    return InputError(f"{printable(text, 200)}: cannot be read: {reason}")
