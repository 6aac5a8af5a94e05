"""With the rewrites for CPUs, a net learns the same as in plain Keras."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_recipes import build_lenet5
from keras_recipes.data.dataset import Examples
from keras_recipes.train import compiled_loop
from keras_recipes.train.cpu_kernels import cpu_optimized

pytestmark = pytest.mark.full

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (21, 28, 28, 1)).astype("uint8")
TARGETS = np.eye(10, dtype="float32")[RNG.integers(0, 10, 21)]


def lenet5(variant: str) -> keras.Model:
    keras.utils.set_random_seed(5)
    return build_lenet5(variant=variant)


@pytest.mark.parametrize("variant", ["today", "1998"])
@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_losses_and_weights_are_those_of_fit(variant: str, replicas: int) -> None:
    ours, plain = lenet5(variant), lenet5(variant)
    call = compiled_loop.compile_epochs(
        ours,
        Examples(IMAGES, TARGETS),
        batch_size=20,  # so that the last batch has one image for all replicas
        seed=0,
        jit_compile=False,
        replicas=replicas,
    )
    losses = call(0, 2)["loss"]
    orders = [np.random.default_rng([0, epoch]).permutation(21) for epoch in range(2)]
    fits = [
        plain.fit(IMAGES[o], TARGETS[o], batch_size=20, shuffle=False, verbose=0) for o in orders
    ]
    assert losses == pytest.approx([fit.history["loss"][0] for fit in fits], rel=1e-4)
    for mine, theirs in zip(ours.get_weights(), plain.get_weights(), strict=True):
        assert mine == pytest.approx(theirs, abs=2e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 4},
        {"kernel_size": 4, "use_bias": False, "activation": "relu"},
        {"kernel_size": 4, "padding": "same"},
        {"kernel_size": 4, "groups": 2},
        {"kernel_size": 3},
        {"kernel_size": 1},
        {"kernel_size": 2, "dilation_rate": 3},
        {"kernel_size": 2, "strides": 2},
    ],
    ids=str,
)
def test_every_convolution_gives_what_it_gives(settings: dict[str, object]) -> None:
    model = keras.Sequential([keras.Input((4, 4, 6)), keras.layers.Conv2D(8, **settings)])
    x = RNG.normal(size=(5, 4, 4, 6)).astype("float32")
    expected = np.asarray(model(x))
    with cpu_optimized(model, replicas=2):
        assert np.asarray(model(x)) == pytest.approx(expected, abs=1e-5)


def test_afterwards_the_model_is_as_it_was() -> None:
    model = lenet5("today")
    before = json.loads(model.to_json()), set(vars(model)), set(vars(model.get_layer("C5")))
    with pytest.raises(RuntimeError, match="in the middle"), cpu_optimized(model, replicas=2):
        raise RuntimeError("in the middle")
    assert before == (
        json.loads(model.to_json()), set(vars(model)), set(vars(model.get_layer("C5")))
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "threads"), [({}, "1"), ({"TF_NUM_INTRAOP_THREADS": "7"}, "7")], ids=["none", "own"]
)
def test_each_operation_gets_its_share_of_the_cores(given: dict[str, str], threads: str) -> None:
    program = (
        "import os; os.sched_getaffinity = lambda _: {0, 1}\n"
        "from keras_recipes import backend\n"
        "backend.choose('cpu', side_by_side=True)\n"
        "print(os.environ['TF_NUM_INTRAOP_THREADS'])\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TF_NUM_INTRAOP_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [threads]
