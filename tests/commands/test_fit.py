"""`recipes fit`: what it saves, prints and refuses."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from keras_recipes import load
from keras_recipes.errors import StoppedError
from keras_recipes.models.history import epochs_in_words
from keras_recipes.train.checkpoint import Checkpoint, State
from tests.command_line import Run

POINTS = ("0,0", "0,1", "1,0", "1,1")


def test_fit_saves_a_model_and_prints_reported_beside_measured(recipes: Run) -> None:
    result = recipes("fit", "xor")
    assert result.exit_code == 0, result.stderr
    title, _, header, *rows = [line.split() for line in result.stdout.splitlines()]
    assert title == ["measured", "on", "the", "four", "points", "of", "XOR"]
    assert header == ["metric", "article", "measured", "meaning"]
    (accuracy,) = [row for row in rows if row[0] == "accuracy"]
    assert accuracy[:6] == ["accuracy", "100", "%", "100", "%", "Share"]
    assert "every output within 0.01" in result.stderr
    assert load("saved_models/xor").card.recipe == "xor"


def test_fit_in_json_has_one_stable_shape(recipes: Run) -> None:
    result = recipes("fit", "xor", "--json", "--seed", "4", "--out", "elsewhere/four")
    answer = json.loads(result.stdout)
    assert set(answer) == {
        "recipe", "data", "metrics", "reported", "model", "options", "training",
    }  # fmt: skip
    assert answer["options"]["seed"] == 4
    assert answer["model"] == "elsewhere/four"
    assert set(answer["metrics"]) == {"accuracy", "loss", "largest_error"}


def test_fit_on_own_data(recipes: Run, empty_folder: Path) -> None:
    (empty_folder / "and.csv").write_text("a,b,both\n0,0,0\n0,1,0\n1,0,0\n1,1,1\n")
    assert recipes("fit", "xor", "--data", "and.csv", "--out", "and").exit_code == 0
    rows = recipes("predict", "and", *POINTS, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(row)["class"] for row in rows] == [0, 0, 0, 1]
    assert "and.csv" in recipes("evaluate", "and").stdout


def test_a_fit_that_fails_exits_1_and_leaves_the_old_model(recipes: Run, saved: Path) -> None:
    before = (saved / "card.json").read_bytes()
    result = recipes("fit", "xor", "--preset", "article")
    assert result.exit_code == 1
    assert "largest error" in result.stderr
    assert (saved / "card.json").read_bytes() == before


@pytest.mark.parametrize(("restarts", "times"), [(1, "once"), (3, "3 times")])
def test_training_longer_and_starting_again_are_each_said_once(
    recipes: Run, empty_folder: Path, restarts: int, times: str
) -> None:
    # Two different targets for the same input cannot be learned.
    (empty_folder / "odd.csv").write_text("0,1,0\n0,1,1\n")
    options = ("--set", "extra_epochs=1", "--set", f"restarts={restarts}", "--epochs", "1")
    result = recipes("fit", "xor", "--data", "odd.csv", *options)
    assert result.exit_code == 1
    assert result.stderr.count("warning: ") == 2
    assert result.stderr.count("warning: the goal is not reached yet (largest error") == 2
    assert result.stderr.count("training longer") == 1
    assert result.stderr.count(f"starting again from other weights, up to {times}\n") == 1
    assert f"in the last of {restarts + 1} starts" in result.stderr
    told = recipes("-v", "fit", "xor", "--data", "odd.csv", *options).stderr
    assert told.count("training longer") == restarts + 1
    assert told.count("starting again from other weights") == restarts


@pytest.mark.parametrize(
    ("epochs", "text"), [(1, "1 epoch"), (np.int64(1), "1 epoch"), (2_750, "2,750 epochs")]
)
def test_one_epoch_is_spoken_of_as_one(epochs: int, text: str) -> None:
    assert epochs_in_words(epochs) == text


def test_data_whose_name_is_no_text_is_learned_and_the_model_kept(recipes: Run) -> None:
    name = os.fsdecode(b"\xff.csv")
    Path(name).write_text("0,0,0\n0,1,1\n")
    assert recipes("fit", "xor", "--data", name).exit_code == 0
    assert load("xor").card.data["name"] == "?.csv"


def test_own_data_may_be_a_folder_or_a_pattern(recipes: Run, empty_folder: Path) -> None:
    (empty_folder / "data").mkdir()
    (empty_folder / "data" / "low.csv").write_text("0,0,0\n0,1,1\n")
    (empty_folder / "data" / "high.csv").write_text("1,0,1\n1,1,1\n")
    for data in ("data", "data/*.csv"):
        result = recipes("fit", "xor", "--data", data, "--out", "or", "--json")
        assert json.loads(result.stdout)["metrics"]["accuracy"] == 1.0


@pytest.mark.parametrize("row", ["0,1,2", "", "zero", "0,1,1,1", "0,1,inf", '"0,1,1'])
def test_a_malformed_row_is_named_by_file_and_line(
    recipes: Run, empty_folder: Path, row: str
) -> None:
    (empty_folder / "bad.csv").write_text(f"x1,x2,target\n0,0,0\n{row}\n")
    result = recipes("fit", "xor", "--data", "bad.csv")
    if row:
        assert result.exit_code == 2
        assert "bad.csv" in result.stderr
    else:
        assert result.exit_code == 0


def test_a_binary_file_is_no_csv(recipes: Run, empty_folder: Path) -> None:
    (empty_folder / "bad.csv").write_bytes(b"\xff\xfe\x00\x01")
    result = recipes("fit", "xor", "--data", "bad.csv")
    assert result.exit_code == 2
    assert "bad.csv: expected CSV text in UTF-8" in result.stderr


@pytest.mark.full  # TensorFlow tries for ten seconds to get the memory.
def test_a_net_too_large_for_any_machine_is_refused(recipes: Run) -> None:
    result = recipes("fit", "xor", "--set", "hidden_units=1000000000000")
    assert result.exit_code == 2
    assert "these options give no valid net" in result.stderr.splitlines()[-1]


def test_a_folder_with_somebodys_files_is_never_replaced(
    recipes: Run, saved: Path, empty_folder: Path
) -> None:
    project = empty_folder / "project"
    (project / "source").mkdir(parents=True)
    (project / "card.json").write_text('{"name": "my game"}')
    (saved / "notes.txt").write_text("mine")
    for folder in (project, saved):
        result = recipes("fit", "xor", "--out", str(folder))
        assert result.exit_code == 2
        assert "name another folder" in result.stderr
    assert (project / "source").is_dir()
    assert (saved / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("option", ["--out", "--from"])
def test_an_empty_text_is_no_place(recipes: Run, saved: Path, option: str) -> None:
    before = (saved / "card.json").read_bytes()
    result = recipes("fit", "xor", option, "")
    assert result.exit_code == 2
    assert (saved / "card.json").read_bytes() == before


def test_a_checkpoint_of_other_data_or_damaged_is_not_resumed(
    recipes: Run, empty_folder: Path
) -> None:
    checkpoint = empty_folder / "saved_models" / ".xor.checkpoint.npz"
    checkpoint.parent.mkdir()
    for content in (b"", b"PK\3\4 and so on", b"text"):
        checkpoint.write_bytes(content)
        result = recipes("fit", "xor", "--resume")
        assert result.exit_code == 4
        assert "damaged; discard it with --fresh" in result.stderr.splitlines()[-1]
    np.savez(checkpoint, meta=np.array([print], dtype=object))
    result = recipes("fit", "xor", "--resume")
    assert result.exit_code == 3
    assert "holds Python objects" in result.stderr.splitlines()[-1]


def test_a_fit_that_cannot_be_kept_stops_when_asked_to(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path / "gone" / "model")
    kept.path = tmp_path / "gone" / "x.npz"
    state = State({}, 0, 0.0, [], [], {"loss": np.zeros(3)}, [])
    (tmp_path / "gone").write_text("a file where the folder should be")
    with kept.watching():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StoppedError, match="stopped after 3 epochs, which are lost"):
            kept.boundary(lambda: state)
