"""Layer by layer: what Keras 2 saved computes in Keras 3 what it computed there."""

import io
import os
from typing import Any

import h5py
import numpy as np
import pytest

from keras_recipes.legacy import convert, reading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
tf_keras = pytest.importorskip("tf_keras", reason="Keras 2 itself is the measure")

from tests import keras2_models  # noqa: E402

CASES = dict(keras2_models.cases())
TOLERANCE = 1e-5


def saved(model: Any) -> bytes:
    """The weights file of a Keras 2 model."""
    from tf_keras.src.saving.legacy import hdf5_format

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        hdf5_format.save_weights_to_hdf5_group(file, model)
    return stream.getvalue()


def opened(model: Any) -> convert.Converted:
    value = reading.architecture(model.to_json().encode(), "model.json")
    return convert.convert(reading.pair(value, saved(model), "model.json", "model.h5"))


def flat(outputs: Any) -> list[np.ndarray]:
    if isinstance(outputs, dict):
        return [np.asarray(outputs[key]) for key in sorted(outputs)]
    return [np.asarray(part) for part in (outputs if isinstance(outputs, list) else [outputs])]


def largest_difference(one: Any, other: Any) -> float:
    pairs = list(zip(flat(one), flat(other), strict=True))
    assert all(a.shape == b.shape for a, b in pairs)
    return max(float((abs(a - b) / np.maximum(1, abs(b))).max()) for a, b in pairs)


@pytest.mark.parametrize("name", CASES)
def test_it_computes_what_keras_2_computes(name: str) -> None:
    tf_keras.backend.clear_session()
    random = np.random.default_rng(7)
    model = CASES[name]()
    x = keras2_models.inputs(model, random)
    if not model.built:
        model(x[0])
    keras2_models.shuffle(model, random)
    if isinstance(model.input, dict):
        x = [dict(zip(model.input_names, x, strict=True))]
    given = x[0] if len(x) == 1 else x
    expected = model(given, training=False)
    assert largest_difference(opened(model).model(given, training=False), expected) <= TOLERANCE
