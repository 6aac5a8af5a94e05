"""Read a saved model's files once, and compare them with the card that describes them.

`opening.py` opens the same bytes that are compared here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from keras_recipes import extras
from keras_recipes.errors import CorruptModelError
from keras_recipes.legacy import recognition
from keras_recipes.models.card import Card
from keras_recipes.models.formats import keras_file
from keras_recipes.models.formats.format import MOST_CARD_BYTES, Format, Members, card_too_large
from keras_recipes.saved import conversion, locate
from keras_recipes.saved.locate import ARCHITECTURE, CARD, KERAS_FILE, WEIGHTS, WHOLE, Located
from keras_recipes.untrusted import archive, files, hdf5, limits

Kind = Literal["folder", "keras", "whole", "pair", "export"]
"""A folder with a card, a `.keras` file, a whole model in an `.h5` file, a JSON file and its
weights, or an export for another runtime."""


@dataclass(frozen=True)
class Contents:
    """The content of a model's files.

    Attributes:
        located: The model's location.
        kind: The kind of files, which decides what opens them.
        card: The card that describes the members; None if there is no card.
        members: The members of a folder with a card, a `.keras` file or an export, by name.
        verified: Whether its folder says what the files have to be, and they are.
        files: A `.keras` file, a whole model in one file, or a pair with the architecture first.
    """

    located: Located
    kind: Kind
    card: Card | None = None
    members: Members = field(default_factory=dict)
    files: Mapping[Path, bytes] = field(default_factory=dict)
    verified: bool = False


def may_have_card(located: Located) -> bool:
    """Return whether a model's files may include a card."""
    return _kind(located) not in ("pair", "whole")


def read(located: Located) -> Contents:
    """Read a model's files, and compare them with the card if there is one.

    Raises:
        InputError: A JSON file has no weights, or the runtime of an export is not installed.
        UnsafeModelError: A file is a link, a pipe or a device, or exceeds the limits.
        CorruptModelError: A member is missing, damaged, or differs from the card.
    """
    path, kind = located.path, _kind(located)
    if located.format:
        return Contents(located, kind, *_export(path, located.format))
    if kind == "folder":
        return Contents(located, kind, *_folder(path))
    if kind == "keras":
        return _keras_file(located)
    paths = _pair(located) if kind == "pair" else (path,)
    found = {path: locate.content(path) for path in paths}
    recognition.check(found[paths[0]], locate.in_message(paths[0]))
    by_name = {path.name: content for path, content in found.items()}
    known = path.is_dir() and conversion.verified(path, by_name)
    return Contents(located, kind, files=found, verified=known)


def _kind(located: Located) -> Kind:
    if located.format:
        return "export"
    if (located.path / CARD).exists():
        return "folder"
    return _kind_of_file(located.path)


def _kind_of_file(path: Path) -> Kind:
    """Return the kind of a file without a card next to it: by its content, else by its name."""
    if path.is_file():
        if files.begins(path, hdf5.SIGNATURE):
            return "whole"
        if files.begins(path, hdf5.ZIP):
            return "keras"
    if path.suffix == KERAS_FILE:
        return "keras"
    return "whole" if path.suffix in WHOLE else "pair"


def _pair(located: Located) -> tuple[Path, Path]:
    path = located.path / ARCHITECTURE if located.path.is_dir() else located.path
    return path, located.weights or locate.weights_beside(path)


def _folder(folder: Path) -> tuple[Card, Members]:
    """Read the card and the members that it describes."""
    while True:
        card = locate.card_in(folder)
        try:
            return card, _described(folder, card)
        except CorruptModelError:
            # Another process may have replaced the folder in the meantime: then read it again.
            if locate.card_in(folder) == card:
                raise


def _described(folder: Path, card: Card) -> Members:
    """Read the members by name, and compare them with the card."""
    for name in (ARCHITECTURE, WEIGHTS):
        if name not in card.files:
            raise CorruptModelError(
                f"{folder / CARD}: expected an entry for {name}; restore it, or fit again"
            )
    members = {name: locate.content(folder / name) for name in card.files}
    if altered := card.altered(members):
        raise CorruptModelError(
            f"{folder / altered}: not the file that {CARD} describes (SHA-256 differs); "
            "restore it, or fit again"
        )
    return members


def _keras_file(located: Located) -> Contents:
    path, content = located.path, locate.content(located.path)
    recognition.check(content, locate.in_message(path))
    members = archive.read_keras(content, locate.in_message(path))
    card = locate.card_inside(members, path)
    _check_exported(card, keras_file.described(members), locate.in_message(path))
    return Contents(located, "keras", card, members, {path: content})


def _export(place: Path, format: Format) -> tuple[Card | None, Members]:
    extras.require(str(place), format.extra, format.computing)
    most = limits.current().file_bytes
    names = {place: format.members[0]} if format.is_file else {place / m: m for m in format.members}
    found = {name: files.read(path, most) for path, name in names.items() if path.exists()}
    members, text = format.split(found, str(place))
    if text is not None and len(text) > MOST_CARD_BYTES:
        raise card_too_large(str(place))
    card = None if text is None else locate.read_card(text, str(place))
    _check_exported(card, members, str(place))
    return card, members


def _check_exported(card: Card | None, members: Members, where: str) -> None:
    if card and (altered := card.altered(members)):
        raise CorruptModelError(
            f"{where}: its {altered} is not the one that its card describes (SHA-256 differs); "
            "export it again"
        )
