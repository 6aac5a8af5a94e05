"""LeNet-5: convolution, pooling, convolution, pooling, convolution, dense; 61,706 parameters.

The articles give the order of the layers. Sizes and names are those of LeCun, Bottou, Bengio and
Haffner, *Gradient-Based Learning Applied to Document Recognition*, 1998, section II.B: 32 x 32
inputs, C1 6@28x28, S2, C3 16@10x10, S4, C5 120, F6 84, 10 outputs.

Reported: 99.05 % of MNIST's test images are right, 99.2 % with distorted training images.
Measured (`python benchmarks/digits.py`, five seeds each): 99.29 % +- 0.07 after six epochs,
99.64 % +- 0.02 with preset `best`, 99.50 % +- 0.03 with preset `1998`, which is the paper's net.

The default net differs from the paper's in three things, as is usual today. C3 is connected to all
maps of S2. Pooling takes the maximum and has no parameters. A softmax replaces the radial basis
functions. This gives 61,706 parameters instead of 60,000.

With `variant="1998"` all three are as in the paper; only the criterion's constant for images that
are no digit is missing (`layers.DistanceToCodes`). AdamW trains both nets in batches, where the
paper used second-order gradient descent on one image at a time.

Preset `best` trains 120 epochs on images that are warped differently in each epoch (`RandomWarp`),
keeps a moving average of the weights, and uses test-time augmentation. Preset `1998` trains the
paper's net for 60 epochs with the same warping and a moving average.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from keras_recipes import options
from keras_recipes.bounds import Count, NotNegative, Positive, Seed, Share, Whole
from keras_recipes.data.dataset import Dataset
from keras_recipes.digits import classifier, course
from keras_recipes.digits import data as digits
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import LayerSummary, Plan, Recipe, Source
from keras_recipes.schedules import cosine

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure


Activation = Literal[
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "softsign",
    "tanh",
    "hard_tanh",
    "sigmoid",
    "hard_sigmoid",
    "hard_silu",
    "exponential",
    "log_sigmoid",
    "squareplus",
    "hard_shrink",
    "soft_shrink",
    "tanh_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "linear",
]
"""Keras' activation functions that treat each number by itself."""


@options.builder
def build_lenet5(
    *,
    variant: Literal["today", "1998"] = "today",
    activation: Activation = "relu",
    preprocessing: classifier.Preprocessing | None = None,
    components: classifier.Components = 100,
    weight_decay: NotNegative = 0.01,
    dropout: Share = 0.0,
    label_smoothing: Share = 0.05,
    averaging: Share = 0.0,
    tta_degrees: NotNegative = 0.0,
    classes: Count = 10,
) -> "keras.Model":
    """Build and compile LeNet-5: 61,706 parameters, or the 60,000 of the paper.

    The inputs are uint8 of shape (N, 28, 28) or (N, 28, 28, 1), white on black. The net pads them
    and scales them to about zero mean and unit variance, as the paper does. The outputs are
    probabilities of shape (N, classes). The targets are one-hot.

    Args:
        variant: Which layers to use: the usual ones of today, or those of the paper of 1998.
        activation: Activation function of C1, C3, C5 and F6, by Keras' name; with variant 1998 it
            has no effect.
        preprocessing: What a layer does with the pixels, by numbers from the training images.
            With mean, it subtracts the mean of each; with scale, it also divides by the standard
            deviation; with pca, it keeps the strongest principal components; with whitening, it
            also divides these by their standard deviations.
        components: Number of principal components with pca and whitening; mean and scale have none.
        weight_decay: Strength of AdamW's weight decay.
        dropout: Share of F6's outputs that are set to 0 at random during training; with variant
            1998 it has no effect.
        label_smoothing: Share of each target that is spread over all classes.
        averaging: Momentum of the moving average of the weights, which is kept in the end; 0 keeps
            the last weights.
        tta_degrees: Angle of the test-time augmentation, in degrees: the answer is the mean of
            three answers, for the image as it is and turned by this angle to the left and right.
            With 0, only the image as it is counts.
        classes: Number of outputs; it follows from the data. Variant 1998 has ten.

    Raises:
        InputError: Variant 1998 with another number of classes than ten, or an option has a wrong
            type or is out of range.
    """
    import keras

    if variant == "1998" and classes != 10:
        raise InputError(
            f"variant: expected ten classes for 1998, received {classes}; use variant=today"
        )
    layers = _layers_today(activation, dropout, classes) if variant == "today" else _layers_1998()
    from keras_recipes.digits.augmentation import views

    before, after = views(tta_degrees)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *before,
            *_scaling(preprocessing, components),
            *layers,
            *after,
        ],
        name="lenet5",
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            weight_decay=weight_decay, use_ema=averaging > 0, ema_momentum=averaging or 0.99
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing),
        metrics=["accuracy"],
    )
    return model


