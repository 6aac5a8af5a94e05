"""Files in folders and in archives, seen alike, so that each layout is read from both.

Files that no person put there are passed over: hidden files such as `.DS_Store` and the `._7.png`
that macOS leaves next to a picture on foreign disks, `__MACOSX`, `Thumbs.db`, `desktop.ini`.
"""

import bz2
import functools
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from keras_recipes.errors import InputError, UnsafeModelError, printable

MOST_BYTES = 1 << 30
"""The most bytes of an unpacked file that is read as a whole: 1,370,000 images."""

PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp"}
"""The endings of picture files that are looked for in a folder."""

_OF_SYSTEMS = {
    "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "@eadir",
    "system volume information",
}  # fmt: skip

_UNPACK: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}


@dataclass(frozen=True)
class Entry:
    """A file in a folder or in an archive.

    Attributes:
        name: Its name for messages, such as `scans.zip/7/a.png`.
        parts: The names of its folders below the root, and its own.
        open: Opens it; the file can be sought in.
    """

    name: str
    parts: tuple[str, ...]
    open: Callable[[], IO[bytes]]

    @property
    def own(self) -> str:
        """Its own name in lower case, without the ending of a packed file."""
        name = self.parts[-1].lower()
        return name.removesuffix(self.packed)

    @property
    def packed(self) -> str:
        """The ending `.gz`, `.bz2` or `.xz`, or an empty text."""
        ending = Path(self.parts[-1].lower()).suffix
        return ending if ending in _UNPACK else ""

    @property
    def ending(self) -> str:
        """The last suffix of `own`, with the dot."""
        return Path(self.own).suffix

    def content(self) -> bytes:
        """Return the whole content, unpacked.

        Raises:
            InputError: It cannot be read.
            UnsafeModelError: It is larger than `MOST_BYTES`.
        """
        try:
            with self.open() as file:
                content = unpacking(self, file).read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise unreadable(self.name, error) from None
        if len(content) > MOST_BYTES:
            raise too_large(self.name)
        return content


@dataclass(frozen=True)
class Tree:
    """The files of a folder or an archive.

    Attributes:
        name: The folder's or archive's name.
        entries: Its files with those of its subfolders, in the order of their names.
        empty: The names of the folders at the top that hold nothing.
    """

    name: str
    entries: tuple[Entry, ...]
    empty: tuple[str, ...] = ()

    @functools.cached_property
    def folders(self) -> "dict[str, Tree]":
        """The folders at the top that hold files, by name, in order."""
        inside: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if len(entry.parts) > 1:
                below = Entry(entry.name, entry.parts[1:], entry.open)
                inside.setdefault(entry.parts[0], []).append(below)
        return {name: Tree(f"{self.name}/{name}", tuple(inside[name])) for name in sorted(inside)}

    def pictures(self) -> list[Entry]:
        """Return the files with the ending of a picture."""
        return [entry for entry in self.entries if entry.ending in PICTURES]


def of_folder(folder: Path) -> Tree:
    """Return the files of a folder on disk.

    Raises:
        InputError: A folder cannot be read.
    """
    try:
        found = sorted(_walk(folder, (), set()), key=lambda entry: entry.parts)
        tops = [p for p in folder.iterdir() if p.is_dir() and not is_of_a_system(p.name)]
    except OSError as error:
        raise InputError(f"{error.filename or folder}: cannot be read: {error.strerror}") from None
    full = {entry.parts[0] for entry in found}
    return Tree(
        str(folder), tuple(found), tuple(sorted(p.name for p in tops if p.name not in full))
    )


def of_path(path: Path) -> Entry:
    """Return a file on disk as an entry."""
    return Entry(str(path), (path.name,), _opener(path))


def unpacking(entry: Entry, file: IO[bytes]) -> IO[bytes]:
    """Return the opened file of an entry, unpacked while it is read if it is packed."""
    unpacked: IO[bytes] = _UNPACK[entry.packed](file) if entry.packed else file
    return unpacked


def is_of_a_system(name: str) -> bool:
    """Return whether an operating system, and no person, puts files of this name into folders."""
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def unreadable(name: str, error: Exception) -> InputError:
    """Return the error for a file that cannot be read or unpacked."""
    reason = getattr(error, "strerror", None) or str(error) or "it ends too early"
    return InputError(f"{name}: cannot be read: {printable(reason)}; copy it again")


def too_large(name: str) -> UnsafeModelError:
    """Return the error for a file that is too large after unpacking."""
    return UnsafeModelError(
        f"{name}: expected at most {MOST_BYTES:,} bytes after unpacking, received more; split it, "
        "or use a folder of pictures"
    )


def _walk(folder: Path, parts: tuple[str, ...], above: set[tuple[int, int]]) -> Iterator[Entry]:
    """Yield the files; a link to a folder above, which has no end, is not followed."""
    state = folder.stat()
    if (state.st_dev, state.st_ino) in above:
        return
    with os.scandir(folder) as children:
        for child in children:
            if is_of_a_system(child.name):
                continue
            path, inside = folder / child.name, (*parts, child.name)
            if child.is_dir():
                yield from _walk(path, inside, above | {(state.st_dev, state.st_ino)})
            elif child.is_file():
                yield Entry(str(path), inside, _opener(path))


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")
