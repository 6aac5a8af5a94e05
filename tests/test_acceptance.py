"""The three uses that this project was made for. These tests are never removed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

POINTS = [[0, 0], [0, 1], [1, 0], [1, 1]]

PLAIN_KERAS = """
import json, keras, numpy, sys
model = keras.models.model_from_json(open("saved_models/xor/model.json").read())
model.load_weights("saved_models/xor/model.weights.h5")
assert "keras_recipes" not in sys.modules
points = numpy.array(json.loads(sys.argv[1]), "float32")
print(json.dumps(model.predict(points, verbose=0).ravel().tolist()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a reader ran `recipes fit xor`."""
    folder = tmp_path_factory.mktemp("reader")
    recipes = Path(sys.executable).with_name("recipes")
    subprocess.run([recipes, "fit", "xor"], cwd=folder, check=True, capture_output=True)
    return folder


def test_recipes_fit_xor_saves_a_pair(folder: Path) -> None:
    saved = folder / "saved_models" / "xor"
    assert json.loads((saved / "model.json").read_text())["class_name"] == "Sequential"
    assert (saved / "model.weights.h5").read_bytes().startswith(b"\x89HDF")


def test_plain_keras_opens_the_pair_and_answers_xor(folder: Path) -> None:
    command = [sys.executable, "-c", PLAIN_KERAS, json.dumps(POINTS)]
    answer = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    assert [round(output) for output in json.loads(answer)] == [0, 1, 1, 0]


def test_each_builder_returns_a_compiled_keras_model() -> None:
    import keras

    from keras_recipes import build_lenet5, build_lstm_anomaly, build_mnist_mlp, build_xor

    for build in (build_xor, build_mnist_mlp, build_lenet5, build_lstm_anomaly):
        model = build()
        assert isinstance(model, keras.Model)
        assert model.compiled
