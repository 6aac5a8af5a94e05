"""The net in NumPy has the same outputs as Keras, and learns while it reads."""

import keras
import numpy as np
import pytest

from keras_recipes.anomaly.series.online_lstm import OnlineLSTM

CLASSES = 7


def sequence(length: int = 400, seed: int = 1) -> np.ndarray:
    """Return the classes in turn, with one of them left out at times."""
    return np.cumsum(1 + (np.random.default_rng(seed).random(length) < 0.1)) % CLASSES


def keras_model(weights: list[np.ndarray], steps: int) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((steps, CLASSES)),
            keras.layers.LSTM(10, return_sequences=True),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.set_weights(weights)
    return model


def test_probabilities_are_those_of_keras_with_the_same_weights() -> None:
    net = OnlineLSTM(CLASSES, seed=5, learning_rate=0)
    classes = sequence(50)
    ours = net.observe(classes.tolist())
    one_hot = np.eye(CLASSES, dtype=np.float32)[classes]
    theirs = np.asarray(keras_model(net.weights, 50)(one_hot[None]))[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_weights_from_keras_are_taken_as_they_are() -> None:
    net = OnlineLSTM(CLASSES, learning_rate=0)
    model = keras_model(OnlineLSTM(CLASSES, seed=9).weights, 3)
    net.weights = model.get_weights()
    for ours, theirs in zip(net.weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours.astype(np.float32), theirs)


def test_gradients_are_those_of_the_loss() -> None:
    # After one pass with a tiny learning rate, Adam's first step has the sign of the negative
    # gradient. A small change of a weight must change the loss with the opposite sign.
    net, classes = OnlineLSTM(CLASSES, seed=2), sequence(33)
    before = [w.copy() for w in net.weights]

    def loss(weights: list[np.ndarray]) -> float:
        probe = OnlineLSTM(CLASSES, learning_rate=0)
        probe.weights = weights
        said = probe.observe(classes[:-1].tolist())
        return -float(np.mean([np.log(p[c]) for p, c in zip(said, classes[1:], strict=True)]))

    net.learn(classes, epochs=1, rate=1e-6, length=32)
    for part, (old, new) in enumerate(zip(before, net.weights, strict=True)):
        place = np.unravel_index(int(np.abs(new - old).argmax()), old.shape)
        nudged = [w.copy() for w in before]
        nudged[part][place] += 1e-4
        slope = loss(nudged) - loss(before)
        assert np.sign(slope) == -np.sign((new - old)[place]), part


def test_what_was_learned_beats_the_best_guess_without_a_net() -> None:
    classes = sequence(750)
    loss = OnlineLSTM(CLASSES).learn(classes)
    assert loss < 0.6 < np.log(CLASSES)


def test_reading_on_learns_a_sequence_that_the_training_data_did_not_have() -> None:
    normal, new = np.arange(600) % CLASSES, (-np.arange(3000)) % CLASSES
    net = OnlineLSTM(CLASSES)
    net.learn(normal)
    said = net.observe(new.tolist())
    right = np.array([p[c] for p, c in zip(said[:-1], new[1:], strict=True)])
    assert right[:50].mean() < 0.3
    assert right[-200:].mean() > 0.5


def test_learning_rate_0_keeps_the_weights() -> None:
    net = OnlineLSTM(CLASSES, learning_rate=0)
    before = net.weights
    net.observe(sequence(100).tolist())
    for old, new in zip(before, net.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("length", [1, 2, 3, 20, 32, 33, 64, 100])
def test_any_length_can_be_learned_from(length: int) -> None:
    net = OnlineLSTM(CLASSES)
    assert np.isfinite(net.learn(sequence(length), epochs=3))
    assert net.observe([0]).sum() == pytest.approx(1)


def test_a_kept_state_goes_on_where_it_was_in_the_middle_of_an_update() -> None:
    net, classes = OnlineLSTM(CLASSES, seed=3), sequence(200).tolist()
    net.observe(classes[:105])
    other = OnlineLSTM(CLASSES, seed=4)
    other.restore(net.state())
    np.testing.assert_array_equal(net.observe(classes[105:]), other.observe(classes[105:]))


def test_classes_one_by_one_and_at_once_have_the_same_answers() -> None:
    one, other = OnlineLSTM(CLASSES, seed=3), OnlineLSTM(CLASSES, seed=3)
    classes = sequence(200).tolist()
    single = np.concatenate([one.observe([c]) for c in classes])
    np.testing.assert_array_equal(single, other.observe(classes))


def test_a_state_in_the_middle_of_an_update_goes_on_without_learning() -> None:
    net, classes = OnlineLSTM(CLASSES, seed=3), sequence(60).tolist()
    net.observe(classes[:5])
    fixed, learning = OnlineLSTM(CLASSES, learning_rate=0), OnlineLSTM(CLASSES)
    for other in (fixed, learning):
        other.restore(net.state())
    # The other one learns when sixteen steps are on its tape.
    np.testing.assert_array_equal(fixed.observe(classes[5:16]), learning.observe(classes[5:16]))
