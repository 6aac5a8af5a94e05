"""What the autoencoder keeps of a digit, and what its encoder is worth as a start.

    python benchmarks/autoencoder.py [errors|letters|starts] [SEEDS]

Without an argument it measures all three with five seeds each.

errors   The recipe with its defaults: reconstruction error on MNIST's test images, next to that of
         32 principal components of the training images, and of the mean image.
letters  How well the reconstruction error tells images that are no digits: the AUC of MNIST's test
         images against letters drawn from Matplotlib's fonts. Digits from the same fonts show what
         is due to print instead of handwriting. Every picture is converted to MNIST's form first,
         as `recipes predict` does.
starts   The articles' point: a perceptron 784-128-32-10 learns 100, 1,000 and 60,000 labels, from
         random weights and from the weights of an encoder that saw 54,000 training images
         without labels. Each seed has its own autoencoder, labels and weights. The learning rate
         of each row and start is the best of `RATES` on 5,000 held-out training images, with a
         seed that is used for nothing else. Every training has the updates of `UPDATES`, and the
         weights of the softmax start at zero.
"""

import statistics
import string
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from keras_recipes import backend, build_autoencoder, fit
from keras_recipes.cookbook.autoencoder import encoder_of
from keras_recipes.digits import data as digits
from keras_recipes.digits import pictures, reconstruction
from keras_recipes.models.fitted import Fitted
from keras_recipes.schedules import cosine
from keras_recipes.train import compiled_loop

SEEDS = 5
CODE_UNITS = 32

FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic"),
    *("cmr10", "cmb10", "cmss10", "cmtt10"),
)
LIKE_DIGITS = frozenset("OoIlZzSsBbgq")
"""Letters that are printed, or written, like a digit: 0, 1, 2, 5, 8, 6, 9."""

LABELS = (100, 1_000, 60_000)
HELD_OUT = 5_000
RATES = (0.0003, 0.001, 0.003, 0.01)
UPDATES = {100: 500, 1_000: 2_000, 60_000: 5_000}
BATCH = {100: 32, 1_000: 32, 60_000: 128}
CHOOSING_SEED = 100


@cache
def fitted(seed: int) -> Fitted:
    return fit("autoencoder", "mnist", seed=seed, show_progress=False)


@cache
def mnist() -> tuple[digits.Labelled, digits.Labelled]:
    parts = digits.read_parts(["mnist"], validation=0.0, skip_bad=False, seed=0)
    return parts.train, parts.test


def errors(seeds: int) -> None:
    train, test = (reconstruction.as_targets(part.images) for part in mnist())
    components = PCA(CODE_UNITS, random_state=0).fit(train)
    linear = components.inverse_transform(components.transform(test))
    show("mean image", [float(reconstruction.errors(test, train.mean(axis=0)).mean())])
    show(f"{CODE_UNITS} principal components", [float(reconstruction.errors(test, linear).mean())])
    cards = [fitted(seed).card for seed in range(seeds)]
    found = [card for card in cards if card]
    for metric in reconstruction.METRICS:
        show(f"autoencoder, {metric}", [card.metrics[metric] for card in found])
    show("seconds of a fit", [card.training["seconds"] for card in found])


def show(what: str, values: Sequence[float]) -> None:
    spread = f", standard deviation {statistics.pstdev(values):.5f}" if len(values) > 1 else ""
    reach = f", from {min(values):.5f} to {max(values):.5f}" if len(values) > 1 else ""
    print(f"{what}: {statistics.mean(values):.5f}{spread}{reach}", flush=True)


