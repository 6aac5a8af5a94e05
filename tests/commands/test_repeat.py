"""A fit is repeated from its card, and what differs is said."""

import json
from pathlib import Path

import numpy as np
import pytest

from keras_recipes import InputError, fit, load, repeat
from tests.command_line import Run


def card_with(folder: Path, **changes: object) -> None:
    place = folder / "card.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), **changes}))


def test_a_repeated_fit_has_the_same_weights(saved: Path, recipes: Run) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    result = recipes("fit", "xor", "--repeat", str(saved), "--json")
    assert result.exit_code == 0, result.stderr
    assert "repeated: the weights are equal, bit by bit" in result.stderr
    told = json.loads(result.stdout)
    assert told["equal"] is True
    assert told["differences"] == []
    assert told["earlier_metrics"] == told["metrics"]
    # The model that was repeated stays as it was, and nothing else is written.
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_repeated_fit_is_saved_where_out_says(saved: Path, recipes: Run) -> None:
    assert recipes("fit", "xor", "--repeat", "xor", "--out", "again").exit_code == 0
    both = zip(load("xor").model.weights, load("again").model.weights, strict=True)
    assert all(np.array_equal(mine, theirs) for mine, theirs in both)


def test_other_versions_are_said(saved: Path, recipes: Run) -> None:
    versions = {**load(saved).card.versions, "keras": "3.0.0"}
    card_with(saved, versions=versions)
    result = recipes("fit", "xor", "--repeat", "xor")
    assert "not as it was: keras was 3.0.0, is 3." in result.stderr


def test_other_data_is_said_and_the_weights_are_compared(empty_folder: Path, recipes: Run) -> None:
    Path("and.csv").write_text("0,0,0\n0,1,0\n1,0,0\n1,1,1\n")
    fit("xor", "and.csv", out="and", show_progress=False)
    Path("and.csv").write_text("0,0,0\n0,1,1\n1,0,1\n1,1,1\n")
    result = recipes("fit", "xor", "--repeat", "and")
    assert result.exit_code == 0, result.stderr
    assert "the data was and.csv, is and.csv, with other examples" in result.stderr
    assert "repeated: weights differ by up to" in result.stderr


def test_data_of_python_is_named_again(saved: Path) -> None:
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float), np.array([0.0, 1, 1, 0])
    fitted = fit("xor", (x, y), seed=3, show_progress=False)
    with pytest.raises(InputError, match="name the data"):
        repeat(fitted)
    assert repeat(fitted, (x, y)).equal


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--seed", "0"], "--seed: a repeated fit has the options of its model"),
        (["--set", "epochs=5"], "--set: a repeated fit"),
        (["--from", "xor"], "--from: a repeated fit"),
        (["--fresh"], "--fresh: a repeated fit"),
    ],
)
def test_options_beside_it_are_refused(
    more: list[str], told: str, saved: Path, recipes: Run
) -> None:
    result = recipes("fit", "xor", "--repeat", "xor", *more)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_model_of_another_recipe_is_refused(recipes: Run, empty_folder: Path) -> None:
    result = recipes("fit", "xor", "--repeat", "lenet5")
    assert result.exit_code == 2
    assert "expected a fitted xor, received a lenet5" in result.stderr


def test_a_fit_that_went_on_from_another_cannot_be_repeated(saved: Path, recipes: Run) -> None:
    assert recipes("fit", "xor", "--from", "xor", "--epochs", "5", "--out", "on").exit_code in (
        0,
        1,
    )
    fitted = fit("xor", start="xor", seed=5, out="on", show_progress=False)
    assert fitted.card.training["start"]
    result = recipes("fit", "xor", "--repeat", "on")
    assert result.exit_code == 2
    assert "received one that continued the training of another model" in result.stderr


@pytest.mark.full
@pytest.mark.parametrize("name", ["mnist-mlp", "lenet5"])
def test_digits_are_repeated_bit_by_bit(name: str, empty_folder: Path) -> None:
    fitted = fit(name, "digits", epochs=2, show_progress=False, out="model")
    assert repeat("model").equal
    assert fitted.card is not None


@pytest.mark.full
def test_a_log_is_repeated_bit_by_bit(empty_folder: Path) -> None:
    lines = [
        f"2026-03-01T10:{n // 60:02}:{n % 60:02} order {n // 4} {'abcd'[n % 4]}" for n in range(400)
    ]
    Path("app.log").write_text("\n".join(lines) + "\n")
    fit("lstm-anomaly", "app.log", out="m", session=r"order (\d+)", epochs=2, show_progress=False)
    found = repeat("m")
    assert found.equal
    assert found.metrics["loss"][0] == found.metrics["loss"][1]
