"""Keras' own single file, a zip archive: opened in memory, and only what belongs in it."""

import io
import zipfile
import zlib

from keras_recipes.errors import CorruptModelError, UnsafeModelError, printable
from keras_recipes.untrusted import limits, strict_json

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
CARD = "card.json"
"""Ours, which Keras passes over."""
MOST_MEMBERS = 10


def read_keras(content: bytes, where: str) -> dict[str, bytes]:
    """The members of a `.keras` file: `CONFIG` and `WEIGHTS`, mostly `METADATA`, at times `CARD`.

    Raises:
        CorruptModelError: It is no such file, or damaged.
        UnsafeModelError: It holds something else, or more than the limits.
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
            raise CorruptModelError(f"{where}: damaged, holds no {name}; get it again")
    return found


def members(
    content: bytes, where: str, most: dict[str, int] | int, *, at_most: int = MOST_MEMBERS
) -> dict[str, bytes]:
    """The members of a zip archive.

    Args:
        content: The bytes of the file.
        where: Its name, for the messages.
        most: Bytes of each member that may be there, or of all together, whatever their names.
        at_most: So many members.

    Raises:
        CorruptModelError: It is no zip archive, or damaged.
        UnsafeModelError: It holds other members, one twice, or more bytes.
    """
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
            f"{where}: damaged, no zip archive that can be read ({printable(error, 120)}); "
            "get it again"
        ) from None


def _check_listed(
    listed: list[zipfile.ZipInfo], where: str, most: dict[str, int] | int, at_most: int
) -> None:
    names = [info.filename for info in listed]
    if len(set(names)) != len(names) or len(names) > at_most:
        raise UnsafeModelError(f"{where}: refused, it holds a file twice, or too many; get another")
    for info in listed:
        if isinstance(most, dict) and info.filename not in most:
            raise UnsafeModelError(
                f"{where}: refused, it holds {printable(repr(info.filename))}, which no model "
                "needs that this version opens; ask whoever made it for one without"
            )
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsafeModelError(f"{where}: refused, compressed in an unusual way; get another")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int, where: str) -> bytes:
    """A member, of which no more is unpacked than is allowed, whatever the archive says."""
    if info.file_size <= most:
        with archive.open(info) as member:
            content = member.read(most + 1)
        if len(content) <= most:
            return content
    raise UnsafeModelError(
        f"{where}: refused, {printable(repr(info.filename))} unpacks to more than {most:,} bytes; "
        f"{limits.advice()}"
    )
