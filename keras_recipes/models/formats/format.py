"""What a format is that leaves Keras: frozen values and functions, as a recipe is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.errors import CorruptModelError
from keras_recipes.models.runtime import Runtime

if TYPE_CHECKING:
    import keras

MOST_CARD_BYTES = 2**24
"""A larger card is refused; one with ten thousand log templates has a tenth of that."""

Members = Mapping[str, bytes]
"""The files of an export by name; a format that is a single file has one."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format.

    Attributes:
        name: As on the command line.
        ending: Of its files' names; of a folder's name only the end of the default.
        members: Names of the files; more than one makes a folder.
        may_have: What else may lie in the folder.
        extra: What brings the packages that write and compute it; None where TensorFlow does.
        computing: Those of the packages that it takes to compute.
        converted: A Keras model on TensorFlow to members.
        joined: Members and a card's text to members with the card in them.
        split: Members, and their place for the messages, to members without the card and the card's
            text; refuses what is damaged or unsafe.
        open: Members without a card, and their place for the messages, to what computes them.
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
        """Whether it is a single file."""
        return len(self.members) == 1

    def is_at(self, place: Path) -> bool:
        """Whether a file or folder looks like one of this format."""
        if self.is_file:
            return place.suffix == self.ending and not place.is_dir()
        return (place / self.members[0]).is_file()


def card_too_large(where: str) -> CorruptModelError:
    """The refusal of a card beyond `MOST_CARD_BYTES`."""
    return CorruptModelError(f"{where}: expected a card of at most {MOST_CARD_BYTES:,} bytes")
