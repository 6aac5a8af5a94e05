"""An export answers as the model does, in its own runtime, and is not trusted."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_recipes import backend, evaluate, export, load, open_model, predict
from keras_recipes.errors import CorruptModelError, InputError, RecipeError, UnsafeModelError
from keras_recipes.models.fitted import Fitted
from keras_recipes.models.formats import FORMATS, litert, onnx, saved_model
from tests.command_line import Run
from tests.digits.drawn import seven_on_paper
from tests.exports import exported, needs

PLACES = {
    "saved-model": "it-saved-model",
    "onnx": "it.onnx",
    "litert": "it.tflite",
    "keras": "it.keras",
}
every_place = pytest.mark.parametrize("format", PLACES)
FILES = {"onnx": onnx, "litert": litert}
every_file = pytest.mark.parametrize("format", FILES)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@every_place
def test_a_picture_is_answered_as_by_the_model(format: str, recipes: Run, lenet: Fitted) -> None:
    place, picture = exported(lenet, format).path, seven_on_paper("seven.png")
    arguments = (picture, "--format", "csv", "--set", "all_probabilities=true")
    mine = table(recipes("predict", "lenet5", *arguments).stdout)
    result = recipes("predict", str(place), *arguments)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    (theirs,) = table(result.stdout)
    assert list(theirs) == list(mine[0])
    assert theirs["prediction"] == mine[0]["prediction"] == "7"
    assert float(theirs["probability"]) == pytest.approx(float(mine[0]["probability"]), abs=1e-5)


@every_place
def test_it_is_measured_as_the_model_is(format: str, recipes: Run, lenet: Fitted) -> None:
    place = exported(lenet, format).path
    result = recipes("evaluate", str(place), "--data", "digits", "--json")
    expected = evaluate(lenet, "digits")
    assert json.loads(result.stdout)["metrics"] == pytest.approx(expected, abs=1e-4)
    assert evaluate(open_model(place), "digits") == pytest.approx(expected, abs=1e-4)


@every_place
def test_from_python_it_answers_arrays(format: str, fitted: Fitted) -> None:
    rows = predict(open_model(exported(fitted, format).path), [[0, 1], [1, 1]])
    assert [(row["input"], row["class"]) for row in rows] == [("0,1", 1), ("1,1", 0)]


HEAVY = {"tensorflow", "keras", "jax", "torch", "h5py", "matplotlib", "sklearn", "pandas"}


@every_file
def test_it_is_answered_without_tensorflow(format: str, lenet: Fitted) -> None:
    place, picture = exported(lenet, format).path, seven_on_paper("seven.png")
    script = (
        "import sys; from keras_recipes.cli import commands\n"
        "try: commands(sys.argv[1:])\n"
        "finally: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, "predict", str(place), picture, "--format", "csv"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert table(result.stdout)[0]["prediction"] == "7"
    (loaded,) = result.stderr.splitlines()
    assert FORMATS[format].computing[0].replace("-", "_") in loaded.split()
    assert not set(loaded.split()) & HEAVY


@every_file
def test_thresholds_travel_along(format: str, recipes: Run, lenet: Fitted) -> None:
    options = {**lenet.card.options, "unsure_below": 0.9999}
    place = exported(replace(lenet, card=replace(lenet.card, options=options)), format).path
    asked = recipes("predict", str(place), seven_on_paper("seven.png"), "--format", "csv").stdout
    assert table(asked)[0]["prediction"] == "unsure"


@pytest.mark.parametrize("format", ["saved-model", "onnx", "litert"])
def test_one_that_is_no_recipes_gives_its_raw_outputs(
    format: str, recipes: Run, lstm: Fitted
) -> None:
    place = exported(lstm, format).path
    x = np.random.default_rng(0).normal(size=(3, 12, 3))
    np.save("x.npy", x)
    result = recipes("predict", str(place), "x.npy", "--format", "csv")
    assert "it could not be verified" in result.stderr
    rows = table(result.stdout)
    assert list(rows[0]) == ["row", "output_0", "output_1", "output_2", "output_3"]
    received = [[float(v) for k, v in row.items() if k != "row"] for row in rows]
    assert np.array(received) == pytest.approx(lstm.model.predict(x, verbose=0), abs=1e-5)
    np.save("x.npy", x[:, :5])
    wrong = recipes("predict", str(place), "x.npy")
    assert wrong.exit_code == 2
    assert "expected an array of shape (N, 12, 3), received (3, 5, 3)" in wrong.stderr
    assert recipes("evaluate", str(place)).exit_code == 2


@every_file
def test_rows_of_numbers_are_taken_by_one_that_is_no_recipes(
    format: str, recipes: Run, fitted: Fitted
) -> None:
    place = exported(replace(fitted, card=None), format).path
    result = recipes("predict", str(place), "0,1", "1,1", "--format", "csv")
    assert [round(float(row["output_0"])) for row in table(result.stdout)] == [1, 0]


@pytest.mark.parametrize("command", [["plot"], ["export", "--format", "keras"]])
def test_what_needs_keras_says_so(command: list[str], recipes: Run, fitted: Fitted) -> None:
    place = exported(fitted, "onnx").path
    result = recipes(*command, str(place))
    assert result.exit_code == 2
    assert "expected a Keras model, received an export (onnx)" in result.stderr
    with pytest.raises(InputError, match="name the model that it was exported from"):
        load(place)


@every_file
def test_a_missing_runtime_is_named(
    format: str, recipes: Run, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = exported(fitted, format).path
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = recipes("predict", str(place), "0,1")
    assert result.exit_code == 2
    way = "pip install 'keras_recipes[onnx]'" if format == "onnx" else "pip install ai-edge-litert"
    assert result.stderr.rstrip().endswith(way)


# The files below are damaged or hostile.


@every_place
def test_other_weights_are_not_what_the_card_describes(
    format: str, recipes: Run, fitted: Fitted
) -> None:
    place = exported(fitted, format).path
    weights = fitted.model.get_weights()[2].tobytes()
    path = place / saved_model.VARIABLES[1] if place.is_dir() else place
    content = path.read_bytes()
    assert weights in content
    path.write_bytes(content.replace(weights, weights[::-1]))
    result = recipes("predict", str(place), "0,1")
    assert result.exit_code == 4
    assert len(result.stderr.splitlines()) == 1
    if format != "keras":  # its archive has its own checksums
        assert "SHA-256 differs" in result.stderr


@every_file
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_file_is_refused_whatever_the_damage(
    format: str, fitted: Fitted, data: st.DataObject
) -> None:
    place = Path(PLACES[format])
    whole_place = place.with_stem("whole")
    if not place.exists():
        exported(fitted, format)
        whole_place.write_bytes(place.read_bytes())
    whole = whole_place.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        damaged = whole[:cut]
    else:
        changed = whole[cut] ^ data.draw(st.integers(1, 255))
        damaged = whole[:cut] + bytes([changed]) + whole[cut + 1 :]
    place.write_bytes(damaged)
    try:
        opened = open_model(place)
    except RecipeError:
        return
    # Damage may remove the card, which a warning says. If the card is there, all is unchanged.
    if opened.card:
        assert predict(opened, [[0, 1]]) == predict(open_model(whole_place), [[0, 1]])


@every_file
@given(content=st.binary(max_size=300))
def test_what_is_no_model_is_refused(format: str, content: bytes) -> None:
    for beginning in (b"", b"\x08\x08", b"\x1c\0\0\0TFL3"):
        member = FORMATS[format].members[0]
        try:
            FORMATS[format].split({member: beginning + content}, "it")
        except (CorruptModelError, UnsafeModelError):
            continue


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": 99}, "a newer keras_recipes wrote it"),
        ({"recipe": "nor"}, "expected a recipe of this version, received 'nor'"),
        ({"learned": {"labels": ["0"]}}, "expected 10 labels, one for each output"),
        ({"learned": {}}, "expected 10 labels, one for each output"),
        ({"options": {"unsure_below": "never"}}, "unsure_below: expected a number"),
    ],
)
@every_file
def test_the_card_inside_is_not_trusted(
    format: str, change: dict[str, object], complaint: str, recipes: Run, lenet: Fitted
) -> None:
    place = exported(lenet, format).path
    chosen, member = FORMATS[format], FORMATS[format].members[0]
    model, text = chosen.split({member: place.read_bytes()}, "it")
    card = json.dumps({**json.loads(text), **change}).encode()
    place.write_bytes(chosen.joined(model, card)[member])
    result = recipes("predict", str(place), seven_on_paper("seven.png"))
    assert result.exit_code == 4
    assert complaint in result.stderr


def test_a_card_does_not_say_where_to_write(recipes: Run, lenet: Fitted) -> None:
    options = {**lenet.card.options, "seen": "stolen"}
    place = exported(replace(lenet, card=replace(lenet.card, options=options)), "onnx").path
    assert recipes("predict", str(place), seven_on_paper("seven.png")).exit_code == 0
    assert not Path("stolen").exists()
    asked = recipes("predict", str(place), seven_on_paper("seven.png"), "--set", "seen=given")
    assert asked.exit_code == 0
    assert [path.suffix for path in Path("given").iterdir()] == [".png"]


def test_a_card_without_end_is_refused(fitted: Fitted) -> None:
    for format in FILES:
        place = exported(fitted, format).path
        chosen, member = FORMATS[format], FORMATS[format].members[0]
        model, _ = chosen.split({member: place.read_bytes()}, "it")
        place.write_bytes(chosen.joined(model, b" " * (2**24 + 1))[member])
        with pytest.raises(CorruptModelError, match="a card of at most"):
            open_model(place)


def field(number: int, value: bytes) -> bytes:
    """A short field of a protobuf message, as bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


