"""Convert layers of Keras 1 to Keras 2, settings and arrays together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_recipes.legacy import composed
from keras_recipes.legacy.tree import MODELS, Layer, applied, leaves, refused

RENAMED = {
    "output_dim": "units",
    "nb_filter": "filters",
    "border_mode": "padding",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "bias": "use_bias",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "p": "rate",
    "sigma": "stddev",
    "pool_length": "pool_size",
    "stride": "strides",
    "subsample": "strides",
    "subsample_length": "strides",
    "filter_length": "kernel_size",
    "atrous_rate": "dilation_rate",
    "input_dtype": "dtype",
    "beta_init": "beta_initializer",
    "gamma_init": "gamma_initializer",
    "depthwise_init": "depthwise_initializer",
    "pointwise_init": "pointwise_initializer",
}
FORGOTTEN = {
    "input_dim",
    "input_length",
    "consume_less",
    "forget_bias_init",
    "mode",
    "cache_enabled",
}
KERNELS = {"nb_row", "nb_col", "kernel_dim1", "kernel_dim2", "kernel_dim3"}
ORDERINGS = {"th": "channels_first", "tf": "channels_last"}
MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
}


@dataclass(frozen=True)
class Origin:
    """What a layer of Keras 1 does not hold itself.

    Attributes:
        ordering: The default order of axes, `channels_first` or `channels_last`.
        theano: Whether Theano computed its outputs.
    """

    ordering: str
    theano: bool


Change = Callable[[Layer, Origin], Layer]


def upgrade(model: Layer, theano: bool) -> Layer:
    """Convert a tree of Keras 1 to Keras 2.

    Args:
        model: A tree with its arrays.
        theano: Whether Theano computed its outputs.

    Raises:
        InputError: A layer cannot be expressed.
    """
    return _upgraded(model, Origin(_ordering(model, theano), theano))


def _ordering(model: Layer, theano: bool) -> str:
    """Return the user's default order of axes, which padding and similar layers do not hold."""
    said = [ORDERINGS.get(str(leaf.config.get("dim_ordering"))) for leaf in leaves(model)]
    known = [ordering for ordering in said if ordering]
    return known[0] if known else "channels_first" if theano else "channels_last"


def _upgraded(layer: Layer, origin: Origin) -> Layer:
    layer.layers = [_upgraded(inner, origin) for inner in layer.layers]
    if layer.kind in MODELS:
        return layer
    change = LAYERS.get(layer.kind, _renamed)
    new = applied(lambda old: change(old, origin), layer)
    new.name = layer.name
    new.calls = new.calls or layer.calls
    shape = _input_shape(layer)
    if shape and new.kind != "InputLayer":
        new.config["batch_input_shape"] = shape
    return new


def _input_shape(layer: Layer) -> list[Any] | None:
    config = layer.config
    if config.get("batch_input_shape"):
        return list(config["batch_input_shape"])
    return [None, *config["input_shape"]] if config.get("input_shape") else None


def _renamed(layer: Layer, origin: Origin) -> Layer:
    """Return the same layer with Keras 2's names for its settings."""
    config = {
        RENAMED.get(key, key): value
        for key, value in layer.config.items()
        if key not in FORGOTTEN | KERNELS and key != "dim_ordering"
    }
    if "dim_ordering" in layer.config or layer.kind in ORDERED:
        said = str(layer.config.get("dim_ordering"))
        config["data_format"] = ORDERINGS.get(said, origin.ordering)
    kernel = [
        layer.config[key] for key in sorted(KERNELS, key=_kernel_order) if key in layer.config
    ]
    if kernel:
        config["kernel_size"] = kernel
    return Layer(
        layer.kind, layer.name, config, layer.arrays, layer.layers, layer.calls, module=layer.module
    )


def _kernel_order(key: str) -> tuple[bool, str]:
    return key == "nb_col", key


def _time_distributed_dense(layer: Layer, origin: Origin) -> Layer:
    new = _renamed(layer, origin)
    new.kind = "Dense"
    return new


