"""A net as data: the layers' settings and the weights' arrays, which NumPy reads without Keras."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from keras_recipes import backend
from keras_recipes.untrusted import weights
from keras_recipes.untrusted.hdf5 import Tree

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Layer:
    """One layer of a net.

    Attributes:
        kind: The name of its class, such as "LSTM".
        settings: The arguments of its class.
    """

    kind: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Net:
    """A net whose layers follow each other, as data.

    Attributes:
        layers: The layers in order, without the input.
        arrays: The weights by their paths in the layout of Keras 3's weights files, such as
            "layers/dense/vars/0".
    """

    layers: tuple[Layer, ...]
    arrays: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, model: "keras.Model") -> "Net":
        """Return a Keras model as data.

        Raises:
            ValueError: The layers do not simply follow each other.
        """
        places = weights.variables_by_path(model)
        arrays = {path: backend.to_numpy(variable) for path, variable in places.items()}
        return cls(_in_order(json.loads(model.to_json())), arrays)

    @classmethod
    def of_files(cls, architecture: Mapping[str, Any], tree: Tree) -> "Net":
        """Return the net of files that were checked.

        Args:
            architecture: The configuration, in the form that `to_json()` writes.
            tree: The content of the weights file.

        Raises:
            ValueError: The layers do not simply follow each other.
        """
        arrays = {
            path: array.view(ml_dtypes.bfloat16) if path in tree.bfloat16 else array
            for path, array in tree.arrays.items()
        }
        return cls(_in_order(architecture), arrays)


def _in_order(architecture: Mapping[str, Any]) -> tuple[Layer, ...]:
    """Return the layers of a model, each of which has the one before as its only input."""
    before, *rest = architecture["config"]["layers"]
    for layer in rest:
        in_a_row = architecture["class_name"] == "Sequential" or _inputs(layer) == [_name(before)]
        if not in_a_row:
            raise ValueError(f"expected layers that follow each other, received {_name(layer)!r}")
        before = layer
    return tuple(Layer(layer["class_name"], layer["config"]) for layer in rest)


def _name(layer: Mapping[str, Any]) -> Any:
    return layer["config"]["name"]


def _inputs(layer: Mapping[str, Any]) -> list[Any]:
    """Return the names of the layers whose outputs a layer receives, in all its calls."""
    found: list[Any] = []
    for call in layer["inbound_nodes"]:
        for tensor in call["args"]:
            # A layer that merges others has them in a list.
            several = tensor if isinstance(tensor, list) else [tensor]
            found += [one["config"]["keras_history"][0] for one in several]
    return found
