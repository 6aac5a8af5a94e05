"""The net in NumPy has the same outputs as Keras."""

import keras
import numpy as np
import pytest

from keras_recipes import build_lstm_anomaly
from keras_recipes.anomaly.numpy_lstm import CUSUM_CLIP, NumpyLSTM
from keras_recipes.models.net import Net

SETTINGS = [
    {},
    {"cell": "peephole"},
    {"encoding": "embedding", "dropout": 0.5},
    {"encoding": "number", "cell": "peephole"},
    {"units": 32, "classes": 50},
]


@pytest.fixture(params=SETTINGS, ids=lambda s: ",".join(map(str, s.values())) or "default")
def model(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(3)
    net = build_lstm_anomaly(**request.param)
    random = np.random.default_rng(3)
    # The weights are larger than those of a new net, so that gates open and close.
    net.set_weights([w + random.normal(scale=0.5, size=w.shape) for w in net.get_weights()])
    return net


def sequences(classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    starts = np.concatenate([[0], np.cumsum(random.integers(1, 30, 3_000))])
    return random.integers(0, classes, starts[-1] + 1), starts


def by_keras(model: keras.Model, token_ids: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(token_ids[None].astype("int32")))[0])


def test_surprises_of_many_sequences_equal_those_of_keras(model: keras.Model) -> None:
    stream, starts = sequences(model.output_shape[-1])
    token_ids, targets = stream[:-1], stream[1:]
    found = NumpyLSTM.of(Net.of(model)).surprises(token_ids, targets, starts)
    for one in (0, 7, 2_500, 2_999):
        rows = slice(starts[one], starts[one + 1])
        given = by_keras(model, token_ids[rows])
        surprise = -np.log(given[np.arange(len(given)), targets[rows]])
        assert found.surprise[rows] == pytest.approx(surprise, rel=1e-5, abs=1e-5)
        assert np.array_equal(found.likeliest[rows], given.argmax(axis=1))
        entropy = -np.sum(given * np.log(given), axis=1)
        run, largest = 0.0, 0.0
        for step in np.minimum(surprise - entropy, CUSUM_CLIP):
            run = max(run + step, 0.0)
            largest = max(largest, run)
        assert found.cusum[one] == pytest.approx(largest, rel=1e-4, abs=1e-4)


def test_single_steps_give_the_probabilities_of_keras(model: keras.Model) -> None:
    lstm, token_ids = NumpyLSTM.of(Net.of(model)), np.random.default_rng(5).integers(0, 33, 200)
    h, c = (state[0] for state in lstm.start(1))
    for token_id, expected in zip(token_ids, by_keras(model, token_ids), strict=True):
        h, c = lstm.step(token_id, h, c)
        logits = lstm.logits(h)
        given = np.exp(logits - logits.max())
        assert given / given.sum() == pytest.approx(expected, abs=1e-5)


def test_a_net_whose_layers_branch_is_refused() -> None:
    given = keras.Input((3,))
    branch = keras.layers.Dense(3)(given)
    with pytest.raises(ValueError, match="expected layers that follow each other"):
        Net.of(keras.Model(given, keras.layers.add([given, branch])))


def test_a_net_with_other_layers_is_refused() -> None:
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="expected one LSTM layer"):
        NumpyLSTM.of(Net.of(other))
