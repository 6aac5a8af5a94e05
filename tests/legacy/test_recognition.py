"""Old models are recognized by their content, and what is none is called what it is."""

import json
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipes import load
from tests.command_line import Run
from tests.legacy.legacy_files import sequential, weights_file
from tests.shared_data import shared_data

tf_keras = pytest.importorskip("tf_keras", reason="Keras 2 itself is the measure")

L = tf_keras.layers


def inner() -> Any:
    x = tf_keras.Input((4,))
    return tf_keras.Model(x, L.Add()([x, L.Dense(4)(L.BatchNormalization()(x))]))


def heads() -> Any:
    x = tf_keras.Input((5, 3))
    return tf_keras.Model(x, [L.MultiHeadAttention(2, 2)(x, x), L.Dense(2)(x), L.Dense(3)(x)])


def twice() -> Any:
    x, within = tf_keras.Input((4,)), inner()
    return tf_keras.Model(x, L.Dense(2)(within(within(x))))


MODELS: dict[str, Callable[[], Any]] = {
    "dense": lambda: tf_keras.Sequential([L.Dense(3, input_shape=(4,)), L.Dense(2), L.Dense(2)]),
    "convolutions": lambda: tf_keras.Sequential(
        [L.Conv2D(3, 2, input_shape=(5, 5, 1)), L.SeparableConv2D(2, 2), L.PReLU(), L.Flatten()]
    ),
    "recurrent": lambda: tf_keras.Sequential(
        [
            L.Bidirectional(L.LSTM(3, return_sequences=True), input_shape=(5, 2)),
            L.TimeDistributed(L.Dense(3)),
            L.RNN([L.GRUCell(3), L.LSTMCell(2), L.GRUCell(2)], return_sequences=True),
            L.SimpleRNN(2),
        ]
    ),
    "masked": lambda: tf_keras.Sequential(
        [L.Embedding(9, 3, mask_zero=True, input_length=5), L.GRU(2)]
    ),
    "normalized": lambda: tf_keras.Sequential(
        [L.Dense(3, input_shape=(4,)), L.BatchNormalization(), L.LayerNormalization()]
    ),
    "inner model": twice,
    "attention": heads,
}


