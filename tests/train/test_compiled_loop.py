"""The compiled loop gives the same losses as Keras' own fit."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_recipes import build_xor, fit
from keras_recipes.data.dataset import Examples
from keras_recipes.models.history import History
from keras_recipes.train import compiled_loop

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 2)).astype("float32")
Y = (X[:, :1] * X[:, 1:] > 0).astype("float32")
DATA = Examples(X, Y)


def fresh_model() -> keras.Model:
    keras.utils.set_random_seed(5)
    return build_xor()


def epochs(
    model: keras.Model, data: object, count: int, **options: object
) -> dict[str, np.ndarray]:
    settings = {"batch_size": 22, "seed": 0, "jit_compile": True, **options}
    return compiled_loop.compile_epochs(model, data, **settings)(0, count)


@pytest.mark.parametrize("jit_compile", [True, False])
def test_losses_metrics_and_weights_are_those_of_fit(jit_compile: bool) -> None:
    ours, plain = fresh_model(), fresh_model()
    values = epochs(ours, DATA, 30, jit_compile=jit_compile)
    history = plain.fit(X, Y, batch_size=22, epochs=30, verbose=0).history
    assert values["loss"] == pytest.approx(history["loss"], rel=1e-5)
    assert values["accuracy"] == pytest.approx(history["accuracy"], abs=1e-6)
    for mine, theirs in zip(ours.get_weights(), plain.get_weights(), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("batch_size", [1, 5, 11, 21, 22, 100, None])
def test_a_smaller_last_batch_counts_as_in_fit(batch_size: int | None) -> None:
    ours, plain = fresh_model(), fresh_model()
    orders = [np.random.default_rng([7, epoch]).permutation(22) for epoch in range(3)]
    if batch_size is None or batch_size >= 22:
        orders = [np.arange(22)] * 3
    values = epochs(ours, DATA, 3, batch_size=batch_size, seed=7)
    expected = [
        plain.fit(X[order], Y[order], batch_size=batch_size, shuffle=False, verbose=0).history
        for order in orders
    ]
    assert values["loss"] == pytest.approx([h["loss"][0] for h in expected], rel=1e-4)
    assert values["accuracy"] == pytest.approx([h["accuracy"][0] for h in expected], abs=1e-6)


def test_every_epoch_sees_every_example_once_in_an_order_of_its_own() -> None:
    orders = compiled_loop._Orders(examples=50, batch=10, seed=3)(first_epoch=4, count=6)
    assert all(sorted(order) == list(range(50)) for order in orders.tolist())
    assert len({tuple(order) for order in orders.tolist()}) == 6


def test_the_order_of_an_epoch_does_not_depend_on_how_epochs_are_grouped() -> None:
    orders = compiled_loop._Orders(examples=50, batch=10, seed=3)
    together = orders(0, 4)
    assert np.array_equal(together[2:], orders(2, 2))


def test_callbacks_are_called_at_the_boundaries_and_can_stop() -> None:
    seen = []

    class Watcher(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            seen.append((epoch, logs["loss"]))
            self.model.stop_training = len(seen) == 3

    model = fresh_model()
    call = compiled_loop.compile_epochs(model, DATA, batch_size=22, seed=0, jit_compile=True)
    results = list(
        compiled_loop.train(
            model, call, first_epoch=0, epochs=100, epochs_per_call=10, callbacks=[Watcher()]
        )
    )
    assert [epoch for epoch, _ in seen] == [9, 19, 29]
    assert [loss for _, loss in seen] == [r["loss"][-1] for r in results]


def test_a_learning_rate_set_by_a_callback_takes_effect() -> None:
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.model.optimizer.learning_rate = 0.0

    model = fresh_model()
    call = compiled_loop.compile_epochs(model, DATA, batch_size=22, seed=0, jit_compile=True)
    steps = compiled_loop.train(model, call, first_epoch=0, epochs=3, callbacks=[Stop()])
    losses = [values["loss"][0] for values in steps]
    assert losses[0] != losses[1] == losses[2]


def test_a_callback_can_end_a_fit_before_its_goal() -> None:
    class Enough(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.model.stop_training = True

    card = fit("xor", callbacks=[Enough()], show_progress=False).card
    assert (card.training["epochs"], card.training["restarts"]) == (250, 0)


def test_the_last_call_is_shorter_where_epochs_do_not_divide() -> None:
    model = fresh_model()
    call = compiled_loop.compile_epochs(model, DATA, batch_size=22, seed=0, jit_compile=True)
    results = compiled_loop.train(model, call, first_epoch=5, epochs=28, epochs_per_call=10)
    assert [len(values["loss"]) for values in results] == [10, 10, 3]


def test_a_thinned_history_keeps_true_values_and_the_last_epoch() -> None:
    calls = [{"loss": np.arange(10.0) + 10 * i} for i in range(3)]
    history = History.of(calls).thinned(8)
    assert history.stride == 4
    assert history.epochs.tolist() == [4, 8, 12, 16, 20, 24, 28, 30]
    assert history.values["loss"].tolist() == [e - 1 for e in history.epochs.tolist()]


OTHER_BACKEND = """
import numpy as np, keras
from keras_recipes import build_xor, evaluate, fit
from keras_recipes.data.dataset import Examples
from keras_recipes.train import compiled_loop


def build_convolution():
    layers = [keras.Input((2, 1)), keras.layers.Conv1D(3, 2, activation="tanh")]
    layers += [keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential(layers)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    return model


x = np.random.default_rng(0).normal(size=(22, 2)).astype("float32")
y = (x[:, :1] * x[:, 1:] > 0).astype("float32")
for build in (build_xor, build_convolution):
    losses = []
    for way in ("ours", "plain"):
        keras.utils.set_random_seed(5)
        model = build()
        if way == "ours":
            data = Examples(x, y)
            call = compiled_loop.compile_epochs(model, data, batch_size=8, seed=0, jit_compile=True)
            losses.append(call(0, 3)["loss"])
        else:
            orders = [np.random.default_rng([0, e]).permutation(22) for e in range(3)]
            fits = [model.fit(x[o], y[o], batch_size=8, shuffle=False, verbose=0) for o in orders]
            losses.append([fit.history["loss"][0] for fit in fits])
    np.testing.assert_allclose(*losses, rtol=1e-4)
assert keras.backend.backend() == "{backend}"
if "{backend}" == "jax":
    assert evaluate(fit("xor", show_progress=False))["largest_error"] <= 0.01
"""


@pytest.mark.full
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_alike(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed: pip install 'keras_recipes[{backend}]'")
    subprocess.run(
        [sys.executable, "-c", OTHER_BACKEND.replace("{backend}", backend)],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
    )
