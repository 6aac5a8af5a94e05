"""Calibrated probabilities, and answers that are unsure by default."""

import csv
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.strangers import printed, straight
from keras_recipes import extras, load, predict
from keras_recipes.data.dataset import Batch
from keras_recipes.digits import calibration, classifier
from keras_recipes.digits.calibration import Calibration
from keras_recipes.digits.characters import normalize, seen
from keras_recipes.digits.pictures import grey
from keras_recipes.errors import CorruptModelError
from tests.command_line import Run
from tests.digits.drawn import seven, seven_on_paper
from tests.shared_data import shared_data

SHIPPED = Path(__file__).parents[2] / "saved_models" / "shipped"

MILD = {"temperature": 1.0}
OUTPUTS = np.array([[0.7, 0.2, 0.1]], "float32")

SEVEN = normalize(np.asarray(seven()) / 255)[None, ..., None]
HASH = np.zeros((1, 28, 28, 1), "uint8")
HASH[0, 4:24, 9:11] = HASH[0, 4:24, 17:19] = HASH[0, 9:11, 4:24] = HASH[0, 17:19, 4:24] = 255


def answers(
    images: np.ndarray = SEVEN, kept: object = MILD, **options: object
) -> list[dict[str, object]]:
    learned = {"labels": ["ant", "bee", "cow"], "calibration": kept}
    return list(classifier.interpret(Batch(["a.png"], images), OUTPUTS, learned, **options))


def test_a_temperature_of_two_takes_the_root_of_the_odds() -> None:
    (row,) = answers(kept={"temperature": 2.0}, all_probabilities=True)
    odds = math.sqrt(0.7 / 0.2)
    assert row["p_ant"] / row["p_bee"] == pytest.approx(odds)
    assert row["p_ant"] + row["p_bee"] + row["p_cow"] == pytest.approx(1, abs=0.05)


def test_the_chance_of_something_else_is_missing_in_the_sum() -> None:
    (row,) = answers(HASH, all_probabilities=True)
    assert row["prediction"] == "unsure"
    assert row["p_ant"] + row["p_bee"] + row["p_cow"] < 0.1


def test_without_ai_edge_litert_everything_counts_as_a_digit(
    monkeypatch: pytest.MonkeyPatch, messages: list[str]
) -> None:
    monkeypatch.setattr(extras, "is_here", lambda package: False)
    assert answers(HASH)[0]["probability"] == pytest.approx(0.7)
    assert "ai-edge-litert is not installed" in messages[-1]


def test_without_a_calibration_the_probabilities_are_the_net_s() -> None:
    batch = Batch(["a.png"], SEVEN)
    (row,) = classifier.interpret(batch, OUTPUTS, {"labels": ["ant", "bee", "cow"]})
    assert row["probability"] == pytest.approx(0.7)


def test_cards_with_the_weights_of_earlier_versions_are_read() -> None:
    earlier = {**MILD, "weights": [[0.0] * 3] * 3, "biases": [-50.0] * 3}
    assert answers(kept=earlier) == answers()


@given(
    st.lists(st.floats(0.001, 1), min_size=3, max_size=3),
    st.floats(0.1, 10),
    st.integers(0, 2**32 - 1),
)
def test_a_calibration_changes_no_answer(
    values: list[float], temperature: float, seed: int
) -> None:
    outputs = np.array([values]) / sum(values)
    image = np.random.default_rng(seed).integers(0, 256, (1, 28, 28, 1), "uint8")
    found = calibration.calibrated(outputs, Calibration(temperature), image)
    assert found.sum() <= 1 + 1e-9
    assert found.min() >= 0
    assert found[0, outputs.argmax()] == found.max()


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        3,
        {},
        {"temperature": 0},
        {"temperature": 1e300},
        {"temperature": "hot"},
    ],
)
def test_a_calibration_of_a_card_is_not_trusted(damaged: object) -> None:
    with pytest.raises(CorruptModelError, match="its card: calibration: "):
        answers(kept=damaged)


def test_a_damaged_calibration_ends_the_command_with_status_4(recipes: Run) -> None:
    shutil.copytree(SHIPPED / "lenet5", "copied")
    card = json.loads(Path("copied/card.json").read_text())
    card["learned"]["calibration"]["temperature"] = "hot"
    Path("copied/card.json").write_text(json.dumps(card))
    result = recipes("predict", "copied", seven_on_paper("seven.png"))
    assert result.exit_code == 4
    assert "calibration" in result.stderr.splitlines()[-1]


def test_a_letter_is_unsure_unless_the_threshold_is_turned_off(recipes: Run) -> None:
    random = np.random.default_rng(5)
    for letter in "MXKW":
        printed(letter, random, ("STIXGeneral",)).save(f"{letter}.png")
    asked = "predict", "lenet5", "M.png", "X.png", "K.png", "W.png", "--format", "csv"
    said, off = (
        [row["prediction"] for row in csv.DictReader(recipes(*asked, *more).stdout.splitlines())]
        for more in ((), ("--set", "unsure_below=0"))
    )
    assert said.count("unsure") >= 2
    assert "unsure" not in off


@pytest.mark.parametrize("name", ["lenet5", "mnist-mlp"])
def test_letters_are_unsure_for_both_nets_and_plain_digits_are_not(name: str) -> None:
    random = np.random.default_rng(6)
    fonts = ("STIXGeneral", "cmss10")
    letters = [seen(grey(printed(one, random, fonts))).image for one in 3 * "AEFHKMNPRWX"]
    said = [row["prediction"] for row in predict(load(SHIPPED / name), np.array(letters))]
    assert said.count("unsure") > 0.9 * len(letters)
    digits = [seen(grey(picture)).image for _, _, picture in straight(6)]
    said = [row["prediction"] for row in predict(load(SHIPPED / name), np.array(digits))]
    assert said.count("unsure") <= 0.02 * len(digits)


@pytest.mark.full
@pytest.mark.parametrize(("name", "most"), [("lenet5", 0.005), ("mnist-mlp", 0.005)])
def test_by_default_few_of_mnist_s_digits_are_unsure(name: str, most: float) -> None:
    with np.load(shared_data("datasets/keras_home/datasets/mnist.npz")) as arrays:
        rows = predict(load(SHIPPED / name), arrays["x_test"])
    assert sum(row["prediction"] == "unsure" for row in rows) <= most * len(rows)


def test_a_model_that_learns_on_has_no_calibration_of_another_net(recipes: Run) -> None:
    images = np.random.default_rng(0).integers(0, 255, (60, 28, 28), "uint8")
    np.savez("own.npz", x=images, y=np.arange(60) % 10)
    result = recipes(
        "fit",
        "mnist-mlp",
        "--from",
        "mnist-mlp",
        "--data",
        "own.npz",
        "--epochs",
        "1",
        "--out",
        "on",
    )
    assert result.exit_code == 0, result.stderr
    assert "calibration" not in json.loads(Path("on/card.json").read_text())["learned"]
