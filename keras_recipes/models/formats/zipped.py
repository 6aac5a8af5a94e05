"""The card as a member of a ZIP archive, which may follow other content."""

import io
import re
import zipfile

from keras_recipes.errors import CorruptModelError
from keras_recipes.models.formats.format import MOST_CARD_BYTES, card_too_large
from keras_recipes.untrusted import archive

NAME = "card.json"
_HEADER = re.compile(rb"PK\x03\x04.{26}card\.json", re.DOTALL)


def added(content: bytes, card: bytes) -> bytes:
    """Return the content with the card as the last member of its archive, which may be new."""
    file = io.BytesIO(content)
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as opened:
        opened.writestr(zipfile.ZipInfo(NAME), card)
    return file.getvalue()


def found(content: bytes, where: str) -> tuple[int, bytes] | None:
    """Return where the card's member begins, and the card's text; None if there is no card.

    Raises:
        CorruptModelError: The archive is damaged or cut off, or the card is too large.
        UnsafeModelError: It holds too many files.
    """
    archive.check_directory(content, where, archive.MOST_MEMBERS)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        if _HEADER.search(content):
            raise CorruptModelError(
                f"{where}: its card is cut off; get the file again, or export it again"
            )
        return None
    try:
        return _found(content, where)
    except CorruptModelError:
        raise
    except Exception as error:  # zip and zlib each have their own exceptions
        raise CorruptModelError(
            f"{where}: damaged, not an archive: {error}; export it again"
        ) from None


def _found(content: bytes, where: str) -> tuple[int, bytes] | None:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        if NAME not in opened.namelist():
            return None
        entry = opened.getinfo(NAME)
        if entry.file_size > MOST_CARD_BYTES:
            raise card_too_large(where)
        return entry.header_offset, opened.read(entry)
