"""The cells follow their equations, in Keras as in NumPy."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_recipes.cells import parts
from keras_recipes.cells.coupled_lstm import CoupledLSTMCell
from keras_recipes.cells.peephole_lstm import PeepholeLSTMCell
from keras_recipes.cells.stepping import SteppingNet

UNITS = 5
RECURRENT = {
    "simple": lambda: layers.SimpleRNN(UNITS, return_sequences=True),
    "gru": lambda: layers.GRU(UNITS, return_sequences=True),
    "lstm": lambda: layers.LSTM(UNITS, return_sequences=True),
    "peephole": lambda: layers.RNN(PeepholeLSTMCell(UNITS), return_sequences=True),
    "coupled": lambda: layers.RNN(CoupledLSTMCell(UNITS), return_sequences=True),
}


def net(*cells: str) -> keras.Model:
    keras.utils.set_random_seed(1)
    middle = [RECURRENT[cell]() for cell in cells]
    head = [keras.Input((None,), dtype="int32"), layers.Embedding(7, 3)]
    model = keras.Sequential([*head, *middle, layers.Dropout(0.5), layers.Dense(7)])
    random = np.random.default_rng(1)
    # Larger weights than a new net has: gates that open and close.
    model.set_weights([random.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize(
    "cells", [*((cell,) for cell in RECURRENT), ("gru", "lstm"), ("coupled", "peephole", "simple")]
)
def test_step_by_step_numpy_stays_with_keras(cells: tuple[str, ...]) -> None:
    model, tokens = net(*cells), np.random.default_rng(2).integers(0, 7, 60)
    stepping = SteppingNet.of(model)
    states = stepping.start()
    expected = keras.ops.convert_to_numpy(model(tokens[None]))[0]
    for token, logits in zip(tokens, expected, strict=True):
        states = stepping.step(int(token), states)
        assert stepping.logits(states) == pytest.approx(logits, abs=1e-4)


def test_coupled_gates_follow_their_equations() -> None:
    layer = layers.RNN(CoupledLSTMCell(4), return_sequences=True)
    x = np.random.default_rng(1).normal(size=(1, 20, 3)).astype("float32")
    outputs = keras.ops.convert_to_numpy(layer(x))[0]
    kernel, recurrent, bias = (np.asarray(w, "float64") for w in layer.get_weights())
    h, c = np.zeros(4), np.zeros(4)
    for step, output in zip(x[0].astype("float64"), outputs, strict=True):
        f, g, o = np.split(step @ kernel + h @ recurrent + bias, 3)
        f, o = 1 / (1 + np.exp(-f)), 1 / (1 + np.exp(-o))
        c = f * c + (1 - f) * np.tanh(g)
        h = o * np.tanh(c)
        assert output == pytest.approx(h, abs=1e-5)


def test_coupled_gates_have_a_quarter_less_parameters_than_an_lstm() -> None:
    cell = CoupledLSTMCell(8)
    cell.build((None, 5))
    assert cell.count_params() == 3 * 8 * (5 + 8 + 1)
    assert np.asarray(cell.bias).tolist() == [1] * 8 + [0] * 16


def test_a_net_with_coupled_gates_opens_from_its_file() -> None:
    model = net("coupled")
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    x = np.arange(7)[None]
    assert np.array_equal(np.asarray(model(x)), np.asarray(again(x)))
    assert CoupledLSTMCell.__module__ == PeepholeLSTMCell.__module__ == "keras_recipes.layers"


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(3),
        layers.LSTM(3, activation="relu"),
        layers.LSTM(3, recurrent_dropout=0.5),
        layers.GRU(3, reset_after=False),
        layers.LSTM(3, use_bias=False),
    ],
)
def test_a_layer_that_computes_otherwise_has_no_parts(layer: keras.Layer) -> None:
    layer(np.zeros((1, 2, 3), "float32"))
    assert parts.of(layer) is None


def test_another_kind_of_net_is_refused() -> None:
    other = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(2)])
    with pytest.raises(ValueError, match="no net of an embedding"):
        SteppingNet.of(other)
