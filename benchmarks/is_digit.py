"""Learn whether a picture shows a digit at all: python -m benchmarks.is_digit FOLDER.

FOLDER holds what `python -m benchmarks.unsure draw FOLDER` drew. The net sees MNIST's training
images and the set `choice`, without what is too much like a digit. The images that either shipped
net was not trained on are kept out of its training, too. On them is chosen how sure it has to be:
`PRICE` and `STRANGE` are the shares of digits that `predict` may refuse by default.

It takes three minutes and writes `keras_recipes/digits/is_digit.tflite`.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import numpy as np
from scipy.special import expit

from benchmarks.no_digits import LOOK_ALIKE
from benchmarks.unsure import NONE, SHIPPED, UNSURE_BELOW, Pictures, kept_out, outputs, read
from keras_recipes import load
from keras_recipes.digits import calibration, familiarity
from keras_recipes.models.formats import litert

EPOCHS, BATCH, RATE = 20, 128, 2e-3
SHOWN = {"digits": 15_000, "drawn": 6_000, "others": 14_000}
"""The number of pictures of each kind in an epoch."""

LIKE_DIGITS = (LOOK_ALIKE, "displays")
"""The kinds of other things that are left out: displays are like digits that programs draw."""

PRICE, STRANGE = 0.004, 0.015
"""The share that may be refused: of images kept out of the training, of drawn digits."""


def build() -> keras.Sequential:
    """Return a net of 19,153 parameters; its output is a logit."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(12, 5, strides=2, activation="relu"),
            layers.Conv2D(24, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, name="logit"),
        ]
    )


def train(net: keras.Sequential, parts: dict[str, np.ndarray]) -> None:
    """Train the net on pictures that are turned, moved and scaled a little."""
    layers, random = keras.layers, np.random.default_rng(0)
    disturbed = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.RandomRotation(0.04, fill_mode="constant"),
            layers.RandomTranslation(0.07, 0.07, fill_mode="constant"),
            layers.RandomZoom(0.1, fill_mode="constant"),
            net,
        ]
    )
    disturbed.compile(
        keras.optimizers.Adam(RATE), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    digits = SHOWN["digits"] + SHOWN["drawn"]
    truth = np.repeat([1.0, 0.0], [digits, SHOWN["others"]])
    for epoch in range(EPOCHS):
        disturbed.optimizer.learning_rate = RATE * (1 - epoch / EPOCHS)
        some = [part[random.integers(0, len(part), SHOWN[name])] for name, part in parts.items()]
        order = random.permutation(len(truth))
        x = np.concatenate(some)[order, ..., None].astype("float32")
        history = disturbed.fit(x, truth[order], batch_size=BATCH, verbose=0)
        print(f"epoch {epoch + 1}: loss {history.history['loss'][0]:.4f}", flush=True)


def least_bias(logits: Sequence[np.ndarray], said: Iterable[Sequence[np.ndarray]]) -> float:
    """Return the smallest number that, added to the logits, keeps the prices.

    Args:
        logits: The net's outputs for the images kept out, and for the drawn digits.
        said: For each shipped net, the largest probability for each of the same pictures.
    """
    nets = list(said)

    def affordable(bias: float) -> bool:
        return all(
            (most * expit(logit + bias) < UNSURE_BELOW).mean() <= price
            for of_net in nets
            for most, logit, price in zip(of_net, logits, (PRICE, STRANGE), strict=True)
        )

    return next(float(bias) for bias in np.linspace(-10, 10, 2_001) if affordable(bias))


def pictures(choice: Pictures, kept: np.ndarray) -> dict[str, np.ndarray]:
    """Return the pictures to learn from, by the names of `SHOWN`.

    Args:
        choice: The set `choice`.
        kept: The images of MNIST that are kept out, shape (N, 28, 28).
    """
    known = {image.tobytes() for image in kept}
    (images, _), _ = keras.datasets.mnist.load_data()
    shown = choice.labels != NONE
    none = ~shown & ~np.isin(choice.kinds, LIKE_DIGITS) & ~choice.several
    return {
        "digits": images[[image.tobytes() not in known for image in images]],
        "drawn": choice.x[shown],
        "others": choice.x[none],
    }


def logits(net: keras.Sequential, x: np.ndarray) -> np.ndarray:
    found: np.ndarray = net.predict(x[..., None].astype("float32"), verbose=0)[:, 0]
    return found


def largest(name: str, x: np.ndarray) -> np.ndarray:
    """Return the largest probability that a shipped net gives a digit, for each picture."""
    card = load(name).card
    assert card is not None
    how = calibration.of_card(card.learned)
    assert how is not None
    found: np.ndarray = calibration.tempered(outputs(name, x), how.temperature).max(axis=1)
    return found


def write(net: keras.Sequential, bias: float) -> None:
    """Write the net, whose output is a chance now."""
    last = net.get_layer("logit")
    last.bias.assign(last.bias + bias)
    whole = keras.Sequential([keras.Input((28, 28, 1)), net, keras.layers.Activation("sigmoid")])
    familiarity.FILE.write_bytes(litert.converted(whole)[litert.MEMBER])


def main(folder: Path) -> None:
    keras.utils.set_random_seed(0)
    kept = np.unique(np.concatenate([kept_out(name)[0] for name in SHIPPED]), axis=0)
    parts = pictures(read(folder, "choice"), kept)
    print({name: len(part) for name, part in parts.items()})
    net = build()
    train(net, parts)
    measured = kept, parts["drawn"]
    bias = least_bias(
        [logits(net, x) for x in measured],
        [[largest(name, x) for x in measured] for name in SHIPPED],
    )
    print(f"bias {bias:.2f}")
    write(net, bias)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
