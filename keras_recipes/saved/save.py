"""Writing a saved model: a folder with architecture, weights and card, published whole.

model.json          what Keras' `to_json()` gives
model.weights.h5    Keras' own weights file, without optimizer slots
card.json           what is not in the graph, and the digests of the other members
history.csv         metrics over the epochs
first.weights.h5    the untrained weights, where the recipe's pictures need them
conversion.json     of a model that was converted: where from, and what changed
"""

import json
import logging
import platform
import sys
import tempfile
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import atomic, backend
from keras_recipes.errors import InputError, RecipeError, described
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import locate, opening
from keras_recipes.saved.load import load
from keras_recipes.saved.locate import (
    ARCHITECTURE,
    CARD,
    CONVERSION,
    FIRST_WEIGHTS,
    HISTORY,
    MEMBERS,
    WEIGHTS,
)

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

_TORCH = "keras.src.backend.torch.optimizers."


def save(model: Fitted | str | Path, path: str | Path) -> Path:
    """Saves a fitted model as the folder `path`, replacing a model that is there.

    The folder is written beside, read back and compared, and only then put in place in one step: at
    every moment the old or the new model is there, whole.

    Args:
        model: From `fit` or `load`; or, to copy a saved model, what `load` takes.
        path: The model's own folder.

    Returns:
        The folder.

    Raises:
        InputError: There is no card to save, or the folder holds something that is no saved model.
        RecipeError: It could not be written, or did not read back as it was; nothing was changed.
        UnsafeModelError: As for `load`, where the model is named.
        CorruptModelError: As for `load`, where the model is named.
    """
    fitted = load(model) if isinstance(model, str | Path) else model
    if not isinstance(fitted, Fitted) or fitted.card is None:
        raise InputError(
            "expected what fit or load returned, a recipe's name or a path, received "
            f"{described(model)}; Keras' own model.save saves the rest"
        )
    target = locate.target(path).resolve()
    check_replaceable(target)
    before = locate.earlier(target)
    with atomic.folder(target, members(fitted)) as staged:
        _verify(fitted.model, staged)
    if before:
        log.info("replaced %s", before)
    return Path(path)


def check_target(target: Path) -> None:
    """Finds out before training, not after, whether a model can be saved there.

    Raises:
        InputError: `target` is a file, a folder that is no saved model, or cannot be written.
    """
    check_replaceable(target)
    atomic.prepare(target)


def check_replaceable(target: Path, ours: Collection[str] = MEMBERS) -> None:
    """Refuses to replace a folder in which anything would be lost.

    Args:
        target: An absolute path.
        ours: Names of the files that may be replaced.

    Raises:
        InputError: `target` is no folder, the working directory or above it, the root of a file
            system, or holds other files than those of a saved model.
    """
    names = atomic.replaced(target, ours)
    pair = names - {CONVERSION} == {ARCHITECTURE, WEIGHTS}
    if names and not {ARCHITECTURE, CARD} <= names and not pair:
        raise InputError(f"{target}: holds no saved model; name another folder")


def architecture(model: "keras.Model") -> bytes:
    """The model as JSON, with settings that are ours alone reset."""
    config = json.loads(model.to_json())
    if config.get("compile_config"):
        config["compile_config"]["steps_per_execution"] = 1
        optimizer = config["compile_config"].get("optimizer")
        if isinstance(optimizer, dict) and str(optimizer.get("module")).startswith(_TORCH):
            # On PyTorch, Keras names a class that other backends do not have.
            optimizer["module"] = "keras.optimizers"
    return (json.dumps(config, indent=2) + "\n").encode()


def weights_file(model: "keras.Model", weights: Any = None) -> bytes:
    """The contents of a Keras weights file, without optimizer slots.

    Args:
        model: Whose layers they are.
        weights: In `get_weights()` order; default the model's own.
    """
    import keras

    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights() if weights is None else weights)
    if getattr(model, "optimizer", None):  # which a model lacks that was never compiled
        # The JSON says how to compile, so Keras looks for an optimizer in the file: a new one,
        # which has made no slots yet.
        bare.compile(keras.optimizers.get(keras.optimizers.serialize(model.optimizer)))
    with tempfile.TemporaryDirectory() as scratch, backend.handing_over_arrays():
        path = Path(scratch) / WEIGHTS
        bare.save_weights(path)
        return path.read_bytes()


def versions() -> dict[str, str]:
    """Python and the packages that make a model what it is."""
    import keras

    backend = keras.backend.backend()
    packages = ("keras_recipes", "keras", "numpy", "h5py")
    found = {name: version(name) for name in packages}
    return {"python": platform.python_version(), **found, backend: sys.modules[backend].__version__}


def members(fitted: Fitted) -> dict[str, bytes]:
    """The files of a saved model by name, the card last with the digests of the others."""
    files = {ARCHITECTURE: architecture(fitted.model), WEIGHTS: weights_file(fitted.model)}
    if fitted.history is not None:
        files[HISTORY] = fitted.history.to_csv()
    if fitted.first_weights is not None:
        files[FIRST_WEIGHTS] = weights_file(fitted.model, fitted.first_weights)
    if fitted.card is not None:
        files[CARD] = fitted.card.of(files).to_json().encode()
    return files


def _verify(model: "keras.Model", staged: Path) -> None:
    read = opening.staged(staged).in_keras.model
    for mine, other in zip(model.get_weights(), read.get_weights(), strict=True):
        if not np.array_equal(mine, other, equal_nan=True):
            raise RecipeError(
                "the saved model did not read back as it was written; nothing was changed"
            )
