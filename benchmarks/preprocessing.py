"""What preprocessing does for the digit recipes, and what the two losses of mnist-mlp do.

    python benchmarks/preprocessing.py choose [RECIPE]
    python benchmarks/preprocessing.py table [RECIPE] [SEEDS] [KIND]...
    python benchmarks/preprocessing.py losses [SEEDS]
    python benchmarks/preprocessing.py speed [losses]

choose  The number of principal components, and the number that is added to the variances. Each
        is fitted once, and measured on the validation images, which are held out of training. The
        defaults were chosen by this; the test images are not used.
table   Each kind of preprocessing with the recipe's other options at their defaults. Each seed has
        new weights and new splits. Measured on MNIST's 10,000 test images.
losses  mnist-mlp with cross-entropy and with mean squared error: the accuracy on the test images,
        and the epochs until it reaches 94 % and 95 % of the validation images.
speed   Seconds for one epoch of the compiled loop for each loss and each kind; they take turns, and
        the medians of 15 epochs are printed.

On a machine with a GPU, `KERAS_BACKEND=jax` runs table and losses in minutes.
"""

import logging
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_recipes import backend, catalog, fit
from keras_recipes.digits import data as digits
from keras_recipes.models.fitted import Fitted

KINDS = ("none", "mean", "scale", "pca", "whitening")
RECIPES = ("linear-mnist", "mnist-mlp", "lenet5")
LOSSES = ("categorical_crossentropy", "mean_squared_error")
COMPONENTS, EPSILONS = (25, 50, 100, 200, 400), (0.001, 0.1)
ROUNDS = 15


def fitted(name: str, seed: int, **given: Any) -> Fitted:
    if given.get("preprocessing") == "none":
        del given["preprocessing"]
    return fit(name, "mnist", seed=seed, show_progress=False, **given)


def validated(model: Fitted) -> np.ndarray:
    """Return the validation accuracy after each epoch, in percent."""
    assert model.history is not None
    return 100 * model.history.values["val_accuracy"]


def choose(name: str) -> None:
    from keras_recipes.digits import preprocessing

    def show(kind: str, components: int) -> None:
        found = validated(fitted(name, 0, preprocessing=kind, components=components))[-1]
        print(
            f"{name}, {kind}, {components} components, {preprocessing.EPSILON:g} added: "
            f"{found:.2f} % of the validation images",
            flush=True,
        )

    for kind in ("pca", "whitening"):
        for components in COMPONENTS:
            show(kind, components)
    for preprocessing.EPSILON in EPSILONS:
        show("whitening", 100)
        show("scale", 100)


def spread(values: Sequence[float]) -> str:
    return (
        f"{statistics.mean(values):.2f} +- {statistics.pstdev(values):.2f}, "
        f"from {min(values):.2f} to {max(values):.2f}"
    )


def table(name: str, seeds: int, kinds: Sequence[str]) -> None:
    backend.choose("auto", side_by_side=catalog.get(name).side_by_side)
    for kind in kinds:
        reached = []
        for seed in range(seeds):
            model = fitted(name, seed, preprocessing=kind)
            assert model.card is not None
            reached.append(100 * model.card.metrics["accuracy"])
        trained = sum(math.prod(weight.shape) for weight in model.model.trainable_weights)
        print(
            f"{name}, {kind}: {spread(reached)} %; {seeds} seeds, {trained:,} trained parameters, "
            f"{backend.describe()}",
            flush=True,
        )


def first(accuracies: np.ndarray, goal: float) -> int:
    """Return the number of epochs until the goal is reached; all of them if it is not."""
    reached = np.flatnonzero(accuracies >= goal)
    return int(reached[0]) + 1 if len(reached) else len(accuracies)


def losses(seeds: int) -> None:
    for loss in LOSSES:
        models = [fitted("mnist-mlp", seed, loss=loss) for seed in range(seeds)]
        tested = [100 * model.card.metrics["accuracy"] for model in models if model.card]
        print(f"{loss}: {spread(tested)} % of the test images", flush=True)
        for goal in (94, 95):
            epochs = [first(validated(model), goal) for model in models]
            print(f"  {goal} % of the validation images after {spread(epochs)} epochs", flush=True)


def epoch_of(**given: Any) -> Callable[[], float]:
    """Return a function that trains an epoch of mnist-mlp and returns the seconds it took."""
    import keras

    from keras_recipes.train import compiled_loop

    keras.utils.set_random_seed(0)
    recipe = catalog.get("mnist-mlp")
    train = digits.load(["mnist"], validation=0.0, seed=0).train
    model, plan = recipe.build(**given), recipe.training()
    assert recipe.adapt is not None
    recipe.adapt(model, train.x)
    call = compiled_loop.compile_epochs(
        model, train, batch_size=plan.batch_size, seed=0, jit_compile=plan.jit_compile
    )

    def epoch() -> float:
        started = time.perf_counter()
        call(0, 1)
        return time.perf_counter() - started

    epoch()  # compiles it
    return epoch


def speed(part: str | None) -> None:
    ways: dict[str, dict[str, Any]] = {loss: {"loss": loss} for loss in LOSSES}
    if part != "losses":
        ways |= {kind: {"preprocessing": kind} for kind in KINDS[1:]}
    epochs = {name: epoch_of(**given) for name, given in ways.items()}
    took: dict[str, list[float]] = {name: [] for name in epochs}
    for _ in range(ROUNDS):
        for name, epoch in epochs.items():
            took[name].append(epoch())
    for name, values in took.items():
        print(f"mnist-mlp, {name}: {statistics.median(values):.3f} s per epoch", flush=True)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    what, *rest = sys.argv[1:] or ["all"]
    if what == "choose":
        choose(rest[0] if rest else "mnist-mlp")
    elif what == "table":
        for recipe in rest[:1] or RECIPES:
            table(recipe, int(rest[1]) if rest[1:] else 5, rest[2:] or KINDS)
    elif what == "losses":
        losses(int(rest[0]) if rest else 5)
    elif what == "speed":
        speed(rest[0] if rest else None)
    else:
        sys.exit(f"expected choose, table, losses or speed, received {what}")
