"""Every public layer of Keras opens as it was saved, or is left out with a reason."""

import inspect
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from keras_recipes import backend, load
from keras_recipes.errors import UnsafeModelError
from keras_recipes.untrusted import allowed
from tests.checkout import ROOT
from tests.pages import generated
from tests.untrusted import allowed_table

pytestmark = pytest.mark.full

PAGE = ROOT / "docs" / "models" / "accepted-layers.md"

backend.start()

VECTOR, SERIES, VOLUME = (8,), (12, 8), (8, 8, 8, 3)
IMAGE = (16, 16, 3)


def spread(layer: Any) -> Callable[..., Any]:
    """Call a layer that takes several inputs as separate arguments."""
    return lambda inputs: layer(*inputs)


# How each layer is made and what its input is, unless it is Layer() on a vector.
MADE: dict[str, tuple[Callable[..., Any], Any]] = {
    "Activation": (lambda c: c("gelu"), VECTOR),
    "ActivityRegularization": (lambda c: c(l2=0.1), VECTOR),
    "AdditiveAttention": (lambda c: c(), [SERIES, SERIES]),
    "Attention": (lambda c: c(use_scale=True), [SERIES, SERIES]),
    "Bidirectional": (lambda c: c(layers.LSTM(3, return_sequences=True)), SERIES),
    "CategoryEncoding": (lambda c: c(num_tokens=5, output_mode="multi_hot"), "int"),
    "Concatenate": (lambda c: c(), [VECTOR, VECTOR]),
    "Dense": (lambda c: c(4, activation="relu", kernel_regularizer="l2"), VECTOR),
    "Discretization": (lambda c: c(bin_boundaries=[0.0, 0.5, 1.0]), VECTOR),
    "Dot": (lambda c: c(axes=1), [VECTOR, VECTOR]),
    "EinsumDense": (lambda c: c("abc,cd->abd", output_shape=(None, 5), bias_axes="d"), SERIES),
    "Embedding": (lambda c: c(10, 4), "int"),
    "GroupNormalization": (lambda c: c(groups=4), SERIES),
    "GroupedQueryAttention": (lambda c: spread(c(4, 4, 2)), [SERIES, SERIES]),
    "Equalization": (lambda c: layers.Pipeline([c()]), IMAGE),
    "RandomPosterization": (lambda c: c(4), IMAGE),
    "HashedCrossing": (lambda c: c(num_bins=5), ["int", "int"]),
    "Hashing": (lambda c: c(num_bins=5), "int"),
    "IntegerLookup": (lambda c: c(vocabulary=[1, 3, 5]), "int"),
    "LeakyReLU": (lambda c: c(0.2), VECTOR),
    "MaxNumBoundingBoxes": (lambda c: c(max_number=3), IMAGE),
    "MelSpectrogram": (
        lambda c: c(fft_length=64, sequence_length=64, sequence_stride=32, num_mel_bins=8),
        (256,),
    ),
    "MultiHeadAttention": (lambda c: spread(c(2, 4, dropout=0.1)), [SERIES, SERIES]),
    "Permute": (lambda c: c((2, 1)), SERIES),
    "Pipeline": (lambda c: c([layers.Rescaling(0.5), layers.Resizing(4, 4)]), IMAGE),
    "RNN": (lambda c: c([layers.LSTMCell(3), layers.GRUCell(2)]), SERIES),
    "RandomCrop": (lambda c: c(8, 8), IMAGE),
    "CenterCrop": (lambda c: c(8, 8), IMAGE),
    "RepeatVector": (lambda c: c(3), VECTOR),
    "Rescaling": (lambda c: c(1 / 255, offset=-1), VECTOR),
    "Reshape": (lambda c: c((2, -1)), VECTOR),
    "Resizing": (lambda c: c(5, 7), IMAGE),
    "ReversibleEmbedding": (lambda c: c(10, 4), "int"),
    "STFTSpectrogram": (lambda c: c(frame_length=16, frame_step=8, fft_length=16), (64, 1)),
    "SpectralNormalization": (lambda c: c(layers.Dense(3)), VECTOR),
    "StringLookup": (lambda c: c(vocabulary=["a", "b"]), "text"),
    "TextVectorization": (lambda c: c(vocabulary=["cat", "dog"]), "text"),
    "TimeDistributed": (lambda c: c(layers.Dense(3)), SERIES),
    "UpSampling1D": (lambda c: c(2), SERIES),
    "Cropping1D": (lambda c: c(1), SERIES),
    "ZeroPadding1D": (lambda c: c(1), SERIES),
    "Masking": (lambda c: c(), SERIES),
    "RandomColorJitter": (lambda c: c(value_range=(0, 1)), IMAGE),
    "RandomElasticTransform": (lambda c: c(factor=0.5), IMAGE),
    "RandomGaussianBlur": (lambda c: c(kernel_size=3), IMAGE),
    "RandomPerspective": (lambda c: c(), IMAGE),
    "RandomTranslation": (lambda c: c(0.1, 0.1), IMAGE),
    "RandomZoom": (lambda c: c(0.1), IMAGE),
}
ARGUMENTS: dict[str, Any] = {
    "units": 3,
    "filters": 3,
    "kernel_size": 3,
    "rate": 0.5,
    "stddev": 0.1,
    "factor": 0.1,
    "output_size": 2,
    "pool_size": 2,
}
CELLS = {"LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"}
MERGES = {"Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"}


def public_layers() -> dict[str, type]:
    """Every public class of keras.layers once, by the name that is saved."""
    found = {cls.__name__: cls for cls in vars(layers).values() if inspect.isclass(cls)}
    return dict(sorted(found.items()))


