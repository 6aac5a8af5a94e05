"""An LSTM that is rewritten for XLA learns what Keras' own LSTM learns."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_recipes import build_char_rnn
from keras_recipes.data.dataset import Examples
from keras_recipes.train import compiled_loop, recurrent_kernels
from keras_recipes.train.cpu_kernels import cpu_optimized
from keras_recipes.train.gradient_check import GOAL, compare

pytestmark = pytest.mark.full

RNG = np.random.default_rng(0)
STEPS, INPUTS, UNITS = 23, 5, recurrent_kernels.SMALLEST
X = RNG.normal(size=(7, STEPS, INPUTS)).astype("float32")
CODES = RNG.integers(0, 9, (21, STEPS + 1)).astype("int32")


def lstm(**settings: Any) -> keras.Sequential:
    keras.utils.set_random_seed(3)
    settings = {"return_sequences": True, "bias_initializer": "random_normal"} | settings
    return keras.Sequential(
        [keras.Input((STEPS, INPUTS)), keras.layers.LSTM(UNITS, **settings), keras.layers.Dense(4)]
    )


def outputs_and_gradients(model: keras.Model, *, rewritten: bool) -> list[np.ndarray]:
    """The outputs, and the gradients of their squares by the inputs and by each weight."""

    def computed(x: Any) -> list[Any]:
        weights = [variable.value for variable in model.trainable_variables]
        with cpu_optimized(model, 2, xla=rewritten), tf.GradientTape() as tape:
            tape.watch(x)
            outputs = model(x)
            loss = tf.reduce_sum(outputs * outputs)
        return [outputs, *tape.gradient(loss, [x, *weights])]

    compiled = tf.function(computed, jit_compile=True, autograph=False)
    return [part.numpy() for part in compiled(tf.constant(X))]


def rewrites(model: keras.Model, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often the model computes the rewritten form of a layer."""
    calls: list[None] = []
    own = recurrent_kernels._outputs
    with monkeypatch.context() as patched:
        patched.setattr(
            recurrent_kernels, "_outputs", lambda *given: calls.append(None) or own(*given)
        )
        outputs_and_gradients(model, rewritten=True)
    return len(calls)


@pytest.mark.parametrize("return_sequences", [True, False])
def test_outputs_and_gradients_are_those_of_keras(
    return_sequences: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = lstm(return_sequences=return_sequences)
    assert rewrites(model, monkeypatch) == 2  # one for each part of the batch
    expected = outputs_and_gradients(model, rewritten=False)
    for mine, theirs in zip(outputs_and_gradients(model, rewritten=True), expected, strict=True):
        assert abs(mine - theirs).max() <= 1e-5 * abs(theirs).max()


def test_the_gradients_of_given_states_are_those_of_keras() -> None:
    layer = lstm().layers[0]
    states = [tf.constant(RNG.normal(size=(7, UNITS)).astype("float32")) for _ in range(2)]

    def computed(given: list[Any], *, rewritten: bool) -> list[Any]:
        model = keras.Sequential([layer])
        with cpu_optimized(model, 1, xla=rewritten), tf.GradientTape() as tape:
            tape.watch(given)
            loss = tf.reduce_sum(layer(X, initial_state=given) ** 2)
        return [loss, *tape.gradient(loss, given)]

    mine, theirs = computed(states, rewritten=True), computed(states, rewritten=False)
    for one, other in zip(mine, theirs, strict=True):
        assert np.asarray(one) == pytest.approx(np.asarray(other), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"dropout": 0.1},
        {"recurrent_dropout": 0.1},
        {"go_backwards": True},
        {"stateful": True},
        {"use_bias": False},
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"dtype": "mixed_bfloat16"},
    ],
    ids=str,
)
def test_other_lstms_stay_as_they_are(settings: dict[str, Any]) -> None:
    assert recurrent_kernels.is_plain_lstm(keras.layers.LSTM(UNITS))
    assert not recurrent_kernels.is_plain_lstm(keras.layers.LSTM(UNITS, **settings))


def test_a_mask_is_left_to_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    model = keras.Sequential(
        [
            keras.Input((STEPS, INPUTS)),
            keras.layers.Masking(),
            keras.layers.LSTM(UNITS, return_sequences=True),
        ]
    )
    assert rewrites(model, monkeypatch) == 0


@pytest.mark.parametrize("replicas", [1, 2])
def test_char_rnn_has_the_losses_of_fit(replicas: int) -> None:
    def net() -> keras.Model:
        keras.utils.set_random_seed(5)
        return build_char_rnn(units=UNITS, layers=2, classes=9)

    ours, plain, x, y = net(), net(), CODES[:, :-1], CODES[:, 1:]
    call = compiled_loop.compile_epochs(
        ours, Examples(x, y), batch_size=20, seed=0, jit_compile=True, replicas=replicas
    )
    losses = call(0, 3)["loss"]
    orders = [np.random.default_rng([0, epoch]).permutation(21) for epoch in range(3)]
    fits = [plain.fit(x[o], y[o], batch_size=20, shuffle=False, verbose=0) for o in orders]
    assert losses == pytest.approx([fit.history["loss"][0] for fit in fits], rel=1e-4)


def test_the_rewritten_form_passes_the_check_of_gradients() -> None:
    compared = compare(
        lambda: build_char_rnn(units=UNITS, classes=9),
        Examples(CODES[:4, :-1], CODES[:4, 1:]),
        sample=10,
        seed=0,
        replicas=2,
    )
    assert all(one.largest_difference < GOAL for one in compared)
