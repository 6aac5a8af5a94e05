"""Open Keras' own single file, a ZIP archive, in memory; members that do not belong are refused."""

import io
import zipfile
import zlib

from keras_recipes.errors import CorruptModelError, UnsafeModelError, printable
from keras_recipes.untrusted import limits, strict_json

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
CARD = "card.json"
"""The member that this package adds; Keras ignores it."""
MOST_MEMBERS = 10

_ENTRY = b"PK\x01\x02"
BY_CHANCE = 100
"""How often the four bytes that begin an entry may occur in the members' own content."""


def read_keras(content: bytes, where: str) -> dict[str, bytes]:
    """Return the members of a `.keras` file.

    There are always `CONFIG` and `WEIGHTS`, usually `METADATA`, and sometimes `CARD`.

    Raises:
        CorruptModelError: The content is not a `.keras` file, or is damaged.
        UnsafeModelError: It holds another member, or exceeds the limits.
    """
    most = {
        CONFIG: strict_json.MOST_BYTES,
        METADATA: strict_json.MOST_BYTES,
        CARD: strict_json.MOST_BYTES,
        WEIGHTS: limits.current().file_bytes,
    }
    found = members(content, where, most)
    for name in (CONFIG, WEIGHTS):
        if name not in found:
            raise CorruptModelError(f"{where}: damaged, {name} is missing; get it again")
    return found


def members(
    content: bytes, where: str, most: dict[str, int] | int, *, at_most: int = MOST_MEMBERS
) -> dict[str, bytes]:
    """Return the members of a ZIP archive.

    Args:
        content: The bytes of the file.
        where: The name of the file, for the messages.
        most: The most bytes of each member, by the names that are allowed; or of all members
            together, with any names.
        at_most: The most members.

    Raises:
        CorruptModelError: The content is not a ZIP archive, or is damaged.
        UnsafeModelError: It holds other members, one member twice, or more bytes.
    """
    check_directory(content, where, at_most)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
            _check_listed(listed, where, most, at_most)
            left = most if isinstance(most, int) else 0
            found = {}
            for info in listed:
                allowed = left if isinstance(most, int) else most[info.filename]
                found[info.filename] = _member(archive, info, allowed, where)
                left -= len(found[info.filename])
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError) as error:
        raise CorruptModelError(
            f"{where}: damaged, not a readable ZIP archive ({printable(error, 120)}); get it again"
        ) from None


def check_directory(content: bytes, where: str, at_most: int) -> None:
    """Refuse a long directory before it is read, because each entry becomes an object.

    Args:
        content: The bytes of the archive.
        where: The name of the file, for the messages.
        at_most: The most members.

    Raises:
        UnsafeModelError: It holds more members.
    """
    if content.count(_ENTRY) > at_most + BY_CHANCE:
        raise UnsafeModelError(f"{where}: refused, it holds too many files; get another")


def _check_listed(
    listed: list[zipfile.ZipInfo], where: str, most: dict[str, int] | int, at_most: int
) -> None:
    names = [info.filename for info in listed]
    if len(set(names)) != len(names) or len(names) > at_most:
        raise UnsafeModelError(
            f"{where}: refused, it holds a file twice, or too many files; get another"
        )
    for info in listed:
        if isinstance(most, dict) and info.filename not in most:
            raise UnsafeModelError(
                f"{where}: refused, it holds {printable(repr(info.filename))}, which no model of "
                "this version needs; ask its author for a model without this"
            )
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsafeModelError(f"{where}: refused, its compression is unusual; get another")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int, where: str) -> bytes:
    """Unpack a member, but never more than `most` bytes, whatever the archive declares."""
    if info.file_size <= most:
        with archive.open(info) as member:
            content = member.read(most + 1)
        if len(content) <= most:
            return content
    raise UnsafeModelError(
        f"{where}: refused, {printable(repr(info.filename))} unpacks to more than {most:,} bytes; "
        f"{limits.advice()}"
    )
