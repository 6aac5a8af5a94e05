"""Keras' own single file: a ZIP archive of configuration and weights, computed by Keras.

The card is one more member of the archive, `card.json`, which Keras passes over. It is read by
`safety.archive`, as such files from elsewhere are.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes import backend
from keras_recipes.models.formats import zipped
from keras_recipes.untrusted import archive

if TYPE_CHECKING:
    import keras


def converted(model: "keras.Model") -> bytes:
    """A Keras model as Keras saves it."""
    with tempfile.TemporaryDirectory() as scratch, backend.suppressed_output():
        path = Path(scratch) / "model.keras"
        model.save(path)
        return path.read_bytes()


def described(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members that a card inside describes: all but itself."""
    return {name: content for name, content in members.items() if name != archive.CARD}


def joined(content: bytes, card: bytes) -> bytes:
    """The file with the card in it."""
    return zipped.added(content, card)
