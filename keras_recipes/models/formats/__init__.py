"""One file a format that leaves Keras: how it is written, where the card is, and what runs it."""

from pathlib import Path

from keras_recipes.models.formats import litert, onnx, saved_model
from keras_recipes.models.formats.format import Format

FORMATS = {found.FORMAT.name: found.FORMAT for found in (saved_model, onnx, litert)}


def of(place: Path) -> Format | None:
    """The format of a file or folder, where it has one of these."""
    return next((found for found in FORMATS.values() if found.is_at(place)), None)


ENDINGS = {
    "json-h5": "-json-h5",
    "keras": ".keras",
    **{name: format.ending for name, format in FORMATS.items()},
}
"""What the names of exports end in; those with a hyphen are folders."""
