"""Converting a model of Keras 1 or 2 to a folder for Keras 3, which is read back and compared."""

import json
import logging
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import atomic
from keras_recipes.data import never_replaced
from keras_recipes.errors import InputError, RecipeError
from keras_recipes.legacy.convert import Converted
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import conversion, in_keras, locate, opening, save
from keras_recipes.saved.load import Found, find
from keras_recipes.saved.read import Contents

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

SCHEMA = 1
OURS = (locate.ARCHITECTURE, locate.WEIGHTS, locate.CONVERSION)


def convert(old: str | Path, weights: str | Path | None, target: str | Path) -> Converted:
    """Convert an old model to Keras 3.

    Writes `model.json`, `model.weights.h5` and `conversion.json`, which records where the model
    comes from. The new model computes the same outputs.

    Args:
        old: A JSON file with an architecture, or an HDF5 file with a whole model.
        weights: The weights that belong to a JSON file; by default the `.h5` file of the same name
            next to it.
        target: The folder to write. A model that is already there is replaced.

    Returns:
        The new model, the version of Keras that saved the old one, and the layers that changed.

    Raises:
        InputError: `old` is a folder, a layer does not exist in Keras 3, or `target` holds other
            files.
        UnsafeModelError: The model contains code, or is larger than the limits.
        CorruptModelError: The files are damaged or do not belong together.
        RecipeError: The folder could not be written, or the new model did not read back. Nothing
            was changed.
    """
    found, folder = find(old, weights), locate.target(target)
    place, there = _file(found), folder.exists()
    _check_target(place, weights, folder)
    if weights is None and place.suffix == ".json":
        _check_weights(place, folder)
    save.check_replaceable(folder.resolve(), OURS)
    atomic.prepare(folder.resolve())
    found.check_keras()
    assert found.located
    with opening.within_limits(found.located):
        read = found.contents
        converted = in_keras.from_earlier_keras(read) or _of_today(found)
        members = save.members(Fitted(model=converted.model))
        members[locate.CONVERSION] = _provenance(converted, read, members)
        with atomic.folder(folder.resolve(), members) as staged:
            _compare(converted.model, staged)
    if there:
        log.info("replaced the model that was in %s", folder)
    return converted


def _file(found: Found) -> Path:
    if found.place is None or not found.place.is_file():
        raise InputError(
            f"{found.place}: expected an old model, found a saved model of this version; name an "
            "old file, or a folder of old models"
        )
    return found.place


def _of_today(found: Found) -> Converted:
    return Converted(model=found.in_keras().model, keras_version="3", backend="", changes=[])


def _check_weights(old: Path, target: Path) -> None:
    """Suggest weights if none are named and none have the expected name."""
    try:
        log.info("taking the weights from %s", locate.weights_beside(old))
    except InputError:
        there = locate.some_weights(old)
        words = [str(old), str(there[0]) if there else "WEIGHTS.h5", "--output", str(target)]
        named = f"recipes convert {shlex.join(words)}"
        more = f"; there is also {', '.join(there[1:])}" if there[1:] else ""
        none = "" if there else "expected an .h5 file with its weights next to it, found none; "
        raise InputError(f"{old}: {none}name the weights: {named}{more}") from None


def _check_target(old: Path, weights: str | Path | None, target: Path) -> None:
    """Refuse to write into the folder of the old model or of its weights."""
    if target.resolve() == old.resolve().parent:
        raise InputError(f"{target}: holds the old model; name another folder with --output")
    never_replaced.check(target, [old, *([weights] if weights else [])])


def _provenance(converted: Converted, read: Contents, members: Mapping[str, bytes]) -> bytes:
    changes = [{"layer": name, "was": was, "is": now} for name, was, now in converted.changes]
    said: dict[str, Any] = {
        "schema": SCHEMA,
        "keras_version": converted.keras_version,
        "backend": converted.backend or None,
        "files": conversion.digests({path.name: text for path, text in read.files.items()}),
        conversion.WRITTEN: conversion.digests(members),
        "changes": changes,
        "versions": save.versions(),
    }
    return (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()


def _compare(model: "keras.Model", staged: Path) -> None:
    read = opening.staged(staged).in_keras.model
    for mine, other in zip(model.get_weights(), read.get_weights(), strict=True):
        if not np.array_equal(mine, other):
            raise RecipeError(
                "the converted model was not the same when it was read back; nothing was written"
            )