def drawn(character: str, font: str) -> np.ndarray:
    """Return a printed character in MNIST's form, uint8 of shape (28, 28)."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    image = Image.new("L", (200, 200), 255)
    pen = ImageDraw.Draw(image)
    pen.text((100, 100), character, fill=0, font=ImageFont.truetype(path, 100), anchor="mm")
    return pictures.normalize(np.asarray(image, np.float32) / 255)


def printed(characters: str) -> np.ndarray:
    """Return each character in each font, shape (characters * fonts, 28, 28)."""
    return np.stack([drawn(character, font) for character in characters for font in FONTS])


def letters(seeds: int) -> None:
    train, test = mnist()
    plain = "".join(letter for letter in string.ascii_letters if letter not in LIKE_DIGITS)
    images = {
        "letters": printed(string.ascii_letters),
        "letters unlike digits": printed(plain),
        "printed digits": printed(string.digits),
    }
    components = PCA(CODE_UNITS, random_state=0).fit(reconstruction.as_targets(train.images))

    def linear(images: np.ndarray) -> np.ndarray:
        targets = reconstruction.as_targets(images)
        found = components.inverse_transform(components.transform(targets))
        return reconstruction.errors(targets, found)

    def by_net(seed: int) -> Callable[[np.ndarray], np.ndarray]:
        runtime = fitted(seed).runtime

        def found(images: np.ndarray) -> np.ndarray:
            return reconstruction.errors(reconstruction.as_targets(images), runtime.outputs(images))

        return found

    judges: dict[str, list[Callable[[np.ndarray], np.ndarray]]] = {
        "autoencoder": [by_net(seed) for seed in range(seeds)],
        f"{CODE_UNITS} principal components": [linear],
        "mean brightness": [lambda images: images.mean(axis=(1, 2))],
    }
    sizes = ", ".join(f"{len(group)} {name}" for name, group in images.items())
    print(f"{len(test):,} test images of MNIST; {sizes}")
    for name, functions in judges.items():
        for group, usual in (
            ("letters", test.images),
            ("letters unlike digits", test.images),
            ("printed digits", test.images),
            ("letters", images["printed digits"]),
            ("letters unlike digits", images["printed digits"]),
        ):
            against = "MNIST" if usual is test.images else "printed digits"
            aucs = [auc(judge(usual), judge(images[group])) for judge in functions]
            show(f"AUC, {name}, {group} against {against}", aucs)
    judge = by_net(0)
    threshold = reconstruction.usual(judge(test.images))
    share = float(np.mean(judge(images["letters"]) > threshold))
    print(f"seed 0: {share:.1%} of the letters above the error that 99 % of MNIST do not exceed")
    of_each = judge(images["letters"]).reshape(52, -1).mean(axis=1)
    ranked = [string.ascii_letters[place] for place in of_each.argsort()]
    print(f"seed 0: letters from the smallest error to the largest: {' '.join(ranked)}")


def auc(usual: np.ndarray, strange: np.ndarray) -> float:
    """Return the share of pairs in which the strange image has the larger error."""
    truth = np.repeat([0, 1], [len(usual), len(strange)])
    return float(roc_auc_score(truth, np.concatenate([usual, strange])))


def starts(seeds: int) -> None:
    train, test = mnist()
    rows = np.random.default_rng(CHOOSING_SEED).permutation(len(train))
    known, held_out = train.part(rows[HELD_OUT:]), train.part(rows[:HELD_OUT])
    for labels in LABELS:
        by_start = {}
        for start in ("random", "encoder"):
            tried = {
                rate: accuracy(known, held_out, labels, start, rate, CHOOSING_SEED)
                for rate in RATES
            }
            rate = max(tried, key=lambda rate: tried[rate])
            print(f"  {labels:,} labels, {start}, held-out images by learning rate: {tried}")
            reached = [accuracy(train, test, labels, start, rate, seed) for seed in range(seeds)]
            show(f"{labels:,} labels, {start} start, learning rate {rate}", reached)
            by_start[start] = reached
        gained = [
            after - before
            for before, after in zip(by_start["random"], by_start["encoder"], strict=True)
        ]
        # With one seed, both starts have the same labels, so the spread of labels cancels out.
        show(f"{labels:,} labels, gained by the encoder", gained)


def accuracy(
    known: digits.Labelled,
    asked: digits.Labelled,
    labels: int,
    start: str,
    rate: float,
    seed: int,
) -> float:
    """Train a perceptron on some labels, and return its accuracy in percent on other images."""
    import keras

    rows = np.random.default_rng(seed).permutation(len(known))[:labels]
    examples = known.part(rows).examples()
    backend.seed(seed)
    model = perceptron(fitted(seed).model if start == "encoder" else None)
    batch = BATCH[labels]
    epochs = -(-UPDATES[labels] // -(-len(examples) // batch))
    call = compiled_loop.compile_epochs(
        model, examples, batch_size=batch, seed=seed, jit_compile=True
    )
    schedule = keras.callbacks.LearningRateScheduler(cosine(rate, epochs))
    for _ in compiled_loop.train(model, call, first_epoch=0, epochs=epochs, callbacks=[schedule]):
        pass
    answers = model.predict(asked.images, batch_size=1_000, verbose=0).argmax(axis=1)
    return 100 * float(np.mean(answers == asked.indices))


def perceptron(autoencoder: Any) -> Any:
    """Return 784-128-32-10: the encoder of a trained autoencoder, or a new one, and a softmax."""
    import keras

    encoder = encoder_of(build_autoencoder())
    if autoencoder is not None:
        encoder.set_weights(encoder_of(autoencoder).get_weights())
    # Codes are large numbers: random output weights would begin with answers that are very sure.
    output = keras.layers.Dense(10, activation="softmax", kernel_initializer="zeros")
    model = keras.Sequential([*encoder.layers, output])
    model.compile(keras.optimizers.Adam(), "categorical_crossentropy")
    return model


def main(which: str | None, seeds: int) -> None:
    for measurement in (errors, letters, starts):
        if which in (None, measurement.__name__):
            measurement(seeds)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0] if given else None, int(given[1]) if len(given) > 1 else SEEDS)
