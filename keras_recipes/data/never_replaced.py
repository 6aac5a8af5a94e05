"""What a command reads is never replaced by what it writes, whatever name either has."""

import contextlib
import glob
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_recipes.errors import InputError, printable

STANDARD_INPUT = "-"


def check(output: Path, inputs: Iterable[str | Path], option: str = "--output") -> None:
    """Refuse an output that would replace one of the inputs.

    Links, other spellings of a path, and several names of one file are seen through. An archive is
    an input if a file in it is one, and so is every file in a folder that is read.

    Args:
        output: The file or the folder to write.
        inputs: Files, folders, globs, `-`, or texts that name no file.
        option: How the output was given, for the message.

    Raises:
        InputError: It would.
    """
    for text in inputs:
        if any(_is_replaced(path, output) for path in _named(str(text))):
            raise InputError(
                f"{option}: {printable(output, 200)} is one of the inputs, or holds one; name "
                "another place"
            )
        if text == STANDARD_INPUT and _is_standard_input(output):
            raise InputError(
                f"{option}: {printable(output, 200)} is read as standard input; name another file"
            )


def _named(text: str) -> Iterator[Path]:
    """Yield the files and folders that a text names, and the archive that they are in."""
    if not text or "\0" in text:
        return
    path = Path(text)
    yield path
    yield from (parent for parent in path.parents if _is_file(parent))
    if glob.has_magic(text):
        with contextlib.suppress(OSError):
            yield from map(Path, glob.iglob(text, recursive=True))  # noqa: PTH207


def _is_replaced(read: Path, output: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        place = output.resolve()
        if output.samefile(read):
            return True
        if output.is_dir():
            return read.is_file() and place in read.resolve().parents
        return read.is_dir() and any(output.samefile(path) for path in _files_in(read))
    return False


def _files_in(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        yield from filter(Path.exists, (Path(where, name) for name in names))


def _is_file(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.is_file()
    return False


def _is_standard_input(output: Path) -> bool:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # there may be none
        return os.path.samestat(os.fstat(sys.stdin.fileno()), output.stat())
    return False
