"""Putting files and folders where they belong so that a crash leaves the old or the new, whole.

Everything is written beside its destination, flushed to the disk, and moved there in one step. A
folder that replaces another is exchanged with it where the system can do that; elsewhere two
renames do it, announced by a journal that is completed after a crash between them.
"""

import contextlib
import errno
import os
import shutil
import sys
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
    """Finds out whether something can be published at `target` before work is spent on it.

    Folders that are missing are made when it is published, so that a refusal leaves none behind.

    Raises:
        InputError: Its parent folder cannot be made or written to.
    """
    try:
        there = next(folder for folder in target.parents if folder.exists())
        probe = _staging(there / target.name)
        write(probe, b"")
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{target}: cannot be written: {error.strerror}; choose another place"
        ) from None


def prepare_file(target: Path) -> None:
    """The same for a file.

    Raises:
        InputError: There is a folder, or the parent folder cannot be made or written to.
    """
    if not target.name or target.is_dir():
        raise InputError(f"{str(target)!r}: expected the name of a file, received a folder's")
    prepare(target)


def replaced(target: Path, ours: Collection[str]) -> set[str]:
    """What would go if a folder were published at `target`; it has to be ours.

    Args:
        target: An absolute path.
        ours: What may be replaced, by paths in the folder.

    Returns:
        The paths of the files there; none where nothing is.

    Raises:
        InputError: `target` is no folder, the working directory or above it, the root of a file
            system, or holds something that is not ours.
    """
    complete(target)
    if not target.exists():
        return set()
    if not target.is_dir():
        raise InputError(f"{target}: expected a folder, found a file; name another folder")
    if Path.cwd().is_relative_to(target) or target.is_mount():
        raise InputError(f"{target}: cannot be replaced as a whole; name a folder inside it")
    known = {*ours, *(folder.as_posix() for path in ours for folder in Path(path).parents)}
    names = set()
    for path in target.rglob("*"):  # no further than the first that is strange
        name = path.relative_to(target).as_posix()
        if name not in known:
            raise InputError(f"{target}: holds {name}, no saved model's; name another folder")
        names.add(name)
    return names


def write(path: Path, content: bytes) -> None:
    """Writes a new file and waits until the disk has it."""
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
    """Publishes one file, replacing what is there.

    Raises:
        RecipeError: The disk is full or the folder cannot be written; what was there still is.
    """
    with checked_file(target, content):
        pass


@contextmanager
def checked_file(target: Path, content: bytes) -> Iterator[Path]:
    """Publishes one file, replacing what is there, after the `with` block has approved of it.

    The block is given the staged file, complete and on disk, with the target's suffix; an
    exception in it publishes nothing.

    Raises:
        RecipeError: The disk is full or the folder cannot be written; what was there still is.
    """
    target = target.resolve()
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
    """A text file to write into; it replaces what is at `target` when the block ends well.

    A pipe or a device at `target` is written to as it is.

    Raises:
        InputError: There is a folder, or the parent folder cannot be written.
        RecipeError: The disk is full; what was there still is.
    """
    target = target.resolve()
    if target.exists() and not target.is_file() and not target.is_dir():
        with target.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    prepare_file(target)
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
    """Publishes a folder with these members, after the `with` block has approved of it.

    A member's name may lead into folders of its own, as in `variables/variables.index`.

    The block is given the staged folder, complete and on disk; an exception in it publishes
    nothing. One process at a time publishes to a target.

    Raises:
        RecipeError: The disk is full, the folder cannot be written, or another process is
            publishing there; what was there still is.
    """
    from filelock import FileLock, Timeout

    staged = _beside(target, "new")
    with _explained(target):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(_beside(target, "lock"), timeout=LOCK_TIMEOUT):
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
    """For readers: if a replacement of `target` was cut off while neither was in place, ends it.

    Raises:
        RecipeError: It cannot be ended, since another process holds on to it or it is forbidden.
    """
    if target.exists() or not _journal(target).exists():
        return
    from filelock import FileLock, Timeout

    try:
        with FileLock(_beside(target, "lock"), timeout=LOCK_TIMEOUT):
            _recover(target)
    except (OSError, Timeout):
        raise RecipeError(f"{target}: a save was cut off and cannot be completed here") from None


def _staging(target: Path) -> Path:
    """A name beside the target that no other process has."""
    return _beside(target, f"{os.urandom(4).hex()}.new")


def _replace(staged: Path, target: Path) -> None:
    staged.replace(target)
    _flush_folder(target.parent)


def _beside(target: Path, role: str) -> Path:
    return target.with_name(f".{target.name}.{role}")


def _journal(target: Path) -> Path:
    return _beside(target, "journal")


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
    """Under the lock: completes a replacement by renames that was cut off."""
    journal, staged, old = _journal(target), _beside(target, "new"), _beside(target, "old")
    if not journal.exists():
        return
    # The journal is written once the staged folder is whole and before anything is moved.
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
    """Waits for the disk, after the new one is in place."""
    try:
        _flush_folder(target.parent)
    except OSError as error:
        raise RecipeError(
            f"{target}: saved, but the disk does not confirm it ({error.strerror}); look after it"
        ) from None


def _swap_by_renames(staged: Path, target: Path) -> None:
    old = _beside(target, "old")
    shutil.rmtree(old, ignore_errors=True)
    write(_journal(target), b"the folder beside this, ending in .new, is whole and replaces this\n")
    _flush_folder(target.parent)
    target.rename(old)
    try:
        staged.rename(target)
    except OSError:
        old.rename(target)
        _journal(target).unlink()
        raise
    # The renames have to be on the disk before what they replace is gone.
    _confirm(target)
    shutil.rmtree(old, ignore_errors=True)
    _journal(target).unlink()


def exchange(one: Path, other: Path) -> bool:
    """Swaps two folders in one step; False where the system or the file system cannot."""
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
    if os.name == "nt":  # Windows flushes a folder's entries with the files
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
