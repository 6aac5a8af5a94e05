"""Keras' own single file: a ZIP archive of configuration and weights, computed by Keras.

The card is one more member of the archive, `card.json`, which Keras ignores.
`untrusted.archive` reads such files.
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
    """Return the bytes of a Keras model's `.keras` file."""
    with tempfile.TemporaryDirectory() as scratch, backend.suppressed_output():
        path = Path(scratch) / "model.keras"
        model.save(path)
        return path.read_bytes()


def described(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the members that a card in the file describes: all but the card."""
    return {name: content for name, content in members.items() if name != archive.CARD}


def joined(content: bytes, card: bytes) -> bytes:
    """Return the file with the card added."""
    return zipped.added(content, card)
