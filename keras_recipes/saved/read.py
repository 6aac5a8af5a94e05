"""Reading a model that was located: every member once, verified before Keras sees it."""

import csv
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes import backend, extras
from keras_recipes.errors import CorruptModelError, printable
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted, Opened
from keras_recipes.models.formats import keras_file
from keras_recipes.models.formats.format import MOST_CARD_BYTES, Format, Members, card_too_large
from keras_recipes.models.history import History
from keras_recipes.saved import locate
from keras_recipes.saved.locate import (
    ARCHITECTURE,
    CARD,
    FIRST_WEIGHTS,
    HISTORY,
    KERAS_FILE,
    WEIGHTS,
    WHOLE,
    Located,
)
from keras_recipes.untrusted import architecture as architectures
from keras_recipes.untrusted import archive, building, files, hdf5, limits, weights
from keras_recipes.untrusted.architecture import Architecture

if TYPE_CHECKING:
    import keras

    from keras_recipes.legacy.convert import Converted


log = logging.getLogger(__name__)


Opening = Callable[[], Fitted | Opened]
"""Builds the model out of what was read."""


def read(located: Located) -> tuple[Card | None, Opening]:
    """The card of a model, and what opens it; each of its files is read once, here.

    Args:
        located: Where it lies.

    Returns:
        The card, None where there is none, and a function that builds the model.

    Raises:
        InputError: What computes an export is not installed, or weights are missing.
        UnsafeModelError: A file is larger than the limits.
        CorruptModelError: A member is missing, damaged, or not the one in the card.
    """
    path = located.path
    if located.format:
        return _read_export(path, located.format)
    if (path / CARD).exists():
        card, contents = _whole(path)
        return card, lambda: _open(path, card, contents)
    if path.suffix == KERAS_FILE:
        found, card_inside = _keras_members(path)
        parts = found[archive.CONFIG], found[archive.WEIGHTS], path, path
        return card_inside, lambda: Fitted(model=_opened(*parts), card=card_inside)
    return None, lambda: _without_card(path, located.weights)


def in_keras(place: Path) -> Fitted:
    """A Keras model that lies there, such as one that is about to become a saved model."""
    opened = read(Located(str(place), place))[1]()
    return opened.in_keras


def _without_card(path: Path, named: Path | None) -> Fitted:
    if path.suffix in WHOLE:
        from keras_recipes.legacy import convert

        return Fitted(model=convert.open_whole(locate.content(path), locate.in_message(path)).model)
    if path.is_dir():
        path = path / ARCHITECTURE
    h5 = named or locate.weights_beside(path)
    return Fitted(model=_opened(locate.content(path), locate.content(h5), path, h5))


def open_old(place: Path, weights: Path | None = None) -> "Converted | None":
    """Opens a model that an earlier Keras saved, with what is known about it.

    Args:
        place: A JSON file, or a whole model in an HDF5 file.
        weights: Of a JSON file; default as for `load`.

    Returns:
        The model, or None where it is today's.

    Raises:
        InputError: It cannot be expressed in today's Keras.
        UnsafeModelError: As for `load`.
        CorruptModelError: As for `load`.
    """
    from keras_recipes.legacy import convert

    if place.suffix in WHOLE:
        return convert.open_whole(locate.content(place), locate.in_message(place))
    if place.suffix != ".json":
        return None
    h5 = weights or locate.weights_beside(place)
    return convert.open_pair(
        locate.content(place), locate.content(h5), locate.in_message(place), locate.in_message(h5)
    )


def _whole(folder: Path) -> tuple[Card, dict[str, bytes]]:
    """The card, and the members that it describes."""
    while True:
        card = locate.card_in(folder)
        try:
            return card, _verified(folder, card)
        except CorruptModelError:
            # A save that replaced the folder meanwhile is no damage: look again.
            if locate.card_in(folder) == card:
                raise


def _verified(folder: Path, card: Card) -> dict[str, bytes]:
    """The members by name, each the file that the card describes."""
    for name in (ARCHITECTURE, WEIGHTS):
        if name not in card.files:
            raise CorruptModelError(f"{folder / CARD}: lists no {name}; restore it, or fit again")
    contents = {name: locate.content(folder / name) for name in card.files}
    if altered := card.altered(contents):
        raise CorruptModelError(
            f"{folder / altered}: not the file that {CARD} describes (SHA-256 differs); "
            "restore it, or fit again"
        )
    return contents


