"""What a seed promises: python -m benchmarks.cores [FIT]...

Each fit of `kills.py` is fitted three times with one seed: twice on all cores that there are, and
once on one. This prints whether the first two models have equal bytes, and how far the weights of
the third are from theirs, and its metrics.

This needs Linux.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
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


def compare(name: str) -> str:
    """Return a row about a fit."""
    every = os.sched_getaffinity(0)
    for folder, cores in (("one", every), ("again", every), ("alone", {min(every)})):
        os.sched_setaffinity(0, cores)
        try:
            complete(arguments(name, folder), 60.0)
        finally:
            os.sched_setaffinity(0, every)
    same = "equal bytes" if content("one") == content("again") else "OTHER BYTES"
    difference = float(abs(weights("one") - weights("alone")).max())
    before, after = metrics("one"), metrics("alone")
    farthest = max(abs(before[key] - after[key]) for key in before)
    for folder in ("one", "again", "alone"):
        shutil.rmtree(folder)
    return f"| {name} | {same} | {difference:.1g} | {farthest:.1g} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fits", nargs="*", metavar="FIT", help=f"some of {', '.join(FITS)}")
    asked = parser.parse_args().fits or list(FITS)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras  # noqa: F401  # imported once for all programs that are forked
    import tensorflow  # noqa: F401

    print(f"{len(os.sched_getaffinity(0))} cores")
    print("| Fit | Twice on all cores | Largest difference of a weight on one core | Of a metric |")
    print("| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_STATE_HOME"] = folder
        make_data()
        for name in asked:
            print(compare(name), flush=True)
        os.chdir("/")
    sys.exit()


if __name__ == "__main__":
    main()