def onnx_model(initializer: bytes = b"", node: bytes = b"", inside: bool = False) -> bytes:
    """A model written by hand: one tensor and one node, perhaps inside of another node."""
    graph = field(5, initializer) * bool(initializer) + field(1, node) * bool(node)
    if inside:
        graph = field(1, field(4, b"If") + field(5, field(6, graph)))
    return field(7, graph)


EXTERNAL = field(13, field(1, b"location") + field(2, b"/etc/passwd"))
FOREIGN = field(4, b"ReadFile") + field(7, b"com.example")


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({"initializer": EXTERNAL}, "reads other files"),
        ({"initializer": b"\x70\x01"}, "reads other files"),
        ({"node": field(5, field(5, EXTERNAL))}, "reads other files"),
        ({"node": FOREIGN}, r"an operation of 'com\.example'"),
    ],
)
def test_onnx_files_that_reach_out_are_unsafe(
    parts: dict[str, bytes], complaint: str, inside: bool
) -> None:
    needs("onnx")
    Path("it.onnx").write_bytes(onnx_model(**parts, inside=inside))
    with pytest.raises(UnsafeModelError, match=complaint):
        open_model("it.onnx")


def test_external_data_as_onnx_writes_it_is_unsafe(recipes: Run, lenet: Fitted) -> None:
    needs("onnx")
    import onnx as package

    exported(lenet, "onnx")
    model = package.load("it.onnx")
    package.save(model, "it.onnx", save_as_external_data=True, location="weights.bin")
    result = recipes("predict", "it.onnx", seven_on_paper("seven.png"))
    assert result.exit_code == 3
    assert "refused, it reads other files (external data)" in result.stderr


