"""What a seed promises: python -m benchmarks.cores [--deterministic] [FIT]..., or --price.

Each fit of `kills.py` is fitted three times with one seed: twice on all cores that there are, and
once on one. This prints whether the first two models have equal bytes, and how far the weights of
the third are from theirs, and its metrics. `--deterministic` gives each fit this option.

`--price` prints what the option costs: the time of an epoch of 2,560 images of LeNet-5, on all
cores and on one, with the option and without. They take turns in one process.

This needs Linux.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import h5py
import numpy as np

from benchmarks.kills import FITS, arguments, complete, content, make_data


def weights(folder: str) -> np.ndarray:
    """Return all weights of a model, float64 of shape (N,)."""
    found: list[np.ndarray] = []
    with h5py.File(f"{folder}/model.weights.h5") as file:
        file["layers"].visititems(
            lambda _, item: (
                found.append(np.ravel(item[()])) if isinstance(item, h5py.Dataset) else None
            )
        )
    return np.concatenate(found).astype("float64")


def metrics(folder: str) -> dict[str, float]:
    return dict(json.loads(Path(folder, "card.json").read_text())["metrics"])


def compare(name: str, more: list[str]) -> str:
    """Return a row about a fit with these options more."""
    every = os.sched_getaffinity(0)
    for folder, cores in (("one", every), ("again", every), ("alone", {min(every)})):
        os.sched_setaffinity(0, cores)
        try:
            complete([*arguments(name, folder), *more], 60.0)
        finally:
            os.sched_setaffinity(0, every)
    same = "equal bytes" if content("one") == content("again") else "OTHER BYTES"
    difference = float(abs(weights("one") - weights("alone")).max())
    before, after = metrics("one"), metrics("alone")
    farthest = max(abs(before[key] - after[key]) for key in before)
    for folder in ("one", "again", "alone"):
        shutil.rmtree(folder)
    return f"| {name} | {same} | {difference:.1g} | {farthest:.1g} |"


ROUNDS, IMAGES = 15, 2_560


def epoch_times(cores: set[int]) -> dict[bool, list[float]]:
    """Return the seconds of epochs of LeNet-5 on these cores, with the option and without."""
    os.sched_setaffinity(0, cores)
    from keras_recipes import backend, catalog
    from keras_recipes.data.dataset import Examples
    from keras_recipes.train import compiled_loop

    recipe = catalog.get("lenet5")
    # Two cores or one give each operation one thread with the option and without.
    backend.choose("cpu", side_by_side=True)
    backend.start("cpu")
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (IMAGES, 28, 28, 1)).astype("float32")
    data = Examples(images, np.eye(10, dtype="float32")[random.integers(0, 10, IMAGES)])
    calls = {
        option: compiled_loop.compile_epochs(
            recipe.build(),
            data,
            batch_size=recipe.training().batch_size,
            seed=0,
            jit_compile=False,
            replicas=backend.replicas(True, deterministic=option),
        )
        for option in (False, True)
    }
    took: dict[bool, list[float]] = {option: [] for option in calls}
    for number in range(ROUNDS + 1):
        for option, call in calls.items():
            begin = time.perf_counter()
            call(number, 1)
            if number:  # the first compiles
                took[option].append(time.perf_counter() - begin)
    return took


def price() -> None:
    every = os.sched_getaffinity(0)
    print("| Cores | Without, s | Deterministic, s | Median of the ratios |")
    print("| --- | --- | --- | --- |", flush=True)
    for cores in (every, {min(every)}):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            took = process.submit(epoch_times, cores).result()
        ratio = statistics.median(b / a for a, b in zip(took[False], took[True], strict=True))
        medians = (statistics.median(took[option]) for option in (False, True))
        print(f"| {len(cores)} | {' | '.join(f'{m:.2f}' for m in medians)} | {ratio:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fits", nargs="*", metavar="FIT", help=f"some of {', '.join(FITS)}")
    parser.add_argument("--deterministic", action="store_true")
    parser.add_argument("--price", action="store_true")
    given = parser.parse_args()
    if given.price:
        price()
        return
    more = ["--deterministic"] if given.deterministic else []
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if given.deterministic:  # the option comes too late for programs that have imported Keras
        os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    import keras  # noqa: F401  # imported once for all programs that are forked
    import tensorflow  # noqa: F401

    print(f"{len(os.sched_getaffinity(0))} cores")
    print("| Fit | Twice on all cores | Largest difference of a weight on one core | Of a metric |")
    print("| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_STATE_HOME"] = folder
        make_data()
        for name in given.fits or FITS:
            print(compare(name, more), flush=True)
        os.chdir("/")
    sys.exit()


if __name__ == "__main__":
    main()
