"""Keras' own single file: a ZIP archive of configuration and weights, computed by Keras.

The card is one more member of the archive, `card.json`, which Keras passes over.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes import backend
from keras_recipes.errors import CorruptModelError
from keras_recipes.formats import zipped

if TYPE_CHECKING:
    import keras

ENDING = ".keras"
MOST_BYTES = 2**31
"""Of all members together, unpacked."""


def converted(model: "keras.Model") -> bytes:
    """A Keras model as Keras saves it."""
    import tempfile

    with tempfile.TemporaryDirectory() as scratch, backend.silenced():
        path = Path(scratch) / f"model{ENDING}"
        model.save(path)
        return path.read_bytes()


def described(content: bytes, where: str = "the export") -> dict[str, bytes]:
    """The members that the card describes: all but itself.

    Raises:
        CorruptModelError: It is no such archive, or unpacks to more than 2 GiB.
    """
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename != zipped.NAME]
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise CorruptModelError(f"{where}: expected at most {MOST_BYTES:,} bytes inside")
            return {entry.filename: archive.read(entry) for entry in entries}
    except CorruptModelError:
        raise
    except Exception as error:  # zip and zlib each have their own
        raise CorruptModelError(f"{where}: damaged, no .keras file: {error}") from None


def joined(content: bytes, card: bytes) -> bytes:
    """The file with the card in it."""
    return zipped.added(content, card)


def card_in(content: bytes, where: str) -> bytes | None:
    """The card's text, if the file has one.

    Raises:
        CorruptModelError: The file is damaged.
    """
    found = zipped.found(content, where)
    return found[1] if found else None
