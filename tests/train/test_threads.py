"""Fits in several threads, and what a seed promises."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from keras_recipes import backend, fit, load
from tests.command_line import Run
from tests.shared_data import shared_data


def test_a_fit_in_a_thread_is_the_fit_of_its_seed_alone() -> None:
    backend.start()
    seeds = (1, 2)

    def weights(seed: int) -> bytes:
        return b"".join(w.tobytes() for w in fit("xor", seed=seed).model.get_weights())

    alone = {seed: weights(seed) for seed in seeds}
    together: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: together.update({seed: weights(seed)}))
        for seed in seeds
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


@pytest.mark.full
def test_the_case_of_threads_that_mix_their_seeds() -> None:
    case = shared_data("cases/robustness/41-threads-mix-seeds/make.py")
    done = subprocess.run([sys.executable, str(case)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("True ")


def test_a_deterministic_fit_is_refused_where_threads_are_started(
    recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.start()
    monkeypatch.setattr(backend, "_threads", "2")
    result = recipes("fit", "xor", "--deterministic")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --deterministic: TensorFlow has started already")


@pytest.mark.full
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs sched_setaffinity")
def test_a_deterministic_fit_gives_the_same_bytes_on_any_number_of_cores(
    empty_folder: Path,
) -> None:
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 255, (120, 28, 28)).astype("uint8"), np.arange(120) % 10
    np.savez("digits.npz", x=images, y=labels)
    fit_lenet = [sys.executable, "-m", "keras_recipes", "fit", "lenet5"]
    every = os.sched_getaffinity(0)
    for name, cores in (("every", every), ("alone", {min(every)})):
        os.sched_setaffinity(0, cores)
        options = ["--data", "digits.npz", "--epochs", "3", "--deterministic", "--out", name]
        try:
            subprocess.run([*fit_lenet, *options], check=True, capture_output=True)
        finally:
            os.sched_setaffinity(0, every)
    one, other = (Path(name, "model.weights.h5").read_bytes() for name in ("every", "alone"))
    assert one == other
    # A repeated fit is deterministic because its card says so.
    repeated = [*fit_lenet, "--repeat", "alone"]
    told = subprocess.run(repeated, check=True, capture_output=True, text=True).stderr
    assert "repeated: the weights are equal, bit by bit" in told


@pytest.mark.full
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs sched_setaffinity")
def test_a_seed_gives_the_same_bytes_on_the_same_number_of_cores(empty_folder: Path) -> None:
    """The case of cores that change the net: other cores give nearly the same."""
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 255, (120, 28, 28)).astype("uint8"), np.arange(120) % 10
    np.savez("digits.npz", x=images, y=labels)
    fitted = [sys.executable, "-m", "keras_recipes", "fit", "lenet5", "--data", "digits.npz",
              "--seed", "3", "--epochs", "3", "--out"]  # fmt: skip
    every = os.sched_getaffinity(0)
    for name, cores in (("one", every), ("again", every), ("alone", {min(every)})):
        os.sched_setaffinity(0, cores)
        try:
            subprocess.run([*fitted, name], check=True, capture_output=True)
        finally:
            os.sched_setaffinity(0, every)
    one, again = (Path(name, "model.weights.h5").read_bytes() for name in ("one", "again"))
    assert one == again
    for mine, other in zip(
        load("one").model.get_weights(), load("alone").model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(mine, other, atol=1e-3)
