"""The net's prediction of the next class is that of Keras, and its state can be kept."""

import json

import keras
import numpy as np
import pytest

from keras_recipes import build_lstm_anomaly
from keras_recipes.anomaly.numpy_lstm import LSTMWeights
from keras_recipes.anomaly.series import detector_state
from keras_recipes.anomaly.series.dataset import VOCABULARY_SIZE, token_ids
from keras_recipes.anomaly.series.detector import SeriesDetector
from keras_recipes.anomaly.series.forecast import ClassForecast
from keras_recipes.anomaly.series.value_classes import ValueClasses
from tests.anomaly.series.nets import counted

CLASSES = ValueClasses(np.arange(9.0))
SEQUENCE = np.random.default_rng(1).integers(0, CLASSES.count, 60).tolist()


@pytest.fixture(scope="module", params=["lstm", "peephole"])
def model(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(3)
    net = build_lstm_anomaly(cell=request.param, classes=VOCABULARY_SIZE)
    random = np.random.default_rng(3)
    # The weights are larger than those of a new net, so that gates open and close.
    net.set_weights([w + random.normal(scale=0.5, size=w.shape) for w in net.get_weights()])
    return net


def forecast(model: keras.Model) -> ClassForecast:
    return ClassForecast(LSTMWeights.of(model).of_tokens(token_ids(CLASSES)))


def test_a_surprise_is_the_tail_that_keras_gives_to_the_column_s_classes(
    model: keras.Model,
) -> None:
    net, tokens = forecast(model), token_ids(CLASSES)
    read = np.array([[tokens[c] for c in SEQUENCE]], "int32")
    given = np.asarray(keras.ops.convert_to_numpy(model(read)))[0][:, tokens]
    given /= given.sum(axis=1, keepdims=True)
    found = [net.surprise(c) for c in SEQUENCE]
    assert found[0] == 0
    for surprise, likely, c in zip(found[1:], given, SEQUENCE[1:], strict=False):
        tail = 2 * min(likely[c:].sum(), likely[: c + 1].sum())
        assert surprise == pytest.approx(max(0.0, -np.log10(tail)), abs=1e-4)


def test_a_kept_state_goes_on_where_it_was(model: keras.Model) -> None:
    net = forecast(model)
    for c in SEQUENCE[:25]:
        net.surprise(c)
    state = net.state()
    other = ClassForecast.from_state(state, classes=CLASSES.count, units=net.units)
    assert [net.surprise(c) for c in SEQUENCE[25:]] == [other.surprise(c) for c in SEQUENCE[25:]]


def test_reading_leaves_the_weights_as_they_are(model: keras.Model) -> None:
    net = forecast(model)
    before = net.state()["weights"]
    for c in SEQUENCE:
        net.surprise(c)
    assert np.array_equal(net.state()["weights"], before)


def test_a_state_of_a_net_that_went_on_learning_is_continued() -> None:
    values = [float(n % 7) for n in range(60)]
    detector = SeriesDetector()
    detector.learn([None] * 60, values, counted(values))
    state = detector.state()
    plain = json.loads(state["plain"].tobytes())
    plain["options"] |= {"seed": 0, "rate": 0.003}
    units, classes = plain["options"]["units"], detector.classes.count
    older = {
        **state,
        "plain": np.frombuffer(json.dumps(plain).encode(), "uint8"),
        "net_first": state["net_weights"] / 100,
        "net_second": state["net_weights"] ** 2,
        "net_updates": np.array(4),
        "net_inputs": np.array([1, 2]),
        "net_tape_gates": np.zeros((2, 4 * units)),
        "net_tape_probabilities": np.zeros((2, classes)),
    }
    again = detector_state.restored(older)
    assert again.update(None, 3.0) == detector.update(None, 3.0)
    assert not {"net_first", "net_inputs"} & set(again.state())
