"""Old models on the command line: they are converted, asked, measured and exported."""

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from keras_recipes import load
from tests.command_line import Run
from tests.legacy.legacy_files import sequential, weights_file
from tests.shared_data import shared_data

random = np.random.default_rng(7)
KERNEL, BIAS = random.normal(size=(4, 3)).astype("float32"), np.ones(3, "float32")
X = random.normal(size=(6, 4)).astype("float32")
Y = 1 / (1 + np.exp(-(X @ KERNEL + BIAS)))


def dense() -> dict[str, Any]:
    config = {"units": 3, "activation": "sigmoid", "use_bias": True}
    return sequential(("Dense", {**config, "batch_input_shape": [None, 4]}), version="2.2.4")


@pytest.fixture
def old(empty_folder: Path) -> Path:
    """Write an old pair, an input and its output to the working directory."""
    Path("old.json").write_text(json.dumps(dense()))
    named = [("dense_1/kernel:0", KERNEL), ("dense_1/bias:0", BIAS)]
    Path("old.h5").write_bytes(weights_file({"dense_1": named}, keras_version="2.2.4"))
    np.save("x.npy", X)
    return Path("old.json")


def column(text: str) -> list[float]:
    return [float(line.split(",")[1]) for line in text.splitlines()[1:]]


def test_an_old_pair_becomes_todays(recipes: Run, old: Path) -> None:
    result = recipes("convert", "old.json", "old.h5", "--output", "new")
    assert result.exit_code == 0, result.stderr
    names = sorted(path.name for path in Path("new").iterdir())
    assert names == ["conversion.json", "model.json", "model.weights.h5"]
    assert np.allclose(load("new").model(X), Y, atol=1e-6)
    said = json.loads(Path("new/conversion.json").read_text())
    assert said["keras_version"] == "2.2.4"
    assert set(said["files"]) == {"old.json", "old.h5"}


def test_what_was_converted_opens_in_plain_keras(recipes: Run, old: Path) -> None:
    import keras

    recipes("convert", "old.json", "--output", "new")
    model = keras.models.model_from_json(Path("new/model.json").read_text())
    model.load_weights("new/model.weights.h5")
    assert np.allclose(model(X), Y, atol=1e-6)


def test_an_old_pair_answers_directly(recipes: Run, old: Path) -> None:
    asked = ("x.npy", "--format", "csv")
    result = recipes("predict", "old.json", *asked, "--weights", "old.h5")
    assert np.allclose(column(result.stdout), Y[:, 0], atol=1e-6)
    beside = recipes("predict", "old.json", *asked)
    assert beside.stdout == result.stdout


def test_json_inside_a_json_string_is_read(recipes: Run, old: Path) -> None:
    old.write_text(json.dumps(json.dumps(dense())))
    result = recipes("predict", "old.json", "x.npy", "--format", "csv")
    assert np.allclose(column(result.stdout), Y[:, 0], atol=1e-6)


def test_todays_json_inside_a_json_string_is_read(recipes: Run, old: Path) -> None:
    recipes("convert", "old.json", "--output", "new")
    model = Path("new/model.json")
    model.write_text(json.dumps(model.read_text()))
    assert np.allclose(load("new").model(X), Y, atol=1e-6)


def test_a_whole_model_in_one_file_is_opened(recipes: Run, old: Path) -> None:
    with h5py.File("old.h5") as weights, h5py.File("whole.h5", "w") as file:
        weights.copy(weights, file, "model_weights")
        file.attrs["model_config"] = json.dumps(dense()).encode()
        file.attrs["keras_version"] = b"2.2.4"
    result = recipes("predict", "whole.h5", "x.npy", "--format", "csv")
    assert np.allclose(column(result.stdout), Y[:, 0], atol=1e-6)
    assert recipes("convert", "whole.h5", "--output", "new").exit_code == 0
    assert np.allclose(load("new").model(X), Y, atol=1e-6)


def test_weights_alone_are_no_model(recipes: Run, old: Path) -> None:
    result = recipes("predict", "old.h5", "x.npy")
    assert result.exit_code == 2
    assert "no architecture" in result.stderr


def test_an_old_pair_is_exported(recipes: Run, old: Path) -> None:
    to = ("--format", "keras", "--output", "new.keras")
    result = recipes("export", "old.json", "--weights", "old.h5", *to)
    assert result.exit_code == 0, result.stderr
    assert np.allclose(load("new.keras").model(X), Y, atol=1e-6)


def test_an_old_pair_is_measured_on_examples(recipes: Run, old: Path) -> None:
    np.savez("both.npz", x=X, y=Y)
    measured = ("--data", "both.npz", "--json")
    result = recipes("evaluate", "old.json", "--weights", "old.h5", *measured)
    assert json.loads(result.stdout)["metrics"]["largest_error"] < 1e-6
    np.savez("both.npz", x=X, y=Y.argmax(axis=1))
    result = recipes("evaluate", "old.json", *measured)
    assert json.loads(result.stdout)["metrics"] == {"accuracy": 1.0}


def test_a_conversion_replaces_a_conversion_and_nothing_else(recipes: Run, old: Path) -> None:
    assert recipes("convert", "old.json", "--output", "new").exit_code == 0
    assert recipes("convert", "old.json", "--output", "new").exit_code == 0
    Path("new/thesis.txt").write_text("years of work")
    result = recipes("convert", "old.json", "--output", "new")
    assert result.exit_code == 2
    assert "thesis.txt" in result.stderr
    assert Path("new/thesis.txt").exists()


def test_the_old_model_is_not_written_over(recipes: Run, old: Path) -> None:
    Path("there").mkdir()
    for name in ("old.json", "old.h5"):
        shutil.copy(name, "there")
    before = sorted(Path("there").iterdir())
    assert recipes("convert", "there/old.json", "--output", "there").exit_code == 2
    assert sorted(Path("there").iterdir()) == before


def test_weights_of_another_model_are_refused(recipes: Run, old: Path) -> None:
    Path("old.h5").write_bytes(weights_file({"other": [("kernel", KERNEL.T), ("bias", BIAS)]}))
    result = recipes("predict", "old.json", "x.npy")
    assert result.exit_code == 4
    assert "dense_1" in result.stderr
    assert len([x for x in result.stderr.splitlines() if x.startswith("error")]) == 1


def test_code_is_refused(recipes: Run, old: Path) -> None:
    value = sequential(("Lambda", {"function": ["4wEA"], "function_type": "lambda"}))
    old.write_text(json.dumps(value))
    result = recipes("convert", "old.json", "--output", "new")
    assert result.exit_code == 3
    assert "lambda_1" in result.stderr
    assert not Path("new").exists()


def real_models() -> list[str]:
    import os

    folder = Path(os.environ.get("KERAS_RECIPES_TEST_DATA", "."), "legacy")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ["legacy"]


@pytest.mark.full
@pytest.mark.parametrize("name", real_models())
def test_real_old_files_compute_what_was_recorded(name: str) -> None:
    from benchmarks import legacy

    folder = shared_data("legacy")
    (pair,) = [pair for pair in legacy.models(folder) if pair[0].parent.name == name]
    found = legacy.row(*pair)
    assert (found["opened"], found["converted"]) == ("yes", "yes"), found
    if found["largest difference"] != "-":
        assert float(found["largest difference"]) <= 1e-5