def _open(folder: Path, card: Card, contents: Mapping[str, bytes]) -> Fitted:
    parts = contents[ARCHITECTURE], contents[WEIGHTS]
    pair = _checked(*parts, folder / ARCHITECTURE, folder / WEIGHTS)
    first, stride = contents.get(FIRST_WEIGHTS), int(card.training["history_stride"])
    path = locate.in_message(folder / FIRST_WEIGHTS)
    first_tree = hdf5.read(first, path, skip=weights.NOT_WEIGHTS) if first else None
    history = _history(folder, contents[HISTORY], stride) if HISTORY in contents else None
    model = _built(pair)
    return Fitted(
        model=model,
        card=card,
        history=history,
        first_weights=tuple(weights.in_order(model, first_tree, path)) if first_tree else None,
    )


def _history(folder: Path, content: bytes, stride: int) -> History:
    try:
        return History.from_csv(content, stride)
    except (ValueError, IndexError, OverflowError, csv.Error) as error:
        raise CorruptModelError(
            f"{locate.in_message(folder / HISTORY)}: damaged, no history: {printable(error)}"
        ) from None


@dataclass(frozen=True)
class _Pair:
    """A pair that passed everything that can be checked without Keras."""

    architecture: Architecture
    tree: hdf5.Tree
    json_path: str
    h5_path: str


def _opened(json_text: bytes, h5: bytes, json_path: Path, h5_path: Path) -> "keras.Model":
    from keras_recipes.legacy import convert, reading

    json_text = reading.unwrapped(json_text, locate.in_message(json_path))
    old = convert.open_pair(json_text, h5, locate.in_message(json_path), locate.in_message(h5_path))
    return old.model if old else _built(_checked(json_text, h5, json_path, h5_path))


def _keras_members(path: Path) -> tuple[dict[str, bytes], Card | None]:
    found = archive.read_keras(locate.content(path), locate.in_message(path))
    card = locate.card_inside(found, path)
    if card and (altered := card.altered(keras_file.described(found))):
        raise CorruptModelError(
            f"{locate.in_message(path)}: its {altered} is not the one that its card describes "
            "(SHA-256 differs); export it again"
        )
    return found, card


def _checked(json_text: bytes, h5: bytes, json_path: Path, h5_path: Path) -> _Pair:
    architecture = architectures.read(json_text, locate.in_message(json_path))
    tree = hdf5.read(h5, locate.in_message(h5_path), skip=weights.NOT_WEIGHTS)
    weights.check_values(tree, locate.in_message(h5_path))
    return _Pair(
        architecture=architecture,
        tree=tree,
        json_path=locate.in_message(json_path),
        h5_path=locate.in_message(h5_path),
    )


def _built(pair: _Pair) -> "keras.Model":
    backend.start()
    model = building.build(pair.architecture, pair.tree, pair.json_path, pair.h5_path)
    # Compiled only now: Keras would miss the slots of an optimizer that has some.
    building.compile_settings(model, pair.architecture, pair.json_path)
    if pair.architecture.left_out:
        log.warning(
            "%s: opened without its compile settings: %s",
            pair.json_path,
            pair.architecture.left_out,
        )
    return model


def _read_export(place: Path, format: Format) -> tuple[Card | None, Opening]:
    members, card = _members_of_export(place, format)
    if card and (altered := card.altered(members)):
        raise CorruptModelError(
            f"{place}: its {altered} is not the one that its card describes (SHA-256 differs); "
            "export it again"
        )
    return card, lambda: Opened(format.open(members, str(place)), card, place)


def _members_of_export(place: Path, format: Format) -> tuple[Members, Card | None]:
    if format.extra:
        extras.require(str(place), format.extra, format.computing)
    most = limits.current().file_bytes
    names = {place: format.members[0]} if format.is_file else {place / m: m for m in format.members}
    found = {name: files.read(path, most) for path, name in names.items() if path.exists()}
    members, text = format.split(found, str(place))
    if text is not None and len(text) > MOST_CARD_BYTES:
        raise card_too_large(str(place))
    return members, None if text is None else locate.read_card(text, str(place))
