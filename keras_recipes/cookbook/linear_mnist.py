"""Ten neurons that each see all 784 pixels: what a linear classifier can do with digits.

Follows «一文读懂神经网络», whose linear classifier of 28 x 28 images has one input a pixel, a
matrix W of 10 x 784 weights and ten biases: 7,850 parameters. Each row of W, seen as an image,
shows which pixels speak for a digit and which against it.

Reported by the article: nothing. LeCun et al. 1998, figure 9, report 88.0 % of MNIST's test images
for a linear classifier, 91.6 % with deskewed digits.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from keras_recipes import options
from keras_recipes.bounds import Count, NotNegative, Positive, Seed, Whole
from keras_recipes.data.dataset import Dataset
from keras_recipes.digits import classifier, course
from keras_recipes.digits import data as digits
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import LayerSummary, Plan, Recipe, Source
from keras_recipes.schedules import cosine

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure


@options.builder
def build_linear_mnist(
    *,
    deskew: bool = False,
    preprocessing: classifier.Preprocessing | None = None,
    components: classifier.Components = 100,
    weight_decay: NotNegative = 0.0,
    classes: Count = 10,
) -> "keras.Model":
    """784-10 with a softmax, 7,850 parameters, compiled.

    Takes uint8 of shape (N, 28, 28) or (N, 28, 28, 1), white on black, and scales it itself; gives
    probabilities of shape (N, classes). Targets are one-hot. Loss: categorical cross-entropy.

    Args:
        deskew: Makes slanted digits upright by a layer in front, which has no parameters.
        preprocessing: What a layer does with the pixels, by numbers from the training images.
            With mean, it subtracts the mean of each; with scale, it also divides by the standard
            deviation; with pca, it keeps the strongest principal components; with whitening, it
            also divides these by their standard deviations.
        components: Number of principal components with pca and whitening; mean and scale have none.
        weight_decay: How strongly AdamW shrinks the weights.
        classes: Number of outputs, which the data decides.
    """
    import keras

    from keras_recipes.digits.preprocessing import Deskew, layers

    before = [Deskew(name="deskewing")] if deskew else []
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1) if before else (28, 28)),
            *before,
            keras.layers.Rescaling(1 / 255, name="scaling"),
            keras.layers.Flatten(name="pixels"),  # 28 x 28 become 784
            *layers(preprocessing, components),
            keras.layers.Dense(classes, activation="softmax", name="output"),  # 10
        ],
        name="linear_mnist",
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(weight_decay=weight_decay),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


EPOCHS = 30
"""The number of epochs on MNIST."""


def training(
    *,
    epochs: Count | None = None,
    batch_size: Count | None = None,
    learning_rate: Positive = 0.003,
    patience: Whole | None = None,
    seed: Seed = 0,
) -> Plan:
    """AdamW while the learning rate falls to zero along half a cosine.

    Args:
        epochs: Number of passes over the training images. `none` means 30, and more if there are
            few images, so that the weights are updated 5,000 times.
        batch_size: Number of images per update. `none` means 128.
        learning_rate: Step size of AdamW in the first epoch; it falls to zero along a cosine.
        patience: Number of epochs without a smaller validation loss after which training ends and
            the best weights are kept; 0 trains all epochs. `none` means 600 updates if there are
            fewer than 10,000 training images and at least 50 for validation, else 0.
        seed: Seed of the random weights, splits and orders.
    """
    return Plan(
        epochs=epochs or EPOCHS,
        batch_size=batch_size or course.BATCH,
        seed=seed,
        rate=cosine(learning_rate, epochs or EPOCHS),
        patience=patience or 0,
    )


def figures(fitted: Fitted, data: Dataset) -> "Iterator[tuple[str, Figure]]":
    """What every digit recipe draws, and the weights of each class as an image."""
    from keras_recipes.digits import preprocessing
    from keras_recipes.report import plots

    yield from classifier.figures(fitted, data)
    labels = classifier.labels_of(data.learned, data.test.y.shape[-1])
    kernel, _ = fitted.model.get_layer("output").get_weights()
    if layer := preprocessing.layer_of(fitted.model):
        kernel, pixels = layer.in_image(kernel), "preprocessed pixels"
    else:
        pixels = "pixels"
    yield "weights", plots.weight_images(kernel, labels, pixels)


RECIPE = Recipe(
    name="linear-mnist",
    summary="handwritten digits with ten neurons and no hidden layer",
    source=Source(
        article="«一文读懂神经网络»; LeCun et al. 1998",
        reported={"accuracy": 0.88},
        data=digits.MNIST,
        deviations=("a softmax and cross-entropy instead of the squared error of LeCun et al.",),
    ),
    data="MNIST, or images with labels: IDX, NPZ, CSV of pixels, a folder of pictures per class",
    layers=(
        LayerSummary("scaling", "Rescaling", (None, 28, 28), 0),
        LayerSummary("pixels", "Flatten", (None, 784), 0),
        LayerSummary("output", "Dense", (None, 10), 7_850),
    ),
    presets={"deskewed": {"deskew": True}},
    build=build_linear_mnist,
    adapt=classifier.adapt,
    course=course.by_examples(epochs=EPOCHS, updates=5_000, few_updates=5_000),
    anew={"epochs": None, "batch_size": None, "learning_rate": 0.003, "patience": None},
    settled=("deskew", "preprocessing", "components"),
    training=training,
    measure=classifier.measure,
    guess=classifier.guess,
    metrics=classifier.METRICS,
    answers=classifier.answers(figures),
    example=digits.example,
    data_here=digits.mnist_is_here,
)
