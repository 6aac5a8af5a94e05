"""The XOR recipe does what its article shows."""

import numpy as np
import pandas as pd
import pytest

from keras_recipes import build_xor, evaluate, fit, predict
from keras_recipes.errors import GoalNotReachedError, InputError
from keras_recipes.models.fitted import Fitted

PARAMETERS = (2 * 10 + 10) + (10 * 1 + 1)

POINTS = [[0, 0], [0, 1], [1, 0], [1, 1]]
TARGETS = [0, 1, 1, 0]


def test_the_net_is_the_articles() -> None:
    model = build_xor()
    assert model.count_params() == 41
    assert [layer.activation.__name__ for layer in model.layers] == ["tanh", "sigmoid"]
    assert model.loss == "binary_crossentropy"
    assert type(model.optimizer).__name__ == "SGD"
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)


def test_two_sigmoid_units_make_the_net_of_three_logistic_regressions() -> None:
    assert build_xor(hidden_units=2, activation="sigmoid").count_params() == 9


def test_a_fit_that_was_ended_early_says_that_it_only_guesses(messages: list[str]) -> None:
    import keras

    class Enough(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            self.model.stop_training = True

    contradictory = [[0, 1], [0, 1], [0, 1]], [1, 0, 1]
    fitted = fit("xor", contradictory, callbacks=[Enough()], show_progress=False)
    assert fitted.card.metrics["accuracy"] == pytest.approx(2 / 3)
    (said,) = [message for message in messages if "guessing" in message]
    assert said == (
        "no better than guessing: accuracy 0.667, and always answering the commonest target gives "
        "0.667; try a smaller learning_rate"
    )


def test_every_output_ends_within_a_hundredth_of_its_target(fitted: Fitted) -> None:
    outputs = [row["probability"] for row in predict(fitted, POINTS)]
    assert outputs == pytest.approx(TARGETS, abs=0.01)


@pytest.mark.parametrize("seed", range(1, 6))
def test_it_is_learned_from_any_seed(seed: int) -> None:
    fitted = fit("xor", seed=seed, show_progress=False)
    assert evaluate(fitted)["largest_error"] <= 0.01


def test_a_seed_gives_the_same_weights_twice() -> None:
    one, other = (fit("xor", seed=3, show_progress=False).model.get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_stuck_net_starts_again_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    import keras

    class StuckAtFirst(keras.callbacks.Callback):
        """Start from weights of 0, at which the gradient on XOR is 0."""

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            if "starting again" not in caplog.text:
                self.model.set_weights([0 * weights for weights in self.model.get_weights()])

    stuck = fit("xor", extra_epochs=1_000, callbacks=[StuckAtFirst()], show_progress=False)
    assert evaluate(stuck)["largest_error"] <= 0.01
    assert stuck.card.training["restarts"] == 1
    assert "training longer" in caplog.text
    assert "starting again from other weights" in caplog.text


def test_a_fit_that_fails_says_what_it_reached() -> None:
    with pytest.raises(GoalNotReachedError, match=r"largest error 0\.\d+ after 100 epochs"):
        fit("xor", preset="article", show_progress=False)


def test_points_with_contradictory_targets_are_never_called_learned() -> None:
    with pytest.raises(GoalNotReachedError):
        fit("xor", data=([[0, 1], [0, 1]], [0, 1]), restarts=0, extra_epochs=0)


def test_a_learning_rate_that_diverges_is_named_as_the_reason() -> None:
    with pytest.raises(GoalNotReachedError):
        fit("xor", learning_rate=1e30, restarts=1, extra_epochs=0)


def test_it_learns_and_from_a_table_of_ones_own() -> None:
    table = pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "and": [0, 0, 0, 1]})
    fitted = fit("xor", data=(table[["a", "b"]], table["and"]), show_progress=False)
    assert [row["class"] for row in predict(fitted, table[["a", "b"]])] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "points", [[[0, 1]], np.array([[0.0, 1.0]]), pd.DataFrame([[0, 1]]), [0, 1]]
)
def test_lists_arrays_and_frames_are_asked_alike(fitted: Fitted, points: object) -> None:
    (row,) = predict(fitted, points)
    assert row["input"] == "0,1"
    assert row["class"] == 1
    assert type(row["probability"]) is float


@pytest.mark.parametrize("points", [[[0, 1, 2]], "0;1", [[0, float("nan")]], [[[0, 1]]], None])
def test_what_is_no_point_is_refused(fitted: Fitted, points: object) -> None:
    with pytest.raises(InputError, match="expected"):
        predict(fitted, points)


@pytest.mark.parametrize(
    ("x", "y", "complaint"),
    [
        ([[0, 1]], [0.5], "targets 0 or 1"),
        ([[0, 1], [1, 1]], [1], "a target for each point"),
    ],
)
def test_targets_that_do_not_fit_are_refused(x: object, y: object, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        fit("xor", data=(x, y))
