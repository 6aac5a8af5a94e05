"""Files that are replaced or hidden are always named in a message."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipes import load, save
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import locate
from keras_recipes.train import checkpoint
from tests.command_line import Run
from tests.digits.drawn import seven


def replaced(messages: str) -> list[str]:
    return [line for line in messages.splitlines() if line.startswith("replaced ")]


def test_a_fit_over_an_earlier_one_says_which_and_how_good_that_was(
    recipes: Run, saved: Path
) -> None:
    written = time.mktime((2026, 11, 25, 10, 3, 0, 0, 0, -1))
    os.utime(saved / "card.json", (written, written))
    again = recipes("fit", "xor", "--json")
    assert replaced(again.stderr) == [
        "replaced the fit of 2026-11-25 10:03 on the four points of XOR (accuracy 1)"
    ]
    assert "replaced" not in again.stdout
    elsewhere = recipes("fit", "xor", "--out", "elsewhere")
    assert replaced(elsewhere.stderr) == []


def test_save_says_from_python_what_it_replaced(
    fitted: Fitted, saved: Path, messages: list[str], capsys: pytest.CaptureFixture
) -> None:
    save(fitted, saved)
    assert any("replaced the fit of" in message for message in messages)
    assert capsys.readouterr().out == ""


def test_a_damaged_model_is_replaced_with_a_word_too(recipes: Run, saved: Path) -> None:
    (saved / "card.json").write_text("{")
    assert replaced(recipes("fit", "xor").stderr) == ["replaced what was in " + str(saved)]


@pytest.mark.parametrize(
    ("form", "was"), [("keras", "the file that was at"), ("json-h5", "the folder that was at")]
)
def test_an_export_over_an_earlier_one_says_so(
    recipes: Run, saved: Path, form: str, was: str
) -> None:
    first, second = (recipes("export", "xor", "--format", form) for _ in range(2))
    assert first.exit_code == second.exit_code == 0, second.stderr
    assert replaced(first.stderr) == []
    assert replaced(second.stderr) == [f"replaced {was} {second.stdout.strip()}"]


def test_answers_pictures_and_conversions_say_what_they_replaced(recipes: Run, saved: Path) -> None:
    bare = Path("old")
    bare.mkdir()
    shutil.copy(saved / "model.json", bare / "model.json")
    shutil.copy(saved / "model.weights.h5", bare / "model.weights.h5")
    for arguments, said in (
        (["predict", "xor", "0,1", "--format", "csv", "--output", "a.csv"],
         "replaced the file that was at a.csv"),
        (["plot", "xor"], "replaced 3 pictures in plots/xor"),
        (["convert", "old/model.json", "--output", "new"], "replaced the model that was in new"),
    ):  # fmt: skip
        first, second = recipes(*arguments), recipes(*arguments)
        assert first.exit_code == second.exit_code == 0, second.stderr
        assert (replaced(first.stderr), replaced(second.stderr)) == ([], [said])


def test_a_fit_that_shadows_a_shipped_model_is_named_once_a_command(recipes: Run) -> None:
    seven().save("seven.png")
    said = "using the model in saved_models/lenet5, fitted on mnist"
    assert "using the model in" not in recipes("predict", "lenet5", "seven.png").stderr
    shutil.copytree(locate.shipped("lenet5"), "saved_models/lenet5")
    for arguments in (
        ["predict", "lenet5", "seven.png"],
        ["predict", "LeNet5", "seven.png"],
        ["evaluate", "lenet5", "--data", "digits"],
        ["export", "lenet5", "--format", "keras"],
    ):
        result = recipes(*arguments)
        assert result.exit_code == 0, result.stderr
        assert result.stderr.splitlines().count(said) == 1
    by_path = recipes("predict", "saved_models/lenet5", "seven.png")
    assert "using the model in" not in by_path.stderr


def test_python_is_told_by_a_log_message_what_answers(
    messages: list[str], capsys: pytest.CaptureFixture
) -> None:
    shutil.copytree(locate.shipped("mnist-mlp"), "saved_models/mnist-mlp")
    load("mnist-mlp")
    assert "using the model in saved_models/mnist-mlp, fitted on mnist" in messages
    assert capsys.readouterr().out == ""


def test_what_shadows_nothing_is_not_mentioned(recipes: Run, saved: Path) -> None:
    assert recipes("predict", "xor", "0,1").stderr == ""


@pytest.fixture
def kept() -> Path:
    """Write a file that looks like a stopped fit of XOR, as long as it is not resumed."""
    path = Path("saved_models", ".xor.checkpoint.npz")
    path.parent.mkdir()
    path.write_bytes(b"kept")
    return path


def test_a_fit_over_a_stopped_one_names_the_ways_out(recipes: Run, kept: Path) -> None:
    refused = recipes("fit", "xor")
    assert refused.exit_code == 2
    assert "continue it with --resume, or discard it with --fresh" in refused.stderr
    assert kept.read_bytes() == b"kept"
    assert not Path("saved_models/xor").exists()


def test_fresh_drops_what_is_kept_and_fits_anew(recipes: Run, kept: Path) -> None:
    done = recipes("fit", "xor", "--fresh")
    assert done.exit_code == 0, done.stderr
    assert f"discarded the fit that was stopped and kept as {kept.resolve()}" in done.stderr
    assert not kept.exists()
    again = recipes("fit", "xor", "--fresh")
    assert again.exit_code == 0, again.stderr
    assert "dropped" not in again.stderr


def test_fresh_drops_nothing_where_the_fit_is_refused(recipes: Run, kept: Path) -> None:
    assert recipes("fit", "xor", "--fresh", "--data", "missing.csv").exit_code == 2
    assert recipes("fit", "xor", "--fresh", "--epochs", "0").exit_code == 2
    assert kept.exists()


def test_a_fit_that_failed_keeps_nothing_to_go_on_with(
    recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    for _ in range(2):
        failed = recipes("fit", "xor", "--preset", "article")
        assert failed.exit_code == 1
        assert "not reached" in failed.stderr.splitlines()[-1]


@pytest.mark.parametrize("asked", ["points.csv", "*.csv", "./points.csv"])
def test_answers_never_replace_what_is_asked_about(recipes: Run, saved: Path, asked: str) -> None:
    Path("points.csv").write_text("0,1\n1,1\n")
    result = recipes("predict", "xor", asked, "--output", "points.csv")
    assert result.exit_code == 2
    assert "points.csv is one of the inputs" in result.stderr
    assert Path("points.csv").read_text() == "0,1\n1,1\n"


def test_pictures_that_are_left_of_another_plot_are_named(recipes: Run, saved: Path) -> None:
    Path("plots/xor").mkdir(parents=True)
    Path("plots/xor/scores.png").write_bytes(b"old")
    result = recipes("plot", "xor")
    assert "plots/xor also holds pictures that were not drawn now: scores.png" in result.stderr


def test_saved_pictures_of_inputs_say_what_they_replaced(recipes: Run) -> None:
    Image.fromarray(np.eye(28, dtype="uint8") * 255).save("digit.png")
    ask = ("predict", "mnist-mlp", "digit.png", "--set", "seen=seen")
    assert "replaced" not in recipes(*ask).stderr
    assert "replaced 1 picture in seen" in recipes(*ask).stderr
