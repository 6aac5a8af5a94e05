"""Publish files and folders whole: a crash leaves either the old or the new content in place.

Everything is written next to its destination, flushed to the disk, and moved there in one step.
A file is never written through a link at its name, which somebody may have put there.
A folder that replaces another one is exchanged with it if the system can do that. Otherwise two
renames replace it, and a journal announces them. After a crash between the two renames, the
journal is used to complete them.
"""

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from keras_recipes.errors import InputError, RecipeError

LOCK_TIMEOUT = 10.0
"""Seconds to wait for another process that publishes to the same place."""

_EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS are the same number
_AT_FDCWD = -100
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


def prepare(target: Path) -> None:
    """Check that something can be published at `target` before work is spent on it.

    This makes no folders: missing folders are made when the content is published.

    Raises:
        InputError: Its parent folder cannot be made or written to.
    """
    try:
        there = next(folder for folder in target.parents if folder.exists())
        with contextlib.suppress(FileNotFoundError):
            _staging(there / target.name).lstat()  # the name may be too long
        # It has no name, so that nothing is left if the process is killed here.
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"{target}: cannot be written: {error.strerror}; choose another place"
        ) from None


def prepare_file(target: Path) -> None:
    """Check that a file can be published at `target` before work is spent on it.

    Raises:
        InputError: `target` is a folder or a link, or its parent folder cannot be made or written
            to.
    """
    if not target.name or target.is_dir():
        raise InputError(f"{str(target)!r}: expected the name of a file, received a folder")
    prepare(_own_place(target))


def _own_place(target: Path) -> Path:
    """Return the absolute path of a file to publish; links to its folder are followed.

    Raises:
        InputError: There is a link at the path itself.
    """
    if target.is_symlink():
        raise InputError(f"{target}: is a link to another file; name that file, or another one")
    return target.parent.resolve() / target.name


def replaced(target: Path, replaceable: Collection[str]) -> set[str]:
    """Return what is lost if a folder is published at `target`; all of it has to be `replaceable`.

    Args:
        target: An absolute path.
        replaceable: Paths in the folder that may be replaced.

    Returns:
        The paths of the files there; an empty set if `target` does not exist.

    Raises:
        InputError: `target` is not a folder, is the working directory or above it, is the root
            of a file system, or holds anything other than `replaceable`.
    """
    complete(target)
    if not target.exists():
        return set()
    if not target.is_dir():
        raise InputError(f"{target}: expected a folder, found a file; name another folder")
    if Path.cwd().is_relative_to(target) or target.is_mount():
        raise InputError(f"{target}: cannot be replaced as a whole; name a folder inside it")
    known = {
        *replaceable,
        *(folder.as_posix() for path in replaceable for folder in Path(path).parents),
    }
    names = set()
    for path in target.rglob("*"):  # stops at the first unknown file, however many there are
        name = path.relative_to(target).as_posix()
        if name not in known:
            raise InputError(
                f"{target}: holds {name}, which no saved model has; name another folder"
            )
        names.add(name)
    return names


