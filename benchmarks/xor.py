"""How fast XOR is learned, and how long the commands take.

    python benchmarks/xor.py

Updates per second: the compiled loop of `recipes fit xor` against plain `model.fit(x, y, epochs=N)`
and against the same net and gradient descent in NumPy. Whole commands: `recipes fit xor` against
`import keras`, and commands without Keras against `import click`. They take turns, and the medians
are printed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_recipes import backend, build_xor
from keras_recipes.cookbook import xor
from keras_recipes.data.dataset import Examples
from keras_recipes.train import compiled_loop

PLAIN_EPOCHS, EPOCHS, PER_CALL, ROUNDS = 200, 100_000, 250, 7


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def by_keras(data: Examples, epochs: int) -> list[float]:
    import keras

    keras.utils.set_random_seed(0)
    history = build_xor().fit(data.x, data.y, epochs=epochs, verbose=0).history
    return [float(loss) for loss in history["loss"]]


def by_numpy(data: Examples, epochs: int) -> list[float]:
    import keras

    keras.utils.set_random_seed(0)
    w1, b1, w2, b2 = build_xor().get_weights()
    x, y, rate, losses = data.x, data.y, np.float32(0.1), []
    for _ in range(epochs):
        hidden = np.tanh(x @ w1 + b1)
        output = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
        losses.append(float(-np.mean(np.log(np.where(y == 1, output, 1 - output)))))
        slope = (output - y) / len(x)
        before = slope @ w2.T * (1 - hidden**2)
        w2, b2 = w2 - rate * (hidden.T @ slope), b2 - rate * slope.sum(axis=0)
        w1, b1 = w1 - rate * (x.T @ before), b1 - rate * before.sum(axis=0)
    return losses


class CompiledLoop:
    """The compiled loop. It is compiled once; each measurement starts from the same weights."""

    def __init__(self, data: Examples) -> None:
        import keras

        keras.utils.set_random_seed(0)
        self.model = build_xor()
        self.call = compiled_loop.compile_epochs(
            self.model, data, batch_size=32, seed=0, jit_compile=True
        )
        self.weights = self.model.get_weights()
        self.compiling = seconds(lambda: self.call(0, PER_CALL))

    def __call__(self, epochs: int) -> list[float]:
        self.model.set_weights(self.weights)
        calls = compiled_loop.train(
            self.model, self.call, first_epoch=0, epochs=epochs, epochs_per_call=PER_CALL
        )
        return [float(loss) for values in calls for loss in values["loss"]]


def updates() -> None:
    backend.start()
    data = xor.read(()).train
    loop = CompiledLoop(data)
    expected = by_keras(data, PLAIN_EPOCHS)
    for name, losses in (
        ("the compiled loop", loop(PLAIN_EPOCHS)),
        ("NumPy", by_numpy(data, PLAIN_EPOCHS)),
    ):
        furthest = max(abs(a - b) / b for a, b in zip(losses, expected, strict=True))
        print(f"losses of {name} against plain Keras, {PLAIN_EPOCHS} epochs: {furthest:.1e} apart")
    plain = PLAIN_EPOCHS / min(seconds(lambda: by_keras(data, PLAIN_EPOCHS)) for _ in range(3))
    numpy = EPOCHS / min(seconds(lambda: by_numpy(data, EPOCHS)) for _ in range(3))
    fast = EPOCHS / min(seconds(lambda: loop(EPOCHS)) for _ in range(3))
    once = 5_000 / (loop.compiling + 5_000 / fast)
    print(
        f"updates/s: compiled loop {fast:,.0f} ({once:,.0f} over 5,000, compilation included), "
        f"plain Keras {plain:,.0f}, NumPy {numpy:,.0f}"
    )
    print(
        f"compiled loop / plain Keras: {fast / plain:,.0f}; "
        f"compiled loop / NumPy: {fast / numpy:,.1f}; compilation {loop.compiling:.2f} s"
    )


def whole(command: list[str], rounds: int, yardstick: str) -> str:
    """Return the median times of a command and of an import, and the median of their ratios."""
    recipes = str(Path(sys.executable).with_name("recipes"))
    pairs = []
    with tempfile.TemporaryDirectory() as folder:

        def run(*arguments: str) -> float:
            return seconds(
                lambda: subprocess.run(arguments, cwd=folder, capture_output=True, env=os.environ)
            )

        run(recipes, *command)
        for _ in range(rounds):
            pairs.append((run(recipes, *command), run(sys.executable, "-c", f"import {yardstick}")))
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    name = " ".join(["recipes", *command])
    return f"{name}: {ours:.2f} s, import {yardstick} {theirs:.2f} s, ratio {ratio:.2f}"


if __name__ == "__main__":
    updates()
    print(whole(["fit", "xor"], ROUNDS, "keras"))
    for command in (["--help"], ["list"], ["show", "xor"], ["fit", "xro"]):
        print(whole(command, 4 * ROUNDS, "click"))
