"""Every recipe in every format: is it the same model, how large is it, how soon does it answer.

    python benchmarks/exports.py [ROUNDS]

Exports the shipped digit models, a freshly fitted XOR and a recurrent Keras net, each into every
format. Printed are the largest difference of the outputs on the test inputs (relative to
max(1, |output|)), bytes, and the seconds that `recipes predict FILE INPUT` takes from its start as
a process to its end, the median of ROUNDS, turn by turn; all from one run.
"""

import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from keras_recipes import backend, catalog, export, exporting, fit, load, save
from keras_recipes.recipe import Fitted

COMMAND = [sys.executable, "-m", "keras_recipes", "predict"]
LENGTH, WIDTH = 20, 3


def recurrent() -> Fitted:
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    net = [layers.LSTM(32, return_sequences=True), layers.LSTM(32), layers.Dense(4, "softmax")]
    return Fitted(model=keras.Sequential([keras.Input((LENGTH, WIDTH)), *net]))


def picture(place: Path) -> Path:
    """A seven as a camera would see it."""
    image = Image.new("L", (800, 600), 225)
    pen = ImageDraw.Draw(image)
    pen.line([(280, 150), (480, 150), (360, 450)], fill=40, width=34, joint="curve")
    image.save(place)
    return place


def models(folder: Path) -> dict[str, tuple[Fitted, Path, str]]:
    """Each model with where it is saved, and an input to ask it about."""
    xor = fit("xor", show_progress=False)
    np.save(folder / "sequence.npy", np.ones((1, LENGTH, WIDTH)))
    seven = str(picture(folder / "seven.png"))
    found = {"xor": (xor, save(xor, folder / "xor"), "0,1")}
    for name in catalog.names():
        if name not in found:
            found[name] = (load(name), Path(name), seven)
    net = recurrent()
    bare = exporting.export(net, "json-h5", folder / "recurrent").path
    return {**found, "LSTM, no recipe": (net, bare, str(folder / "sequence.npy"))}


def size(path: Path) -> int:
    return sum(p.stat().st_size for p in [path, *path.rglob("*")] if p.is_file())


def seconds(place: Path, asked: str) -> float:
    started = time.perf_counter()
    subprocess.run([*COMMAND, str(place), asked], capture_output=True, check=True)
    return time.perf_counter() - started


def main(rounds: int) -> None:
    backend.start("cpu")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        places: dict[tuple[str, str], tuple[Path, str]] = {}
        facts: dict[tuple[str, str], str] = {}
        for name, (fitted, saved, asked) in models(folder).items():
            places[name, "(as saved)"] = saved, asked
            facts[name, "(as saved)"] = f"{'':>10}  {'':>7}  {'':>10}"
            for format, way in exporting.FORMATS.items():
                path = folder / f"{len(places)}{way.ending}"
                done = export(fitted, format, path)
                places[name, format] = path, asked
                facts[name, format] = (
                    f"{done.largest_difference:>10.1e}  {done.inputs:>7,}  {size(path):>10,}"
                )
        took: dict[tuple[str, str], list[float]] = {key: [] for key in places}
        for _ in range(rounds):
            for key, (place, asked) in places.items():
                took[key].append(seconds(place, asked))
    print(f"{'model':<16} {'format':<12} difference   inputs       bytes  seconds to answer")
    for (name, format), fact in facts.items():
        print(f"{name:<16} {format:<12} {fact}  {statistics.median(took[name, format]):>17.2f}")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
