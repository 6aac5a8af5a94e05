"""How well and how fast the digit recipes learn MNIST.

    python benchmarks/digits.py
    python benchmarks/digits.py accuracy [RECIPE] [PRESET] [SEEDS]
    python benchmarks/digits.py speed
    python benchmarks/digits.py time [SEEDS]
    python benchmarks/digits.py predict
    python benchmarks/digits.py views

Without an argument it measures the accuracy of every preset with five seeds each, and then the
speed. This takes an hour and a half on two cores.

accuracy  The recipe with its defaults or a preset. Each seed has new weights and new splits.
          Options were chosen on validation images only; the test images are used only here.
speed     One epoch of the compiled loop against plain `model.fit(x, y)`, a plain PyTorch loop and,
          for the perceptron, scikit-learn. The net and the batch size are the same, and the data is
          in memory. Each runs in its own process, they take turns, and the medians are printed.
time      The time from the first compilation until LeNet-5 reads 99.0 % of 10,000 held-out
          training images, which are checked after each epoch. The recipe's defaults against the
          usual program of tutorials: Adam with a learning rate of 0.001.
predict   `recipes predict lenet5 FOLDER` for the 10,000 test images as PNG files, against
          `python -c "import keras"`. They take turns.
views     Test-time augmentation: preset best of LeNet-5 for 60 epochs on 50,000 training images,
          and its errors on the other 10,000 for several angles.
"""

import contextlib
import functools
import importlib.util
import logging
import math
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from keras_recipes import backend, catalog, fit
from keras_recipes.data.dataset import Examples
from keras_recipes.digits import data as digits
from keras_recipes.models.runtime import KerasRuntime
from keras_recipes.recipe import Plan, Recipe
from keras_recipes.train import compiled_loop

ROUNDS, BATCH = 5, 128

TABLE = (
    ("linear-mnist", None),
    ("linear-mnist", "deskewed"),
    ("mnist-mlp", None),
    ("mnist-mlp", "deskewed"),
    ("mnist-mlp", "hog"),
    ("lenet5", None),
    ("lenet5", "1998"),
    ("lenet5", "best"),
)


def accuracy(name: str, preset: str | None, seeds: int) -> None:
    backend.choose("auto", side_by_side=catalog.get(name).side_by_side)
    reached, seconds = [], []
    for seed in range(seeds):
        fitted = fit(name, "mnist", preset=preset, seed=seed, show_progress=False)
        card = fitted.card
        assert card is not None
        reached.append(100 * card.metrics["accuracy"])
        parameters = sum(math.prod(weight.shape) for weight in fitted.model.trainable_weights)
        seconds.append(card.training["seconds"])
        print(f"  seed {seed}: {reached[-1]:.2f} % in {seconds[-1]:.0f} s", flush=True)
    print(
        f"{name}, preset {preset}, {parameters:,} trainable parameters, {seeds} seeds: "
        f"mean {statistics.mean(reached):.2f} %, from {min(reached):.2f} to {max(reached):.2f}, "
        f"standard deviation {statistics.pstdev(reached):.2f}, {statistics.mean(seconds):.0f} s",
        flush=True,
    )


def accuracies(name: str | None, preset: str | None, seeds: int) -> None:
    for line in TABLE if name is None else [(name, preset)]:
        with alone() as process:
            process.submit(accuracy, *line, seeds).result()


def views() -> None:
    held_out = 1 / 6
    fitted = fit(
        "lenet5", "mnist", preset="best", epochs=60, validation=held_out, show_progress=False
    )
    part = digits.load(["mnist"], validation=held_out, seed=0).validation
    assert part is not None
    for degrees in (0.0, 8.0, 12.0, 15.0, 18.0, 20.0):
        model = catalog.get("lenet5").build(tta_degrees=degrees)
        model.set_weights(fitted.model.get_weights())
        said = KerasRuntime(model).outputs(part.x).argmax(axis=1)
        wrong = int((said != part.y.argmax(axis=1)).sum())
        print(
            f"test-time augmentation by {degrees:g} degrees: {wrong} errors of {len(said):,}",
            flush=True,
        )


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def as_planned(recipe: Recipe, model: Any, plan: Plan, data: Examples) -> compiled_loop.EpochsCall:
    return compiled_loop.compile_epochs(
        model,
        data,
        batch_size=BATCH,
        seed=plan.seed,
        jit_compile=plan.jit_compile,
        replicas=backend.replicas(recipe.side_by_side),
    )


