"""Old files for the tests, in the form of earlier versions of Keras, and how they open."""

import io
import json
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from keras_recipes.legacy import convert, reading

Weights = dict[str, Sequence[tuple[str, np.ndarray]]]
"""Names of arrays and the arrays, by layer."""


def weights_file(weights: Weights, **attributes: str) -> bytes:
    """A weights file in the layout of Keras 1 and 2."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in weights]
        for key, value in attributes.items():
            file.attrs[key] = value.encode()
        for layer, arrays in weights.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name, _ in arrays]
            for name, array in arrays:
                group.create_dataset(name, data=array)
    return stream.getvalue()


def sequential(*layers: tuple[str, dict[str, Any]], version: str = "1.2.2") -> dict[str, Any]:
    """A Sequential's JSON; its first layer has to hold `batch_input_shape`."""
    listed = [
        {"class_name": kind, "config": {"name": f"{kind.lower()}_{i}", **config}}
        for i, (kind, config) in enumerate(layers, 1)
    ]
    return {"class_name": "Sequential", "config": listed, "keras_version": version}


def opened(value: Any, h5: bytes) -> convert.Converted:
    converted = convert.open_pair(json.dumps(value).encode(), h5, "model.json", "model.h5")
    assert converted is not None
    return converted


def read(value: Any, h5: bytes) -> reading.Old:
    return reading.pair(value, h5, "model.json", "model.h5")


def answers(converted: convert.Converted, x: Any) -> Any:
    return converted.model(x, training=False)


def largest_difference(ours: Any, theirs: Any) -> float:
    """The largest difference of all outputs, relative to max(1, |theirs|)."""
    pairs = list(zip(_flat(ours), _flat(theirs), strict=True))
    assert [a.shape for a, _ in pairs] == [b.shape for _, b in pairs]
    return max(float((abs(a - b) / np.maximum(1, abs(b))).max()) for a, b in pairs)


def _flat(outputs: Any) -> list[np.ndarray]:
    if isinstance(outputs, dict):
        return [np.asarray(outputs[key]) for key in sorted(outputs)]
    return [np.asarray(part) for part in (outputs if isinstance(outputs, list) else [outputs])]
