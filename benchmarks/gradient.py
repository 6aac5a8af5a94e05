"""The gradient of every recipe, preset and cell, checked: python benchmarks/gradient.py [SEEDS].

Each row is `recipes check` for one net, from several random weights: how many weights were compared
and how many were skipped, because the loss bends there, and the largest relative difference between
backpropagation and nudged weights. `python benchmarks/gradient.py activations` does the same for
LeNet-5 with each activation function. Digits are MNIST's, if Keras has them.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from keras_recipes import catalog, check
from keras_recipes.cookbook.lenet5 import Activation
from keras_recipes.errors import InputError
from keras_recipes.report import tables

CELLS = ("simple", "gru", "lstm", "peephole", "coupled")


def nets() -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
    """Yield the recipe, the preset and the options of each net."""
    for name in catalog.names():
        for preset in (None, *catalog.get(name).presets):
            yield name, preset, {}
    for cell in CELLS:
        yield "char-rnn", None, {"cell": cell, "layers": 2, "units": 32}


def activations() -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
    """Yield LeNet-5 with each of its activation functions."""
    for activation in get_args(Activation):
        yield "lenet5", None, {"activation": activation}


def row(name: str, preset: str | None, given: Mapping[str, Any], seeds: int) -> dict[str, Any]:
    """Return the line of one net."""
    started = time.perf_counter()
    choices = [f"--preset {preset}"] if preset else []
    net = " ".join([name, *choices, *(f"{key}={value}" for key, value in given.items())])
    try:
        results = [check(name, preset=preset, seed=seed, **given) for seed in range(seeds)]
    except InputError as error:
        return {"net": net, **dict.fromkeys(("compared", "skipped", "largest difference"), "-")} | {
            "seconds": "-",
            "agrees": f"refused: {error}",
        }
    arrays = [array for result in results for array in result.arrays]
    return {
        "net": net,
        "compared": sum(array.checked for array in arrays),
        "skipped": sum(array.skipped for array in arrays),
        "largest difference": f"{max(result.largest_difference for result in results):.1e}",
        "seconds": f"{time.perf_counter() - started:.1f}",
        "agrees": "yes" if all(result.reached for result in results) else "no",
    }


def main(what: str) -> None:
    """Print the table."""
    chosen, seeds = (activations(), 1) if what == "activations" else (nets(), int(what))
    rows = []
    for net in chosen:
        rows.append(row(*net, seeds))
        print(rows[-1], file=sys.stderr)
    print(tables.text(rows, numbers=("largest difference", "seconds")))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "3")
