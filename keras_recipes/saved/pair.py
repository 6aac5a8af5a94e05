"""Open architecture and weights, in Keras or as data; every part is checked before it is used."""

import csv
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keras_recipes import backend
from keras_recipes.errors import CorruptModelError, printable
from keras_recipes.legacy import convert, reading
from keras_recipes.legacy.convert import Converted
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted
from keras_recipes.models.history import History
from keras_recipes.models.net import Net
from keras_recipes.saved.locate import ARCHITECTURE, FIRST_WEIGHTS, HISTORY, WEIGHTS, in_message
from keras_recipes.saved.read import Contents
from keras_recipes.untrusted import architecture as architectures
from keras_recipes.untrusted import archive, budget, building, hdf5, weights
from keras_recipes.untrusted.architecture import Architecture

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)


def in_keras(found: Contents) -> Fitted:
    """Open a model in Keras."""
    place = found.located.path
    if found.kind == "folder":
        return _with_card(found)
    if old := from_earlier_keras(found):
        return Fitted(model=old.model, card=found.card, place=place)
    return Fitted(model=_built(_checked(_pair(found))), card=found.card, place=place)


def net(found: Contents) -> Net:
    """Read a folder with a card as data.

    Raises:
        UnsafeModelError: The model could do more than compute, or exceeds the limits.
        CorruptModelError: The files are damaged.
        ValueError: The layers do not simply follow each other.
    """
    checked = _checked(_pair(found))
    return Net.of_files(checked.architecture.config, checked.tree)


def from_earlier_keras(found: Contents) -> Converted | None:
    """Open a model without a card that an earlier Keras saved.

    Returns:
        The model with what was changed, or None if today's Keras saved it.

    Raises:
        InputError: Today's Keras cannot express the model.
        UnsafeModelError: The model could do more than compute, or exceeds the limits.
        CorruptModelError: The files are damaged or do not belong together.
    """
    if found.kind == "whole":
        ((path, content),) = found.files.items()
        return convert.open_whole(content, in_message(path))
    pair = _pair(found)
    if found.kind == "keras":
        metadata = found.members.get(archive.METADATA, b"{}")
        return convert.open_archive(pair.json, pair.h5, metadata, pair.json_path)
    return convert.open_pair(pair.json, pair.h5, pair.json_path, pair.h5_path)


@dataclass(frozen=True)
class _Pair:
    """Architecture and weights as bytes, with their paths for messages."""

    json: bytes
    h5: bytes
    json_path: str
    h5_path: str


@dataclass(frozen=True)
class _Checked:
    """A pair that passed every check that does not need Keras."""

    architecture: Architecture
    tree: hdf5.Tree
    pair: _Pair


def _pair(found: Contents) -> _Pair:
    path = found.located.path
    if found.kind == "folder":
        json, h5 = found.members[ARCHITECTURE], found.members[WEIGHTS]
        json_path, h5_path = path / ARCHITECTURE, path / WEIGHTS
    elif found.kind == "keras":
        json, h5 = found.members[archive.CONFIG], found.members[archive.WEIGHTS]
        json_path, h5_path = path, path
    else:
        (json_path, json), (h5_path, h5) = found.files.items()
    where = in_message(json_path)
    if found.kind != "folder":
        json = reading.unwrapped(json, where)
    return _Pair(json, h5, where, in_message(h5_path))


def _checked(pair: _Pair) -> _Checked:
    architecture = architectures.read(pair.json, pair.json_path)
    tree = hdf5.read(pair.h5, pair.h5_path, skip=weights.NOT_WEIGHTS)
    weights.check_values(tree, pair.h5_path)
    return _Checked(architecture, tree, pair)


def _built(checked: _Checked) -> "keras.Model":
    with budget.importing():
        backend.start()
    architecture, where = checked.architecture, checked.pair.json_path
    model = building.build(architecture, checked.tree, where, checked.pair.h5_path)
    # Compile only now: Keras expects weights files to hold an optimizer's state otherwise.
    building.compile_settings(model, architecture, where)
    if architecture.left_out:
        log.warning("%s: opened without its compile settings: %s", where, architecture.left_out)
    return model


def _with_card(found: Contents) -> Fitted:
    """Open a folder that `save` wrote, with its history and first weights."""
    card, folder = found.card, found.located.path
    assert card
    checked = _checked(_pair(found))
    first, where = found.members.get(FIRST_WEIGHTS), in_message(folder / FIRST_WEIGHTS)
    first_tree = hdf5.read(first, where, skip=weights.NOT_WEIGHTS) if first else None
    history = _history(found, card)
    model = _built(checked)
    return Fitted(
        model=model,
        card=card,
        history=history,
        first_weights=tuple(weights.in_order(model, first_tree, where)) if first_tree else None,
        place=folder,
    )


def _history(found: Contents, card: Card) -> History | None:
    if HISTORY not in found.members:
        return None
    try:
        return History.from_csv(found.members[HISTORY], int(card.training["history_stride"]))
    except (ValueError, IndexError, OverflowError, csv.Error) as error:
        raise CorruptModelError(
            f"{in_message(found.located.path / HISTORY)}: damaged: {printable(error)}; fit again"
        ) from None
