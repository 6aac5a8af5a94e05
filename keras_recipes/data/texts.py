"""Whole texts: files and folders of any text in UTF-8, and standard input."""

import codecs
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_recipes.data import files
from keras_recipes.errors import InputError

log = logging.getLogger(__name__)

MOST_BYTES = 1 << 28
"""The largest number of bytes that are read of one text."""


def read(paths: Sequence[str]) -> str:
    """Return the texts of files one after the other, with line feeds as the ends of lines.

    Of a folder, all files that hold text are read, in the order of their names. Hidden files and
    files that do not hold text in UTF-8 are left out.

    Args:
        paths: Files, folders, quoted globs, or `-` for standard input.

    Raises:
        InputError: There is no such file, or a named file does not hold text in UTF-8.
    """
    return "\n".join(text for path in paths for text in _texts(path))


def standard_input() -> str:
    """Return the text on standard input as it is, apart from the ends of its lines.

    Raises:
        InputError: It is closed, too long, or not in UTF-8.
    """
    if sys.stdin is None:
        raise InputError("-: expected text on standard input, received a closed one")
    return _decoded("-", sys.stdin.buffer.read(MOST_BYTES + 1))


def _texts(text: str) -> Iterator[str]:
    if text == "-":
        yield standard_input()
    elif Path(text).is_dir():
        yield from _of_folder(Path(text))
    else:
        found = files.found(text, ())
        if found is None:
            raise InputError(f"{text}: no such file; expected a text file or a folder of them")
        yield from (_decoded(str(path), _content(path)) for path in found)


def _of_folder(folder: Path) -> Iterator[str]:
    inside = sorted(path for path in folder.rglob("*") if path.is_file())
    visible = [p for p in inside if not any(x[0] == "." for x in p.relative_to(folder).parts)]
    count = 0
    for path in visible:
        try:
            text = _decoded(str(path), _content(path))
        except InputError:
            continue
        count += 1
        yield text
    if not count:
        raise InputError(f"{folder}: expected files that hold text in UTF-8, found none")
    if count < len(visible):
        log.info("%s: %d of %d files hold text in UTF-8 and are read", folder, count, len(visible))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a file that can be read") from None


def _decoded(name: str, content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise InputError(f"{name}: expected at most {MOST_BYTES:,} bytes; cut the text")
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: expected text in UTF-8, received another byte at {error.start:,}; "
            "convert the file, for example with iconv"
        ) from None
    if "\0" in text:
        raise InputError(f"{name}: expected text, received a zero byte; name a text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")