def test_an_onnx_file_of_nothing_but_fields_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs("onnx")
    monkeypatch.setattr(onnx, "MOST_FIELDS", 100)
    nodes = b"\x0a\x00" * 60
    Path("it.onnx").write_bytes(field(7, nodes) * 2)
    with pytest.raises(UnsafeModelError, match="more than 100 fields"):
        open_model("it.onnx")


def test_an_onnx_file_of_too_many_operations_is_refused_before_it_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs("onnx")
    monkeypatch.setattr(onnx, "MOST_OPERATIONS", 10)
    in_graph, in_function = field(7, b"\x0a\x00" * 11), b"\xca\x01\x16" + b"\x3a\x00" * 11
    for content in (in_graph, in_function):
        Path("it.onnx").write_bytes(content)
        with pytest.raises(UnsafeModelError, match="more than 10 operations; ask its author"):
            open_model("it.onnx")


@pytest.mark.parametrize(
    "content", [b"\x72\x02\x0a\x05", b"\x3a\x7f", b"\xff" * 20, b"\x72\x03\x0a\x01\xff" + b"\x0b"]
)
def test_what_is_no_onnx_file_is_damaged(content: bytes) -> None:
    needs("onnx")
    Path("it.onnx").write_bytes(content)
    with pytest.raises(CorruptModelError, match=r"it\.onnx: damaged, or not an ONNX file"):
        open_model("it.onnx")


def test_a_file_in_onnxruntimes_own_format_is_no_onnx_file() -> None:
    with pytest.raises(CorruptModelError, match="onnxruntime's own format"):
        onnx.split({onnx.MEMBER: b"\x08\x00\x00\x00ORTM" + bytes(100)}, "it")


def test_litert_files_with_tensorflows_operations_do_not_run(recipes: Run, lstm: Fitted) -> None:
    needs("litert")
    with backend.suppressed_output():  # plain Keras writes this
        lstm.model.export("flex.tflite", format="litert", verbose=False)
    np.save("x.npy", np.zeros((2, 12, 3)))
    result = recipes("predict", "flex.tflite", "x.npy")
    assert result.exit_code == 1
    assert "ai-edge-litert: Select TensorFlow op(s)" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def saved(compute: Callable[..., object]) -> None:
    """A SavedModel with two numbers as input and two as output."""
    import tensorflow as tf

    module = tf.Module()
    module.serve = tf.function(compute, [tf.TensorSpec((None, 2), tf.float32, name="x")])
    tf.saved_model.save(module, "it", {"serving_default": module.serve})


