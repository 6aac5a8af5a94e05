"""One neuron learns what a line separates, and nothing else."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes import build_perceptron, fit, points, predict
from keras_recipes.cookbook import perceptron
from keras_recipes.data.dataset import Examples
from keras_recipes.models.fitted import Fitted
from tests.checkout import ROOT

PARAMETERS = 2 * 1 + 1

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")


def learned(table: str, **options: object) -> Fitted:
    return fit("perceptron", table=table, show_progress=False, **options)


def classes(fitted: Fitted) -> list[int]:
    return [row["class"] for row in predict(fitted, CORNERS)]


@pytest.mark.parametrize("preset", [None, "rosenblatt"])
@pytest.mark.parametrize(("table", "targets"), [("and", [0, 0, 0, 1]), ("or", [0, 1, 1, 1])])
def test_it_learns_what_a_line_separates(
    preset: str | None, table: str, targets: list[int]
) -> None:
    for seed in range(3):
        assert classes(learned(table, preset=preset, seed=seed)) == targets


@pytest.mark.parametrize("preset", [None, "rosenblatt"])
def test_it_never_learns_xor_and_says_why(preset: str | None, messages: list[str]) -> None:
    fitted = learned("xor", preset=preset)
    assert fitted.card.metrics["accuracy"] < 1
    assert any("no line separates the targets" in message for message in messages)


def test_what_a_line_separates_is_learned_without_a_warning(messages: list[str]) -> None:
    learned("and", epochs=1)
    assert not any("no line" in message for message in messages)


def test_the_rule_adds_the_error_times_the_input() -> None:
    model = build_perceptron(rule="perceptron", learning_rate=0.5)
    kernel, bias = np.array([[0.3], [-0.2]], "float32"), np.array([0.1], "float32")
    for x, target in itertools.product(CORNERS, (0.0, 1.0)):
        model.set_weights([kernel, bias])
        model.fit(x[None], np.array([[target]]), verbose=0)
        error = target - float(x @ kernel[:, 0] + bias[0] >= 0)
        changed, moved = model.get_weights()
        assert changed[:, 0] == pytest.approx(kernel[:, 0] + 0.5 * error * x)
        assert moved == pytest.approx(bias + 0.5 * error)


def test_by_the_rule_it_answers_zero_or_one() -> None:
    rows = predict(learned("and", preset="rosenblatt"), [[0, 0], [1, 1], [5, -3]])
    assert {row["probability"] for row in rows} <= {0.0, 1.0}


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(*[st.floats(-3, 3) for _ in range(3)]),
    st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=12),
)
def test_points_on_two_sides_of_a_line_are_called_separable(
    line: tuple[float, float, float], where: list[tuple[float, float]]
) -> None:
    x = np.array(where, "float32")
    distance = x @ np.array(line[:2], "float32") + line[2]
    x, distance = x[abs(distance) > 0.1], distance[abs(distance) > 0.1]
    if len(x):
        assert points.one_line_separates(Examples(x, (distance > 0)[:, None].astype("float32")))


def test_xor_is_not_separable_however_it_is_moved() -> None:
    targets = np.array([[0], [1], [1], [0]], "float32")
    for scale, shift in ((1, 0), (100, -7), (0.01, 3)):
        assert not points.one_line_separates(Examples(CORNERS * scale + shift, targets))


def test_the_line_is_drawn_from_before_training_to_the_last_epoch() -> None:
    fitted = learned("or", epochs=100)
    weights = perceptron.lines(fitted, perceptron.read((), table="or"))
    assert [min(weights), max(weights)] == [0, 100]
    for drawn, kept in zip(weights[0], fitted.first_weights, strict=True):
        assert np.array_equal(drawn, kept)
    for drawn, kept in zip(weights[100], fitted.model.get_weights(), strict=True):
        assert drawn == pytest.approx(kept, abs=1e-5)
    names = [name for name, _ in perceptron.figures(fitted, perceptron.read((), table="or"))]
    assert names == ["loss", "surface", "line"]


def drawn(fitted: Fitted, table: str) -> tuple[list[str], str]:
    """What the picture of the line names, and what it says above the lines."""
    pictures = dict(perceptron.figures(fitted, perceptron.read((), table=table)))
    (axes,) = pictures["line"].axes
    return axes.get_legend_handles_labels()[1], axes.get_title()


def test_rounding_is_not_drawn_as_a_line() -> None:
    named, said = drawn(learned("xor"), "xor")
    assert "32 epochs" in named
    assert "2,000 epochs" not in named
    assert said == "2,000 epochs: the sum is almost 0 everywhere, no line"
    named, said = drawn(learned("and"), "and")
    assert "2,000 epochs" in named
    assert not said


@pytest.mark.parametrize("preset", [None, "rosenblatt"])
def test_a_perfect_answer_has_a_loss_of_0(preset: str | None) -> None:
    loss = learned("and", preset=preset).card.metrics["loss"]
    assert str(loss) == "0.0" if preset else 0 < loss < 0.01


@pytest.mark.parametrize("epochs", [1, 2, 3, 20, 100_000])
def test_few_lines_are_drawn_however_long_the_training(epochs: int) -> None:
    moments = perceptron.moments(epochs)
    assert moments == sorted(set(moments))
    assert moments[-1] == epochs
    assert len(moments) <= perceptron.DRAWN


def test_the_script_learns_and_and_or_and_not_xor() -> None:
    command = [sys.executable, str(ROOT / "recipes" / "perceptron.py")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "perceptron rule, AND: all right" in printed
    assert "perceptron rule, OR: all right" in printed
    assert "wrong in pass 100" in printed
    assert "gradient descent, AND: " in printed
    assert printed.count("4 of 4 right") == 2
    assert printed.count("the same: True") == 3
