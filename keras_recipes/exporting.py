"""Other formats: written beside, read back by what will read them, compared, and only then kept."""

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes import publish, storage, training
from keras_recipes.errors import InputError, RecipeError
from keras_recipes.recipe import Fitted
from keras_recipes.runtime import KerasRuntime

if TYPE_CHECKING:
    import keras
    import numpy as np

TOLERANCE = 1e-6
"""How far outputs may differ that come from the same weights on the same runtime, absolute."""


@dataclass(frozen=True)
class Exported:
    """Where an export lies, and its largest absolute difference to the original's outputs."""

    path: Path
    largest_difference: float


def export(fitted: Fitted, format: str, path: str | Path) -> Exported:
    """Writes a model in another format and proves that it computes the same.

    Args:
        fitted: From `fit` or `load`.
        format: One of `FORMATS`.
        path: The file or, for `json-h5`, the folder to write.

    Raises:
        InputError: An unknown format, or a path that the format cannot have.
        RecipeError: The export could not be written, or computes something else; nothing was kept.
    """
    check_format(format, Path(path))
    return FORMATS[format].write(fitted, Path(path))


def check_format(format: str, path: Path) -> None:
    """Refuses a format or a path before any work.

    Raises:
        InputError: An unknown format, a path that it cannot have or that cannot be written.
    """
    if format not in FORMATS:
        raise InputError(f"format: expected one of {', '.join(FORMATS)}, received {format!r}")
    ending = FORMATS[format].ending
    if ending.startswith(".") and path.suffix != ending:
        raise InputError(f"{path}: a file of this format has a name that ends in {ending}")
    if ending.startswith("."):
        publish.prepare_file(path.resolve())
    else:
        publish.prepare(path.resolve())


def default_path(model: Path, format: str) -> Path:
    """Where an export goes when nothing is said: here, under the model's name."""
    ending = FORMATS[format].ending if format in FORMATS else ""
    return Path(f"{model.name if model.is_dir() else model.stem}{ending}")


def _json_h5(fitted: Fitted, path: Path) -> Exported:
    """`model.json` and `model.weights.h5`, with the card; pictures and history stay behind."""
    target = path.resolve()
    storage.check_replaceable(target, (storage.ARCHITECTURE, storage.WEIGHTS, storage.CARD))
    bare = Fitted(model=fitted.model, card=fitted.card)
    with publish.folder(target, storage.members(bare)) as staged:
        difference = _difference(fitted, storage.load(staged).model)
    return Exported(path, difference)


def _keras(fitted: Fitted, path: Path) -> Exported:
    """Keras' own single file; the optimizer's state, which only training needs, stays behind."""
    import keras

    with tempfile.TemporaryDirectory() as scratch:
        staged = Path(scratch) / path.name
        fitted.model.save(staged)
        difference = _difference(fitted, keras.models.load_model(staged))
        publish.file(path, staged.read_bytes())
    return Exported(path, difference)


def _difference(fitted: Fitted, other: "keras.Model") -> float:
    x = _real_inputs(fitted)
    mine, theirs = fitted.runtime.outputs(x), KerasRuntime(other).outputs(x)
    difference = float(abs(mine - theirs).max())
    if not difference <= TOLERANCE:
        raise RecipeError(
            f"the export computes something else: outputs differ by {difference:.3g}, "
            f"at most {TOLERANCE:g} was expected; nothing was written"
        )
    return difference


def _real_inputs(fitted: Fitted) -> "np.ndarray":
    """The recipe's test inputs; where there are none, normally distributed numbers."""
    import numpy as np

    card = fitted.card
    if card is not None:
        with contextlib.suppress(InputError):
            return training.data_for(card, None, card.options).test.x
    shape = [1 if size is None else size for size in fitted.model.input_shape[1:]]
    return np.random.default_rng(0).normal(size=(32, *shape)).astype("float32")


@dataclass(frozen=True)
class Format:
    """How a format is written, and how the names of its exports end."""

    write: Callable[[Fitted, Path], Exported]
    ending: str


FORMATS = {"json-h5": Format(_json_h5, "-json-h5"), "keras": Format(_keras, ".keras")}
