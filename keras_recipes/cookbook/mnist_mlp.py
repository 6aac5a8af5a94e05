"""The MNIST multilayer perceptron: 784 inputs, 16 hidden units, 10 outputs, 12,730 parameters.

The recipe follows «一文读懂神经网络». The article derives such a net with sigmoid units, with
cross-entropy or mean squared error as its loss, and with gradient descent. It gives the size: 784
inputs, one hidden layer, ten outputs, 12,730 parameters. The 16 hidden units follow from this; the
figure that showed them is lost.

Reported: no accuracy.
Measured (`python benchmarks/digits.py`, five seeds each): 95.90 % +- 0.17 of MNIST's test images
are right, 97.83 % +- 0.11 with preset `deskewed`, 99.44 % +- 0.03 with preset `hog`.

The recipe uses AdamW instead of plain gradient descent. The learning rate falls along a cosine, and
the weight decay is strong. Without weight decay even this small net overfits: it reads 98 % of the
training images right and 94 % of the others.

The presets show how much depends on what such a small net sees: an upright digit (`deskewed`), or
also 784 histograms of oriented gradients instead of the pixels (`hog`; Dalal and Triggs 2005). The
number of parameters stays 12,730.
"""

from typing import TYPE_CHECKING, Literal

from keras_recipes import descent, options
from keras_recipes.bounds import Count, NotNegative, Positive, Seed, Whole
from keras_recipes.digits import classifier, course
from keras_recipes.digits import data as digits
from keras_recipes.recipe import LayerSummary, Plan, Recipe, Source
from keras_recipes.schedules import cosine

if TYPE_CHECKING:
    import keras


@options.builder
def build_mnist_mlp(
    *,
    hidden_units: Count = 16,
    loss: Literal["categorical_crossentropy", "mean_squared_error"] = "categorical_crossentropy",
    weight_decay: NotNegative = 0.05,
    deskew: bool = False,
    features: Literal["pixels", "hog"] = "pixels",
    preprocessing: classifier.Preprocessing | None = None,
    components: classifier.Components = 100,
    tta_degrees: NotNegative = 0.0,
    classes: Count = 10,
) -> "keras.Model":
    """Build and compile 784-16-10 with sigmoid units and a softmax: 12,730 parameters.

    The inputs are uint8 of shape (N, 28, 28) or (N, 28, 28, 1), white on black; the net scales them
    itself. The outputs are probabilities of shape (N, classes). The targets are one-hot.

    Args:
        hidden_units: Number of units in the hidden layer.
        loss: Loss function of the training; the article derives both.
        weight_decay: Strength of AdamW's weight decay.
        deskew: Makes slanted digits upright first, by a layer without parameters.
        features: What the hidden layer sees: the pixels, or 784 histograms of oriented gradients
            (HOG), which a layer without parameters computes from them.
        preprocessing: What a layer does with the features, by numbers from the training images.
            With mean, it subtracts the mean of each; with scale, it also divides by the standard
            deviation; with pca, it keeps the strongest principal components; with whitening, it
            also divides these by their standard deviations.
        components: Number of principal components with pca and whitening; mean and scale have none.
        tta_degrees: Angle of the test-time augmentation, in degrees: the answer is the mean of
            three answers, for the image as it is and turned by this angle to the left and right.
            With 0, only the image as it is counts.
        classes: Number of outputs; it follows from the data.

    Raises:
        InputError: An option has a wrong type or is out of range.
    """
    import keras

    from keras_recipes.digits.augmentation import views
    from keras_recipes.digits.preprocessing import Deskew, OrientedGradients, layers

    before, after = views(tta_degrees)
    if deskew:
        before.append(Deskew(name="deskewing"))
    of_gradients = features == "hog"
    if of_gradients:
        seen = OrientedGradients(name="gradients")
    else:
        seen = keras.layers.Rescaling(1 / 255, name="scaling")
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1) if before or of_gradients else (28, 28)),
            *before,
            seen,
            keras.layers.Flatten(name="pixels"),  # 28 x 28 become 784
            *layers(preprocessing, components),
            keras.layers.Dense(hidden_units, activation="sigmoid", name="hidden"),  # 16
            keras.layers.Dense(classes, activation="softmax", name="output"),  # 10
            *after,
        ],
        name="mnist_mlp",
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(weight_decay=weight_decay),
        loss=loss,
        metrics=["accuracy"],
    )
    return model


