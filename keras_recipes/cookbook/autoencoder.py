"""An autoencoder for handwritten digits: 784-128-32-128-784, with the input as its own target.

The articles name the autoencoder, a net that learns its input as its own target, as a way to find
where to start the weights of a deep net. They give no sizes; Hinton and Salakhutdinov 2006,
*Reducing the Dimensionality of Data with Neural Networks*, have a larger net of this kind, whose
code has 30 numbers.

Reported: nothing.
Measured (`python benchmarks/autoencoder.py`, five seeds): a reconstruction error of 0.0056, so that
91.8 % +- 0.1 of the variance is explained. Letters from fonts have larger errors than MNIST's test
images with an AUC of 0.85. A perceptron that starts from the encoder is hardly better than from
random weights.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from keras_recipes import options
from keras_recipes.bounds import Count, Positive, Seed
from keras_recipes.data.dataset import Dataset
from keras_recipes.digits import data as digits
from keras_recipes.digits import reconstruction
from keras_recipes.models.fitted import Fitted
from keras_recipes.models.history import History
from keras_recipes.recipe import LayerSummary, Plan, Recipe, Source
from keras_recipes.schedules import cosine

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure


@options.builder
def build_autoencoder(
    *,
    hidden_units: Count = 128,
    code_units: Count = 32,
    code_activation: Literal["linear", "relu"] = "linear",
    loss: Literal["binary_crossentropy", "mean_squared_error"] = "mean_squared_error",
) -> "keras.Model":
    """Build and compile 784-128-32-128-784 with ReLU and a sigmoid: 209,968 parameters.

    The inputs are uint8 of shape (N, 28, 28) or (N, 28, 28, 1), white on black; the net scales them
    itself. The outputs are the reconstructed pixels, float32 of shape (N, 784), from 0 to 1. The
    targets are the inputs divided by 255, in the outputs' shape.

    Args:
        hidden_units: Number of units in the layer before the code, and in the one after it.
        code_units: Number of units in the code.
        code_activation: Activation function of the code.
        loss: Loss function of the training, for each pixel.

    Raises:
        InputError: An option has a wrong type or is out of range.
    """
    import keras

    dense = keras.layers.Dense
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Rescaling(1 / 255, name="scaling"),
            keras.layers.Flatten(name="pixels"),  # 28 x 28 become 784
            dense(hidden_units, activation="relu", name="encoder"),  # 128
            dense(code_units, activation=code_activation, name="code"),  # 32
            dense(hidden_units, activation="relu", name="decoder"),  # 128
            dense(28 * 28, activation="sigmoid", name="reconstruction"),  # 784
        ],
        name="autoencoder",
    )
    model.compile(optimizer=keras.optimizers.Adam(), loss=loss)
    return model


def training(
    *,
    epochs: Count = 20,
    batch_size: Count = 128,
    learning_rate: Positive = 0.005,
    seed: Seed = 0,
) -> Plan:
    """Plan training by Adam with a learning rate that falls to zero along half a cosine.

    Args:
        epochs: Number of passes over the training images.
        batch_size: Number of images per update.
        learning_rate: Step size of Adam in the first epoch; it falls to zero along a cosine.
        seed: Seed of all random choices: weights, splits, order of the images.
    """
    rate = cosine(learning_rate, epochs)
    return Plan(epochs=epochs, batch_size=batch_size, seed=seed, rate=rate)


def encoder_of(model: "keras.Model") -> "keras.Model":
    """Return the first half of an autoencoder, from the input to the code, with shared weights.

    The result takes what the autoencoder takes and returns codes of shape (N, code_units). Whoever
    trains it further also changes the autoencoder.

    Args:
        model: A net of `build_autoencoder`.
    """
    import keras

    return keras.Model(model.inputs[0], model.get_layer("code").output, name="encoder")


def figures(fitted: Fitted, data: Dataset) -> "Iterator[tuple[str, Figure]]":
    """Draw the loss, some reconstructions, the codes in two dimensions, and the errors."""
    from keras_recipes.models.runtime import KerasRuntime
    from keras_recipes.report import plots

    test = data.test
    labels = data.test_labels if isinstance(data, reconstruction.LabelledDataset) else ()
    if fitted.history:
        loss = str(fitted.model.loss).replace("_", " ")
        yield "loss", plots.curve(with_validation(fitted.history, loss), "loss", loss)
    outputs = fitted.runtime.outputs(test.x)
    yield "reconstructions", plots.reconstructions(test.y, outputs, labels)
    codes = KerasRuntime(encoder_of(fitted.model)).outputs(test.x)
    yield "code", plots.in_two_dimensions(codes, labels)
    errors = reconstruction.errors(test.y, outputs)
    yield "errors", plots.error_histogram(errors, reconstruction.usual(errors), data.name)


def with_validation(history: History, loss: str) -> History:
    """Add the validation loss, which is known if the loss is the reconstruction error."""
    validated = history.values.get("val_reconstruction_error")
    if validated is None or loss != "mean squared error":
        return history
    return replace(history, values={**history.values, "val_loss": validated})


RECIPE = Recipe(
    name="autoencoder",
    summary="handwritten digits squeezed through 32 numbers and drawn again",
    source=Source(
        article="the articles' autoencoder; Hinton and Salakhutdinov 2006",
        reported={},
        deviations=("the article gives no sizes; 784-128-32-128-784 is our choice",),
    ),
    data="MNIST, or pictures with or without labels: a folder, IDX, NPZ, or CSV of pixels",
    layers=(
        LayerSummary("scaling", "Rescaling", (None, 28, 28), 0),
        LayerSummary("pixels", "Flatten", (None, 784), 0),
        LayerSummary("encoder", "Dense", (None, 128), 100_480),
        LayerSummary("code", "Dense", (None, 32), 4_128),
        LayerSummary("decoder", "Dense", (None, 128), 4_224),
        LayerSummary("reconstruction", "Dense", (None, 784), 101_136),
    ),
    build=build_autoencoder,
    training=training,
    measure=reconstruction.measure,
    guess=reconstruction.guess,
    metrics=reconstruction.METRICS,
    answers=reconstruction.answers(figures),
    example=digits.example,
    data_here=digits.mnist_is_here,
)
