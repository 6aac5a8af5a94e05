"""The definition of an export format: frozen values and functions, like a recipe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.errors import CorruptModelError
from keras_recipes.models.runtime import Runtime

if TYPE_CHECKING:
    import keras

MOST_CARD_BYTES = 2**24
"""A larger card is refused; a card with ten thousand log templates has a tenth of this size."""

Members = Mapping[str, bytes]
"""The files of an export by name; a format that is a single file has one member."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One export format.

    Attributes:
        name: The name on the command line.
        ending: The ending of a file's name; for a folder, the ending of the default name.
        members: Names of the files; more than one makes a folder.
        may_have: Other files that may be in the folder.
        extra: The extra that installs what writes and computes it; None if TensorFlow does.
        computing: The packages that are needed to compute.
        converted: Converts a Keras model on TensorFlow to members.
        joined: Adds a card's text to members.
        split: Takes members and their path, for messages. Returns the members without the card, and
            the card's text. Refuses damaged or unsafe members.
        open: Takes members without a card, and their path for messages. Returns the runtime.
    """

    name: str
    ending: str
    members: tuple[str, ...]
    may_have: tuple[str, ...] = ()
    extra: str | None = None
    computing: tuple[str, ...] = ()
    converted: "Callable[[keras.Model], Members]"
    joined: Callable[[Members, bytes], Members]
    split: Callable[[Members, str], tuple[Members, bytes | None]]
    open: Callable[[Members, str], Runtime]

    @property
    def is_file(self) -> bool:
        """Return whether the format is a single file."""
        return len(self.members) == 1

    def is_at(self, place: Path) -> bool:
        """Return whether a file or folder looks like this format."""
        if self.is_file:
            return place.suffix == self.ending and not place.is_dir()
        return (place / self.members[0]).is_file()


def card_too_large(where: str) -> CorruptModelError:
    """Return the error for a card beyond `MOST_CARD_BYTES`."""
    return CorruptModelError(
        f"{where}: expected a card of at most {MOST_CARD_BYTES:,} bytes; export it again"
    )
