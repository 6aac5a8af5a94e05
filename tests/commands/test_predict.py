"""`recipes predict`: answers for points, and refusals of wrong inputs."""

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.command_line import Run

POINTS = ("0,0", "0,1", "1,0", "1,1")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_predictions_for_programs_have_the_documented_columns(
    recipes: Run, saved: Path, form: str
) -> None:
    text = recipes("predict", "xor", *POINTS, "--format", form).stdout
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
    else:
        rows = [json.loads(line) for line in text.splitlines()]
    assert [list(row) for row in rows] == [["input", "probability", "class"]] * 4
    assert [row["input"] for row in rows] == list(POINTS)
    assert [int(row["class"]) for row in rows] == [0, 1, 1, 0]


def test_values_files_and_stdin_are_answered_alike(
    recipes: Run, saved: Path, empty_folder: Path
) -> None:
    text = "x1,x2\n0,1\n\n1,1\n"
    (empty_folder / "points.csv").write_text(text)
    ask = ("predict", "xor", "--format", "csv")
    typed = recipes(*ask, "0,1", "1,1")
    assert typed.exit_code == 0
    assert recipes(*ask, "points.csv").stdout == typed.stdout
    assert recipes(*ask, "-", input=text).stdout == typed.stdout


def test_negative_values_go_behind_two_dashes(recipes: Run, saved: Path) -> None:
    result = recipes("predict", "xor", "--format", "csv", "--", "-1,0.5")
    assert result.stdout.splitlines()[1].startswith('"-1,0.5",')


def test_a_long_file_is_answered_row_by_row(recipes: Run, saved: Path, empty_folder: Path) -> None:
    (empty_folder / "many.csv").write_text("0,1\n" * 10_000)
    result = recipes("predict", "xor", "many.csv", "--format", "csv")
    assert len(result.stdout.splitlines()) == 10_001


@pytest.mark.parametrize("content", ["", "\n \n\n", "x1,x2\n"])
def test_points_where_there_are_none_are_refused(recipes: Run, saved: Path, content: str) -> None:
    Path("none.csv").write_text(content)
    for asked, extra in (("none.csv", {}), ("-", {"input": content})):
        result = recipes("predict", "xor", asked, **extra)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"error: {asked}: expected points x1,x2, received none\n"


def test_output_goes_to_a_file_when_asked(recipes: Run, saved: Path, empty_folder: Path) -> None:
    result = recipes("predict", "xor", "0,1", "--format", "csv", "--output", "answers/a.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (empty_folder / "answers" / "a.csv").read_text().startswith("input,probability,class\n")


def test_a_pipe_that_is_named_as_output_is_written_to(
    recipes: Run, saved: Path, empty_folder: Path
) -> None:
    os.mkfifo(empty_folder / "pipe")
    reader = os.open(empty_folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    result = recipes("predict", "xor", "0,1", "--format", "csv", "--output", "pipe")
    assert result.exit_code == 0, result.stderr
    assert os.read(reader, 1000).startswith(b"input,probability,class\n")
    os.close(reader)


def test_bad_input_leaves_an_earlier_output_alone(
    recipes: Run, saved: Path, empty_folder: Path
) -> None:
    (empty_folder / "a.csv").write_text("precious")
    (empty_folder / "in.csv").write_text("0,1\n" * 5_000 + "0,x\n")
    result = recipes("predict", "xor", "in.csv", "--format", "csv", "--output", "a.csv")
    assert result.exit_code == 2
    assert "in.csv line 5001" in result.stderr
    assert (empty_folder / "a.csv").read_text() == "precious"


def test_a_pair_without_a_recipe_gives_its_raw_outputs(recipes: Run, saved: Path) -> None:
    bare = saved.parent / "bare"
    bare.mkdir()
    for name in ("model.json", "model.weights.h5"):
        shutil.copy(saved / name, bare / name)
    pair = (str(bare / "model.json"), "--weights", str(bare / "model.weights.h5"))
    result = recipes("predict", *pair, "0,1", "1,1", "--format", "csv")
    assert result.stdout.splitlines()[0] == "row,output_0"
    assert len(result.stdout.splitlines()) == 3
    assert "it could not be verified" in result.stderr


def test_a_recipe_that_is_not_fitted_says_how_to(recipes: Run) -> None:
    result = recipes("predict", "xor", "0,1")
    assert result.exit_code == 2
    assert "run `recipes fit xor`" in result.stderr


def test_a_model_that_is_code_is_refused_as_unsafe(recipes: Run) -> None:
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)]).save("code.keras")
    result = recipes("predict", "code.keras", "0,1")
    assert result.exit_code == 3
    assert "refused, Lambda is not opened: it holds code" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("damage", ["remove", "truncate", "swap"])
@pytest.mark.parametrize("member", ["model.json", "model.weights.h5", "card.json"])
def test_a_damaged_model_exits_4_with_one_line(
    recipes: Run, saved: Path, member: str, damage: str
) -> None:
    path = saved / member
    if damage == "remove":
        path.unlink()
    elif damage == "truncate":
        path.write_bytes(path.read_bytes()[:-50])
    else:
        shutil.copy(saved / "history.csv", path)
    result = recipes("predict", "xor", "0,1")
    if member == "card.json" and damage == "remove":
        assert "could not be verified" in result.stderr
        return
    assert result.exit_code == 4
    assert member in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
