"""The length of a classifier's training, and its augmentation, by the number of examples.

An epoch of few images is few updates: six epochs of 300 images are 18, and of MNIST 2,532. So the
number of epochs follows from the number of updates. Few images are also warped at random, and the
training ends early if the validation loss stops falling.
"""

from collections.abc import Callable

from keras_recipes.data.dataset import Dataset
from keras_recipes.recipe import Course, Options

FEW = 10_000
"""The number of training images below which they are few."""

BATCH = 128
"""The number of images per update."""

FEW_EPOCHS = 20
"""The fewest epochs if the images are few, because each epoch warps them differently."""

PATIENCE = 600
"""The number of updates without a smaller validation loss after which a training ends early."""

WATCHABLE = 50
"""The fewest validation images whose loss says when to stop; that of fewer is mostly chance."""


def by_examples(
    *, epochs: int, updates: int, few_updates: int, few_batch: int = BATCH
) -> Callable[[Options, Dataset], Course]:
    """Return a function that chooses the options of the training that are not set.

    Args:
        epochs: The number of epochs with many examples.
        updates: The fewest updates of the weights, which less data reaches by more epochs.
        few_updates: The fewest updates with few examples.
        few_batch: The number of images per update with few examples.
    """

    def course(options: Options, data: Dataset) -> Course:
        if options.get("updates", "minibatch") != "minibatch":
            return Course(_unset(options, {"epochs": epochs, "warp": 0.0, "patience": 0}), "")
        count = len(data.train)
        few = count < FEW
        batch = options["batch_size"] or (few_batch if few else BATCH)
        steps = -(-count // batch)
        if few:
            length = max(epochs, FEW_EPOCHS, -(-few_updates // steps))
        else:
            length = max(epochs, -(-updates // steps))
        watched = len(data.validation) if data.validation else 0
        chosen = _unset(
            options,
            {
                "batch_size": batch,
                "epochs": length,
                "warp": 1.0 if few else 0.0,
                "patience": -(-PATIENCE // steps) if few and watched >= WATCHABLE else 0,
            },
        )
        return Course(chosen, _note(count, steps, chosen) if few else "")

    return course


def _unset(options: Options, values: Options) -> Options:
    return {name: value for name, value in values.items() if options.get(name, 0) is None}


def _note(count: int, steps: int, chosen: Options) -> str:
    parts = []
    if epochs := chosen.get("epochs"):
        parts.append(f"epochs={epochs}, which are {steps * epochs:,} updates")
    if warp := chosen.get("warp"):
        parts.append(f"warp={warp:g}, which varies them at random")
    if patience := chosen.get("patience"):
        parts.append(f"patience={patience}, which may end the training early")
    return f"only {count:,} training images: {'; '.join(parts)}" if parts else ""
