"""Loading a saved model: every member verified before Keras sees it."""

import csv
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes import backend
from keras_recipes.errors import CorruptModelError, printable
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted
from keras_recipes.models.formats import keras_file
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
)
from keras_recipes.untrusted import architecture as architectures
from keras_recipes.untrusted import archive, building, hdf5, weights
from keras_recipes.untrusted.architecture import Architecture

if TYPE_CHECKING:
    import keras

    from keras_recipes.legacy.convert import Converted


log = logging.getLogger(__name__)


def load(model: Fitted | str | Path, weights: str | Path | None = None) -> Fitted:
    """Loads a saved model.

    Args:
        model: A folder that `save` wrote, a recipe's name (looked up in ./saved_models, then among
            the models that come with this package), a `model.json` of any version of Keras, a
            `.keras` file, or a whole model in an `.h5` file. What was exported for another runtime
            is opened by `open_model`. A model that is loaded already is returned as it is.
        weights: The weights that belong to a `.json` file; default `model.weights.h5` beside it,
            or the one `.h5` file there that has the same name.

    Returns:
        The compiled Keras model (`.model`) with what is known of it.

    Raises:
        InputError: There is no such model.
        UnsafeModelError: The model could do more than compute, or is larger than the limits.
        CorruptModelError: A member is missing, damaged, or not the one in the card.
    """
    if isinstance(model, Fitted):
        return model
    place = locate.locate_keras(model, weights)
    fitted = replace(read(place, weights), place=place)
    locate.tell_what_answers(str(model), place, fitted.card)
    if fitted.card is None:
        log.warning("unverified: no card with digests comes with %s", locate.shown(place))
    return fitted


def read(place: Path, weights: str | Path | None = None) -> Fitted:
    """Loads what `locate` found, or what is about to become a saved model; see `load`."""
    if (place / CARD).exists():
        return _load_verified(place)
    if place.suffix == KERAS_FILE:
        return _load_keras_file(place)
    if place.suffix in WHOLE:
        from keras_recipes.legacy import convert

        return Fitted(model=convert.open_whole(locate.content(place), locate.shown(place)).model)
    if place.is_dir():
        place = place / ARCHITECTURE
    h5 = Path(weights) if weights else locate.weights_beside(place)
    return Fitted(model=_opened(locate.content(place), locate.content(h5), place, h5))


def card_of(model: Fitted | str | Path) -> Card | None:
    """The card of a model, if its files are the ones that it describes; the model is not opened.

    Args:
        model: As for `load`.

    Returns:
        The card; None where there is none.

    Raises:
        InputError: There is no such model.
        CorruptModelError: A member is missing, damaged, or not the one in the card.
    """
    if isinstance(model, Fitted):
        return model.card
    return verified_card(locate.locate_keras(model))


def verified_card(place: Path) -> Card | None:
    """The card of what `locate` found, if the files there are the ones that it describes.

    Args:
        place: A folder, or a file that may hold a card.

    Returns:
        The card; None where there is none.

    Raises:
        CorruptModelError: A member is missing, damaged, or not the one in the card.
    """
    if (place / CARD).exists():
        return _whole(place)[0]
    return _keras_members(place)[1] if place.suffix == KERAS_FILE else None


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
        return convert.open_whole(locate.content(place), locate.shown(place))
    if place.suffix != ".json":
        return None
    h5 = weights or locate.weights_beside(place)
    return convert.open_pair(
        locate.content(place), locate.content(h5), locate.shown(place), locate.shown(h5)
    )


def _load_verified(folder: Path) -> Fitted:
    # What is hashed is what is loaded: each member is read once.
    return _open(folder, *_whole(folder))


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
    path = locate.shown(folder / FIRST_WEIGHTS)
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
            f"{locate.shown(folder / HISTORY)}: damaged, no history: {printable(error)}"
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

    json_text = reading.unwrapped(json_text, locate.shown(json_path))
    old = convert.open_pair(json_text, h5, locate.shown(json_path), locate.shown(h5_path))
    return old.model if old else _built(_checked(json_text, h5, json_path, h5_path))


def _load_keras_file(path: Path) -> Fitted:
    found, card = _keras_members(path)
    model = _opened(found[archive.CONFIG], found[archive.WEIGHTS], path, path)
    return Fitted(model=model, card=card)


def _keras_members(path: Path) -> tuple[dict[str, bytes], Card | None]:
    found = archive.read_keras(locate.content(path), locate.shown(path))
    card = locate.card_inside(found, path)
    if card and (altered := card.altered(keras_file.described(found))):
        raise CorruptModelError(
            f"{locate.shown(path)}: its {altered} is not the one that its card describes (SHA-256 "
            "differs); export it again"
        )
    return found, card


def _checked(json_text: bytes, h5: bytes, json_path: Path, h5_path: Path) -> _Pair:
    architecture = architectures.read(json_text, locate.shown(json_path))
    tree = hdf5.read(h5, locate.shown(h5_path), skip=weights.NOT_WEIGHTS)
    weights.check_values(tree, locate.shown(h5_path))
    return _Pair(
        architecture=architecture,
        tree=tree,
        json_path=locate.shown(json_path),
        h5_path=locate.shown(h5_path),
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
