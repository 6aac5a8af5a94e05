"""Every recipe in every format: differences, sizes, and the time to an answer.

    python benchmarks/exports.py [ROUNDS]

Exports the shipped digit models, a newly fitted XOR, an LSTM that has read the demonstration log,
and a recurrent Keras net, each to every format. It prints the largest difference of the outputs on
the test inputs (relative to max(1, |output|)), the bytes, and the seconds that `recipes predict
FILE INPUT` takes from the start to the end of its process. The seconds are the median of ROUNDS;
the models take turns, all in one run. A recipe that needs its Keras model has no such time for
other runtimes. It lists operations of LiteRT files that are not built in; there should be none.
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

from keras_recipes import backend, catalog, export, fit, load, save
from keras_recipes.commands import export as exporting
from keras_recipes.data import demonstration
from keras_recipes.models.fitted import Fitted

COMMAND = [sys.executable, "-m", "keras_recipes", "predict"]
LENGTH, WIDTH = 20, 3


def recurrent() -> Fitted:
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    net = [layers.LSTM(32, return_sequences=True), layers.LSTM(32), layers.Dense(4, "softmax")]
    return Fitted(model=keras.Sequential([keras.Input((LENGTH, WIDTH)), *net]))


def picture(place: Path) -> Path:
    """Draw a seven as a camera would photograph it."""
    image = Image.new("L", (800, 600), 225)
    pen = ImageDraw.Draw(image)
    pen.line([(280, 150), (480, 150), (360, 450)], fill=40, width=34, joint="curve")
    image.save(place)
    return place


def models(folder: Path) -> dict[str, tuple[Fitted, Path, str]]:
    """Return each model with the path where it is saved, and an input for it."""
    xor = fit("xor", show_progress=False)
    np.save(folder / "sequence.npy", np.ones((1, LENGTH, WIDTH)))
    seven = str(picture(folder / "seven.png"))
    found = {"xor": (xor, save(xor, folder / "xor"), "0,1")}
    log = fit("lstm-anomaly", show_progress=False)
    found["lstm-anomaly"] = (log, save(log, folder / "lstm-anomaly"), demonstration.BROKEN)
    for name in catalog.names():
        if name not in found:
            found[name] = (load(name), Path(name), seven)
    net = recurrent()
    bare = exporting.export(net, "json-h5", folder / "recurrent").path
    return {**found, "LSTM, no recipe": (net, bare, str(folder / "sequence.npy"))}


def size(path: Path) -> int:
    return sum(p.stat().st_size for p in [path, *path.rglob("*")] if p.is_file())


def not_built_in(path: Path) -> list[str]:
    """Return the operations of a LiteRT file that the interpreter does not have."""
    from ai_edge_litert.interpreter import Interpreter

    used = Interpreter(model_content=path.read_bytes())._get_ops_details()
    return sorted({o["op_name"] for o in used if o["op_name"].startswith(("Flex", "CUSTOM"))})


def answers(fitted: Fitted, format: str) -> bool:
    """Return whether `recipes predict` takes the model in this format."""
    with_keras = fitted.card is not None and catalog.get(fitted.card.recipe).answers.needs_keras
    return not (with_keras and exporting.FORMATS[format].format)


def seconds(place: Path, asked: str) -> float:
    started = time.perf_counter()
    subprocess.run([*COMMAND, str(place), asked], capture_output=True, check=True)
    return time.perf_counter() - started


def measured(
    places: dict[tuple[str, str], tuple[Path, str]], rounds: int
) -> dict[tuple[str, str], list[float]]:
    """Return the seconds to an answer; the models take turns."""
    took: dict[tuple[str, str], list[float]] = {key: [] for key in places}
    for _ in range(rounds):
        for key, (place, asked) in places.items():
            took[key].append(seconds(place, asked))
    return took


def main(rounds: int) -> None:
    backend.start("cpu")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        places: dict[tuple[str, str], tuple[Path, str]] = {}
        facts: dict[tuple[str, str], str] = {}
        unusual: dict[str, list[str]] = {}
        for name, (fitted, saved, asked) in models(folder).items():
            places[name, "(as saved)"] = saved, asked
            facts[name, "(as saved)"] = f"{'':>10}  {'':>7}  {'':>10}"
            for format, way in exporting.FORMATS.items():
                path = folder / f"{len(facts)}{way.ending}"
                done = export(fitted, format, path)
                if answers(fitted, format):
                    places[name, format] = path, asked
                if format == "litert":
                    unusual[name] = not_built_in(path)
                facts[name, format] = (
                    f"{done.largest_difference:>10.1e}  {done.inputs:>7,}  {size(path):>10,}"
                )
        took = measured(places, rounds)
    print(f"{'model':<16} {'format':<12} difference   inputs       bytes  seconds to answer")
    report(facts, took, unusual)


def report(
    facts: dict[tuple[str, str], str],
    took: dict[tuple[str, str], list[float]],
    unusual: dict[str, list[str]],
) -> None:
    for (name, format), fact in facts.items():
        times = took.get((name, format))
        shown = f"{statistics.median(times):.2f}" if times else "-"
        print(f"{name:<16} {format:<12} {fact}  {shown:>17}")
    for name, operations in unusual.items():
        print(f"{name}: LiteRT operations that are not built in: {', '.join(operations) or 'none'}")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
