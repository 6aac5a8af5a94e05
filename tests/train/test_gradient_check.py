"""Backpropagation agrees with nudged weights, and a wrong gradient is found."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_recipes.data.dataset import Examples
from keras_recipes.train import gradient_check
from keras_recipes.train.gradient_check import Compared

RANDOM = np.random.default_rng(0)
EXAMPLES = Examples(RANDOM.normal(size=(4, 6)).astype("float32"), np.eye(4, dtype="float32"))
IMAGES = Examples(RANDOM.normal(size=(4, 8, 8, 1)).astype("float32"), EXAMPLES.y)


def compare(*layers: keras.Layer, examples: Examples = EXAMPLES) -> dict[str, Compared]:
    """Compare for a net of a dense layer, these layers and a softmax; the result by layer."""

    def build() -> keras.Model:
        made = [type(layer).from_config({**layer.get_config(), "dtype": None}) for layer in layers]
        softmax = keras.layers.Dense(4, activation="softmax", name="output")
        model = keras.Sequential([keras.Input(examples.x.shape[1:]), *made, softmax])
        model.compile(loss="categorical_crossentropy")
        return model

    found = gradient_check.compare(build, examples, sample=20, seed=0)
    return {array.layer: array for array in found if array.weights == "kernel"}


def hidden(**settings: Any) -> keras.Layer:
    return keras.layers.Dense(5, name="hidden", **settings)


class WithGradient(keras.layers.Layer):
    """A tanh whose gradient is multiplied by a factor."""

    def __init__(self, factor: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        @tf.custom_gradient
        def tanh(x: Any) -> tuple[Any, Callable[[Any], Any]]:
            y = tf.tanh(x)
            return y, lambda upstream: self.factor * upstream * (1 - y * y)

        return tanh(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


@pytest.mark.parametrize("factor", [0.99, 1.01, 1.0001, 0.0, -1.0])
def test_a_wrong_gradient_is_found_below_the_layer_that_is_wrong(factor: float) -> None:
    found = compare(hidden(), WithGradient(factor))
    assert found["hidden"].largest_difference == pytest.approx(
        abs(1 - factor) / max(1, abs(factor)), rel=1e-3
    )
    assert found["hidden"].skipped == 0
    assert found["output"].largest_difference < gradient_check.GOAL


def test_a_right_gradient_passes() -> None:
    assert compare(hidden(), WithGradient(1.0))["hidden"].largest_difference < 1e-8


class Stopped(keras.layers.Layer):
    """A layer through which nothing is propagated back."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.stop_gradient(inputs)


def test_a_gradient_that_is_missing_is_found() -> None:
    assert compare(hidden(), Stopped())["hidden"].largest_difference == 1


class Single(keras.layers.Layer):
    """A layer that computes in single precision inside a net in double precision."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.cast(keras.ops.tanh(keras.ops.cast(inputs, "float32")), "float64")


def test_single_precision_is_not_taken_for_an_agreement() -> None:
    found = compare(hidden(), Single())["hidden"]
    assert not found.checked or found.largest_difference > gradient_check.GOAL


def test_a_place_where_relu_bends_is_skipped() -> None:
    # All weights are 0, so every unit is exactly where its ReLU bends.
    found = compare(hidden(kernel_initializer="zeros", activation="relu"))["hidden"]
    assert (found.checked, found.skipped) == (0, 20)
    assert np.isnan(found.largest_difference)


def test_close_to_a_bend_smaller_steps_are_used() -> None:
    # A hundredth of the usual weights: bends are closer than the largest steps.
    small = keras.initializers.RandomNormal(stddev=0.01, seed=0)
    found = compare(hidden(kernel_initializer=small, activation="relu"))["hidden"]
    assert found.checked >= 15
    assert found.largest_difference < gradient_check.GOAL


def test_max_pooling_is_checked_between_its_bends() -> None:
    layers = keras.layers
    found = compare(
        layers.Conv2D(3, 3, activation="relu", name="maps"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        examples=IMAGES,
    )
    assert found["maps"].checked >= 15
    assert found["maps"].largest_difference < gradient_check.GOAL


def test_a_wrong_gradient_is_found_under_relu_and_pooling_too() -> None:
    layers = keras.layers
    found = compare(
        layers.Conv2D(3, 3, name="maps"),
        WithGradient(1.01),
        layers.ReLU(),
        layers.MaxPooling2D(),
        layers.Flatten(),
        examples=IMAGES,
    )
    assert found["maps"].largest_difference == pytest.approx(0.01 / 1.01, rel=1e-3)


@pytest.mark.parametrize("bend", [0.0, 0.001, 0.03, 0.26, 0.34, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_bend_anywhere_within_the_nudges_is_noticed(bend: float, side: int) -> None:
    def at(nudge: float) -> float:
        return 1 + nudge + nudge**2 + 1e-3 * abs(nudge - side * bend * gradient_check.STEPS[-1])

    found = gradient_check._derivative(at, at(0.0))
    assert found is None


def test_a_strong_curvature_is_met_by_smaller_steps() -> None:
    found = gradient_check._derivative(lambda nudge: 1 + nudge + 300 * nudge**5, 1.0)
    assert found == pytest.approx(1, abs=1e-7)


def test_dropout_is_off() -> None:
    found = compare(hidden(activation="tanh"), keras.layers.Dropout(0.5))
    assert found["hidden"].largest_difference < gradient_check.GOAL


def test_single_precision_is_what_keras_uses_again_afterwards() -> None:
    compare(hidden())
    assert keras.config.floatx() == "float32"
    assert keras.layers.Dense(1).compute_dtype == "float32"
