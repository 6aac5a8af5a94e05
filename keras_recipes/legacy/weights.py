"""Assign the arrays of an old file to the layers of an old tree."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_recipes.errors import CorruptModelError
from keras_recipes.legacy.reading import Group
from keras_recipes.legacy.tree import FUNCTIONAL, MODELS, Layer

Counts = tuple[int, int]
"""The number of arrays of a layer that training changes, and of those that it does not."""

Counter = Callable[[Mapping[str, Any], int], Counts]
"""Takes a layer's settings and its version of Keras, and returns the numbers of arrays."""

_WITH_BIAS = {
    "Dense": 1, "Conv1D": 1, "Conv2D": 1, "Conv3D": 1, "Conv1DTranspose": 1, "Conv2DTranspose": 1,
    "Conv3DTranspose": 1, "DepthwiseConv1D": 1, "DepthwiseConv2D": 1, "SeparableConv1D": 2,
    "SeparableConv2D": 2, "LocallyConnected1D": 1, "LocallyConnected2D": 1, "SimpleRNN": 2,
    "GRU": 2, "LSTM": 2, "SimpleRNNCell": 2, "GRUCell": 2, "LSTMCell": 2, "UnifiedLSTM": 2,
    "UnifiedGRU": 2, "ConvLSTM1D": 2, "ConvLSTM2D": 2, "ConvLSTM3D": 2,
    "Convolution1D": 1, "Convolution2D": 1, "Convolution3D": 1, "AtrousConvolution1D": 1,
    "AtrousConvolution2D": 1, "Deconvolution2D": 1, "SeparableConvolution2D": 2,
    "TimeDistributedDense": 1, "MaxoutDense": 1,
}  # fmt: skip
"""The number of arrays besides the bias."""

_FIXED = {
    "Embedding": 1, "PReLU": 1, "CuDNNLSTM": 3, "CuDNNGRU": 3, "ParametricSoftplus": 2, "SReLU": 4,
}  # fmt: skip


def attach(model: Layer, groups: Sequence[Group], version: int, where: str) -> None:
    """Put the arrays of a weights file into the tree, in the way Keras would have read them.

    Arrays are assigned by name if every name is present. Otherwise they are assigned in the order
    of the layers: if a net is built twice, its automatic names have other numbers.

    Raises:
        CorruptModelError: The file does not hold this model's weights.
    """
    known = {group.name: group for group in groups}
    units = list(_units(model, known, version))
    if all(unit.name in known for unit in units) and len(units) == len(groups):
        pairs = [(unit, known[unit.name]) for unit in units]
    elif len(units) == len(groups):
        pairs = list(zip(units, groups, strict=True))
    else:
        raise CorruptModelError(
            f"{where}: does not hold this model's weights: the JSON has {len(units)} layers with "
            f"weights, the file {len(groups)}; name the file that was saved with it"
        )
    for unit, group in pairs:
        _give(unit, group.arrays, version, where)


def _units(model: Layer, known: Mapping[str, Group], version: int) -> Iterator[Layer]:
    """Yield the layers with weights that have their own group in a file."""
    for layer in model.layers:
        if sum(counts(layer, version)) == 0:
            continue
        # Keras 1 took apart the models at the beginning of a Sequential.
        apart = version == 1 and model.kind == FUNCTIONAL and layer.kind in MODELS
        if apart and layer.name not in known and any(x.name in known for x in layer.layers):
            yield from _units(layer, known, version)
        else:
            yield layer


def _give(unit: Layer, arrays: Sequence[np.ndarray], version: int, where: str) -> None:
    """Assign a group's arrays to the layers inside: first all arrays that training changes."""
    first, then = _places(unit, version)
    if len(first) + len(then) != len(arrays):
        raise CorruptModelError(
            f"{where}: does not hold this model's weights: {unit} has {len(first) + len(then)} "
            f"arrays, the file {len(arrays)}; name the file that was saved with it"
        )
    for layer, array in zip(first + then, arrays, strict=True):
        layer.arrays.append(array)


def _places(layer: Layer, version: int) -> tuple[list[Layer], list[Layer]]:
    if not layer.layers:
        changing, fixed = counts(layer, version)
        if layer.config.get("trainable") is False:
            changing, fixed = 0, changing + fixed
        return [layer] * changing, [layer] * fixed
    inside = [_places(inner, version) for inner in inner_layers(layer)]
    return [x for first, _ in inside for x in first], [x for _, then in inside for x in then]


def inner_layers(layer: Layer) -> list[Layer]:
    """Return a layer's parts; the second direction of a Bidirectional is added if it is missing."""
    if layer.kind == "Bidirectional" and len(layer.layers) == 1:
        forward = layer.layers[0]
        config = {**forward.config, "go_backwards": not forward.config.get("go_backwards")}
        layer.layers.append(Layer(forward.kind, f"backward_{forward.name}", config))
        forward.name = f"forward_{forward.name}"
    return layer.layers


def counts(layer: Layer, version: int) -> Counts:
    """Return how many arrays a layer of Keras 1, 2 or 3 has in a file."""
    if layer.layers:
        inside = [counts(inner, version) for inner in inner_layers(layer)]
        return sum(first for first, _ in inside), sum(then for _, then in inside)
    config = layer.config
    special = _SPECIAL.get(layer.kind)
    if special:
        return special(config, version)
    if layer.kind in _WITH_BIAS:
        bias = config.get("bias" if version == 1 else "use_bias", True)
        return _WITH_BIAS[layer.kind] + bool(bias), 0
    return _FIXED.get(layer.kind, 0), 0


def _batch_normalization(config: Mapping[str, Any], version: int) -> Counts:
    return bool(config.get("scale", True)) + bool(config.get("center", True)), 2


def _layer_normalization(config: Mapping[str, Any], version: int) -> Counts:
    return bool(config.get("scale", True)) + bool(config.get("center", True)), 0


def _gates(number: int) -> Counter:
    def counted(config: Mapping[str, Any], version: int) -> Counts:
        if version == 1:
            return 3 if config.get("consume_less") == "gpu" else 3 * number, 0
        return 2 + bool(config.get("use_bias", True)), 0

    return counted


def _attention_heads(config: Mapping[str, Any], version: int) -> Counts:
    return 4 * (1 + bool(config.get("use_bias", True))), 0


def _attention(config: Mapping[str, Any], version: int) -> Counts:
    return bool(config.get("use_scale")) + (config.get("score_mode") == "concat"), 0


def _additive_attention(config: Mapping[str, Any], version: int) -> Counts:
    return int(bool(config.get("use_scale", True))), 0


def _einsum(config: Mapping[str, Any], version: int) -> Counts:
    return 1 + (config.get("bias_axes") is not None), 0


def _normalization(config: Mapping[str, Any], version: int) -> Counts:
    return 0, 0 if config.get("mean") is not None else 3


def _highway(config: Mapping[str, Any], version: int) -> Counts:
    return 2 + 2 * bool(config.get("bias", True)), 0


_SPECIAL: dict[str, Counter] = {
    "BatchNormalization": _batch_normalization,
    "BatchNormalizationV1": _batch_normalization,
    "BatchNormalizationV2": _batch_normalization,
    "SyncBatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "GroupNormalization": _layer_normalization,
    "LSTM": _gates(4),
    "GRU": _gates(3),
    "ConvLSTM2D": _gates(4),
    "MultiHeadAttention": _attention_heads,
    "Attention": _attention,
    "AdditiveAttention": _additive_attention,
    "EinsumDense": _einsum,
    "Normalization": _normalization,
    "Highway": _highway,
}
