"""Models of Keras 1 and Theano: Keras 3 computes the outputs of recordings and formulas.

Keras 1.2.2, 1.0.8 and 2.2.4 made the recordings (`references/record_theano.py`). The formulas cover
what those versions could not run, and Keras 1 on TensorFlow, which cannot be run any more.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes.errors import CorruptModelError, InputError, RecipeError, UnsafeModelError
from keras_recipes.legacy import convert
from tests.legacy.legacy_files import (
    answers,
    largest_difference,
    opened,
    read,
    sequential,
    weights_file,
)

pytestmark = pytest.mark.full

RECORDINGS = {
    path.stem: np.load(path)
    for path in sorted((Path(__file__).parent / "references").glob("*.npz"))
}
RECORDED = [
    (keras, name)
    for keras, kept in RECORDINGS.items()
    for name in sorted({key.partition("/")[0] for key in kept.files})
]
TOLERANCE = 1e-5
random = np.random.default_rng(7)


def parts(kept: Any, name: str, letter: str) -> list[np.ndarray]:
    return [kept[key] for key in sorted(kept.files) if key.startswith(f"{name}/{letter}")]


@pytest.mark.parametrize(("keras", "name"), RECORDED)
def test_it_computes_what_was_recorded(keras: str, name: str) -> None:
    kept = RECORDINGS[keras]
    x, y = parts(kept, name, "x"), parts(kept, name, "y")
    converted = opened(json.loads(str(kept[f"{name}/json"])), kept[f"{name}/h5"].tobytes())
    ours = answers(converted, x[0] if len(x) == 1 else x)
    assert largest_difference(ours, y if len(y) > 1 else y[0]) <= TOLERANCE


def numbers(*shape: int) -> np.ndarray:
    return random.uniform(-0.9, 0.9, shape).astype("float32")


def hard_sigmoid(x: np.ndarray) -> np.ndarray:
    return np.clip(0.2 * x + 0.5, 0, 1)


@pytest.mark.parametrize("ending", [":0", ""], ids=["tensorflow", "theano"])
@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_theano_turns_kernels_around_and_tensorflow_does_not(ending: str, ordering: str) -> None:
    kernel, bias, x = numbers(2, 3, 2, 4), numbers(4), numbers(3, 5, 6, 2)
    used = kernel if ending else kernel[::-1, ::-1]
    expected = np.zeros((3, 4, 4, 4))
    for row in range(4):
        for column in range(4):
            patch = x[:, row : row + 2, column : column + 3]
            expected[:, row, column] = np.einsum("nrcx,rcxf->nf", patch, used) + bias
    shape = [None, 5, 6, 2]
    if ordering == "th":
        x, expected = x.transpose(0, 3, 1, 2), expected.transpose(0, 3, 1, 2)
        kernel, shape = kernel.transpose(3, 2, 0, 1), [None, 2, 5, 6]
    config = {"nb_filter": 4, "nb_row": 2, "nb_col": 3, "dim_ordering": ordering, "bias": True}
    value = sequential(
        ("Convolution2D", {**config, "border_mode": "valid", "subsample": [1, 1],
                           "activation": "linear", "batch_input_shape": shape})
    )  # fmt: skip
    h5 = weights_file({"convolution2d_1": [(f"c_W{ending}", kernel), (f"c_b{ending}", bias)]})
    assert largest_difference(answers(opened(value, h5), x), expected) <= TOLERANCE


def lstm(x: np.ndarray, gates: dict[str, list[np.ndarray]], inner: Any) -> np.ndarray:
    """Keras 1's LSTM, from its documentation."""
    h = c = np.zeros((len(x), gates["i"][1].shape[0]))
    for step in range(x.shape[1]):
        z = {gate: x[:, step] @ w + h @ u + b for gate, (w, u, b) in gates.items()}
        c = inner(z["f"]) * c + inner(z["i"]) * np.tanh(z["c"])
        h = inner(z["o"]) * np.tanh(c)
    return h


@pytest.mark.parametrize("inner", ["hard_sigmoid", "sigmoid"])
def test_an_lstm_of_twelve_arrays_is_the_lstm_of_three(inner: str) -> None:
    gates = {gate: [numbers(2, 3), numbers(3, 3), numbers(3)] for gate in "icfo"}
    named = [(f"lstm_1_{p}_{g}:0", a) for g in "icfo" for p, a in zip("WUb", gates[g], strict=True)]
    value = sequential(
        ("LSTM", {"output_dim": 3, "inner_activation": inner, "activation": "tanh",
                  "consume_less": "cpu", "return_sequences": False, "go_backwards": False,
                  "stateful": False, "unroll": False, "forget_bias_init": "one",
                  "inner_init": "orthogonal", "init": "glorot_uniform", "dropout_U": 0.0,
                  "dropout_W": 0.0, "batch_input_shape": [None, 4, 2]})
    )  # fmt: skip
    x = numbers(5, 4, 2)
    functions = {"hard_sigmoid": hard_sigmoid, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}
    expected = lstm(x, gates, functions[inner])
    h5 = weights_file({"lstm_1": named})
    assert largest_difference(answers(opened(value, h5), x), expected) <= TOLERANCE


