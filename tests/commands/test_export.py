"""Every export computes what the model computes, or is not written."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keras_recipes import atomic, build_lstm_anomaly, extras, open_model, predict
from keras_recipes.commands import export as exporting
from keras_recipes.commands.export import FORMATS, export
from keras_recipes.errors import InputError, RecipeError
from keras_recipes.models.fitted import Askable, Fitted
from keras_recipes.saved import comparison
from tests.command_line import Run
from tests.exports import exported, needs

ENDINGS = {
    "json-h5": "-json-h5",
    "keras": ".keras",
    "saved-model": "-saved-model",
    "onnx": ".onnx",
    "litert": ".tflite",
}
LEAVING = ["saved-model", "onnx", "litert"]
RUNTIMES = {"saved-model": "TensorFlow", "onnx": "onnxruntime", "litert": "ai-edge-litert"}
every_format = pytest.mark.parametrize("format", ENDINGS)
every_leaving = pytest.mark.parametrize("format", LEAVING)
COMMAND = [sys.executable, "-c", "from keras_recipes.cli import main; main()"]


def reopened(fitted: Fitted, format: str) -> tuple[exporting.Exported, Askable]:
    done = exported(fitted, format)
    return done, open_model(done.path)


def test_all_formats_are_tested() -> None:
    assert list(ENDINGS) == list(FORMATS)


@every_format
@pytest.mark.parametrize("name", ["fitted", "lenet", "lstm"])
def test_it_computes_the_same(format: str, name: str, request: pytest.FixtureRequest) -> None:
    original: Fitted = request.getfixturevalue(name)
    done, opened = reopened(original, format)
    shape = original.model.input_shape[1:]
    x = np.random.default_rng(1).uniform(0, 255 if name == "lenet" else 1, (1_234, *shape))
    expected = original.model.predict(x, verbose=0)
    assert opened.runtime.outputs(x) == pytest.approx(expected, abs=2e-5)
    assert 0 <= done.largest_difference <= done.tolerance <= 1e-5
    assert opened.runtime.name == done.runtime
    assert done.runtime.startswith(RUNTIMES.get(format, "Keras"))
    assert opened.runtime.input_shape == shape


@every_format
def test_the_card_travels_inside(format: str, lenet: Fitted) -> None:
    _, opened = reopened(lenet, format)
    assert replace(opened.card, files={}) == replace(lenet.card, files={})
    assert opened.card.files


@every_format
def test_it_is_compared_on_the_recipes_own_test_inputs(format: str, lenet: Fitted) -> None:
    done, _ = reopened(lenet, format)
    # A fifth of scikit-learn's 1,797 digits is held out.
    assert done.inputs == 359


def test_without_a_recipe_it_is_compared_on_made_up_inputs(lenet: Fitted) -> None:
    assert export(replace(lenet, card=None), "keras", "bare.keras").inputs == 32


def test_many_inputs_are_thinned_out(lenet: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MOST_INPUTS", 100)
    assert export(lenet, "keras", "few.keras").inputs == 90


@every_format
def test_what_is_another_model_is_not_published(
    format: str, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(format)
    bare = replace(fitted, card=None)
    path = export(bare, format, f"xor{ENDINGS[format]}").path
    before = {p: p.read_bytes() for p in [path, *path.rglob("*")] if p.is_file()}
    around = set(Path().iterdir())
    weights = fitted.model.get_weights()[2].tobytes()
    other = weights[:3] + bytes([weights[3] ^ 128]) + weights[4:]
    real, changed = atomic.write, []

    def with_a_sign_turned(place: Path, content: bytes) -> None:
        if weights in content:
            changed.append(place)
            content = content.replace(weights, other)
        real(place, content)

    monkeypatch.setattr(atomic, "write", with_a_sign_turned)
    with pytest.raises(RecipeError) as refused:
        export(bare, format, path)
    assert changed
    if format in ("json-h5", "onnx", "litert"):  # the others have checksums
        assert "computes something else: outputs differ by" in str(refused.value)
    assert {p: p.read_bytes() for p in [path, *path.rglob("*")] if p.is_file()} == before
    assert set(Path().iterdir()) == around


def operations(model: bytes) -> set[str]:
    """Return the names of the operations in a LiteRT file, by its published schema."""
    from ai_edge_litert import schema_py_generated as schema

    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    codes = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model)).operatorCodes
    return {(c.customCode or b"").decode() or names[c.builtinCode] for c in codes}


def test_recurrent_nets_need_no_other_operations_than_litert_has(lstm: Fitted) -> None:
    done, opened = reopened(lstm, "litert")
    found = operations(done.path.read_bytes())
    assert {"WHILE", "FULLY_CONNECTED"} <= found
    assert not [name for name in found if name.startswith("Flex") or name == "CUSTOM"]
    assert len(opened.runtime.outputs(np.zeros((7, 12, 3)))) == 7


@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_sequences_of_any_length_stay_so(format: str) -> None:
    import keras

    net = keras.Sequential([keras.Input((None, 2)), keras.layers.GRU(4), keras.layers.Dense(2)])
    _, opened = reopened(Fitted(model=net), format)
    assert opened.runtime.input_shape == (None, 2)
    for length in (5, 3, 40):
        x = np.random.default_rng(length).normal(size=(3, length, 2)).astype("float32")
        expected = net.predict(x, verbose=0)
        assert opened.runtime.outputs(x) == pytest.approx(expected, abs=1e-5)


@every_leaving
def test_words_are_asked_about_in_words(format: str) -> None:
    import keras

    layers = keras.layers
    net = [layers.Embedding(9, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(3))]
    done, _ = reopened(Fitted(model=keras.Sequential([keras.Input((6,)), *net])), format)
    assert done.largest_difference <= 1e-5


def test_the_net_of_a_log_is_asked_about_events_where_the_log_is_gone() -> None:
    net = build_lstm_anomaly(classes=9)
    done, _ = reopened(Fitted(model=net), "onnx")
    assert done.largest_difference <= 1e-5


def test_a_net_with_two_inputs_is_refused() -> None:
    import keras

    ends = keras.Input((2,)), keras.Input((2,))
    net = keras.Model(ends, keras.layers.Add()(ends))
    with pytest.raises(InputError, match="one input and one output"):
        export(Fitted(model=net), "keras", "two.keras")
    assert not Path("two.keras").exists()


def test_cudnn_is_used_again_after_an_export(lstm: Fitted) -> None:
    needs("onnx")
    export(lstm, "onnx", "lstm.onnx")
    assert [layer.use_cudnn for layer in lstm.model.layers[:2]] == ["auto", "auto"]


@every_leaving
def test_a_missing_extra_is_said_before_any_work(
    format: str, recipes: Run, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = recipes("export", "xor", "--format", format)
    if format == "saved-model":
        assert result.exit_code == 0
        return
    assert result.exit_code == 2
    way = "pip install 'keras_recipes[onnx]'" if format == "onnx" else "pip install ai-edge-litert"
    assert result.stderr.splitlines()[-1].endswith(way)
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("extra", ["onnx", "serve"])
def test_doctor_lists_the_extras(extra: str, recipes: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(recipes("doctor", "--json").stdout)
    names = {finding["what"] for finding in found}
    assert set(extras.PACKAGES[extra]) <= names
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = json.loads(recipes("doctor", "--json").stdout)
    fixes = {finding["what"]: finding["fix"] for finding in found}
    assert {fixes[package] for package in extras.PACKAGES[extra]} == {extras.command(extra)}


@every_leaving
def test_only_the_path_is_printed_and_one_line_said(
    format: str, recipes: Run, saved: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    needs(format)
    capfd.readouterr()
    result = recipes("export", "xor", "--format", format)
    assert result.stdout == f"xor{ENDINGS[format]}\n"
    (line,) = result.stderr.splitlines()
    assert f"read back by {RUNTIMES[format]}" in line
    assert "largest difference of the outputs for 4 inputs: " in line
    assert "(at most 1e-05)" in line
    assert capfd.readouterr() == ("", "")


def test_an_earlier_saved_model_is_replaced_and_nothing_else(fitted: Fitted) -> None:
    place = export(fitted, "saved-model", "served").path
    (place / "assets").mkdir()  # TensorFlow makes this folder too
    export(fitted, "saved-model", place)
    (place / "variables" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds variables/notes\.txt"):
        export(fitted, "saved-model", place)
    assert (place / "variables" / "notes.txt").read_text() == "mine"


def test_keras_alone_opens_the_file_with_the_card(fitted: Fitted) -> None:
    import keras

    export(fitted, "keras", "xor.keras")
    points = np.array([[0, 0], [0, 1]], "float32")
    expected = fitted.model.predict(points, verbose=0)
    assert np.array_equal(keras.models.load_model("xor.keras").predict(points, verbose=0), expected)


def test_tensorflow_alone_serves_the_saved_model(fitted: Fitted) -> None:
    import tensorflow as tf

    export(fitted, "saved-model", "xor")
    points = np.array([[0, 0], [0, 1]], "float32")
    expected = fitted.model.predict(points, verbose=0)
    assert tf.saved_model.load("xor").serve(points).numpy() == pytest.approx(expected, abs=1e-6)
    assert json.loads(Path("xor/assets.extra/card.json").read_text())["recipe"] == "xor"


def test_other_tools_find_the_card_in_an_onnx_file(fitted: Fitted) -> None:
    needs("onnx")
    import onnx
    import onnxruntime

    export(fitted, "onnx", "xor.onnx")
    model = onnx.load("xor.onnx")
    onnx.checker.check_model(model)
    (entry,) = model.metadata_props
    assert json.loads(entry.value)["recipe"] == "xor"
    seen = onnxruntime.InferenceSession("xor.onnx").get_modelmeta().custom_metadata_map
    assert seen == {entry.key: entry.value}
    # After another tool wrote it again, it is still the file that the card describes.
    onnx.save(model, "again.onnx")
    assert predict(open_model("again.onnx"), [[0, 1]])[0]["class"] == 1


def test_unzip_takes_the_card_out_of_a_litert_file(fitted: Fitted) -> None:
    needs("litert")
    import zipfile

    export(fitted, "litert", "xor.tflite")
    with zipfile.ZipFile("xor.tflite") as archive:
        assert archive.namelist() == ["card.json"]
        assert json.loads(archive.read("card.json"))["recipe"] == "xor"


@pytest.mark.full
@pytest.mark.parametrize("format", ["keras", "onnx"])
def test_other_backends_write_what_keras_writes(format: str, saved: Path) -> None:
    pytest.importorskip("jax")
    result = subprocess.run(
        [*COMMAND, "export", "xor", "--format", format],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    if format == "keras":
        assert result.returncode == 0, result.stderr
    else:
        assert result.returncode == 2
        assert "written by TensorFlow, received KERAS_BACKEND=jax; unset it" in result.stderr
