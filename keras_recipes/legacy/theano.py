"""Convert layers that Theano computed differently from TensorFlow, in Keras 2's terms.

Theano's convolutions flip their kernels, while TensorFlow's are correlations. With "same" padding,
Theano puts k // 2 zeros before the input. TensorFlow puts as many as are needed on both sides, and
an odd one after the input.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_recipes.legacy.tree import Layer, applied, chain, refused


def upgrade(layer: Layer) -> Layer:
    """Return a tree that computes with TensorFlow what it computed with Theano.

    Args:
        layer: A layer in terms of Keras 2, with its arrays.

    Raises:
        InputError: A layer cannot be expressed.
    """
    layer.layers = [upgrade(inner) for inner in layer.layers]
    change = LAYERS.get(layer.kind)
    if change is None:
        return layer
    new = applied(change, layer)
    new.calls, shape = layer.calls, layer.config.get("batch_input_shape")
    if shape and new is not layer:
        new.layers[0].config["batch_input_shape"] = shape
    return new


def _convolution(layer: Layer) -> Layer:
    layer.arrays[0] = _turned(layer.arrays[0])
    return _same(layer)


def _turned(kernel: np.ndarray) -> np.ndarray:
    """Return a kernel with every axis reversed except the last two, channels and filters."""
    return np.flip(kernel, tuple(range(kernel.ndim - 2)))


def _same(layer: Layer) -> Layer:
    """Replace "same" by explicit zeros if the two backends put them in different places."""
    if layer.config.get("padding") != "same":
        return layer
    sizes = _many(layer.config["kernel_size"])
    rates = _many(layer.config.get("dilation_rate", 1), len(sizes))
    strides = _many(layer.config.get("strides", 1), len(sizes))
    whole = [(size - 1) * rate + 1 for size, rate in zip(sizes, rates, strict=True)]
    if all(size % 2 for size in whole) and all(stride == 1 for stride in strides):
        return layer
    pairs = [[size // 2, size - 1 - size // 2] for size in whole]
    form = {"data_format": layer.config.get("data_format") or "channels_last"}
    padding = {"padding": pairs if len(pairs) > 1 else pairs[0], **form}
    zeros = Layer(f"ZeroPadding{len(pairs)}D", f"{layer.name}_padding", padding)
    config = {**layer.config, "padding": "valid"}
    return chain(
        layer.name, [zeros, Layer(layer.kind, f"{layer.name}_valid", config, layer.arrays)]
    )


def _many(value: Any, length: int = 1) -> list[int]:
    return list(value) if isinstance(value, list | tuple) else [value] * length


def _transposed_convolution(layer: Layer) -> Layer:
    """Convert a transposed convolution; Theano drops k // 2 of the whole output at the start."""
    layer.arrays[0] = _turned(layer.arrays[0])
    config = layer.config
    if config.get("padding") != "same":
        return layer
    sizes, strides = _many(config["kernel_size"]), _many(config["strides"], 2)
    said = config.get("output_padding") or [
        s - k + 2 * (k // 2) for s, k in zip(strides, sizes, strict=True)
    ]
    others = [k // 2 - more for k, more in zip(sizes, said, strict=True)]
    cropping = [[k // 2, max(n, 0)] for k, n in zip(sizes, others, strict=True)]
    more = {"padding": "valid", "output_padding": [max(-n, 0) for n in others]}
    whole = Layer(layer.kind, f"{layer.name}_whole", {**config, **more}, layer.arrays)
    settings = {"cropping": cropping, "data_format": config.get("data_format")}
    return chain(layer.name, [whole, Layer("Cropping2D", f"{layer.name}_cropping", settings)])


def _pooling(layer: Layer) -> Layer:
    """Convert pools; those of 3 begin one position before the input, others further outside."""
    config = layer.config
    if config.get("padding") != "same":
        return layer
    dimensions = int(layer.kind[-2])
    sizes = _many(config["pool_size"], dimensions)
    strides = _many(config.get("strides") or sizes, dimensions)
    if any(size not in (1, 3) for size in sizes):
        raise refused(
            layer,
            "Theano's pooling with padding 'same', whose first pool begins outside of the input",
            "pad the input by hand and save the model with 'valid'",
        )
    one = [1] * dimensions
    every = {**config, "strides": one}
    some = {**config, "pool_size": one, "strides": strides}
    return chain(
        layer.name,
        [
            Layer(layer.kind, f"{layer.name}_everywhere", every),
            Layer(f"MaxPooling{dimensions}D", f"{layer.name}_strides", some),
        ],
    )


def _enlarging(layer: Layer) -> Layer:
    if layer.config.get("interpolation") == "bilinear":
        raise refused(
            layer,
            "Theano's bilinear enlargement, which weights the rows differently",
            "save it with interpolation='nearest'",
        )
    return layer


def _convolutional_lstm(layer: Layer) -> Layer:
    layer.arrays[:2] = [_turned(kernel) for kernel in layer.arrays[:2]]
    sizes = _many(layer.config["kernel_size"])
    strides = _many(layer.config.get("strides", 1), len(sizes))
    same = layer.config.get("padding") == "same"
    if any(size % 2 == 0 for size in sizes) or (same and any(n > 1 for n in strides)):
        raise refused(
            layer,
            "Theano's kernels of even size, or its strides with padding 'same'",
            "save it with odd sizes and strides of 1",
        )
    return layer


LAYERS: dict[str, Callable[[Layer], Layer]] = {
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv2DTranspose": _transposed_convolution,
    "Conv3DTranspose": _transposed_convolution,
    # Keras flipped the kernels of these beforehand, so that Theano flipped them back.
    "DepthwiseConv2D": _same,
    "SeparableConv1D": _same,
    "SeparableConv2D": _same,
    "ConvLSTM2D": _convolutional_lstm,
    "UpSampling2D": _enlarging,
    **{
        f"{kind}Pooling{dimensions}D": _pooling
        for kind in ("Max", "Average")
        for dimensions in (1, 2, 3)
    },
}
