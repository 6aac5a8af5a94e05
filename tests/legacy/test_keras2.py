"""Models of Keras 2, layer by layer: Keras 3 computes the same outputs."""

import functools
import io
import json
import os
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import pytest

from keras_recipes.errors import InputError, UnsafeModelError
from tests.legacy.legacy_files import answers, largest_difference, opened, sequential, weights_file

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
tf_keras = pytest.importorskip("tf_keras", reason="Keras 2 itself is the measure")

from tests.legacy import keras2_models  # noqa: E402
from tests.legacy.keras2_files import saved  # noqa: E402

pytestmark = pytest.mark.full

CASES = dict(keras2_models.cases())
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Kept:
    """A model of Keras 2 with its files and outputs, computed once for all tests."""

    json: str
    h5: bytes
    x: Any
    y: Any


@functools.cache
def kept(name: str) -> Kept:
    """A model with weights of all kinds, an input for it, and its output."""
    tf_keras.backend.clear_session()
    random = np.random.default_rng(7)
    model = CASES[name]()
    x: Any = keras2_models.inputs(model, random)
    if not model.built:
        model(x[0])
    keras2_models.shuffle(model, random)
    if isinstance(model.input, dict):
        x = dict(zip(model.input_names, x, strict=True))
    elif len(x) == 1:
        x = x[0]
    return Kept(model.to_json(), saved(model), x, model(x, training=False))


@pytest.mark.parametrize("name", CASES)
def test_it_computes_what_keras_2_computes(name: str) -> None:
    old = kept(name)
    converted = opened(json.loads(old.json), old.h5)
    assert largest_difference(answers(converted, old.x), old.y) <= TOLERANCE


def test_weights_whose_layers_have_other_names_are_taken_in_order() -> None:
    old = kept("shared layer")
    value = json.loads(old.json.replace('"dense', '"fully_connected'))
    assert largest_difference(answers(opened(value, old.h5), old.x), old.y) <= TOLERANCE


def test_names_in_pieces_are_put_together() -> None:
    old = kept("nested deeper")
    stream = io.BytesIO(old.h5)
    with h5py.File(stream, "r+") as file:
        names = list(file.attrs["layer_names"])
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = names[:1], names[1:]
    converted = opened(json.loads(old.json), stream.getvalue())
    assert largest_difference(answers(converted, old.x), old.y) <= TOLERANCE


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_cudnn_layers_become_ordinary_ones(kind: str, gates: int) -> None:
    """Compare with Keras 2's ordinary layer, which reads cuDNN's weights."""
    from tf_keras.src.saving.legacy.hdf5_format import preprocess_weights_for_loading

    random = np.random.default_rng(7)
    shapes = [(2, 3 * gates), (3, 3 * gates), (2 * 3 * gates,)]
    arrays = [random.uniform(-0.9, 0.9, shape).astype("float32") for shape in shapes]
    layer = getattr(tf_keras.layers, kind)(3, return_sequences=True, input_shape=(5, 2))
    model = tf_keras.Sequential([layer])
    model.set_weights(preprocess_weights_for_loading(layer, list(arrays), "2.2.4", "tensorflow"))
    config = {"units": 3, "return_sequences": True, "batch_input_shape": [None, 5, 2]}
    value = sequential((f"CuDNN{kind}", config), version="2.2.4")
    named = [(f"{i}:0", array) for i, array in enumerate(arrays)]
    x = random.normal(size=(4, 5, 2)).astype("float32")
    converted = opened(value, weights_file({f"cudnn{kind.lower()}_1": named}))
    assert largest_difference(answers(converted, x), model(x)) <= TOLERANCE


def test_tensorflow_1_enlarged_pictures_from_their_upper_left_corners() -> None:
    config = {"size": [2, 2], "interpolation": "bilinear", "data_format": "channels_last"}
    config["batch_input_shape"] = [None, 3, 4, 2]
    x = np.random.default_rng(7).normal(size=(5, 3, 4, 2)).astype("float32")
    expected = x
    for axis, n in ((1, 3), (2, 4)):
        places = np.arange(2 * n) / 2
        first = places.astype(int)
        after = np.minimum(first + 1, n - 1)
        share = (places - first).reshape([-1 if i == axis else 1 for i in range(4)])
        expected = expected.take(first, axis) * (1 - share) + expected.take(after, axis) * share
    value = sequential(("UpSampling2D", config), version="2.2.4")
    converted = opened(value, weights_file({}, keras_version="2.2.4", backend="tensorflow"))
    assert largest_difference(answers(converted, x), expected) <= TOLERANCE


