"""The card as a member of a ZIP archive, which may begin behind something else."""

from keras_recipes.errors import CorruptModelError

NAME = "card.json"
MOST_BYTES = 2**24
"""A larger card is refused; one with ten thousand log templates has a tenth of that."""


def added(content: bytes, card: bytes) -> bytes:
    """The archive with the card as its last member; where there is no archive, one begins."""
    import io
    import zipfile

    file = io.BytesIO(content)
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(zipfile.ZipInfo(NAME), card)
    return file.getvalue()


def found(content: bytes, where: str) -> tuple[int, bytes] | None:
    """Where the card's member begins, and the card's text; None where there is none.

    Raises:
        CorruptModelError: The archive is damaged, or the card too large.
    """
    import io
    import zipfile

    if not zipfile.is_zipfile(io.BytesIO(content)):
        return None
    try:
        return _found(content, where)
    except CorruptModelError:
        raise
    except Exception as error:  # zip and zlib each have their own
        raise CorruptModelError(f"{where}: damaged, no archive: {error}") from None


def _found(content: bytes, where: str) -> tuple[int, bytes] | None:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if NAME not in archive.namelist():
            return None
        entry = archive.getinfo(NAME)
        if entry.file_size > MOST_BYTES:
            raise CorruptModelError(f"{where}: expected a card of at most {MOST_BYTES:,} bytes")
        return entry.header_offset, archive.read(entry)
