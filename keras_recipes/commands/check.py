"""Checking the gradient of a recipe's net: backpropagation against nudged weights."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_recipes import backend, catalog
from keras_recipes.commands import fit
from keras_recipes.data.dataset import Dataset, Examples
from keras_recipes.errors import InputError
from keras_recipes.train import gradient_check
from keras_recipes.train.attempts import built
from keras_recipes.train.gradient_check import Compared

EXAMPLES = 4
"""The number of training examples of which the loss is computed."""

SAMPLE = 10
"""The number of weights of each array that are nudged."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checked:
    """The result of a gradient check.

    Attributes:
        arrays: The comparison for each array of weights, in the order of the layers.
        data: The name of the data.
        examples: The number of examples of which the loss was computed.
    """

    arrays: tuple[Compared, ...]
    data: str
    examples: int

    @property
    def largest_difference(self) -> float:
        """The largest relative difference of all; NaN if some array could not be compared."""
        return float(np.max([array.largest_difference for array in self.arrays]))

    @property
    def goal(self) -> float:
        """The value that the largest difference has to stay below."""
        return gradient_check.GOAL

    @property
    def reached(self) -> bool:
        """Whether each array was compared, and each difference is less than the goal."""
        return self.largest_difference < self.goal

    @property
    def failure(self) -> str:
        """Why the goal is not reached, in one line."""
        for array in self.arrays:
            name = f"{array.weights} of {array.layer}"
            if not array.checked:
                return f"{name}: the loss bends at all {array.skipped} places, none was compared"
            if not array.largest_difference < self.goal:
                return (
                    f"{name}: expected a relative difference less than {self.goal:g}, received "
                    f"{array.largest_difference:.2g}; its backpropagation is wrong"
                )
        return ""


def check(
    recipe: str,
    data: Any = None,
    *,
    preset: str | None = None,
    sample: int = SAMPLE,
    **given: Any,
) -> Checked:
    """Compare a recipe's gradients by backpropagation with nudged weights.

    The net is untrained, in double precision, and answers as in a prediction: dropout is off, and
    so are random changes of the inputs. The loss is that of four training examples.

    Args:
        recipe: The recipe's name, such as "xor".
        data: Data as for `fit`; None reads the recipe's own.
        preset: The name of a set of options.
        sample: Number of weights of each array that are nudged.
        **given: Options of the recipe, as for `fit`.

    Returns:
        The largest relative difference, and how many weights of each array were compared and
        skipped. `reached` says whether each difference is less than 1e-6.

    Raises:
        InputError: The recipe, an option or the preset is unknown; the data cannot be used; or the
            net has a layer without a gradient; or Keras does not run on TensorFlow.
    """
    if isinstance(sample, bool) or not isinstance(sample, int) or sample < 1:
        raise InputError(f"sample: expected a whole number >= 1, received {sample!r}")
    chosen = catalog.get(recipe)
    values = fit.settled(chosen, preset, given)
    gradient_check.check_backend()
    task = fit.prepare(chosen, () if data is None else data, values, preset, given, None)
    backend.start()
    examples = _some(task.data, task.plan.seed)
    log.info(
        "checking %s on %d examples of %s; %s, double precision",
        chosen.name,
        len(examples),
        task.data.name,
        backend.describe(),
    )
    compared = gradient_check.compare(
        lambda: built(task.recipe, task.options),
        examples,
        sample=sample,
        seed=task.plan.seed,
        replicas=backend.replicas(chosen.side_by_side),
    )
    return Checked(tuple(compared), task.data.name, len(examples))


def _some(data: Dataset, seed: int) -> Examples:
    count = min(EXAMPLES, len(data.train))
    rows = np.random.default_rng(seed).choice(len(data.train), count, replace=False)
    return Examples(data.train.x[rows], data.train.y[rows])