def test_a_locally_connected_layer_has_a_kernel_for_every_place() -> None:
    kernel, bias, x = numbers(3, 6, 4), numbers(3, 4), numbers(5, 7, 2)
    value = sequential(
        ("LocallyConnected1D", {"nb_filter": 4, "filter_length": 3, "subsample_length": 2,
                                "border_mode": "valid", "activation": "relu", "bias": True,
                                "batch_input_shape": [None, 7, 2]})
    )  # fmt: skip
    patches = np.stack([x[:, i : i + 3].reshape(5, 6) for i in (0, 2, 4)], axis=1)
    expected = np.maximum(np.einsum("npk,pkf->npf", patches, kernel) + bias, 0)
    h5 = weights_file({"locallyconnected1d_1": [("W:0", kernel), ("b:0", bias)]})
    assert largest_difference(answers(opened(value, h5), x), expected) <= TOLERANCE


def branch(number: int, shape: list[int]) -> dict[str, Any]:
    """A model of Keras 1 that returns its input."""
    config = {"name": f"activation_{number}", "activation": "linear"}
    layer = {"class_name": "Activation", "config": {**config, "batch_input_shape": [None, *shape]}}
    return {"class_name": "Sequential", "config": [layer]}


@pytest.mark.parametrize(
    ("axes", "one", "other", "equation"),
    [
        ([1, 1], [4], [4], "ni,ni->n"),
        ([2, 2], [3, 4], [5, 4], "nai,nbi->nab"),
        ([1, 1], [4, 3], [4, 5], "nia,nib->nab"),
        ([2, 1], [3, 4], [4, 5], "nai,nib->nab"),
    ],
)
def test_a_merge_by_dot_product(
    axes: list[int], one: list[int], other: list[int], equation: str
) -> None:
    merge = {"name": "merge_1", "mode": "dot", "mode_type": "raw", "dot_axes": axes}
    merge["layers"] = [branch(1, one), branch(2, other)]
    value = {"class_name": "Sequential", "config": [{"class_name": "Merge", "config": merge}]}
    a, b = numbers(6, *one), numbers(6, *other)
    expected = np.einsum(equation, a, b)
    converted = opened({**value, "keras_version": "1.2.2"}, weights_file({}))
    ours = answers(converted, [a, b])
    assert largest_difference(ours, expected.reshape(ours.shape)) <= TOLERANCE


def test_srelu_on_tensorflow_caps_only_the_right_piece() -> None:
    left, left_slope, right, right_slope = (numbers(3) for _ in range(4))
    x = 3 * numbers(50, 3)
    top = left + abs(right)
    expected = np.where(x < left, left + left_slope * (x - left), np.minimum(x, top))
    expected = expected + right_slope * np.maximum(x - top, 0)
    value = sequential(("SReLU", {"batch_input_shape": [None, 3]}))
    arrays = [left, left_slope, right, right_slope]
    h5 = weights_file({"srelu_1": [(f"{i}:0", array) for i, array in enumerate(arrays)]})
    assert largest_difference(answers(opened(value, h5), x), expected) <= TOLERANCE


def test_the_oldest_numbered_weights_are_read() -> None:
    import io

    import h5py

    kernel, bias, x = numbers(4, 3), numbers(3), numbers(2, 4)
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["nb_layers"] = 2
        for number, arrays in enumerate([[kernel, bias], []]):
            group = file.create_group(f"layer_{number}")
            group.attrs["nb_params"] = len(arrays)
            for i, array in enumerate(arrays):
                group.create_dataset(f"param_{i}", data=array)
    value = sequential(
        ("Dense", {"output_dim": 3, "activation": "linear", "batch_input_shape": [None, 4]}),
        ("Activation", {"activation": "relu"}),
    )
    converted = opened(value, stream.getvalue())
    assert largest_difference(answers(converted, x), np.maximum(x @ kernel + bias, 0)) <= TOLERANCE


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_json_is_said_to_be_damaged(data: st.DataObject) -> None:
    keras, name = data.draw(st.sampled_from(RECORDED))
    recording = RECORDINGS[keras]
    value = json.loads(str(recording[f"{name}/json"]))
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(list(places(value))))
        holder[key] = data.draw(
            st.sampled_from([None, -1, 0, 2.5, "same", [], {}, [None, 3], True])
        )
    with contextlib.suppress(RecipeError):
        convert.modern(read(value, recording[f"{name}/h5"].tobytes()))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the container and key of every value in JSON."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@pytest.mark.parametrize(
    ("kind", "config", "error", "said"),
    [
        (
            "BatchNormalization",
            {"mode": 2, "epsilon": 1e-3},
            InputError,
            "layer batchnormalization_1 .*mode=2",
        ),
        ("Lambda", {"function": ["4wEA", None, None]}, UnsafeModelError, "Python code"),
        ("MyLayer", {"power": 2}, InputError, r"layer mylayer_1 \(MyLayer\): not one of Keras"),
        ("Dense", {"output_dim": 3, "activation": "mine"}, InputError, "activation mine"),
        ("Dense", {"output_dim": "x"}, CorruptModelError, "units"),
        ("Convolution1D", {}, CorruptModelError, "layer convolution1d_1"),
    ],
)
def test_what_cannot_be_expressed_is_named(
    kind: str, config: dict[str, Any], error: type[Exception], said: str
) -> None:
    arrays = [numbers(4, 3), numbers(3)]
    counts = {"BatchNormalization": 4, "Lambda": 0, "MyLayer": 0}.get(kind, 2)
    chosen = (arrays * 2)[:counts]
    name = f"{kind.lower()}_1"
    value = sequential((kind, {**config, "batch_input_shape": [None, 4]}))
    h5 = weights_file({name: [(f"{i}:0", a) for i, a in enumerate(chosen)]} if counts else {})
    with pytest.raises(error, match=said):
        opened(value, h5)