@pytest.mark.parametrize("name", MODELS)
def test_a_keras_file_of_keras_2_opens(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    random = np.random.default_rng(5)
    model.set_weights([random.uniform(0.1, 0.9, w.shape) for w in model.get_weights()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "old.keras", save_format="keras")
    x = random.integers(0, 9, (4, *model.input_shape[1:])).astype(model.input.dtype.name)
    ours, theirs = load(tmp_path / "old.keras").model(x), model(x, training=False)
    pairs = zip(ours, theirs, strict=True) if isinstance(theirs, list) else [(ours, theirs)]
    assert all(np.allclose(a, b, atol=1e-4, rtol=1e-5) for a, b in pairs)


@pytest.mark.parametrize(
    ("case", "name"),
    [("03-keras-archive-of-keras-2", "sequential.keras"), ("04-hdf5-named-keras", "whole.keras")],
)
def test_the_cases_answer(recipes: Run, case: str, name: str) -> None:
    folder = shared_data(f"cases/models/{case}")
    result = recipes("predict", str(folder / name), str(folder / "x.npy"), "--format", "csv")
    assert result.exit_code == 0, result.stderr
    rows = [line.split(",")[1:] for line in result.stdout.splitlines()[1:]]
    want = np.loadtxt(folder / "want.csv", delimiter=",")
    assert np.allclose(np.array(rows, float), want, atol=1e-6)


def test_the_ending_of_a_file_does_not_matter(tmp_path: Path) -> None:
    model = MODELS["dense"]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "old.h5")
        model.save(tmp_path / "new.keras", save_format="keras")
    shutil.copy(tmp_path / "old.h5", tmp_path / "whole.json")
    shutil.copy(tmp_path / "new.keras", tmp_path / "zip.h5")
    for name in ("whole.json", "zip.h5"):
        x = np.ones((2, 4), "float32")
        assert np.allclose(load(tmp_path / name).model(x), model(x), atol=1e-6)


YAML = b"""backend: tensorflow
class_name: Sequential
config:
- class_name: Dense
  config: {name: dense, batch_input_shape: !!python/tuple [null, 4], units: 2, activation: relu}
keras_version: 2.1.6
"""
OTHERS: dict[str, tuple[bytes, int, str]] = {
    "YAML": (YAML, 2, "in YAML"),
    "pickle": (pickle.dumps({"class_name": "Sequential"}), 3, "a Python pickle"),
    "TensorFlow.js": (b'{"format": "layers-model", "modelTopology": {}, "weightsManifest": []}',
                      2, "of TensorFlow.js.*tensorflowjs_converter"),
    "graph of TensorFlow.js": (b'{"format": "graph-model", "modelTopology": {}}',
                               2, "graph without"),
    "Keras 0": (b'{"name": "Sequential", "layers": [{"name": "Dense"}]}', 2, "Keras 0.*Keras 1.0"),
    "web page": (b"<!DOCTYPE html>\n<html></html>", 2, "a web page"),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_other_files_are_called_what_they_are(recipes: Run, empty_folder: Path, kind: str) -> None:
    content, status, said = OTHERS[kind]
    Path("model.json").write_bytes(content)
    Path("model.h5").write_bytes(weights_file({}))
    np.save("x.npy", np.ones((1, 4)))
    for command in (
        ("convert", "model.json", "--output", "new"),
        ("predict", "model.json", "x.npy"),
    ):
        result = recipes(*command)
        assert result.exit_code == status, result.stderr
        assert "damaged" not in result.stderr
        assert re.search(said, result.stderr)


def test_yaml_becomes_json_by_the_command_in_the_message(recipes: Run, empty_folder: Path) -> None:
    pytest.importorskip("yaml")
    Path("model.yaml").write_bytes(YAML)
    arrays = [("kernel:0", np.ones((4, 2), "float32")), ("bias:0", np.zeros(2, "float32"))]
    Path("model.h5").write_bytes(weights_file({"dense": arrays}))
    result = recipes("convert", "model.yaml", "model.h5", "--output", "new")
    assert result.exit_code == 2
    words = shlex.split(result.stderr.strip().partition("(needs PyYAML): ")[2])
    assert words[:2] == ["python", "-c"]
    with Path("model.yaml").open() as source, Path("model.json").open("w") as made:
        subprocess.run([sys.executable, "-c", words[2]], stdin=source, stdout=made, check=True)
    assert recipes("convert", "model.json", "model.h5", "--output", "new").exit_code == 0


def test_a_version_in_the_metadata_that_is_no_text_is_no_version(tmp_path: Path) -> None:
    from keras_recipes.legacy import reading

    assert reading.version_in(b'{"keras_version": [2]}', "here") == ""


def test_weights_in_the_new_form_belong_to_an_old_architecture(tmp_path: Path) -> None:
    model = MODELS["recurrent"]()
    (tmp_path / "old.json").write_text(model.to_json())
    model.save_weights(tmp_path / "old.weights.h5")
    x = np.random.default_rng(1).normal(size=(3, 5, 2)).astype("float32")
    ours = load(tmp_path / "old.json", tmp_path / "old.weights.h5").model(x)
    assert np.allclose(ours, model(x), atol=1e-5)


def test_json_that_is_no_model_stays_no_model(recipes: Run, empty_folder: Path) -> None:
    Path("model.json").write_text(json.dumps({"name": "x"}))
    Path("model.h5").write_bytes(weights_file({}))
    assert recipes("convert", "model.json", "--output", "new").exit_code == 4
    Path("model.json").write_text(json.dumps(sequential(version="2.2.4")))
    assert recipes("convert", "model.json", "--output", "new").exit_code == 4
