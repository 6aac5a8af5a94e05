"""Old models on the command line: they are converted, asked, measured and exported."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from keras_recipes import load, predict
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
    Path("new/conversion.json").unlink()
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


def put_pair(folder: Path, name: str) -> None:
    """Write an old pair to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy("old.json", folder / f"{name}.json")
    shutil.copy("old.h5", folder / f"{name}.h5")


def test_a_folder_of_old_models_is_converted_at_once(recipes: Run, old: Path) -> None:
    put_pair(Path("many"), "first")
    put_pair(Path("many/deeper"), "model")
    Path("many/deeper/model.h5").rename("many/deeper/its_weights.h5")
    Path("many/notes.json").write_text('{"repository": "elsewhere"}')
    result = recipes("convert", "many", "--output", "new")
    assert result.exit_code == 0, result.stderr
    assert set(result.stdout.split()) == {"new/first", "new/deeper/model"}
    for name in result.stdout.split():
        assert np.allclose(load(name).model(X), Y, atol=1e-6)


def test_one_damaged_model_does_not_stop_the_others(recipes: Run, old: Path) -> None:
    put_pair(Path("many"), "sound")
    put_pair(Path("many"), "damaged")
    Path("many/damaged.h5").write_bytes(weights_file({}))
    result = recipes("convert", "many", "--output", "new")
    assert result.exit_code == 1
    assert result.stdout.split() == ["new/sound"]
    assert "1 of 2 models were not converted" in result.stderr
    assert "many/damaged" in result.stderr


def test_a_folder_without_old_models_is_refused(recipes: Run, old: Path) -> None:
    Path("none").mkdir()
    result = recipes("convert", "none", "--output", "new")
    assert result.exit_code == 2
    assert "expected old models, found none" in result.stderr
    put_pair(Path("many"), "model")
    assert recipes("convert", "many", "--output", "many").exit_code == 2


def test_what_was_converted_needs_no_warning(recipes: Run, old: Path) -> None:
    recipes("convert", "old.json", "--output", "new")
    result = recipes("predict", "new", "x.npy", "--format", "csv")
    assert "verified" not in result.stderr
    assert np.allclose(column(result.stdout), Y[:, 0], atol=1e-6)


def test_a_converted_model_that_was_changed_is_refused(recipes: Run, old: Path) -> None:
    recipes("convert", "old.json", "--output", "new")
    model = Path("new/model.json")
    model.write_text(model.read_text().replace("sigmoid", "tanh"))
    result = recipes("predict", "new", "x.npy")
    assert result.exit_code == 4
    assert "conversion.json" in result.stderr


def test_a_conversion_of_an_earlier_version_opens_with_the_warning(recipes: Run, old: Path) -> None:
    recipes("convert", "old.json", "--output", "new")
    place = Path("new/conversion.json")
    said = json.loads(place.read_text())
    del said["written"]
    place.write_text(json.dumps(said))
    result = recipes("predict", "new", "x.npy")
    assert result.exit_code == 0
    assert "could not be verified" in result.stderr


@pytest.mark.full
def test_the_difference_from_keras_2_itself_is_told(recipes: Run, old: Path) -> None:
    pytest.importorskip("tf_keras")
    result = recipes("convert", "old.json", "--output", "new")
    assert re.search(r"largest difference from what tf-keras \S+ computes .*: \S+", result.stderr)


def two_ends() -> None:
    """Write a model with two inputs and two outputs, as Keras 2 did."""
    layers = [
        {"class_name": "InputLayer", "name": name, "inbound_nodes": [],
         "config": {"name": name, "batch_input_shape": [None, 4], "dtype": "float32"}}
        for name in ("left", "right")
    ]  # fmt: skip
    for name, inputs in (("sum", ["left", "right"]), ("product", ["left", "right"])):
        kind = {"sum": "Add", "product": "Multiply"}[name]
        nodes = [[[one, 0, 0, {}] for one in inputs]]
        layers.append(
            {"class_name": kind, "name": name, "config": {"name": name}, "inbound_nodes": nodes}
        )
    ends = {
        "input_layers": [["left", 0, 0], ["right", 0, 0]],
        "output_layers": [["sum", 0, 0], ["product", 0, 0]],
    }
    config = {"name": "two", "layers": layers, **ends}
    value = {"class_name": "Model", "config": config, "keras_version": "2.2.4"}
    Path("two.json").write_text(json.dumps(value))
    Path("two.h5").write_bytes(weights_file({}))


def test_inputs_and_outputs_have_names(recipes: Run, empty_folder: Path) -> None:
    two_ends()
    left, right = np.arange(8.0).reshape(2, 4), np.full((2, 4), 3.0)
    np.savez("inputs.npz", left=left, right=right)
    result = recipes("predict", "two.json", "inputs.npz", "--format", "csv")
    assert result.exit_code == 0, result.stderr
    header, *lines = result.stdout.splitlines()
    names = [f"{end}_{i}" for end in ("sum", "product") for i in range(4)]
    assert header.split(",") == ["row", *names]
    found = np.array([[float(cell) for cell in line.split(",")[1:]] for line in lines])
    assert np.allclose(found, np.hstack([left + right, left * right]))
    rows = predict(load("two.json"), {"left": left, "right": right})
    assert [row["sum_0"] for row in rows] == [3.0, 7.0]


@pytest.mark.parametrize(
    "arrays",
    [
        {"x": np.ones((2, 4))},
        {"left": np.ones((2, 4)), "right": np.ones((3, 4))},
        {"left": np.ones((2, 4)), "right": np.ones((2, 5))},
        {"left": np.ones((0, 4)), "right": np.ones((0, 4))},
    ],
)
def test_arrays_that_do_not_belong_are_refused(
    recipes: Run, empty_folder: Path, arrays: dict[str, Any]
) -> None:
    two_ends()
    np.savez("inputs.npz", **arrays)
    result = recipes("predict", "two.json", "inputs.npz")
    assert result.exit_code == 2
    assert "left (N, 4), right (N, 4)" in result.stderr
    assert "np.savez('inputs.npz', left=..., right=...)" in result.stderr


def test_values_are_no_inputs_by_name(recipes: Run, empty_folder: Path) -> None:
    two_ends()
    result = recipes("predict", "two.json", "1,2,3,4")
    assert result.exit_code == 2
    assert "expected arrays by name" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF", "a picture (JPEG)"),
        ("photo.png", b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        ("table.xlsx", b"PK\x03\x04", "an archive or a spreadsheet"),
        ("paper.pdf", b"%PDF-1.7", "a PDF"),
    ],
)
def test_a_net_of_no_recipe_takes_numbers_only(
    recipes: Run, old: Path, name: str, content: bytes, said: str
) -> None:
    Path(name).write_bytes(content)
    result = recipes("predict", "old.json", name)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "(N, 4) as .npy or .npz, or CSV" in result.stderr


FORKED = """
import multiprocessing, sys
import numpy as np
import keras_recipes as k
model, x = k.load("old.json"), np.load("x.npy")
k.predict(model, x)
def child():
    try:
        k.predict(model, x)
    except k.RecipeError as error:
        print(error, flush=True)
process = multiprocessing.get_context("fork").Process(target=child)
process.start()
process.join(60)
print("hangs" if process.is_alive() else "ended")
process.kill()
"""


@pytest.mark.full
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_says_that_it_cannot_compute(old: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, check=True, timeout=200
    )
    assert "get_context('spawn')" in done.stdout
    assert done.stdout.splitlines()[-1] == "ended"
