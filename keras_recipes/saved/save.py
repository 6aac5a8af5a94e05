"""Save a model as a folder with architecture, weights and card, published whole.

model.json          the result of Keras' `to_json()`
model.weights.h5    Keras' own weights file, without optimizer state
model.tflite        the same net in LiteRT, which answers without Keras
card.json           everything that is not in the graph, and the digests of the other members
history.csv         metrics by epoch
first.weights.h5    the untrained weights, if the recipe's pictures need them
conversion.json     for a converted model: its source, and what was changed
"""

import json
import logging
import platform
import sys
import tempfile
from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import atomic, backend
from keras_recipes.errors import InputError, RecipeError, described
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import locate, opening, runnable
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
    """Save a fitted model as the folder `path`, and replace a model that is there.

    The folder is written next to `path`, read back, compared, and then moved into place in one
    step. The old or the new model is there, complete, at every moment.

    Args:
        model: A model from `fit` or `load`. To copy a saved model, anything that `load` takes.
        path: The folder for this model alone.

    Returns:
        The folder.

    Raises:
        InputError: The model has no card, or the folder holds something that is not a saved model.
        RecipeError: The model could not be written, or differed when it was read back; nothing was
            changed.
        UnsafeModelError: As for `load`, if the model is named.
        CorruptModelError: As for `load`, if the model is named.
    """
    fitted = load(model) if isinstance(model, str | Path) else model
    return write(fitted, path)


def write(fitted: Fitted, path: str | Path, examples: np.ndarray | None = None) -> Path:
    """Save a model as `save` does.

    Args:
        fitted: The model.
        path: The folder for this model alone.
        examples: Inputs of the model, shape (N, ...), on which its runnable form is compared; None
            reads the data of the fit again.
    """
    if not isinstance(fitted, Fitted) or fitted.card is None:
        raise InputError(
            "expected a model from fit or load, a recipe's name or a path, received "
            f"{described(fitted)}; save other models with Keras' own model.save"
        )
    target = locate.target(path).resolve()
    check_replaceable(target)
    before = locate.earlier(target)
    with atomic.folder(target, members(fitted, runnable.members(fitted, examples))) as staged:
        _verify(fitted.model, staged)
    if before:
        log.info("replaced %s", before)
    return Path(path)


def check_target(target: Path) -> None:
    """Check before training that a model can be saved at `target`.

    Raises:
        InputError: `target` is a file, is a folder without a saved model, or cannot be written.
    """
    check_replaceable(target)
    atomic.prepare(target)


def check_replaceable(target: Path, replaceable: Collection[str] = MEMBERS) -> None:
    """Refuse to replace a folder if it holds anything other than a saved model.

    Args:
        target: An absolute path.
        replaceable: Names of the files that may be replaced.

    Raises:
        InputError: `target` is not a folder, is the working directory or above it, is the root
            of a file system, or holds other files than those of a saved model.
    """
    names = atomic.replaced(target, replaceable)
    pair = names - {CONVERSION} == {ARCHITECTURE, WEIGHTS}
    if names and not {ARCHITECTURE, CARD} <= names and not pair:
        raise InputError(f"{target}: holds no saved model; name another folder")


def architecture(model: "keras.Model") -> bytes:
    """Return the model as JSON, without settings that only this package uses."""
    config = json.loads(model.to_json())
    if config.get("compile_config"):
        config["compile_config"]["steps_per_execution"] = 1
        optimizer = config["compile_config"].get("optimizer")
        if isinstance(optimizer, dict) and str(optimizer.get("module")).startswith(_TORCH):
            # On PyTorch, Keras writes a class that other backends do not have.
            optimizer["module"] = "keras.optimizers"
    return (json.dumps(config, indent=2) + "\n").encode()


def weights_file(model: "keras.Model", weights: Any = None) -> bytes:
    """Return the content of a Keras weights file, without optimizer state.

    Args:
        model: The model whose layers the weights belong to.
        weights: Arrays in `get_weights()` order; the default is the model's own.
    """
    import keras

    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights() if weights is None else weights)
    if getattr(model, "optimizer", None):  # a model that was never compiled has none
        # The JSON holds compile settings, so Keras looks for an optimizer in the file. A new
        # optimizer has no state yet.
        bare.compile(keras.optimizers.get(keras.optimizers.serialize(model.optimizer)))
    with tempfile.TemporaryDirectory() as scratch, backend.handing_over_arrays():
        path = Path(scratch) / WEIGHTS
        bare.save_weights(path)
        return path.read_bytes()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a model depends on."""
    import keras

    backend = keras.backend.backend()
    packages = ("keras_recipes", "keras", "numpy", "h5py")
    found = {name: version(name) for name in packages}
    return {"python": platform.python_version(), **found, backend: sys.modules[backend].__version__}


def members(fitted: Fitted, more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Return the files of a saved model by name; the card is last, with the others' digests.

    Args:
        fitted: The model.
        more: Other members that the card describes.
    """
    files = {ARCHITECTURE: architecture(fitted.model), WEIGHTS: weights_file(fitted.model)}
    files.update(more or {})
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
                "the saved model differed when it was read back; nothing was changed; save it again"
            )
