"""The peephole cell computes what its equations say, and survives being saved."""

import keras
import numpy as np
import pytest

from keras_recipes import build_lstm_anomaly
from keras_recipes.layers import PeepholeLSTMCell


def by_hand(cell: PeepholeLSTMCell, x: np.ndarray) -> np.ndarray:
    kernel, recurrent, peephole, bias = (np.asarray(w, "float64") for w in cell.get_weights())
    outputs, h, c = [], np.zeros(cell.units), np.zeros(cell.units)

    def gate(value: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-value))

    for step in x:
        i, f, g, o = np.split(step @ kernel + h @ recurrent + bias, 4)
        i, f = gate(i + peephole[0] * c), gate(f + peephole[1] * c)
        c = f * c + i * np.tanh(g)
        h = gate(o + peephole[2] * c) * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def test_it_follows_its_equations_step_by_step() -> None:
    keras.utils.set_random_seed(1)
    layer = keras.layers.RNN(PeepholeLSTMCell(4), return_sequences=True)
    x = np.random.default_rng(1).normal(size=(1, 20, 3)).astype("float32")
    outputs = keras.ops.convert_to_numpy(layer(x))
    assert outputs[0] == pytest.approx(by_hand(layer.cell, x[0].astype("float64")), abs=1e-5)


def test_one_input_and_ten_units_have_the_articles_510_parameters() -> None:
    model = build_lstm_anomaly(cell="peephole", encoding="number", classes=33)
    assert model.get_layer("lstm").count_params() == 510
    assert model.count_params() == 510 + 11 * 33


def test_the_forget_gates_bias_starts_at_one() -> None:
    cell = PeepholeLSTMCell(3)
    cell.build((None, 2))
    assert np.asarray(cell.bias).tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_the_articles_weights_have_xaviers_spread() -> None:
    keras.utils.set_random_seed(123)
    kernel, recurrent, peephole, _ = (
        build_lstm_anomaly(cell="peephole", encoding="number").get_layer("lstm").get_weights()
    )
    weights = np.concatenate([w.ravel() for w in (kernel, recurrent, peephole)])
    assert weights.std() == pytest.approx(np.sqrt(2 / 21), rel=0.1)
    assert np.abs(weights).max() > 2.1 * np.sqrt(2 / 21)  # no truncated normal reaches that


def test_a_net_with_it_is_read_back_from_its_json() -> None:
    model = build_lstm_anomaly(cell="peephole", units=5, classes=8)
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    x = np.array([[1, 4, 5, 2]], "int32")
    assert np.array_equal(
        keras.ops.convert_to_numpy(model(x)), keras.ops.convert_to_numpy(again(x))
    )