def _scaling(preprocessing: str | None, components: int) -> "list[keras.Layer]":
    """Return the layers that pad an image to 32 x 32 and scale it, or preprocess it.

    The zeros around a preprocessed image are its mean. Convolutions need images, so PCA is turned
    back into one, and whitening is zero-phase component analysis (ZCA).
    """
    from keras.layers import Rescaling, ZeroPadding2D

    from keras_recipes.digits.preprocessing import layers

    padding = ZeroPadding2D(2, name="padding")
    if preprocessing is None:
        return [padding, Rescaling(1.275 / 255, offset=-0.1, name="scaling")]
    scaling = Rescaling(1 / 255, name="scaling")
    return [scaling, *layers(preprocessing, components, as_image=True), padding]


def _layers_today(activation: str, dropout: float, classes: int) -> "list[keras.Layer]":
    from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D

    return [
        Conv2D(6, 5, activation=activation, name="C1"),  # 28 x 28 x 6
        MaxPooling2D(name="S2"),  # 14 x 14 x 6
        Conv2D(16, 5, activation=activation, name="C3"),  # 10 x 10 x 16
        MaxPooling2D(name="S4"),  # 5 x 5 x 16
        Conv2D(120, 5, activation=activation, name="C5"),  # 1 x 1 x 120
        Flatten(name="features"),
        Dense(84, activation=activation, name="F6"),
        *([Dropout(dropout, name="dropout")] if dropout else []),
        Dense(classes, activation="softmax", name="output"),
    ]


def _layers_1998() -> "list[keras.Layer]":
    """Return the paper's layers: 156 + 12 + 1,516 + 32 + 48,120 + 10,164 = 60,000 parameters."""
    from keras.layers import Conv2D, Dense, Flatten, Softmax

    from keras_recipes.digits.lenet1998 import (
        DistanceToCodes,
        ScaledTanh,
        TableConv2D,
        TrainableSubsampling2D,
    )

    return [
        Conv2D(6, 5, name="C1"),
        ScaledTanh(name="C1_squashed"),
        TrainableSubsampling2D(name="S2"),
        ScaledTanh(name="S2_squashed"),
        TableConv2D(name="C3"),
        ScaledTanh(name="C3_squashed"),
        TrainableSubsampling2D(name="S4"),
        ScaledTanh(name="S4_squashed"),
        Conv2D(120, 5, name="C5"),
        ScaledTanh(name="C5_squashed"),
        Flatten(name="features"),
        Dense(84, name="F6"),
        ScaledTanh(name="F6_squashed"),
        DistanceToCodes(name="output"),
        Softmax(name="probabilities"),
    ]


EPOCHS = 6
"""The number of epochs on MNIST: 2,532 updates with the other defaults."""


