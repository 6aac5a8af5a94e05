"""Trains the models that come with this package: python benchmarks/ship.py RECIPE [PRESET] [SEEDS].

Fits the recipe on MNIST with several seeds, chooses the model with the best accuracy on its
validation images, and saves it in saved_models/shipped. The test images do not influence the
choice.

python benchmarks/ship.py runnable RECIPE makes the runnable form of a shipped model again; its
architecture, weights and history stay as they are, byte by byte.
"""

import sys
from pathlib import Path

from keras_recipes import atomic, backend, fit, load, save
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import locate, read, runnable

SHIPPED = Path("saved_models/shipped")


def validated(fitted: Fitted) -> float:
    assert fitted.history is not None
    return float(fitted.history.values["val_accuracy"][-1])


def main(name: str, preset: str | None, seeds: int) -> None:
    backend.start()
    best: Fitted | None = None
    for seed in range(seeds):
        # Test-time augmentation needs custom layers; plain Keras has to open shipped models.
        fitted = fit(name, "mnist", preset=preset, seed=seed, tta_degrees=0.0)
        print(f"{name}, seed {seed}: {validated(fitted):.4f} of the validation images", flush=True)
        if best is None or validated(fitted) > validated(best):
            best = fitted
    assert best is not None
    assert best.card is not None
    folder = save(best, SHIPPED / name)
    print(f"{folder}: seed {best.card.options['seed']}, on the test images {best.card.metrics}")


def make_runnable(name: str) -> None:
    fitted = load(SHIPPED / name)
    found = read.read(locate.locate(SHIPPED / name)).members
    assert fitted.card is not None
    files = {**found, **runnable.members(fitted)}
    card = fitted.card.of(files).to_json().encode()
    with atomic.folder((SHIPPED / name).resolve(), {**files, locate.CARD: card}):
        pass
    print(f"{SHIPPED / name}: {', '.join(files)}")


if __name__ == "__main__":
    name, preset, seeds = (*sys.argv[1:], *[""] * 3)[:3]
    if name == "runnable":
        make_runnable(preset)
    else:
        main(name, preset or None, int(seeds or 3))
