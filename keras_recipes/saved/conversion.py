"""The digests in `conversion.json`, by which a converted model is verified when it is opened."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from keras_recipes.errors import CorruptModelError, printable
from keras_recipes.saved.locate import CONVERSION, content
from keras_recipes.untrusted import strict_json

WRITTEN = "written"
"""The entry of `conversion.json` with the digests of the new model's files, by name."""


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file by its name."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def verified(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Return whether the files in a folder are those that `recipes convert` wrote and compared.

    Args:
        folder: The folder of a model without a card.
        files: The content of its architecture and weights, by name.

    Returns:
        False if the folder does not say what its files have to be.

    Raises:
        CorruptModelError: A file is another one than the folder says.
    """
    place = folder / CONVERSION
    if not place.is_file() or place.is_symlink():
        return False
    said = strict_json.parse(content(place), printable(place, 200))
    written = said.get(WRITTEN) if isinstance(said, dict) else None
    if not isinstance(written, dict):
        return False
    for name, digest in digests(files).items():
        if name not in written:
            return False
        if written[name] != digest:
            raise CorruptModelError(
                f"{printable(folder / name, 200)}: not the file that {CONVERSION} describes "
                f"(SHA-256 differs); restore it, or delete {CONVERSION} if you changed it yourself"
            )
    return True
