"""Open and convert every old model in a folder of folders, and print its largest difference.

    python benchmarks/legacy.py FOLDER

Each folder holds a JSON file and its weights. It may also hold recorded inputs and outputs of the
Keras that saved the model: `inputs_and_outputs.h5` (groups inputs and predictions), or an `.npz`
file with an input x and an output y.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from keras_recipes import load
from keras_recipes.commands import convert as conversion
from keras_recipes.errors import RecipeError
from keras_recipes.legacy.convert import Converted
from keras_recipes.report import tables
from keras_recipes.saved.in_keras import from_earlier_keras
from keras_recipes.saved.locate import locate
from keras_recipes.saved.read import read

NO_MODELS = ("SOURCE.json",)
RECORDED = "inputs_and_outputs.h5"


def models(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the pairs in a folder of folders."""
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        architectures = [p for p in sorted(place.glob("*.json")) if p.name not in NO_MODELS]
        weights = [p for p in sorted(place.glob("*.h5")) if p.name != RECORDED]
        if architectures and weights:
            yield architectures[0], weights[0]


def recordings(place: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    if (place / RECORDED).exists():
        with h5py.File(place / RECORDED) as file:
            inputs, outputs = file["inputs"], file["predictions"]
            yield next(iter(inputs.values()))[:], next(iter(outputs.values()))[:]
    for path in sorted(place.glob("*.npz")):
        kept = np.load(path)
        yield kept["x"], kept["y"]


def row(architecture: Path, weights: Path) -> dict[str, Any]:
    """Return one row of the table."""
    found = {"model": architecture.parent.name, "Keras": "", "opened": "no", "converted": "no"}
    try:
        with tempfile.TemporaryDirectory() as scratch:
            opened = from_earlier_keras(read(locate(architecture, weights)))
            found["Keras"] = _version(opened)
            ours = opened.model if opened else load(architecture, weights).model
            found["opened"] = "yes"
            conversion.convert(architecture, weights, Path(scratch) / "new")
            converted = load(Path(scratch) / "new").model
            found["converted"] = "yes"
    except RecipeError as error:
        return {**found, "largest difference": str(error)}
    differences = [
        largest_difference(model(x, training=False), y)
        for x, y in recordings(architecture.parent)
        for model in (ours, converted)
    ]
    return {**found, "largest difference": f"{max(differences):.1g}" if differences else "-"}


def _version(opened: Converted | None) -> str:
    return f"{opened.keras_version} {opened.backend}".strip() if opened else "3"


def largest_difference(ours: Any, theirs: np.ndarray) -> float:
    """Return the largest difference, relative to max(1, |y|)."""
    return float((abs(np.asarray(ours) - theirs) / np.maximum(1, abs(theirs))).max())


if __name__ == "__main__":
    tables.write([row(*pair) for pair in models(Path(sys.argv[1]))], "table")
