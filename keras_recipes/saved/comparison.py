"""Comparison of a model's outputs in two runtimes, on inputs like those that it is asked about."""

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from keras_recipes import catalog
from keras_recipes.answers import fitting_data
from keras_recipes.errors import InputError
from keras_recipes.models import runtime
from keras_recipes.models.fitted import Fitted

if TYPE_CHECKING:
    import keras

SAME_RUNTIME, OTHER_RUNTIME = 1e-6, 1e-5
"""The largest difference of outputs that is allowed, relative to max(1, |output|). Another runtime
adds numbers in another order, and float32 has seven digits."""

MOST_INPUTS = 10_000
UNKNOWN_LENGTH = 32
"""The number of steps or pixels of random inputs, if the net takes any number of them."""


def difference(expected: np.ndarray, received: np.ndarray) -> float:
    """Return the largest difference of outputs, relative to max(1, |output|).

    Raises:
        ValueError: The outputs have different shapes.
    """
    if expected.shape != received.shape:
        raise ValueError(f"outputs of shape {received.shape}, expected {expected.shape}")
    return float((abs(expected - received) / np.maximum(1, abs(expected))).max())


def inputs(fitted: Fitted) -> np.ndarray:
    """Return inputs from all over the recipe's test data or, if there are none, random inputs."""
    card = fitted.card
    if card is not None:
        with contextlib.suppress(InputError):
            x = fitting_data.again(catalog.get(card.recipe), card).test.x
            runtime.check_fits(fitted.runtime, x, card.recipe)
            return x[:: -(-len(x) // MOST_INPUTS)]
    random = np.random.default_rng(0)
    shape = [UNKNOWN_LENGTH if size is None else size for size in fitted.runtime.input_shape]
    if words := _vocabulary(fitted.model):
        return random.integers(words, size=(32, *shape))
    return random.normal(size=(32, *shape)).astype("float32")


def _vocabulary(model: "keras.Model") -> int | None:
    """Return the number of tokens of a net that looks tokens up or encodes them, else None."""
    import keras

    layers = model._flatten_layers()
    sizes = [x.input_dim for x in layers if isinstance(x, keras.layers.Embedding)]
    sizes += [x.num_tokens for x in layers if isinstance(x, keras.layers.CategoryEncoding)]
    return min(sizes, default=None)
