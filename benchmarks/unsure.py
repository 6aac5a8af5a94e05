"""What the probabilities of the shipped nets mean, and when these nets are unsure.

    python -m benchmarks.unsure draw FOLDER
    python -m benchmarks.unsure calibrate FOLDER
    python -m benchmarks.unsure table FOLDER

draw       Draws into FOLDER, as the nets see them, the digits of `benchmarks/strangers.py` and the
           things of `benchmarks/no_digits.py`. There are two sets, `choice` and `test`, of
           different seeds; those of things that are no digits also have other fonts, symbols and
           photographs. This takes five minutes.
calibrate  Chooses the calibration of both shipped nets and writes it into their cards. It sees
           MNIST's training images and the set `choice`, and nothing else.
table      Measures both nets on MNIST's test images and on the set `test`.
"""

import inspect
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from benchmarks.no_digits import LOOK_ALIKE, others
from benchmarks.strangers import strangers
from keras_recipes import load
from keras_recipes.digits import calibration, classifier
from keras_recipes.digits import data as digits
from keras_recipes.digits.calibration import Calibration
from keras_recipes.digits.characters import seen
from keras_recipes.digits.pictures import grey
from keras_recipes.errors import InputError
from keras_recipes.models.card import Card

SHIPPED = ("lenet5", "mnist-mlp")
SEEDS = {"choice": range(200, 202), "test": range(300, 303)}
NONE = "none"
BINS = 15
UNSURE_BELOW: float = inspect.signature(classifier.interpret).parameters["unsure_below"].default
PRICE, STRANGE = 0.004, 0.015
"""The share that may be refused: of images kept out of the training, of strangers in `choice`."""
SHARPNESS = 2
"""What the weights are multiplied by, so that familiar digits keep their probability.

It was chosen among 1, 2, 3, 5 and 8, by the cross-entropy of images kept out of the training.
"""
STRENGTH = 0.1
"""The inverse strength of the logistic regression's regularisation."""
WEIGHT = 100
"""How many times as much as the other things the digits count, because few may be refused.

It was chosen among 1, 10, 30, 100 and 300, by how many things were refused in one half of the set
`choice` with the other half fitted, at a price of 0.3 % of MNIST's training images.
"""


@dataclass(frozen=True)
class Pictures:
    """Pictures as the net sees them, and whether several characters are seen."""

    x: np.ndarray
    kinds: np.ndarray
    labels: np.ndarray
    several: np.ndarray