def _convolution(kind: str, arrays: int = 1) -> Change:
    """Convert kernels; with channels first they are (filters, channels, rows, columns)."""

    def change(layer: Layer, origin: Origin) -> Layer:
        new = _renamed(layer, origin)
        new.kind = kind
        first = new.config["data_format"] == "channels_first"
        kernels = [_kernel(array, first) for array in layer.arrays[:arrays]]
        new.arrays = [*kernels, *layer.arrays[arrays:]]
        return new

    return change


def _kernel(array: np.ndarray, first: bool) -> np.ndarray:
    """Return a kernel in Keras 2's order: (rows, columns, channels, filters)."""
    return np.moveaxis(array, (0, 1), (-1, -2)) if first else array


def _convolution1d(layer: Layer, origin: Origin) -> Layer:
    """Convert kernels (length, 1, channels, filters); before 1.1 (filters, channels, length, 1)."""
    new = _renamed(layer, origin)
    new.kind = "Conv1D"
    kernel = layer.arrays[0]
    length, filters = layer.config["filter_length"], layer.config["nb_filter"]
    if kernel.shape[:2] != (length, 1) or kernel.shape[3] != filters:
        kernel = np.transpose(kernel, (2, 3, 1, 0))
    new.arrays = [kernel[:, 0], *layer.arrays[1:]]
    return new


def _deconvolution(layer: Layer, origin: Origin) -> Layer:
    """Convert transposed kernels, and turn the output's size into a padding."""
    new = _renamed(layer, origin)
    new.kind = "Conv2DTranspose"
    first = new.config["data_format"] == "channels_first"
    axes = (2, 3, 0, 1) if first else (0, 1, 3, 2)
    new.arrays = [np.transpose(layer.arrays[0], axes), *layer.arrays[1:]]
    shape, strides = new.config.pop("output_shape"), new.config["strides"]
    new.config["output_padding"] = [
        _output_padding(n, k, s, new.config["padding"])
        for n, k, s in zip(
            shape[2:] if first else shape[1:3], new.config["kernel_size"], strides, strict=True
        )
    ]
    return new