def reading(x: object) -> dict[str, object]:
    import tensorflow as tf

    text = tf.io.read_file("/etc/hostname")
    return {"y": x + tf.cast(tf.strings.length(text), tf.float32)}


def writing(x: object) -> dict[str, object]:
    import tensorflow as tf

    with tf.control_dependencies([tf.io.write_file("written", "gotcha")]):
        return {"y": tf.identity(x)}


def writing_deep_inside(x: object) -> dict[str, object]:
    import tensorflow as tf

    def body(step: object, y: object) -> tuple[object, object]:
        return step + 1, tf.function(writing)(y)["y"]

    return {"y": tf.while_loop(lambda step, y: step < 1, body, [0, x])[1]}


def running_python(x: object) -> dict[str, object]:
    import tensorflow as tf

    return {"y": tf.ensure_shape(tf.numpy_function(lambda v: v, [x], tf.float32), (None, 2))}


@pytest.mark.parametrize("compute", [reading, writing, writing_deep_inside, running_python])
def test_saved_models_that_do_more_than_compute_are_unsafe(
    compute: Callable[..., object], recipes: Run
) -> None:
    saved(compute)
    result = recipes("predict", "it", "0,1")
    assert result.exit_code == 3, result.stderr
    assert "which is not on the list of operations that only compute" in result.stderr
    assert not Path("written").exists()


def test_the_functions_for_saving_may_not_be_called_to_compute() -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    saved(lambda x: {"y": x * 2})
    path = Path("it/saved_model.pb")
    graph = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    library = graph.meta_graphs[0].graph_def.library.function
    (saver,) = [f.signature.name for f in library if "traced_save" in f.signature.name]
    (serve,) = [f for f in library if any(node.op == "Mul" for node in f.node_def)]
    saved_model.check(graph.SerializeToString(), "it")
    call = serve.node_def.add(name="call", op="PartitionedCall")
    call.attr["f"].func.name = saver
    with pytest.raises(UnsafeModelError, match="refused, it contains the operation"):
        saved_model.check(graph.SerializeToString(), "it")


def test_a_saved_model_with_a_table_from_a_file_is_unsafe() -> None:
    import tensorflow as tf

    Path("words.txt").write_text("a\nb\n")
    index = tf.lookup.TextFileIndex
    rows = tf.lookup.TextFileInitializer(
        "words.txt", tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
    )
    module = tf.Module()
    module.table = tf.lookup.StaticHashTable(rows, -1)
    tf.saved_model.save(module, "it")
    with pytest.raises(UnsafeModelError, match="it contains a"):
        open_model("it")


@pytest.mark.parametrize("content", [b"", b"no", b"\x08\x01"])
def test_what_is_no_saved_model_is_refused(content: bytes, fitted: Fitted) -> None:
    place = exported(fitted, "saved-model").path
    (place / "saved_model.pb").write_bytes(content)
    with pytest.raises(CorruptModelError):
        open_model(place)
    (place / "variables" / "variables.index").unlink()
    with pytest.raises(CorruptModelError, match=r"variables\.index is missing"):
        open_model(place)


@pytest.mark.full
def test_nets_of_all_kinds_of_layers_pass_as_saved_models() -> None:
    import keras
    from keras import layers

    image = keras.Input((16, 16, 3))
    x = layers.BatchNormalization()(layers.SeparableConv2D(4, 3, padding="same")(image))
    x = layers.Conv2DTranspose(4, 3, strides=2, activation="gelu")(x)
    x = layers.AveragePooling2D(2)(layers.DepthwiseConv2D(3, activation="silu")(x))
    x = layers.Reshape((-1, 4))(layers.UpSampling2D(2)(layers.LayerNormalization()(x)))
    x = layers.Conv1D(6, 3, padding="causal", activation="softplus")(x)
    x = layers.MultiHeadAttention(2, 3)(x, x)
    x = layers.Bidirectional(layers.GRU(3))(layers.MaxPooling1D(8)(x))
    x = layers.Concatenate()([x, layers.Dropout(0.5)(layers.Dense(2, activation="elu")(x))])
    net = keras.Model(image, layers.Dense(2, activation="softmax")(x))
    export(Fitted(model=net), "saved-model", "it")
