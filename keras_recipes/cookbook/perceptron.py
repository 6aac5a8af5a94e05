"""One neuron with two inputs: a weighted sum, a bias, and a line through the plane.

Follows «一文读懂神经网络», which starts from Rosenblatt's perceptron: a weighted sum of the inputs,
a bias so that inputs of zero do not force the sum to be zero, and a step function. The sigmoid,
which has a gradient, replaces the step when the neuron is trained by gradient descent.

Reported: no numbers; that one neuron draws AND and OR and cannot draw XOR.
Measured: AND and OR are learned from 100 of 100 seeds by either rule, XOR from none, since no line
separates its points: `python benchmarks/perceptron.py`.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from keras_recipes import options, points
from keras_recipes.bounds import Count, Positive, Seed
from keras_recipes.data.dataset import Dataset
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import LayerSummary, Plan, Recipe, Source

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
TARGETS = {"and": (0, 0, 0, 1), "or": (0, 1, 1, 1), "xor": (0, 1, 1, 0)}
DRAWN = 8
"""Largest number of lines in the picture of the moving line."""


@options.builder
def build_perceptron(
    *,
    rule: Literal["gradient", "perceptron"] = "gradient",
    learning_rate: Positive = 1.0,
) -> "keras.Model":
    """One neuron: Dense(1) and a sigmoid or a step, three parameters, compiled.

    Takes float32 of shape (N, 2), gives float32 of shape (N, 1): a probability from 0 to 1, or by
    the perceptron rule 0 or 1. Loss: binary cross-entropy, or the mean absolute error.

    Args:
        rule: How the neuron learns: by gradient descent, with a sigmoid; or by the perceptron rule,
            with a step function, one point at a time.
        learning_rate: Step size of the gradient descent, or of the perceptron rule.
    """
    import keras

    if rule == "perceptron":
        from keras_recipes.step_unit import Step

        output, loss = Step(name="output"), "mean_absolute_error"
    else:
        output, loss = keras.layers.Activation("sigmoid", name="output"), "binary_crossentropy"
    neuron = keras.layers.Dense(1, name="neuron")  # two weights and a bias
    model = keras.Sequential([keras.Input((2,)), neuron, output], name="perceptron")
    model.compile(optimizer=keras.optimizers.SGD(learning_rate), loss=loss, metrics=["accuracy"])
    return model


def read(data: Sequence[str], *, table: Literal["and", "or", "xor"] = "and") -> Dataset:
    """The four points of a truth table, or rows `x1,x2,target` from CSV files.

    Args:
        data: Paths.
        table: Truth table that is learned where no data is given.

    Raises:
        InputError: A row is malformed, or a target is neither 0 nor 1.
    """
    if data:
        found = points.of_files(data)
    else:
        rows = [(*corner, y) for corner, y in zip(CORNERS, TARGETS[table], strict=True)]
        found = points.of_table(f"the four points of {table.upper()}", rows)
    if not points.one_line_separates(found.train):
        log.warning("%s: no line separates the targets, so one neuron gets some wrong", found.name)
    return found


def training(
    *,
    rule: str,
    epochs: Count = 2_000,
    batch_size: Count = 4,
    seed: Seed = 0,
) -> Plan:
    """Trains all epochs; the perceptron rule takes one point per update.

    Args:
        rule: See `build_perceptron`.
        epochs: Number of passes over the points.
        batch_size: Number of points per update of the gradient descent.
        seed: Seed of the random weights, and of the order of the points.
    """
    return Plan(
        epochs=epochs,
        batch_size=1 if rule == "perceptron" else batch_size,
        seed=seed,
        epochs_per_call=250,
    )


def figures(fitted: Fitted, data: Dataset) -> "Iterator[tuple[str, Figure]]":
    """The loss over the epochs, the answers in the plane, and the line as it moved."""
    from keras_recipes.report import plots

    if fitted.history:
        yield "loss", plots.curve(fitted.history, "loss", str(fitted.model.loss).replace("_", " "))
    yield "surface", plots.decision_surface(fitted.model, data.train)
    if fitted.first_weights and fitted.card:
        yield "line", plots.moving_line(lines(fitted, data), data.train)


def lines(fitted: Fitted, data: Dataset) -> "dict[int, list[np.ndarray]]":
    """The neuron's weights after some of the epochs: the same fit, trained once more."""
    from keras_recipes.train import replay

    assert fitted.card and fitted.first_weights
    values = fitted.card.options
    model, plan = (options.call(step, options=values) for step in (build_perceptron, training))
    epochs = moments(fitted.card.training["epochs"])
    weights = replay.weights_after(model, fitted.first_weights, data.train, plan, epochs)
    return dict(zip(epochs, weights, strict=True))


def moments(epochs: int) -> list[int]:
    """Some numbers of epochs from 0 to all of them, close together where the line moves most."""
    doubled = [2**i for i in range(epochs.bit_length()) if 2**i < epochs]
    return [0, *doubled[: DRAWN - 2], epochs]


RECIPE = Recipe(
    name="perceptron",
    summary="one neuron, which draws a line through the plane",
    source=Source(
        article="«一文读懂神经网络»",
        reported={},
        deviations=(
            "a sigmoid and gradient descent by default; --preset rosenblatt has the step function "
            "and the perceptron rule",
        ),
    ),
    data="a truth table (AND, OR, XOR), built in; or CSV rows x1,x2,target",
    layers=(
        LayerSummary("neuron", "Dense", (None, 1), 3),
        LayerSummary("output", "Activation", (None, 1), 0),
    ),
    build=build_perceptron,
    training=training,
    measure=points.measure,
    guess=points.guess,
    metrics=points.METRICS,
    answers=points.answers(read, figures),
    example=lambda data: "0,1 1,1",
    presets={"rosenblatt": {"rule": "perceptron", "epochs": 20}},
    keeps_first_weights=True,
)