def shape_for(name: str) -> Any:
    if name.endswith("3D"):
        return VOLUME if "LSTM" not in name else (2, *VOLUME)
    if name.endswith(("2D", "2DTranspose")):
        return IMAGE if "LSTM" not in name else (3, *IMAGE)
    if name.endswith("3DTranspose"):
        return VOLUME
    if name.endswith(("1D", "1DTranspose")):
        return SERIES if "LSTM" not in name else (3, *SERIES)
    if name in MERGES:
        return [VECTOR, VECTOR]
    image = {"AugMix", "AutoContrast", "CutMix", "Equalization", "MixUp", "RandAugment"}
    if (
        name.startswith("Random")
        or name in image
        or name in ("Solarization",)
        or "Contrast" in name
    ):
        return IMAGE
    return SERIES if name in ("LSTM", "GRU", "SimpleRNN") else VECTOR


def sample(name: str, cls: type) -> tuple[keras.Model, Any]:
    """A model with this layer, and inputs for it."""
    if name == "InputLayer":
        return model_of(layers.Dense(2), VECTOR)
    if name in CELLS:
        cell = cls([layers.LSTMCell(2)]) if name == "StackedRNNCells" else cls(3)
        return model_of(layers.RNN(cell), SERIES)
    make, shape = MADE.get(name, (None, shape_for(name)))
    if make is None:
        required = [
            p.name
            for p in inspect.signature(cls.__init__).parameters.values()
            if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"
        ]
        return model_of(cls(**{arg: ARGUMENTS[arg] for arg in required}), shape)
    return model_of(make(cls), shape)


def model_of(layer: Any, shape: Any) -> tuple[keras.Model, Any]:
    shapes = shape if isinstance(shape, list) else [shape]
    inputs = [an_input(s) for s in shapes]
    outputs = layer(inputs if isinstance(shape, list) else inputs[0])
    x = [an_array(s) for s in shapes]
    several = isinstance(shape, list)
    return keras.Model(inputs if several else inputs[0], outputs), x if several else x[0]


def an_input(shape: Any) -> Any:
    if shape == "int":
        return keras.Input((1,), dtype="int64")
    return keras.Input((1,), dtype="string") if shape == "text" else keras.Input(shape)


def an_array(shape: Any) -> Any:
    if shape == "int":
        return np.array([[1], [3]], "int64")
    if shape == "text":
        import tensorflow as tf

        return tf.constant([["cat"], ["a"]])
    return np.random.default_rng(0).uniform(0.1, 1, (2, *shape)).astype("float32")


def pair(model: keras.Model, folder: Path) -> Path:
    (folder / "model.json").write_text(model.to_json())
    model.save_weights(folder / "model.weights.h5")
    return folder / "model.json"


def numbers(outputs: Any) -> list[np.ndarray]:
    return [np.asarray(keras.ops.convert_to_numpy(o)) for o in keras.tree.flatten(outputs)]


LEFT_OUT = allowed_table.EXCLUDED["layers"]


@pytest.mark.parametrize("name", [n for n in public_layers() if n not in LEFT_OUT])
def test_it_opens_and_answers_as_it_was_saved(name: str, tmp_path: Path) -> None:
    model, x = sample(name, public_layers()[name])
    opened = load(pair(model, tmp_path)).model
    assert json.loads(opened.to_json()) == json.loads(model.to_json())
    for mine, theirs in zip(model.get_weights(), opened.get_weights(), strict=True):
        assert np.array_equal(mine, theirs)
    answers = numbers(model(x, training=False)), numbers(opened(x, training=False))
    for mine, theirs in zip(*answers, strict=True):
        assert np.array_equal(mine, theirs, equal_nan=True)


def test_every_public_layer_is_in_the_table_or_left_out_with_a_reason() -> None:
    known = allowed_table.table()
    assert not allowed_table.UNKNOWN
    committed = json.loads((ROOT / "keras_recipes/untrusted/allowed.json").read_text())
    for group in ("layers", "initializers", "regularizers", "constraints", "optimizers"):
        for name, arguments in known[group].items():
            assert arguments.keys() <= committed[group][name].keys(), name
    if keras.__version__ < committed["keras"]:
        return  # older versions have operations that later ones do not; those are refused
    for module, operations in known["operations"].items():
        for name, arguments in operations.items():
            assert arguments.keys() <= committed["operations"][module][name].keys(), name


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_what_is_left_out_is_refused_with_its_reason(name: str, tmp_path: Path) -> None:
    model, _ = model_of(layers.Dense(3), VECTOR)
    config = json.loads(model.to_json())
    config["config"]["layers"][1].update(class_name=name, config={"name": "dense"})
    model.save_weights(tmp_path / "model.weights.h5")
    (tmp_path / "model.json").write_text(json.dumps(config))
    with pytest.raises(UnsafeModelError, match=f"{name} is not opened: "):
        load(tmp_path / "model.json")
    assert allowed.reason(name) == LEFT_OUT[name]


def page() -> str:
    """The page for readers."""
    text = io.StringIO()
    text.write("# Layers that open\n\n")
    text.write(
        "This table lists every public layer of Keras, and whether a model with this layer opens. "
        "A test\nsaves and opens a model with each. `make pages` writes the table.\n\n"
        "| layer | opens |\n| --- | --- |\n"
    )
    for name in public_layers():
        text.write(f"| `{name}` | {'no: ' + LEFT_OUT[name] if name in LEFT_OUT else 'yes'} |\n")
    return text.getvalue()


@pytest.mark.generated
def test_the_page_for_people_says_the_same() -> None:
    text = generated.text_of(PAGE, page())
    listed = {line.split("`")[1] for line in text.splitlines() if "| `" in line}
    assert listed >= set(public_layers())
