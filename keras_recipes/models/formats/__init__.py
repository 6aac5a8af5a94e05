"""The export formats, one file each: how to write one, where its card is, and what runs it."""

from pathlib import Path

from keras_recipes.models.formats import litert, onnx, saved_model
from keras_recipes.models.formats.format import Format

FORMATS = {found.FORMAT.name: found.FORMAT for found in (saved_model, onnx, litert)}


def of(place: Path) -> Format | None:
    """Return the format of a file or folder, or None if it is not an export."""
    return next((found for found in FORMATS.values() if found.is_at(place)), None)
