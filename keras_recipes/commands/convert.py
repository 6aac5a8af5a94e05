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
from keras_recipes.saved import locate, save
from keras_recipes.saved.load import Found
from keras_recipes.saved.locate import Located
from keras_recipes.saved.read import in_keras, open_old

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

SCHEMA = 1
OURS = (locate.ARCHITECTURE, locate.WEIGHTS, locate.CONVERSION)


def convert(old: str | Path, weights: str | Path | None, target: str | Path) -> Converted:
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
    located, target = locate.locate(old, weights), locate.target(target)
    if not located.path.is_file():
        raise InputError(f"{located.path}: expected a .json or .h5 file, found a folder")
    check_target(located.path, target)
    if located.weights is None and located.path.suffix == ".json":
        _check_weights(located.path, target)
    there = target.exists()
    save.check_replaceable(target.resolve(), OURS)
    atomic.prepare(target.resolve())
    opened = open_old(located.path, located.weights)
    if opened is None:
        fitted = Found(located).in_keras()
        opened = Converted(model=fitted.model, keras_version="3", backend="", changes=[])
    members = save.members(Fitted(model=opened.model))
    members[locate.CONVERSION] = _provenance(opened, _sources(located))
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


def _sources(located: Located) -> list[Path]:
    if located.path.suffix != ".json":
        return [located.path]
    return [located.path, located.weights or locate.weights_beside(located.path)]


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

    read = in_keras(staged).model
    for mine, other in zip(model.get_weights(), read.get_weights(), strict=True):
        if not np.array_equal(mine, other):
            raise RecipeError("the converted model did not read back as it was; nothing was kept")
