"""Folders and files of digits that were once misread or refused, with their right answers."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.command_line import Run
from tests.shared_data import shared_data


@pytest.fixture
def case(request: pytest.FixtureRequest, empty_folder: Path) -> None:
    """Copy a case's files into the test's folder."""
    place = shared_data("cases/digits") / request.param
    shutil.copytree(place, empty_folder, dirs_exist_ok=True)


def accuracy(recipes: Run, *data: str) -> tuple[float, str]:
    result = recipes(
        "evaluate", "lenet5", *(x for name in data for x in ("--data", name)), "--json"
    )
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["metrics"]["accuracy"], result.stderr


def rows(recipes: Run, *names: str) -> list[dict[str, str]]:
    result = recipes("predict", "lenet5", *names, "--format", "csv")
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(result.stdout.splitlines()))


@pytest.mark.full
@pytest.mark.parametrize("case", ["07-train-and-other-names-of-test-folder"], indirect=True)
@pytest.mark.usefixtures("case")
def test_training_and_testing_are_parts(recipes: Run) -> None:
    fitted = recipes("fit", "lenet5", "--data", "digits", "--epochs", "1", "--out", "out")
    assert fitted.exit_code == 0, fitted.stderr
    card = json.loads(Path("out/card.json").read_text())
    assert card["learned"]["labels"] == list("0123456789")
    assert card["data"]["paths"] == ["./digits"]  # and not the data set of this name
    pictures = len(list(Path("digits/testing").rglob("*.png")))
    assert card["data"]["test_examples"] == pictures
    reached, said = accuracy(recipes, "digits")
    assert reached == 1.0
    assert "the folder of this name is read, and not the data set" in said


@pytest.mark.parametrize("case", ["08-evaluate-by-class-names"], indirect=True)
@pytest.mark.usefixtures("case")
def test_three_of_ten_classes_are_measured(recipes: Run) -> None:
    reached, said = accuracy(recipes, "subset")
    assert reached == 1.0
    assert "all 9 examples are measured" in said


@pytest.mark.parametrize("case", ["09-files-of-macos-and-windows"], indirect=True)
@pytest.mark.usefixtures("case")
def test_what_macos_leaves_is_passed_over(recipes: Run) -> None:
    answers = rows(recipes, "digits")
    assert len(answers) == 30
    assert not any("._" in row["file"] for row in answers)
    assert accuracy(recipes, "digits")[0] >= 28 / 30


@pytest.mark.full
@pytest.mark.parametrize("case", ["10-emnist"], indirect=True)
@pytest.mark.usefixtures("case")
def test_emnist_is_read_by_its_parts_and_upright(recipes: Run) -> None:
    fitted = recipes("fit", "lenet5", "--data", "emnist", "--epochs", "1", "--out", "out")
    assert fitted.exit_code == 0, fitted.stderr
    data = json.loads(Path("out/card.json").read_text())["data"]
    assert (data["examples"] + data["validation_examples"], data["test_examples"]) == (60, 30)
    assert accuracy(recipes, "emnist")[0] == pytest.approx(0.9)


@pytest.mark.parametrize("case", ["11-kaggle-csv-predict"], indirect=True)
@pytest.mark.usefixtures("case")
def test_kaggles_test_csv_and_npy_get_answers(recipes: Run) -> None:
    table, array = rows(recipes, "test.csv"), rows(recipes, "x.npy")
    assert [row["file"] for row in table[:2]] == ["test.csv[0]", "test.csv[1]"]
    assert [row["prediction"] for row in table] == [row["prediction"] for row in array]


@pytest.mark.parametrize("case", ["12-pixel-csv-variants"], indirect=True)
@pytest.mark.parametrize("name", ["nohead.csv", "floats.csv"])
@pytest.mark.usefixtures("case")
def test_tables_without_header_or_with_floats_are_read(recipes: Run, name: str) -> None:
    assert accuracy(recipes, name)[0] == pytest.approx(0.9)