def training(
    *,
    epochs: Count | None = None,
    batch_size: Count | None = None,
    learning_rate: Positive = 0.004,
    warp: NotNegative | None = None,
    patience: Whole | None = None,
    frozen: Literal["C1", "C3", "C5", "F6"] | None = None,
    seed: Seed = 0,
) -> Plan:
    """Plan training by AdamW with a learning rate that falls to zero along half a cosine.

    Args:
        epochs: Number of passes over the training images. `none` means 6, and more with
            less data, so that the weights are updated 2,500 times, or 1,000 times with fewer than
            10,000 images, which have at least 20 epochs.
        batch_size: Number of images per update. `none` means 128, and 32 with fewer than 10,000
            training images.
        learning_rate: Step size of AdamW in the first epoch; it falls to zero along a cosine.
        warp: How strongly the training images are turned, moved, scaled and bent at random: 0 not
            at all, 1 about as much as handwriting varies. `none` means 1 with fewer than 10,000
            training images, else 0.
        patience: Number of epochs without a smaller validation loss after which training ends and
            the best weights are kept; 0 trains all epochs. `none` means 600 updates if there are
            fewer than 10,000 training images and at least 50 for validation, else 0.
        frozen: Last layer, counted from the input, whose weights stay those of the model that
            `--from` names: F6 trains the output only.
        seed: Seed of all random choices: weights, splits, order of the images, warping.
    """
    return Plan(
        epochs=epochs or EPOCHS,
        batch_size=batch_size or course.BATCH,
        seed=seed,
        jit_compile=False,
        rate=cosine(learning_rate, epochs or EPOCHS),
        augment=classifier.warping(warp or 0.0, seed),
        patience=patience or 0,
        frozen=frozen,
    )


def figures(fitted: Fitted, data: Dataset) -> "Iterator[tuple[str, Figure]]":
    """Draw what every classifier draws, C1's filters, and the layers' outputs for one digit."""
    from keras_recipes.report import plots

    yield from classifier.figures(fitted, data)
    yield "filters", plots.filters(fitted.model, "C1")
    labels, first = data.learned["labels"], data.test
    truth = labels[first.y[0].argmax()]
    stages = ("C1", "S2", "C3", "S4", "C5", "F6")
    yield "activations", plots.activations(fitted.model, first.x[0], stages, labels, truth)


RECIPE = Recipe(
    name="lenet5",
    summary="handwritten digits with the convolutional net LeNet-5 of 1998",
    source=Source(
        article="LeCun et al. 1998, named in «一文读懂神经网络»",
        reported={"accuracy": 0.9905},
        data=digits.MNIST,
        deviations=(
            "C3 is connected to all maps of S2, pooling takes the maximum and has no parameters, "
            "the activation is ReLU, and a softmax replaces the radial basis functions: 61,706 "
            "parameters instead of 60,000",
        ),
    ),
    data="MNIST, or pictures with labels: a folder for each class, IDX, NPZ, or CSV of pixels",
    layers=(
        LayerSummary("padding", "ZeroPadding2D", (None, 32, 32, 1), 0),
        LayerSummary("scaling", "Rescaling", (None, 32, 32, 1), 0),
        LayerSummary("C1", "Conv2D", (None, 28, 28, 6), 156),
        LayerSummary("S2", "MaxPooling2D", (None, 14, 14, 6), 0),
        LayerSummary("C3", "Conv2D", (None, 10, 10, 16), 2_416),
        LayerSummary("S4", "MaxPooling2D", (None, 5, 5, 16), 0),
        LayerSummary("C5", "Conv2D", (None, 1, 1, 120), 48_120),
        LayerSummary("features", "Flatten", (None, 120), 0),
        LayerSummary("F6", "Dense", (None, 84), 10_164),
        LayerSummary("output", "Dense", (None, 10), 850),
    ),
    presets={
        "best": {
            "epochs": 120,
            "averaging": 0.998,
            "warp": 1.0,
            "tta_degrees": 15.0,
            "validation": 0.02,
        },
        "1998": {
            "variant": "1998",
            "label_smoothing": 0.0,
            "averaging": 0.999,
            "batch_size": 64,
            "learning_rate": 0.002,
            "epochs": 60,
            "warp": 1.0,
            "validation": 0.02,
        },
    },
    build=build_lenet5,
    training=training,
    measure=classifier.measure,
    guess=classifier.guess,
    former={"activation=swish": "activation=silu", "activation=hard_swish": "activation=hard_silu"},
    metrics=classifier.METRICS,
    answers=classifier.answers(figures),
    example=digits.example,
    data_here=digits.mnist_is_here,
    adapt=classifier.adapt,
    course=course.by_examples(epochs=EPOCHS, updates=2_500, few_updates=1_000, few_batch=32),
    settled=("activation", "preprocessing", "components"),
    anew={
        "epochs": None,
        "batch_size": None,
        "learning_rate": 0.002,
        "warp": None,
        "patience": None,
        "frozen": None,
        "averaging": 0.0,
    },
    side_by_side=True,
)