LEARNING_RATES: dict[descent.Updates, float] = {
    "batch": 0.1,
    "stochastic": 0.001,
    "minibatch": 0.02,
}
"""Step sizes of AdamW, chosen on validation images: `python benchmarks/descent.py rates`."""


EPOCHS = 60
"""The number of epochs on MNIST."""


def training(
    *,
    epochs: Count | None = None,
    updates: descent.Updates = "minibatch",
    batch_size: Count | None = None,
    learning_rate: Positive | None = None,
    warp: NotNegative = 0.0,
    patience: Whole | None = None,
    frozen: Literal["hidden"] | None = None,
    seed: Seed = 0,
) -> Plan:
    """Plan training by AdamW with a learning rate that falls to zero along half a cosine.

    Args:
        epochs: Number of passes over the training images. `none` means 60, and more if there are
            few images, so that the weights are updated 5,000 times.
        updates: Images that one update uses: all training images (batch), one (stochastic), or
            `batch_size` of them (minibatch). Weights decay at each update, so set
            `weight_decay=0.0005` with stochastic.
        batch_size: Number of images per update of `updates=minibatch`; `none` means 128.
        learning_rate: Step size of AdamW in the first epoch; it falls to zero along a cosine.
            `none` means 0.02, with `updates=batch` 0.1, with `updates=stochastic` 0.001.
        warp: How strongly the training images are turned, moved, scaled and bent at random: 0 not
            at all, 1 about as much as handwriting varies.
        patience: Number of epochs without a smaller validation loss after which training ends and
            the best weights are kept; 0 trains all epochs. `none` means 600 updates if there are
            fewer than 10,000 training images and at least 50 for validation, else 0.
        frozen: Last layer, counted from the input, whose weights stay those of the model that
            `--from` names: hidden trains the output only.
        seed: Seed of all random choices: weights, splits, order of the images, warping.
    """
    return Plan(
        epochs=epochs or EPOCHS,
        batch_size=descent.batch_size(updates, batch_size, minibatch=128),
        seed=seed,
        jit_compile=not warp,
        rate=cosine(learning_rate or LEARNING_RATES[updates], epochs or EPOCHS),
        augment=classifier.warping(warp, seed),
        patience=patience or 0,
        frozen=frozen,
    )


DESKEWED = {
    "deskew": True,
    "tta_degrees": 15.0,
    "warp": 0.5,
    "weight_decay": 0.02,
    "validation": 0.02,
}

RECIPE = Recipe(
    name="mnist-mlp",
    summary="handwritten digits with one hidden layer of 16 units",
    source=Source(
        article="«一文读懂神经网络»",
        reported={},
        deviations=(
            "16 hidden units are inferred from the 12,730 parameters; the article's figure is lost",
            "AdamW with weight decay and a falling learning rate instead of gradient descent",
            "a softmax at the end, so that the outputs are probabilities",
        ),
    ),
    data="MNIST, or pictures with labels: a folder for each class, IDX, NPZ, or CSV of pixels",
    layers=(
        LayerSummary("scaling", "Rescaling", (None, 28, 28), 0),
        LayerSummary("pixels", "Flatten", (None, 784), 0),
        LayerSummary("hidden", "Dense", (None, 16), 12_560),
        LayerSummary("output", "Dense", (None, 10), 170),
    ),
    presets={
        "deskewed": DESKEWED,
        "hog": {**DESKEWED, "features": "hog"},
    },
    build=build_mnist_mlp,
    former={"features=gradients": "features=hog", "preset=gradients": "preset=hog"},
    adapt=classifier.adapt,
    course=course.by_examples(epochs=EPOCHS, updates=5_000, few_updates=5_000),
    anew={
        "epochs": None,
        "batch_size": None,
        "learning_rate": 0.005,
        "patience": None,
        "frozen": None,
    },
    settled=("deskew", "features", "preprocessing", "components"),
    training=training,
    measure=classifier.measure,
    guess=classifier.guess,
    metrics=classifier.METRICS,
    answers=classifier.answers(classifier.figures),
    example=digits.example,
    data_here=digits.mnist_is_here,
)
