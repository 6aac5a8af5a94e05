"""A model of an earlier Keras as today's folder: opened, written beside, read back, kept."""

import hashlib
import json
import logging
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import atomic
from keras_recipes.errors import InputError, RecipeError
from keras_recipes.legacy.convert import Converted
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import load, locate, save

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

SCHEMA = 1
OURS = (locate.ARCHITECTURE, locate.WEIGHTS, locate.CONVERSION)


def convert(old: Path, weights: Path | None, target: Path) -> Converted:
    """Writes today's pair of an old model, and `conversion.json`, which says where it is from.

    Args:
        old: A JSON file, or a whole model in an HDF5 file.
        weights: Of a JSON file; default the `.h5` file of the same name beside it.
        target: The folder to write; a pair that is there is replaced.

    Raises:
        InputError: A layer that cannot be expressed, or a folder that holds something else.
        UnsafeModelError: The model holds code, or is larger than the limits.
        CorruptModelError: The files are damaged or do not belong together.
        RecipeError: The folder could not be written, or did not read back; nothing was changed.
    """
    check_target(old, target)
    if weights is None and old.suffix == ".json":
        _check_weights(old, target)
    there = target.exists()
    save.check_replaceable(target.resolve(), OURS)
    atomic.prepare(target.resolve())
    opened = load.open_old(old, weights)
    if opened is None:
        fitted = load.load(old, weights)
        opened = Converted(model=fitted.model, keras_version="3", backend="", changes=[])
    members = save.members(Fitted(model=opened.model))
    members[locate.CONVERSION] = _provenance(opened, _sources(old, weights))
    with atomic.folder(target.resolve(), members) as staged:
        _compare(opened.model, staged)
    if there:
        log.info("replaced the model that was in %s", target)
    return opened


def _check_weights(old: Path, target: Path) -> None:
    """Names the weights that may be meant where none are named, and none are called as expected."""
    try:
        log.info("with the weights in %s", locate.weights_beside(old))
    except InputError:
        there = locate.some_weights(old)
        words = [str(old), str(there[0]) if there else "WEIGHTS.h5", "--output", str(target)]
        named = f"recipes convert {shlex.join(words)}"
        more = f"; there is also {', '.join(there[1:])}" if there[1:] else ""
        none = "" if there else "expected an .h5 file with its weights beside it, found none; "
        raise InputError(f"{old}: {none}name the weights: {named}{more}") from None


def check_target(old: Path, target: Path) -> None:
    """Refuses to write over what is being read.

    Raises:
        InputError: The target is the folder that the old model lies in.
    """
    if target.resolve() == old.resolve().parent:
        raise InputError(f"{target}: holds the old model; name another folder with --output")


def _sources(old: Path, weights: Path | None) -> list[Path]:
    if old.suffix != ".json":
        return [old]
    return [old, weights or locate.weights_beside(old)]


def _provenance(opened: Converted, sources: list[Path]) -> bytes:
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}
    changes = [{"layer": name, "was": was, "is": now} for name, was, now in opened.changes]
    said: dict[str, Any] = {
        "schema": SCHEMA,
        "keras_version": opened.keras_version,
        "backend": opened.backend or None,
        "files": digests,
        "changes": changes,
        "versions": save.versions(),
    }
    return (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()


def _compare(model: "keras.Model", staged: Path) -> None:
    import numpy as np

    read = load.read(staged).model
    for mine, other in zip(model.get_weights(), read.get_weights(), strict=True):
        if not np.array_equal(mine, other):
            raise RecipeError("the converted model did not read back as it was; nothing was kept")