def write(path: Path, content: bytes) -> None:
    """Write a new file and wait until it is on the disk."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644
    )
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file(target: Path, content: bytes) -> None:
    """Publish one file, and replace the file that is there.

    Raises:
        InputError: `target` is a link.
        RecipeError: The disk is full or the folder cannot be written; the old file is unchanged.
    """
    with checked_file(target, content):
        pass


@contextmanager
def checked_file(target: Path, content: bytes) -> Iterator[Path]:
    """Publish one file after the `with` block has approved of it, and replace the old file.

    The block receives the path of the staged file, which is complete, on the disk, and has the
    target's suffix. If the block raises an exception, nothing is published.

    Raises:
        InputError: `target` is a link.
        RecipeError: The disk is full or the folder cannot be written; the old file is unchanged.
    """
    target = _own_place(target)
    staged = _staging(target)
    staged = staged.with_name(f"{staged.name}{target.suffix}")
    with _explained(target):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write(staged, content)
            yield staged
            _replace(staged, target)
        finally:
            staged.unlink(missing_ok=True)


@contextmanager
def growing_file(target: Path) -> Iterator[TextIO]:
    """Open a text file that replaces the file at `target` when the block ends without an error.

    A pipe or a device at `target` is written to directly.

    Raises:
        InputError: `target` is a folder or a link, or the parent folder cannot be written.
        RecipeError: The disk is full; the old file is unchanged.
    """
    if target.exists() and not target.is_file() and not target.is_dir():
        with target.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    prepare_file(target)
    target = _own_place(target)
    staged = _staging(target)
    with _explained(target):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with staged.open("x", encoding="utf-8", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _replace(staged, target)
        finally:
            staged.unlink(missing_ok=True)


@contextmanager
def folder(target: Path, members: Mapping[str, bytes]) -> Iterator[Path]:
    """Publish a folder with these members after the `with` block has approved of it.

    A member's name may contain folders, as in `variables/variables.index`.

    The block receives the path of the staged folder, which is complete and on the disk. If the
    block raises an exception, nothing is published. Only one process at a time publishes to a
    target.

    Raises:
        RecipeError: The disk is full, the folder cannot be written, or another process is
            publishing there; the old folder is unchanged.
    """
    from filelock import Timeout

    staged = _next_to(target, "new")
    with _explained(target):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with _locked(target):
                _recover(target)
                try:
                    _stage(staged, members)
                    yield staged
                    _swap_in(staged, target)
                finally:
                    if not _journal(target).exists():
                        shutil.rmtree(staged, ignore_errors=True)
        except Timeout:
            raise RecipeError(f"{target}: another process is saving there; try again") from None


def complete(target: Path) -> None:
    """Complete a replacement of `target` that was cut off between its two renames.

    Readers call this before they look for `target`.

    Raises:
        RecipeError: Another process holds the lock, or the rename is not permitted.
    """
    if target.exists() or not _journal(target).exists():
        return
    from filelock import Timeout

    try:
        with _locked(target):
            _recover(target)
    except (OSError, Timeout):
        raise RecipeError(
            f"{target}: a save was cut off and cannot be completed here; check who may write there"
        ) from None


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Let no other process publish at `target` in the block; leave no lock file.

    A process that waits for the lock sees that the file is gone, and makes a new one.

    Raises:
        Timeout: Another process holds the lock.
    """
    from filelock import FileLock

    place = _next_to(target, "lock")
    with FileLock(place, timeout=LOCK_TIMEOUT):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows removes the file itself
                place.unlink()


def _staging(target: Path) -> Path:
    """Return a name next to the target that no other process uses."""
    return _next_to(target, f"{os.urandom(4).hex()}.new")


def _replace(staged: Path, target: Path) -> None:
    staged.replace(target)
    _flush_folder(target.parent)


def _next_to(target: Path, role: str) -> Path:
    return target.with_name(f".{target.name}.{role}")


def _journal(target: Path) -> Path:
    return _next_to(target, "journal")


def _stage(staged: Path, members: Mapping[str, bytes]) -> None:
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    for name, content in members.items():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        write(staged / name, content)
    for inner in {(staged / name).parent for name in members} - {staged}:
        _flush_folder(inner)
    _flush_folder(staged)


def _recover(target: Path) -> None:
    """Complete a replacement that was cut off between its renames; the caller holds the lock."""
    journal, staged, old = _journal(target), _next_to(target, "new"), _next_to(target, "old")
    if not journal.exists():
        return
    # The journal is written after the staged folder is complete and before anything is moved.
    for whole in (staged, old):
        if not target.exists() and whole.exists():
            whole.rename(target)
            _flush_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)
    journal.unlink()


def _swap_in(staged: Path, target: Path) -> None:
    if not target.exists():
        staged.rename(target)
    elif not exchange(staged, target):
        _swap_by_renames(staged, target)
    _confirm(target)


def _confirm(target: Path) -> None:
    """Wait until the new content is on the disk."""
    try:
        _flush_folder(target.parent)
    except OSError as error:
        raise RecipeError(
            f"{target}: saved, but the disk does not confirm it ({error.strerror}); check the disk"
        ) from None


def _swap_by_renames(staged: Path, target: Path) -> None:
    old = _next_to(target, "old")
    shutil.rmtree(old, ignore_errors=True)
    write(
        _journal(target),
        b"the folder next to this file, ending in .new, is complete and replaces the old one\n",
    )
    _flush_folder(target.parent)
    target.rename(old)
    try:
        staged.rename(target)
    except OSError:
        old.rename(target)
        _journal(target).unlink()
        raise
    # The renames have to be on the disk before the old folder is deleted.
    _confirm(target)
    shutil.rmtree(old, ignore_errors=True)
    _journal(target).unlink()


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; return False if the system or the file system cannot."""
    import ctypes

    if sys.platform == "win32":
        return False
    libc, paths = ctypes.CDLL(None, use_errno=True), (os.fsencode(one), os.fsencode(other))
    if sys.platform == "linux" and hasattr(libc, "renameat2"):
        failed = libc.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _EXCHANGE)
    elif sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(paths[0], paths[1], _EXCHANGE)
    else:
        return False
    if failed and ctypes.get_errno() not in _CANNOT_EXCHANGE:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return not failed


def _flush_folder(path: Path) -> None:
    if os.name == "nt":  # Windows flushes a folder's entries together with its files
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecipeError(
            f"{target}: not saved: {error.strerror or error}; what was there is unchanged"
        ) from None
