"""ZIP and tar archives, read in memory: nothing is unpacked to disk and no name is written.

An archive may be hostile. So the number of its files and their sizes after unpacking are bounded,
and names that lead out of it, links and sparse files are not followed.
"""

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from keras_recipes.digits import entries
from keras_recipes.digits.entries import Entry, Tree
from keras_recipes.errors import InputError, UnsafeModelError, printable

MOST_FILES = 1_000_000
MOST_UNPACKED = 1 << 33
"""The most bytes of all files of an archive together, after unpacking."""

_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_SHORT = {".tgz": ".gz", ".tbz2": ".bz2", ".txz": ".xz"}
_DAMAGED = (
    OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
    tarfile.TarError,
)  # fmt: skip


def is_archive(name: str) -> bool:
    """Return whether a file of this name is a ZIP or tar archive."""
    return name.lower().endswith((".zip", *_TAR))


def inside(path: Path) -> tuple[Path, tuple[str, ...]] | None:
    """Return the archive in which a path leads, and the rest of the path; None for other paths."""
    for above in (path, *path.parents):
        if is_archive(above.name) and above.is_file():
            return above, path.relative_to(above).parts
    return None


def tree(path: Path) -> Tree:
    """Return the files of an archive.

    Raises:
        InputError: It is damaged or encrypted.
        UnsafeModelError: It has too many or too large files, or a name that leads out of it.
    """
    try:
        found = _zip(path) if path.name.lower().endswith(".zip") else _tar(path)
    except _DAMAGED as error:
        raise entries.unreadable(f"{path}: the archive", error) from None
    return Tree(str(path), tuple(sorted(found, key=lambda entry: entry.parts)))


class _Budget:
    """Counts files and bytes, and refuses too many."""

    def __init__(self, path: Path) -> None:
        self.path, self.files, self.bytes = path, 0, 0

    def spend(self, size: int) -> None:
        self.files, self.bytes = self.files + 1, self.bytes + size
        if self.files > MOST_FILES or self.bytes > MOST_UNPACKED:
            raise UnsafeModelError(
                f"{self.path}: expected at most {MOST_FILES:,} files of {MOST_UNPACKED:,} bytes "
                "after unpacking, received more; unpack what you need"
            )


def _zip(path: Path) -> list[Entry]:
    archive, found, budget = zipfile.ZipFile(path), [], _Budget(path)
    encoding = _encoding(archive.infolist())
    for member in archive.infolist():
        budget.spend(member.file_size)
        parts = _parts(path, _spelt(member, encoding))
        if member.is_dir() or parts is None:
            continue
        if member.flag_bits & 1:
            raise InputError(f"{path}: the archive is encrypted; unpack it with its password")
        found.append(_entry(path, parts, _of_zip(archive, member)))
    return found


def _of_zip(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(member)


def _tar(path: Path) -> list[Entry]:
    # A packed tar cannot be sought in, and reading it from the start for each file is slow.
    lower = path.name.lower()
    short = next((_SHORT[end] for end in _SHORT if lower.endswith(end)), "")
    whole = Entry(str(path), (path.name + short,), lambda: path.open("rb"))
    content = whole.content() if whole.packed else None
    found, budget = [], _Budget(path)
    with (
        path.open("rb") if content is None else io.BytesIO(content) as file,
        tarfile.open(fileobj=file, mode="r:") as archive,
    ):
        for member in archive:
            budget.spend(max(0, member.size))
            parts = _parts(path, member.name)
            if member.isfile() and not member.issparse() and parts is not None:
                found.append(_entry(path, parts, _of_tar(path, content, member)))
    return found


def _of_tar(path: Path, content: bytes | None, member: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    start, size = member.offset_data, min(member.size, entries.MOST_BYTES + 1)

    def opened() -> IO[bytes]:
        if content is not None:
            return io.BytesIO(content[start : start + size])
        with path.open("rb") as file:
            file.seek(start)
            return io.BytesIO(file.read(size))

    return opened


def _entry(path: Path, parts: tuple[str, ...], opened: Callable[[], IO[bytes]]) -> Entry:
    name = f"{path}/{printable('/'.join(parts))}"

    def whole() -> IO[bytes]:
        try:
            with opened() as file:
                content = file.read(entries.MOST_BYTES + 1)
        except (*_DAMAGED, NotImplementedError) as error:
            raise entries.unreadable(name, error) from None
        if len(content) > entries.MOST_BYTES:
            raise entries.too_large(name)
        return io.BytesIO(content)

    return Entry(name, parts, whole)


def _parts(path: Path, name: str) -> tuple[str, ...] | None:
    """Return the parts of a name in an archive; None for files that no person put there."""
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    if ".." in parts or name.startswith(("/", "\\")):
        raise UnsafeModelError(
            f"{path}: expected names inside the archive, received {printable(repr(name))}, which "
            "leads out of it; do not unpack it"
        )
    if not parts or any(map(entries.is_of_a_system, parts)):
        return None
    return parts


def _encoding(members: list[zipfile.ZipInfo]) -> str | None:
    """Return the encoding of names without a mark; Windows in China writes GBK.

    A single name may look like UTF-8 by chance, so all of them decide together.
    """
    unmarked = [_raw(m) for m in members if not _is_plain(m)]
    for encoding in ("utf-8", "gbk"):
        try:
            b"\n".join(unmarked).decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def _spelt(member: zipfile.ZipInfo, encoding: str | None) -> str:
    if encoding is None or _is_plain(member):
        return member.filename
    return _raw(member).decode(encoding, "replace")


def _is_plain(member: zipfile.ZipInfo) -> bool:
    return bool(member.flag_bits & 0x800) or member.filename.isascii()


def _raw(member: zipfile.ZipInfo) -> bytes:
    return member.filename.encode("cp437", "replace")