def by_recipe(name: str, data: Examples) -> Callable[[], object]:
    recipe = catalog.get(name)
    call = as_planned(recipe, recipe.build(), recipe.training(), data)
    return lambda: call(0, 1)


def plain_keras(name: str, data: Examples) -> Callable[[], object]:
    model = catalog.get(name).build()
    return lambda: model.fit(data.x, data.y, batch_size=BATCH, verbose=0)


def torch_net(name: str) -> Any:
    from torch import nn

    if name == "mnist-mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.Sigmoid(), nn.Linear(16, 10))
    return nn.Sequential(
        nn.ZeroPad2d(2),
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten(),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def torch_images(x: np.ndarray) -> Any:
    import torch

    return torch.tensor(x.reshape(-1, 1, 28, 28) / np.float32(255))


def plain_torch(name: str, data: Examples, net: Any = None) -> Callable[[], object]:
    import torch

    net = net or torch_net(name)
    x, y = torch_images(data.x), torch.tensor(data.y.argmax(axis=1))
    optimizer, loss = torch.optim.Adam(net.parameters()), torch.nn.CrossEntropyLoss()

    def epoch() -> None:
        for rows in torch.split(torch.randperm(len(x)), BATCH):
            optimizer.zero_grad()
            loss(net(x[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def scikit_learn(name: str, data: Examples) -> Callable[[], object]:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    x, y = data.x.reshape(len(data), -1) / np.float32(255), data.y.argmax(axis=1)
    net = MLPClassifier(16, activation="logistic", batch_size=BATCH, max_iter=1)
    return lambda: net.fit(x, y)


WAYS: dict[str, Callable[[str, Examples], Callable[[], object]]] = {
    "recipe": by_recipe,
    "plain Keras": plain_keras,
    "scikit-learn": scikit_learn,
    "PyTorch": plain_torch,
}


def alone() -> ProcessPoolExecutor:
    """Return a pool of one new process, so that no way computes with the threads of another."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def start(name: str, way: str) -> None:
    """Start Keras as `recipes fit` does, or with its defaults."""
    logging.disable(logging.WARNING)
    if way == "PyTorch":  # some builds of PyTorch crash with TensorFlow in the same process
        os.environ["KERAS_BACKEND"] = "torch"
    backend.choose("cpu", side_by_side=way == "recipe" and catalog.get(name).side_by_side)
    backend.start("cpu")


@functools.cache
def trainer(name: str, way: str) -> Callable[[], object]:
    """Return a function that trains an epoch; a first epoch, which compiles it, is over."""
    start(name, way)
    epoch = WAYS[way](name, digits.load(["mnist"], validation=0.0, seed=0).train)
    epoch()
    return epoch


def epoch_seconds(name: str, way: str) -> float:
    return seconds(trainer(name, way))


def installed(ways: Iterable[str]) -> list[str]:
    """Return the ways whose packages are installed."""
    if importlib.util.find_spec("torch"):
        return list(ways)
    print("PyTorch left out: not installed")
    return [way for way in ways if way != "PyTorch"]


def speed() -> None:
    for name, ways in {
        "mnist-mlp": ("recipe", "plain Keras", "scikit-learn", "PyTorch"),
        "lenet5": ("recipe", "plain Keras", "PyTorch"),
    }.items():
        with contextlib.ExitStack() as processes:
            workers = {way: processes.enter_context(alone()) for way in installed(ways)}
            took: dict[str, list[float]] = {way: [] for way in workers}
            for round_ in range(ROUNDS + 1):
                for way, worker in workers.items():
                    value = worker.submit(epoch_seconds, name, way).result()
                    if round_:  # the first round comes right after the start and is not counted
                        took[way].append(value)
        for way, values in took.items():
            ratio = statistics.median(a / b for a, b in zip(values, took["recipe"], strict=True))
            median = statistics.median(values)
            print(f"{name}: {way} {median:.3f} s per epoch, {ratio:.2f} of the recipe's")


GOAL, MOST_EPOCHS = 0.99, 30


def reached(epoch: Callable[[int], object], read: Callable[[], np.ndarray], y: np.ndarray) -> str:
    """Return the time and the number of epochs until the goal is reached."""
    started = time.perf_counter()
    for number in range(MOST_EPOCHS):
        epoch(number)
        if (read().argmax(axis=1) == y.argmax(axis=1)).mean() >= GOAL:
            return f"{time.perf_counter() - started:.1f} s, {number + 1} epochs"
    return f"not in {MOST_EPOCHS} epochs, {time.perf_counter() - started:.1f} s"


def recipe_until(train: Examples, watched: Examples, seed: int) -> str:
    import keras

    keras.utils.set_random_seed(seed)
    recipe = catalog.get("lenet5")
    model, plan = recipe.build(), recipe.training(seed=seed)
    rate = plan.rate
    assert rate is not None
    call = as_planned(recipe, model, plan, train)

    def epoch(number: int) -> None:
        model.optimizer.learning_rate = rate(number)
        call(number, 1)

    return reached(epoch, lambda: KerasRuntime(model).outputs(watched.x), watched.y)


def keras_until(train: Examples, watched: Examples, seed: int) -> str:
    import keras

    keras.utils.set_random_seed(seed)
    model = catalog.get("lenet5").build()
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return reached(
        lambda number: model.fit(train.x, train.y, batch_size=BATCH, verbose=0),
        lambda: model.predict(watched.x, batch_size=BATCH, verbose=0),
        watched.y,
    )


def torch_until(train: Examples, watched: Examples, seed: int) -> str:
    import torch

    torch.manual_seed(seed)
    net = torch_net("lenet5")
    epoch, images = plain_torch("lenet5", train, net), torch_images(watched.x)

    def read() -> np.ndarray:
        with torch.no_grad():
            return np.asarray(net(images))

    return reached(lambda number: epoch(), read, watched.y)


def time_to_goal(seeds: int) -> None:
    for seed in range(seeds):
        for way in installed(UNTIL):
            with alone() as process:
                took = process.submit(until_goal, way, seed).result()
            print(f"lenet5, seed {seed}, {way}: {took}", flush=True)


UNTIL: dict[str, Callable[[Examples, Examples, int], str]] = {
    "recipe": recipe_until,
    "Keras": keras_until,
    "PyTorch": torch_until,
}


def until_goal(way: str, seed: int) -> str:
    start("lenet5", way)
    data = digits.load(["mnist"], validation=1 / 6, seed=0)
    assert data.validation is not None
    return UNTIL[way](data.train, data.validation, seed)


def predicting() -> None:
    from PIL import Image

    test = digits.load(["mnist"], seed=0).test
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as answers:
        for number, image in enumerate(test.x):
            Image.fromarray(image.reshape(28, 28)).save(f"{folder}/{number:05}.png")
        asked = [sys.executable, "-m", "keras_recipes", "predict", "lenet5", folder]
        commands = {
            "import keras": [sys.executable, "-c", "import keras"],
            "10,000 pictures": [*asked, "--format", "csv", "--output", f"{answers}/answers.csv"],
        }
        took: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                quiet = functools.partial(subprocess.run, command, check=True, capture_output=True)
                took[name].append(seconds(quiet))
    for name, values in took.items():
        ratio = statistics.median(a / b for a, b in zip(values, took["import keras"], strict=True))
        print(f"{name}: {statistics.median(values):.1f} s, {ratio:.2f} of import keras")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    what, *rest = sys.argv[1:] or ["all"]
    if what == "speed":
        speed()
    elif what == "time":
        time_to_goal(int(rest[0]) if rest else 3)
    elif what == "predict":
        predicting()
    elif what == "views":
        views()
    elif what == "accuracy":
        name, preset, seeds, *_ = [*rest, None, None, None]
        accuracies(name, None if preset == "default" else preset, int(seeds or 5))
    elif what == "all":
        accuracies(None, None, 5)
        speed()
    else:
        sys.exit(f"expected accuracy, speed, time, predict or views, received {what}")
