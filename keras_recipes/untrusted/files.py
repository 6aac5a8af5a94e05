"""Read untrusted files: regular files only, each file once, and up to a size.

A file that is a symbolic link is refused everywhere: a folder from elsewhere could link to any
file, and users can resolve their own links. Links among the parent folders are followed.
"""

import contextlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from keras_recipes.errors import CorruptModelError, InputError, UnsafeModelError, printable
from keras_recipes.untrusted import limits

MOST_FOLDERS = 100_000
NO_HOLES = 1 << 20
"""The most bytes of a file that is not looked at for holes."""


def read(path: Path, most: int) -> bytes:
    """Return the content of a file.

    Args:
        path: The file.
        most: The most bytes.

    Raises:
        CorruptModelError: The file does not exist.
        UnsafeModelError: It is a link, a pipe, a device or a folder, or larger than `most`.
        InputError: It cannot be read.
    """
    # Without O_NONBLOCK, opening a pipe would wait until someone writes to it.
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    shown = printable(path, 200)
    try:
        _refuse_special(os.lstat(path).st_mode, shown)
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise CorruptModelError(
            f"{shown}: missing, so the model is incomplete; restore it, or fit again"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{shown}: cannot be read: {reason}") from None
    with os.fdopen(descriptor, "rb") as file:
        _refuse_special(os.fstat(descriptor).st_mode, shown)
        return _bounded(file, most, shown)


def size(path: Path) -> int:
    """Return the bytes of a file, or of the files in a folder; links count as nothing.

    Holes in a file count as nothing either: they cost nothing to make.
    """
    if path.is_symlink() or not path.exists():
        return 0
    if path.is_file():
        return _stored(path.stat())
    total = 0
    for count, (folder, _, names) in enumerate(os.walk(path)):
        for name in names:
            with contextlib.suppress(OSError):
                total += _stored(os.lstat(Path(folder, name)))
        if count >= MOST_FOLDERS:
            break
    return total


def _stored(status: os.stat_result) -> int:
    if not stat.S_ISREG(status.st_mode):
        return 0
    if status.st_size <= NO_HOLES or not hasattr(status, "st_blocks"):
        return status.st_size
    # A file system that compresses needs fewer blocks for an honest file as well.
    return min(status.st_size, 2 * 512 * status.st_blocks)


def begins(path: Path, signature: bytes) -> bool:
    """Return whether a regular file begins with these bytes; False if it cannot be read."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode) and _first(path, len(signature)) == signature
    except (OSError, ValueError):
        return False


def _first(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _refuse_special(mode: int, shown: str) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISLNK(mode):
        raise UnsafeModelError(
            f"{shown}: refused, it is a symbolic link; name the file that it points to"
        )
    raise UnsafeModelError(
        f"{shown}: refused, expected a regular file, found {_kind(mode)}; name the file itself"
    )


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "a device")


def _bounded(file: BinaryIO, most: int, shown: str) -> bytes:
    # Read one byte more than the declared size, to notice a file that grows.
    content = b""
    if (size := os.fstat(file.fileno()).st_size) <= most:
        content = file.read(size + 1)
    if size > most or len(content) > size:
        raise UnsafeModelError(
            f"{shown}: refused, it is larger than {min(size, most):,} bytes; {limits.advice()}"
        )
    return content
