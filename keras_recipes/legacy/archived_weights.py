"""Assign the arrays of a `.keras` file of Keras 2.12 to 2.15 to the layers of a tree.

Keras stored a layer's arrays by the path of attributes that leads to it, as in
`layers/lstm_1/cell/vars/0`. Layers in a list are named by their class and numbered, and what is in
the list twice was counted twice, so that numbers may be missing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from keras_recipes.errors import CorruptModelError
from keras_recipes.legacy.tree import MODELS, Layer
from keras_recipes.legacy.weights import counts, inner_layers

_VERSION = 2
_LISTS = ("layers/", "_layer_checkpoint_dependencies/")
_CELLS = {"LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
_HEADS = ("_query_dense/", "_key_dense/", "_value_dense/", "_output_dense/")

Arrays = Mapping[str, np.ndarray]


def holds(arrays: Arrays) -> bool:
    """Return whether a weights file is in this form."""
    return any(path.startswith(_LISTS) for path in arrays)


def attach(model: Layer, arrays: Arrays) -> None:
    """Put the arrays of a weights file into the tree.

    Raises:
        CorruptModelError: The file does not hold this model's weights.
    """
    _of_model(model, {path.replace("\\", "/"): array for path, array in arrays.items()})


def _below(arrays: Arrays, prefix: str) -> dict[str, np.ndarray]:
    return {path[len(prefix) :]: arrays[path] for path in arrays if path.startswith(prefix)}


def _of_model(model: Layer, arrays: Arrays) -> None:
    inside = next((part for name in _LISTS if (part := _below(arrays, name))), {})
    _of_list(model, model.layers, inside)


def _of_list(owner: Layer, layers: Sequence[Layer], arrays: Arrays) -> None:
    named: dict[str, list[Layer]] = {}
    for layer in layers:
        if sum(counts(layer, _VERSION)):
            named.setdefault(_snake(layer.kind), []).append(layer)
    for name, alike in named.items():
        places = sorted(_numbers(name, arrays))
        if len(places) != len(alike):
            raise CorruptModelError(
                f"{owner}: the file does not hold its weights: it has {len(alike)} layers with "
                f"weights of the class {alike[0].kind}, the file {len(places)}; get it again"
            )
        for layer, number in zip(alike, places, strict=True):
            _of_layer(layer, _below(arrays, f"{name}_{number}/" if number else f"{name}/"))


def _numbers(name: str, arrays: Arrays) -> Iterator[int]:
    """Return the numbers under which layers of a class have arrays; the first has the number 0."""
    heads = {path.partition("/")[0] for path in arrays if "/vars/" in path}
    for head in heads:
        if head == name:
            yield 0
        elif (rest := head.removeprefix(f"{name}_")) != head and rest.isdecimal():
            yield int(rest)


def _snake(kind: str) -> str:
    """Return the name that Keras made of a class: `LSTM` gives lstm, `Conv2D` conv2d."""
    name = re.sub(r"\W+", "", kind)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _of_layer(layer: Layer, arrays: Arrays) -> None:
    if layer.kind in MODELS:
        return _of_model(layer, arrays)
    if layer.kind == "Bidirectional":
        parts = inner_layers(layer)
        for inner, name in zip(parts, ("forward_layer/", "backward_layer/"), strict=True):
            _of_layer(inner, _below(arrays, name))
        return None
    if layer.kind == "StackedRNNCells":
        return _of_list(layer, layer.layers, _below(arrays, "cells/"))
    if layer.layers:
        name = "cell/" if layer.kind == "RNN" else "layer/"
        (inner,) = layer.layers
        return _of_layer(inner, _below(arrays, name))
    return _own(layer, arrays)


def _own(layer: Layer, arrays: Arrays) -> None:
    if layer.kind == "MultiHeadAttention":
        layer.arrays = [array for name in _HEADS for array in _variables(_below(arrays, name))]
    else:
        layer.arrays = _variables(_below(arrays, "cell/") if layer.kind in _CELLS else arrays)
    if len(layer.arrays) != sum(counts(layer, _VERSION)):
        raise CorruptModelError(
            f"{layer}: the file does not hold its weights: expected {sum(counts(layer, _VERSION))} "
            f"arrays, received {len(layer.arrays)}; get it again"
        )


def _variables(arrays: Arrays) -> list[np.ndarray]:
    own = {path: array for path, array in _below(arrays, "vars/").items() if path.isdecimal()}
    return [own[path] for path in sorted(own, key=int)]