def node_layer(op: str, constants: dict[str, Any], attributes: Any = None) -> dict[str, Any]:
    """A functional model of TensorFlow 2.0 to 2.3 with one operation of TensorFlow in it."""
    node = json.dumps({"name": "op", "op": op, "input": ["x", "c"], "attr": attributes or {}})
    config = {"name": "op", "dtype": "float32", "node_def": node, "constants": constants}
    first = {"batch_input_shape": [None, 3, 4], "dtype": "float32", "name": "x"}
    layers = [
        {"class_name": "InputLayer", "config": first, "name": "x", "inbound_nodes": []},
        {
            "class_name": "TensorFlowOpLayer",
            "config": config,
            "name": "tf_op_layer_op",
            "inbound_nodes": [[["x", 0, 0, {}]]],
        },
    ]
    model = {
        "name": "m",
        "layers": layers,
        "input_layers": [["x", 0, 0]],
        "output_layers": [["tf_op_layer_op", 0, 0]],
    }
    return {"class_name": "Model", "config": model, "keras_version": "2.3.0-tf"}


NODES: dict[str, Any] = {
    "AddV2": ({"1": 2.5}, None, lambda x: x + 2.5),
    "Sub": ({"0": 1.0}, None, lambda x: 1 - x),
    "Mul": ({"1": 3.0}, None, lambda x: x * 3),
    "RealDiv": ({"1": 4.0}, None, lambda x: x / 4),
    "Square": ({}, None, np.square),
    "Relu": ({}, None, lambda x: np.maximum(x, 0)),
    "Mean": ({"1": 1}, {"keep_dims": {"b": False}}, lambda x: x.mean(axis=1)),
    "Sum": ({"1": [1, 2]}, {"keep_dims": {"b": True}}, lambda x: x.sum((1, 2), keepdims=True)),
    "ExpandDims": ({"1": 1}, None, lambda x: x[:, None]),
    "Reshape": ({"1": [-1, 12]}, None, lambda x: x.reshape(-1, 12)),
    "Transpose": ({"1": [0, 2, 1]}, None, lambda x: x.transpose(0, 2, 1)),
}


@pytest.mark.parametrize("op", NODES)
def test_a_node_of_tensorflows_graph_becomes_an_operation(op: str) -> None:
    constants, attributes, function = NODES[op]
    x = np.random.default_rng(7).normal(size=(5, 3, 4)).astype("float32")
    converted = opened(node_layer(op, constants, attributes), weights_file({}))
    assert largest_difference(answers(converted, x), function(x)) <= TOLERANCE


@pytest.mark.parametrize(
    ("kind", "config", "error", "said"),
    [
        ("LSTM", {"units": 3, "time_major": True}, InputError, "lstm_1.*time_major"),
        ("LSTM", {"units": 3, "activation": "hard_sigmoid"}, InputError, "hard_sigmoid"),
        ("BatchNormalization", {"renorm": True}, InputError, "renorm"),
        ("BatchNormalization", {"axis": [1, 2]}, InputError, "axes"),
        ("InputLayer", {"ragged": True}, InputError, "ragged"),
        ("StringLookup", {}, InputError, "words"),
        ("TFOpLambda", {"function": "image.sobel_edges"}, InputError, "image.sobel_edges"),
        ("Dense", {"units": 3, "sparseness": 0.5}, InputError, "sparseness=0.5"),
        ("Lambda", {"function": ["4wEA"], "function_type": "lambda"}, UnsafeModelError, "code"),
        ("Dense", {"units": 3, "activation": {"class_name": "__lambda__", "config": {}}},
         UnsafeModelError, "code"),
    ],
)  # fmt: skip
def test_what_cannot_be_expressed_is_named(
    kind: str, config: dict[str, Any], error: type[Exception], said: str
) -> None:
    shapes: list[tuple[int, ...]] = {
        "Dense": [(4, 3), (3,)],
        "LSTM": [(4, 12), (3, 12), (12,)],
        "BatchNormalization": [(4,)] * 4,
    }.get(kind, [])
    shape = [None, 5, 4] if kind == "LSTM" else [None, 4]
    value = sequential((kind, {**config, "batch_input_shape": shape}), version="2.2.4")
    named = [(f"{i}:0", np.ones(shape, "float32")) for i, shape in enumerate(shapes)]
    with pytest.raises(error, match=said):
        opened(value, weights_file({f"{kind.lower()}_1": named} if named else {}))
