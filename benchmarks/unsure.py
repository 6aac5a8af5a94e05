"""What the probabilities of the shipped nets mean, and when these nets are unsure.

    python -m benchmarks.unsure draw FOLDER
    python -m benchmarks.unsure calibrate FOLDER
    python -m benchmarks.is_digit FOLDER
    python -m benchmarks.unsure table FOLDER

draw       Draws into FOLDER, as the nets see them, the digits of `benchmarks/strangers.py` and the
           things of `benchmarks/no_digits.py`. There are two sets, `choice` and `test`, of
           different seeds; those of things that are no digits also have other fonts, symbols and
           photographs. This takes a quarter of an hour.
calibrate  Chooses the temperature of both shipped nets and writes it into their cards. It sees
           MNIST's images that were kept out of the net's training and the digits of the set
           `choice`, half and half, and nothing else.
table      Measures both nets on MNIST's test images and on the set `test`.
"""

import inspect
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import keras
import msgspec
import numpy as np
from scipy.optimize import minimize_scalar

from benchmarks.no_digits import others
from benchmarks.strangers import harder, straight, strangers
from keras_recipes import load
from keras_recipes.digits import calibration, classifier
from keras_recipes.digits import data as digits
from keras_recipes.digits.calibration import Calibration
from keras_recipes.digits.characters import seen
from keras_recipes.digits.pictures import grey
from keras_recipes.errors import InputError
from keras_recipes.models.card import Card

SHIPPED = ("lenet5", "mnist-mlp")
SEEDS = {"choice": range(200, 204), "test": range(300, 303)}
NONE = "none"
BINS = 15
UNSURE_BELOW: float = inspect.signature(classifier.interpret).parameters["unsure_below"].default


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
        ways = (strangers, harder, straight)
        drawn = chain.from_iterable(way(seed) for seed in seeds for way in ways)
        things = ((kind, NONE, picture) for kind, _, picture in others(part))
        found, blank = [], Counter[str]()
        for kind, label, picture in chain(drawn, things):
            try:
                one = seen(grey(picture))
            except InputError:  # a piece of sky, or a 1 that fills its picture
                blank[kind] += 1
                continue
            found.append((one.image, kind, str(label), one.several))
        print(f"{part}: {len(found)} pictures; read as blank and left out: {dict(blank)}")
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


def temperature(sets: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the temperature with the smallest cross-entropy, the mean over sets.

    Args:
        sets: The outputs for some digits, and which digits they are.
    """
    known = list(sets)

    def loss(value: float) -> float:
        losses = [
            -np.log(calibration.tempered(probabilities, value)[np.arange(len(truth)), truth]).mean()
            for probabilities, truth in known
        ]
        return float(np.mean(losses))

    return float(minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x)


def kept_out(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return MNIST's training images that a shipped net was not trained on, and their labels."""
    card = load(name).card
    assert card is not None
    options = card.options
    found = digits.load(["mnist"], validation=options["validation"], seed=options["seed"])
    assert found.validation is not None
    return found.validation.x[..., 0], found.validation.y.argmax(axis=1)


def heat(name: str, choice: Pictures) -> float:
    """Return the temperature of a shipped net."""
    shown = choice.labels != NONE
    drawn = choice.x[shown], choice.labels[shown].astype(int)
    sets = [(outputs(name, x), truth) for x, truth in (kept_out(name), drawn)]
    return float(f"{temperature(sets):.4g}")


def calibrate(folder: Path) -> None:
    """Write the calibration and the default of `unsure_below` into the cards, and nothing else."""
    choice = read(folder, "choice")
    for name in SHIPPED:
        path = Path("saved_models/shipped", name, "card.json")
        card = Card.from_json(path.read_bytes(), str(path))
        how = Calibration(heat(name, choice))
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
        how = calibration.of_card(card.learned)
        assert how is not None
        for what, (x, labels, several) in sets.items():
            found = outputs(name, x)
            now, right = (
                calibration.calibrated(found, how, x.reshape(-1, 28, 28, 1)),
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
        found = outputs(name, test.x)
        now = calibration.calibrated(found, how, test.x[..., None]).max(axis=1)
        for kind in dict.fromkeys(test.kinds[~shown]):
            some = test.kinds == kind
            unsure = (now < UNSURE_BELOW) | test.several
            print(
                f"{name}, {kind}: {100 * unsure[some].mean():.0f} % of {some.sum()} unsure, "
                f"{100 * test.several[some].mean():.0f} % because several characters are seen"
            )


if __name__ == "__main__":
    {"draw": draw, "calibrate": calibrate, "table": table}[sys.argv[1]](Path(sys.argv[2]))
