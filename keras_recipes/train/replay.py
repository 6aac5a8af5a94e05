"""Training a fit once more, to see the weights on the way."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_recipes.data.dataset import Examples
from keras_recipes.recipe import Plan
from keras_recipes.train import compiled_loop

if TYPE_CHECKING:
    import keras


def weights_after(
    model: "keras.Model",
    first_weights: Sequence[np.ndarray],
    examples: Examples,
    plan: Plan,
    epochs: Sequence[int],
) -> Iterator[list[np.ndarray]]:
    """The weights after each of these numbers of epochs.

    Args:
        model: A net as it was built for the fit, compiled; it is trained.
        first_weights: Weights that the fit began with, in `get_weights()` order.
        examples: What the fit trained on.
        plan: How it trained.
        epochs: Rising, from 0.
    """
    model.set_weights(list(first_weights))
    call = compiled_loop.compile_epochs(
        model,
        examples,
        batch_size=plan.batch_size,
        seed=plan.seed,
        jit_compile=False,  # each count of epochs would be compiled anew, for a second each
    )
    done = 0
    for epoch in epochs:
        for _ in range(epoch - done):
            call(done, 1)
            done += 1
        yield model.get_weights()
