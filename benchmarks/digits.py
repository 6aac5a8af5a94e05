"""How well and how fast the digit recipes learn MNIST; all from one run.

    python benchmarks/digits.py accuracy [RECIPE] [PRESET] [SEEDS]
    python benchmarks/digits.py speed

Accuracy: the recipe as it stands, a fresh net and fresh splits for each seed; settings were chosen
on validation images only, the test images are looked at here. Speed: an epoch of the compiled loop
against plain `model.fit(x, y)`, a plain PyTorch loop and, for the perceptron, scikit-learn; same
net, same batch size, data in memory, turn by turn, medians.
"""

import logging
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from keras_recipes import backend, catalog, fit, loop
from keras_recipes.data import digits
from keras_recipes.recipe import Examples

ROUNDS, BATCH = 5, 128


def accuracy(name: str, preset: str | None, seeds: int) -> None:
    reached, seconds, parameters = [], [], catalog.get(name).parameters
    for seed in range(seeds):
        card = fit(name, "mnist", preset=preset, seed=seed, show_progress=False).card
        assert card is not None
        reached.append(100 * card.metrics["accuracy"])
        seconds.append(card.training["seconds"])
        print(f"  seed {seed}: {reached[-1]:.2f} % in {seconds[-1]:.0f} s", flush=True)
    print(
        f"{name}, preset {preset}, {parameters:,} parameters, {seeds} seeds: "
        f"mean {statistics.mean(reached):.2f} %, from {min(reached):.2f} to {max(reached):.2f}, "
        f"standard deviation {statistics.pstdev(reached):.2f}, {statistics.mean(seconds):.0f} s",
        flush=True,
    )


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ours(name: str, data: Examples) -> Callable[[], object]:
    model = catalog.get(name).build()
    compiled = name == "mnist-mlp"
    call = loop.compile_epochs(model, data, batch_size=BATCH, seed=0, jit_compile=compiled)
    return lambda: call(0, 1)


def plain_keras(name: str, data: Examples) -> Callable[[], object]:
    model = catalog.get(name).build()
    return lambda: model.fit(data.x, data.y, batch_size=BATCH, verbose=0)


def plain_torch(name: str, data: Examples) -> Callable[[], object]:
    import torch
    from torch import nn

    if name == "mnist-mlp":
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.Sigmoid(), nn.Linear(16, 10))
    else:
        net = nn.Sequential(
            nn.ZeroPad2d(2),
            nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten(),
            nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        )  # fmt: skip
    x = torch.tensor(data.x.reshape(-1, 1, 28, 28) / np.float32(255))
    y = torch.tensor(data.y.argmax(axis=1))
    optimizer, loss = torch.optim.AdamW(net.parameters()), nn.CrossEntropyLoss()

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


def ways(name: str, data: Examples) -> dict[str, Callable[[], object]]:
    """What trains an epoch of each; PyTorch is left out where it is not installed."""
    made = {"ours": ours(name, data), "plain Keras": plain_keras(name, data)}
    if name == "mnist-mlp":
        made["scikit-learn"] = scikit_learn(name, data)
    try:
        made["PyTorch"] = plain_torch(name, data)
    except ImportError as error:
        print(f"PyTorch left out: {error}")
    return made


def speed() -> None:
    backend.start()
    data = digits.load(["mnist"], validation=0.0).train
    for name in ("mnist-mlp", "lenet5"):
        epochs = ways(name, data)
        for epoch in epochs.values():
            epoch()  # what is compiled or traced once is not counted
        took: dict[str, list[float]] = {way: [] for way in epochs}
        for _ in range(ROUNDS):
            for way, epoch in epochs.items():
                took[way].append(seconds(epoch))
        for way, values in took.items():
            ratio = statistics.median(a / b for a, b in zip(values, took["ours"], strict=True))
            print(f"{name}: {way} {statistics.median(values):.2f} s an epoch, {ratio:.2f} of ours")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    what, *rest = sys.argv[1:] or ["accuracy"]
    if what == "speed":
        speed()
    else:
        names = rest[:1] or ["mnist-mlp", "lenet5"]
        preset = rest[1] if len(rest) > 1 and rest[1] != "default" else None
        for name in names:
            accuracy(name, preset, int(rest[2]) if len(rest) > 2 else 5)
