"""Open a model in Keras; every part is checked before Keras sees it."""

import csv
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from keras_recipes import backend
from keras_recipes.errors import CorruptModelError, printable
from keras_recipes.legacy import convert, reading
from keras_recipes.legacy.convert import Converted
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted
from keras_recipes.models.history import History
from keras_recipes.saved.locate import FIRST_WEIGHTS, HISTORY, in_message
from keras_recipes.saved.pair import Checked, Pair, checked, pair_of
from keras_recipes.saved.read import Contents
from keras_recipes.untrusted import archive, budget, building, hdf5, weights

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)


def opened(found: Contents) -> Fitted:
    """Open a model in Keras."""
    place = found.located.path
    if found.kind == "folder":
        return _with_card(found)
    if old := from_earlier_keras(found):
        return Fitted(model=old.model, card=found.card, place=place)
    return Fitted(model=_built(checked(_pair(found))), card=found.card, place=place)


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


def _pair(found: Contents) -> Pair:
    """Return the model's pair; some programs put a text of JSON into another one."""
    pair = pair_of(found)
    if found.kind == "folder":
        return pair
    return replace(pair, json=reading.unwrapped(pair.json, pair.json_path))


def _built(parts: Checked) -> "keras.Model":
    with budget.importing():
        backend.start()
    architecture, where = parts.architecture, parts.pair.json_path
    model = building.build(architecture, parts.tree, where, parts.pair.h5_path)
    # Compile only now: Keras expects weights files to hold an optimizer's state otherwise.
    building.compile_settings(model, architecture, where)
    if architecture.left_out:
        log.warning("%s: opened without its compile settings: %s", where, architecture.left_out)
    return model


def _with_card(found: Contents) -> Fitted:
    """Open a folder that `save` wrote, with its history and first weights."""
    card, folder = found.card, found.located.path
    assert card
    parts = checked(_pair(found))
    first, where = found.members.get(FIRST_WEIGHTS), in_message(folder / FIRST_WEIGHTS)
    first_tree = hdf5.read(first, where, skip=weights.NOT_WEIGHTS) if first else None
    history = _history(found, card)
    model = _built(parts)
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
