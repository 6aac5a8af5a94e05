"""Each recipe on TensorFlow, JAX and PyTorch: python -m benchmarks.backends [RECIPE]...

Each recipe is fitted for a few epochs on each backend, and its saved pair is predicted on each. The
largest difference of a prediction from that of the backend it was fitted on is printed.

For each backend it prints the time of an epoch of our loop, and how many times as long an epoch of
Keras' own `model.fit` takes with the same net and data. They take turns in one process, and the
medians are printed. `--compile` also times the first epoch on PyTorch whose step `torch.compile`
compiles; this takes minutes.

Backends that are not installed are left out. The data is that of `kills.py`: 1,000 images, lines or
records. Everything runs on the CPU.
"""

import argparse
import functools
import importlib.util
import logging
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.kills import make_data

if TYPE_CHECKING:
    from keras_recipes.commands.fit import Task
    from keras_recipes.models.fitted import Fitted

BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
ROUNDS, EPOCHS, MOST_PER_CALL = 5, 3, 50
SAMPLE = 100
"""The number of test examples that are predicted."""

DATA = {
    "perceptron": None,
    "xor": None,
    "linear-mnist": "digits.npz",
    "mnist-mlp": "digits.npz",
    "lenet5": "digits.npz",
    "autoencoder": "digits.npz",
    "char-rnn": "text.txt",
    "lstm-anomaly": "normal.log",
}
"""The file that each recipe learns from; None is its own data."""


def start(backend_name: str, device: str = "cpu") -> None:
    """Start a process that computes on this backend and device."""
    os.environ.update(KERAS_BACKEND=backend_name, TF_CPP_MIN_LOG_LEVEL="3")
    logging.disable(logging.WARNING)
    from keras_recipes import backend

    backend.start(device)


def task_of(name: str) -> "Task":
    """Return the fit of a recipe, with a few epochs and no goal."""
    from keras_recipes import catalog
    from keras_recipes.commands import fit as fitting

    recipe = catalog.get(name)
    values = fitting.settled(recipe, None, {}, None, other_data=True)
    task = fitting.prepare(recipe, DATA[name] or (), values, None, {}, None)
    per_call = min(task.plan.epochs_per_call, MOST_PER_CALL)
    plan = replace(task.plan, epochs=EPOCHS * per_call, epochs_per_call=per_call, goal=None)
    return replace(task, plan=replace(plan, extra_epochs=0, restarts=0))


@functools.cache
def fitted(name: str) -> "tuple[Task, Fitted]":
    from keras_recipes.commands.fit import carry_out

    task = task_of(name)
    backend_name = os.environ["KERAS_BACKEND"]
    folder = Path(f"{name}-{backend_name}")
    model = carry_out(task, folder, show_progress=False)
    np.save(f"{name}.npy", task.data.test.x[:SAMPLE])
    return task, model


def fit_and_save(name: str) -> None:
    fitted(name)


def predicted(name: str, fitted_on: str) -> np.ndarray:
    """Return the outputs of a saved pair for the sample on this process' backend."""
    from keras_recipes import load
    from keras_recipes.models.runtime import KerasRuntime

    model = load(f"{name}-{fitted_on}").model
    return np.asarray(KerasRuntime(model).outputs(np.load(f"{name}.npy")), "float64")


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def epoch_times(name: str) -> tuple[float, float]:
    """Return the median seconds of an epoch of ours, and the median ratio of Keras' to it."""
    from keras_recipes import backend
    from keras_recipes.train import compiled_loop

    task, made = fitted(name)
    plan, data, count = task.plan, task.data.train, task.plan.epochs_per_call
    call = compiled_loop.compile_epochs(
        made.model,
        data,
        batch_size=plan.batch_size,
        seed=0,
        jit_compile=plan.jit_compile and (plan.jit_compile_on_gpu or not backend.gpus()),
        replicas=backend.replicas(task.recipe.side_by_side),
    )
    size = plan.batch_size or len(data)

    def plain() -> Any:
        return made.model.fit(data.x, data.y, batch_size=size, verbose=0)

    call(0, count)
    plain()
    pairs = [(seconds(lambda: call(0, count)) / count, seconds(plain)) for _ in range(ROUNDS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b / a for a, b in pairs)


def compiled_first_epoch(name: str) -> float:
    """Return the seconds of a first epoch on PyTorch whose step is compiled."""
    import torch

    from keras_recipes.train import compiled_loop

    task, made = fitted(name)
    made.model.train_step = torch.compile(made.model.train_step)
    call = compiled_loop.compile_epochs(
        made.model, task.data.train, batch_size=task.plan.batch_size, seed=0, jit_compile=False
    )
    return seconds(lambda: call(0, 1))


def row(pools: dict[str, ProcessPoolExecutor], name: str) -> str:
    """Return the row of a recipe."""
    largest = 0.0
    for pool in pools.values():
        pool.submit(fit_and_save, name).result()
    for fitted_on in pools:
        outputs = {b: pool.submit(predicted, name, fitted_on).result() for b, pool in pools.items()}
        apart = (float(abs(one - outputs[fitted_on]).max()) for one in outputs.values())
        largest = max(largest, *apart)
    times = [pool.submit(epoch_times, name).result() for pool in pools.values()]
    cells = (f"{ours * 1e3:.3g} ms; {ratio:.1f} x" for ours, ratio in times)
    return f"| {name} | {largest:.1e} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"some of {', '.join(DATA)}")
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    names = given.recipes or list(DATA)
    here = {b: title for b, title in BACKENDS.items() if importlib.util.find_spec(b)}
    for backend_name in BACKENDS.keys() - here.keys():
        print(f"{BACKENDS[backend_name]} is left out: not installed")
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.chdir(folder)
        os.environ["XDG_STATE_HOME"] = folder
        make_data()
        pools = {b: stack.enter_context(ProcessPoolExecutor(1, context, start, (b,))) for b in here}
        print(f"| Recipe | Largest difference | {' | '.join(here.values())} |")
        print("| --- " * (len(here) + 2) + "|", flush=True)
        for name in names:
            print(row(pools, name), flush=True)
        if given.compile and "torch" in pools:
            for name in names:
                took = pools["torch"].submit(compiled_first_epoch, name).result()
                print(f"torch.compile, {name}: first epoch {took:.0f} s", flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main()