def _output_padding(output: int, size: int, stride: int, padding: str) -> int:
    """Return how much longer an output is than its input, kernel and stride make it."""
    if padding == "valid":
        return (output - size) % stride
    steps = -(-output // stride) - 1
    return output - (steps * stride + size - 2 * (size // 2))


def _gated(order: tuple[int, ...]) -> Change:
    """Join each gate's three arrays; Keras 2 stores the gates side by side in three arrays."""

    def change(layer: Layer, origin: Origin) -> Layer:
        new = _renamed(layer, origin)
        if len(layer.arrays) == 3 * len(order):
            new.arrays = [
                np.concatenate([layer.arrays[3 * gate + part] for gate in order], axis=-1)
                for part in range(3)
            ]
        new.config.setdefault("use_bias", True)
        if layer.kind == "GRU":
            new.config["reset_after"] = False
        return new

    return change


def _convolutional_lstm(layer: Layer, origin: Origin) -> Layer:
    """Convert input, forget, cell and output gate to the order input, forget, cell, output."""
    new = _renamed(layer, origin)
    first = new.config["data_format"] == "channels_first"
    parts = [[layer.arrays[3 * gate + part] for gate in (0, 2, 1, 3)] for part in range(3)]
    kernels = [[_kernel(array, first) for array in part] for part in parts[:2]]
    new.arrays = [np.concatenate(part, axis=-1) for part in (*kernels, parts[2])]
    # The file does not hold the strides that the layer was built with.
    new.config.update(strides=[1, 1], use_bias=True)
    return new


def _batch_normalization(layer: Layer, origin: Origin) -> Layer:
    mode = layer.config.get("mode", 0)
    if mode == 1:
        return composed.samplewise_normalization(layer)
    if mode == 2:
        raise refused(
            layer,
            "mode=2 normalizes by the other inputs of a batch, so that the answer for one input "
            "depends on them",
            "train it with mode=0 and save again",
        )
    return _renamed(layer, origin)


def _merge(layer: Layer, origin: Origin) -> Layer:
    """Convert a Merge with a mode to the class that replaced this mode."""
    config = layer.config
    mode = config.get("mode", "sum")
    if mode == "cos" or mode not in MERGES:
        raise refused(
            layer,
            f"mode={mode!r} has no counterpart: its output had other axes than Keras 1 assumed",
            "replace it by a Dot layer with normalize=True in Keras 2 and save again",
        )
    new = Layer(MERGES[mode], layer.name, calls=layer.calls)
    if mode == "concat":
        new.config["axis"] = config.get("concat_axis", -1)
    if mode == "dot":
        new.config["axes"] = config.get("dot_axes", -1)
    return new


def _parametric_relu(layer: Layer, origin: Origin) -> Layer:
    config = {"shared_axes": composed.shared_axes(layer.arrays[0]) or None}
    return Layer("PReLU", layer.name, config, layer.arrays)


def _embedding(layer: Layer, origin: Origin) -> Layer:
    config = layer.config
    kept = {key: config.get(key) for key in ("input_dim", "output_dim", "mask_zero", "trainable")}
    return Layer("Embedding", layer.name, kept, layer.arrays)


def _srelu(layer: Layer, origin: Origin) -> Layer:
    return composed.srelu(layer, capped=origin.theano)


def _composition(compose: Callable[[Layer], Layer]) -> Change:
    def change(layer: Layer, origin: Origin) -> Layer:
        return compose(layer)

    return change


def _repeated(layer: Layer, origin: Origin) -> Layer:
    new = _renamed(layer, origin)
    new.config["size"] = new.config.pop("length")
    return new


def _zero_padding(layer: Layer, origin: Origin) -> Layer:
    """Convert padding; Keras 1.2 also allowed the sides by name."""
    new = _renamed(layer, origin)
    padding = new.config["padding"]
    if isinstance(padding, Mapping):
        sides = [("top_pad", "bottom_pad"), ("left_pad", "right_pad")]
        new.config["padding"] = [[padding.get(side, 0) for side in pair] for pair in sides]
        if layer.kind == "ZeroPadding1D":
            new.config["padding"] = new.config["padding"][1]
    elif isinstance(padding, list) and len(padding) == 4:
        new.config["padding"] = [padding[:2], padding[2:]]
    return new


def _input(layer: Layer, origin: Origin) -> Layer:
    config = layer.config
    dtype = config.get("input_dtype") or config.get("dtype")
    return Layer(
        "InputLayer",
        layer.name,
        {"batch_input_shape": config["batch_input_shape"], "dtype": dtype},
    )


ORDERED = {
    "UpSampling2D", "UpSampling3D", "ZeroPadding2D", "ZeroPadding3D", "Cropping2D", "Cropping3D",
    "SpatialDropout2D", "SpatialDropout3D", "Convolution2D", "Convolution3D",
}  # fmt: skip
"""Layers for which Keras 1 did not save the order of axes."""

LAYERS: dict[str, Change] = {
    "InputLayer": _input,
    "Merge": _merge,
    "Convolution1D": _convolution1d,
    "AtrousConvolution1D": _convolution1d,
    "Convolution2D": _convolution("Conv2D"),
    "AtrousConvolution2D": _convolution("Conv2D"),
    "Convolution3D": _convolution("Conv3D"),
    "Deconvolution2D": _deconvolution,
    "SeparableConvolution2D": _convolution("SeparableConv2D", arrays=2),
    "ConvLSTM2D": _convolutional_lstm,
    "LSTM": _gated((0, 2, 1, 3)),
    "GRU": _gated((0, 1, 2)),
    "BatchNormalization": _batch_normalization,
    "Embedding": _embedding,
    "TimeDistributedDense": _time_distributed_dense,
    "MaxoutDense": _composition(composed.maxout),
    "Highway": _composition(composed.highway),
    "ParametricSoftplus": _composition(composed.parametric_softplus),
    "SReLU": _srelu,
    "PReLU": _parametric_relu,
    "UpSampling1D": _repeated,
    "ZeroPadding1D": _zero_padding,
    "ZeroPadding2D": _zero_padding,
}
