"""The gradient of every recipe, preset and cell, checked: python benchmarks/gradient.py [NAME]...

Each row is `recipes check` for one net, from three random weights: how many weights were compared
and how many were skipped, because the loss bends there, and the largest relative difference between
backpropagation and nudged weights. The names choose recipes; `cells` stands for the cells of
char-rnn, and `activations` for LeNet-5 with each activation function.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from keras_recipes import catalog, check
from keras_recipes.cookbook.lenet5 import Activation
from keras_recipes.errors import InputError
from keras_recipes.report import tables

SEEDS = 3
CELLS = ("simple", "gru", "lstm", "peephole", "coupled")


def nets(names: Sequence[str]) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """Yield the recipe, the preset and the options of each net."""
    for name in names:
        if name == "cells":
            for cell in CELLS:
                yield "char-rnn", None, {"cell": cell, "layers": 2, "units": 32}
        elif name == "activations":
            for activation in get_args(Activation):
                yield "lenet5", None, {"activation": activation}
        else:
            for preset in (None, *catalog.get(name).presets):
                yield name, preset, {}


def row(name: str, preset: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line of one net."""
    choices = [f"--preset {preset}"] if preset else []
    net = " ".join([name, *choices, *(f"{key}={value}" for key, value in given.items())])
    try:
        results = [check(name, preset=preset, seed=seed, **given) for seed in range(SEEDS)]
    except InputError as error:
        numbers = dict.fromkeys(("compared", "skipped", "largest difference"), "-")
        return {"net": net, **numbers, "agrees": f"refused: {error}"}
    arrays = [array for result in results for array in result.arrays]
    return {
        "net": net,
        "compared": sum(array.checked for array in arrays),
        "skipped": sum(array.skipped for array in arrays),
        "largest difference": f"{max(result.largest_difference for result in results):.1e}",
        "agrees": "yes" if all(result.reached for result in results) else "no",
    }


def main(names: Sequence[str]) -> None:
    """Print the table."""
    rows = [row(*net) for net in nets(names or [*catalog.names(), "cells", "activations"])]
    print(tables.text(rows, numbers=("compared", "skipped", "largest difference")))


if __name__ == "__main__":
    main(sys.argv[1:])
