"""Measuring a model that is no recipe's: its outputs beside the ones that should be."""

from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.data.dataset import Examples
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Askable
from keras_recipes.recipe import Metric
from keras_recipes.untrusted import arrays

if TYPE_CHECKING:
    import numpy as np


METRICS = {
    "accuracy": Metric("Share of the inputs that get the right class.", "share"),
    "mean_squared_error": Metric("Mean square of what an output is off its target."),
    "mean_absolute_error": Metric("Mean distance between an output and its target."),
    "largest_error": Metric("Largest distance between an output and its target."),
}


def examples(path: str) -> Examples:
    """Inputs and targets out of an `.npz` file with the arrays x and y.

    Args:
        path: The file. `y` holds what the model should put out, or a whole number for each input:
            the class.

    Raises:
        InputError: There is no such file, or it holds something else.
        UnsafeModelError: It holds Python objects, or more than the limits.
    """
    if not path.endswith(".npz"):
        raise InputError(f"{path}: expected an .npz file with arrays x and y; save one")
    x, y = arrays.read_pair(Path(path))
    if len(x) != len(y) or not len(x):
        raise InputError(f"{path}: expected as many x as y, received {len(x)} and {len(y)}")
    return Examples(x, y)


def measure(model: Askable, data: Examples) -> dict[str, float]:
    """How far a model's outputs are from the targets.

    Args:
        model: From `open_model`, without a card.
        data: From `examples`.

    Returns:
        `accuracy` where the targets are classes, or one 1 among zeros for each input;
        `mean_squared_error`, `mean_absolute_error` and `largest_error` where they are outputs.

    Raises:
        InputError: Targets of another shape than the outputs.
    """
    import numpy as np

    answers = model.runtime.outputs(data.x)
    classes = _classes(data.y, answers.shape)
    found = {}
    if classes is not None:
        found["accuracy"] = float((answers.argmax(axis=-1) == classes).mean())
    if data.y.shape == answers.shape:
        errors = np.abs(answers - data.y)
        found["mean_squared_error"] = float((errors**2).mean())
        found["mean_absolute_error"] = float(errors.mean())
        found["largest_error"] = float(errors.max())
    if not found:
        raise InputError(f"y: expected shape {answers.shape}, or classes, received {data.y.shape}")
    return found


def _classes(y: "np.ndarray", outputs: tuple[int, ...]) -> "np.ndarray | None":
    """The class of each input, if that is what the targets are."""
    import numpy as np

    if len(outputs) != 2 or outputs[1] < 2:
        return None
    if y.dtype.kind in "iu" and y.size == len(y):
        return y.reshape(-1)
    if y.shape == outputs and ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all():
        return np.asarray(y.argmax(axis=1))
    return None
