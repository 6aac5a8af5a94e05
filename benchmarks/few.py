"""How well the recipe lenet5 learns from few examples.

    python -m benchmarks.few draw FOLDER
    python -m benchmarks.few table FOLDER [DRAWS]
    python -m benchmarks.few choose FOLDER

draw    Draws both tasks into FOLDER, as arrays in MNIST's form. The digits are those of
        `benchmarks/strangers.py`, which are not MNIST's. The letters are the capitals A to Z of the
        fonts that come with Matplotlib, drawn as the printed digits there. This takes ten minutes.
table   Fits the recipe on 5, 10, 30, 100 and 300 examples of each class in four ways: from random
        weights without and with augmentation, and from the shipped net, its last layer only
        or all layers. Each draw takes other examples and another seed. All nets are measured on the
        same 1,080 digits or 3,120 letters, of which none was learned. Each result is added to
        FOLDER/results.csv as it comes, and what is there already is not measured again.
choose  Compares lengths of the training on 720 other digits. The defaults were chosen by it.
"""

import csv
import itertools
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.strangers import printed, strangers
from keras_recipes import fit
from keras_recipes.digits.pictures import grey, normalize

SIZES = (5, 10, 30, 100, 300)
TRAIN, CHOICE, TEST = range(100, 109), range(200, 202), range(300, 303)
"""Seeds of the pictures of each part; 36 pictures of each digit belong to a seed."""

WAYS: dict[str, dict[str, Any]] = {
    "scratch": {"warp": 0.0},
    "scratch, augmented": {},
    "fine-tuned head": {"start": "lenet5", "frozen": "F6"},
    "fine-tuned whole": {"start": "lenet5"},
}

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Part = tuple[np.ndarray, np.ndarray]


def digits(seeds: range) -> Iterator[tuple[np.ndarray, str]]:
    for seed in seeds:
        for _, label, picture in strangers(seed):
            yield normalize(grey(picture)), str(label)


def letters(seeds: range) -> Iterator[tuple[np.ndarray, str]]:
    each = 40 if seeds == TEST else 36
    for seed, letter, turn in itertools.product(seeds, LETTERS, range(each)):
        random = np.random.default_rng((seed, ord(letter), turn))
        yield normalize(grey(printed(letter, random))), letter


def draw(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"train": TRAIN, "choice": CHOICE, "test": TEST}
    for task, pictures in (("digits", digits), ("letters", letters)):
        for part, seeds in parts.items():
            images, labels = zip(*pictures(seeds), strict=True)
            np.savez_compressed(
                folder / f"{task}-{part}.npz", x=np.stack(images), y=np.array(labels)
            )


def read(folder: Path, task: str, part: str) -> Part:
    with np.load(folder / f"{task}-{part}.npz") as arrays:
        return arrays["x"], arrays["y"]


def reached(way: dict[str, Any], train: Part, test: Part, each: int, seed: int) -> float:
    """Fit on so many examples of each class, and return the percentage read right."""
    images, labels = train
    order = np.random.default_rng((each, seed)).permutation(len(images))
    some = [order[labels[order] == label][:each] for label in np.unique(labels)]
    rows = np.concatenate(some)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "few.npz")
        parts = {"x_train": images[rows], "y_train": labels[rows]}
        np.savez(path, **parts, x_test=test[0], y_test=test[1])
        fitted = fit("lenet5", str(path), seed=seed, show_progress=False, **way)
    assert fitted.card is not None
    return float(100 * fitted.card.metrics["accuracy"])


Cell = tuple[str, int, str]
"""A task, a number of examples of each class, and a way."""

CELLS: list[Cell] = list(itertools.product(("digits", "letters"), SIZES, WAYS))


def known(results: Path) -> dict[tuple[Cell, int], float]:
    if not results.exists():
        return {}
    with results.open(newline="") as file:
        return {
            ((task, int(each), way), int(draw)): float(percent)
            for task, each, way, draw, percent in csv.reader(file)
        }


def table(folder: Path, draws: int) -> None:
    """Measure all cells once, then all of them again, so that an end at any time leaves a table."""
    results = folder / "results.csv"
    for seed, cell in itertools.product(range(draws), CELLS):
        if (cell, seed) in known(results):
            continue
        task, each, way = cell
        train, test = read(folder, task, "train"), read(folder, task, "test")
        percent = reached(WAYS[way], train, test, each, seed)
        with results.open("a", newline="") as file:
            csv.writer(file).writerow([*cell, seed, f"{percent:.3f}"])
    print_table(known(results))


def print_table(results: dict[tuple[Cell, int], float]) -> None:
    """Print the mean percentage, its standard deviation, and the number of draws in brackets."""
    print("| Task, examples of each | " + " | ".join(WAYS) + " |")
    print("| --- " * (1 + len(WAYS)) + "|")
    for task, each in dict.fromkeys((task, each) for task, each, _ in CELLS):
        shown = []
        for way in WAYS:
            found = [v for (cell, _), v in results.items() if cell == (task, each, way)]
            spread = f" ± {statistics.stdev(found):.1f}" if len(found) > 1 else ""
            shown.append(f"{statistics.mean(found):.1f}{spread} ({len(found)})")
        print(f"| {task}, {each} | " + " | ".join(shown) + " |")


def choose(folder: Path) -> None:
    train, test = read(folder, "digits", "train"), read(folder, "digits", "choice")
    for updates, rate in itertools.product((500, 1_000, 2_000), (0.001, 0.002, 0.004)):
        for start, each in itertools.product((None, "lenet5"), (5, 30)):
            steps = -(-9 * each // 32)
            way = {"start": start, "epochs": -(-updates // steps), "learning_rate": rate}
            percent = reached(way, train, test, each, 0)
            print(f"{updates} updates, rate {rate}, from {start}, {each}: {percent:.1f} %")


if __name__ == "__main__":
    what, place = sys.argv[1], Path(sys.argv[2])
    if what == "draw":
        draw(place)
    elif what == "choose":
        choose(place)
    else:
        table(place, int(sys.argv[3]) if sys.argv[3:] else 5)