def draw(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, seeds in SEEDS.items():
        found = []
        for seed in seeds:
            for kind, label, picture in strangers(seed):
                one = seen(grey(picture))
                found.append((one.image, kind, str(label), one.several))
        for kind, _, picture in others(part):
            try:
                one = seen(grey(picture))
            except InputError:  # a piece of sky is blank, and is refused
                continue
            found.append((one.image, kind, NONE, one.several))
        x, kinds, labels, several = map(np.array, zip(*found, strict=True))
        np.savez_compressed(
            folder / f"{part}.npz", x=x, kinds=kinds, labels=labels, several=several
        )


def read(folder: Path, part: str) -> Pictures:
    with np.load(folder / f"{part}.npz") as arrays:
        return Pictures(**arrays)


def outputs(name: str, x: np.ndarray) -> np.ndarray:
    found: np.ndarray = load(name).runtime.outputs(x.reshape(-1, 28, 28, 1))
    return found


def temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the temperature with the smallest cross-entropy."""

    def loss(value: float) -> float:
        tempered = calibration.tempered(probabilities, value)
        return float(-np.log(tempered[np.arange(len(truth)), truth]).mean())

    return float(minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x)


def familiarity(shown: np.ndarray, others_shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases that tell digits from other things, for each predicted class.

    Args:
        shown: The outputs for digits.
        others_shown: The outputs for other things.
    """
    weights, biases = [], []
    for said in range(10):
        x = [
            calibration.logits(some[some.argmax(axis=1) == said]) for some in (shown, others_shown)
        ]
        count = sum(map(len, x))
        found = LogisticRegression(
            C=STRENGTH,
            class_weight={0: count / len(x[1]), 1: WEIGHT * count / len(x[0])},
            max_iter=2_000,
        ).fit(np.concatenate(x), np.repeat([1, 0], list(map(len, x))))
        weights.append(found.coef_[0])
        biases.append(found.intercept_[0])
    return np.array(weights), np.array(biases)


def refused(probabilities: np.ndarray, how: Calibration) -> float:
    return float((calibration.calibrated(probabilities, how).max(axis=1) < UNSURE_BELOW).mean())


def chosen(name: str, choice: Pictures) -> Calibration:
    """Return the calibration, chosen on MNIST's training images and on the set `choice`."""
    card = load(name).card
    assert card is not None
    options = card.options
    kept = digits.load(["mnist"], validation=options["validation"], seed=options["seed"]).validation
    assert kept is not None
    truth = kept.y.argmax(axis=1)
    (images, _), _ = keras.datasets.mnist.load_data()
    learned = outputs(name, images)
    drawn = outputs(name, choice.x)
    none = (choice.labels == NONE) & (choice.kinds != LOOK_ALIKE) & ~choice.several
    strange = drawn[choice.labels != NONE]
    weights, biases = familiarity(np.concatenate([learned, strange]), drawn[none])

    unlearned = outputs(name, kept.x)
    heat = float(f"{temperature(unlearned, truth):.4g}")

    def moved(by: float) -> Calibration:
        return Calibration(heat, rounded(SHARPNESS * weights), rounded(SHARPNESS * (biases + by)))

    def affordable(how: Calibration) -> bool:
        return refused(unlearned, how) <= PRICE and refused(strange, how) <= STRANGE

    return next(how for step in np.linspace(-10, 30, 801) if affordable(how := moved(step)))


def rounded(values: np.ndarray) -> list[Any]:
    found: list[Any] = np.round(values, 3).tolist()
    return found


def calibrate(folder: Path) -> None:
    """Write the calibration and the default of `unsure_below` into the cards, and nothing else."""
    choice = read(folder, "choice")
    for name in SHIPPED:
        path = Path("saved_models/shipped", name, "card.json")
        card = Card.from_json(path.read_bytes(), str(path))
        how = chosen(name, choice)
        learned = {**card.learned, calibration.KEY: msgspec.to_builtins(how)}
        options = {**card.options, "unsure_below": UNSURE_BELOW}
        path.write_text(replace(card, learned=learned, options=options).to_json(), "utf-8")
        print(f"{path}: temperature {how.temperature}")


def error(probabilities: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error (Naeini et al. 2015) with bins of equal width."""
    said = probabilities.max(axis=1)
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    gaps = [
        abs(right[bins == number].mean() - said[bins == number].mean()) * (bins == number).mean()
        for number in np.unique(bins)
    ]
    return float(sum(gaps))


def table(folder: Path) -> None:
    _, (images, truth) = keras.datasets.mnist.load_data()
    test = read(folder, "test")
    shown = test.labels != NONE
    nothing = np.zeros(len(images), bool)
    coarse = digits.load(["digits"], seed=0).test
    sets = {
        "scikit-learn's digits": (
            coarse.x,
            coarse.y.argmax(axis=1).astype(str),
            np.zeros(len(coarse.x), bool),
        ),
        "MNIST": (images, truth.astype(str), nothing),
        "strangers": (test.x[shown], test.labels[shown], test.several[shown]),
    }
    for name in SHIPPED:
        card = load(name).card
        assert card is not None
        how = calibration.of_card(card.learned, 10)
        assert how is not None
        for what, (x, labels, several) in sets.items():
            found = outputs(name, x)
            now, right = (
                calibration.calibrated(found, how),
                found.argmax(axis=1) == labels.astype(int),
            )
            for limit in (UNSURE_BELOW, 0.5, 0.7, 0.9):
                unsure = (now.max(axis=1) < limit) | several
                print(
                    f"{name}, {what}, below {limit}: {unsure.sum()} of {len(x)} unsure "
                    f"({100 * unsure.mean():.2f} %), {(unsure & ~right).sum()} of "
                    f"{(~right).sum()} mistakes among them"
                )
            print(
                f"{name}, {what}: calibration error {error(found, right):.4f} before, "
                f"{error(now, right):.4f} after"
            )
            sure = now.max(axis=1) >= 0.9
            print(f"{name}, {what}, at least 0.9: {100 * right[sure].mean():.2f} % right")
        now = calibration.calibrated(outputs(name, test.x), how).max(axis=1)
        for kind in dict.fromkeys(test.kinds[~shown]):
            some = test.kinds == kind
            unsure = (now < UNSURE_BELOW) | test.several
            print(
                f"{name}, {kind}: {100 * unsure[some].mean():.0f} % of {some.sum()} unsure, "
                f"{100 * test.several[some].mean():.0f} % because several characters are seen"
            )


if __name__ == "__main__":
    {"draw": draw, "calibrate": calibrate, "table": table}[sys.argv[1]](Path(sys.argv[2]))
