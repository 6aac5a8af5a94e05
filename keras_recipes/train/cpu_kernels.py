"""The same net in the shape in which a CPU computes it sooner, while a training step is traced.

Two things that TensorFlow's CPU kernels do not see for themselves. A convolution whose kernel is as
large as its input is a matrix product, which takes a fifth of its time. And small convolutions
cannot keep several cores busy one after the other: halves of a batch that go through the net side
by side, on the same weights, do, and each half fits the cache.

Both give what the net gives, to rounding; what is saved and what plain Keras reads stays a plain
net. `benchmarks/digits.py speed` says what it brings.
"""

import contextlib
import functools
import math
from collections.abc import Iterator
from typing import Any

import keras


@contextlib.contextmanager
def cpu_optimized(model: keras.Model, replicas: int) -> Iterator[None]:
    """While this lasts, `model` computes its outputs in the shape for CPUs.

    Args:
        model: Of layers that look at each example by itself, so no batch normalisation.
        replicas: Into how many parts each batch is cut, which share the weights; 1 leaves it whole.
    """
    with contextlib.ExitStack() as replacements:
        for layer in filter(_is_plain_convolution, model.layers):
            convolve = functools.partial(_convolved, layer.convolution_op)
            replacements.enter_context(_replaced(layer, "convolution_op", convolve))
        if replicas > 1:
            side_by_side = functools.partial(_side_by_side, model.call, replicas)
            replacements.enter_context(_replaced(model, "call", side_by_side))
        yield


def _is_plain_convolution(layer: keras.Layer) -> bool:
    return (
        type(layer) is keras.layers.Conv2D
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
    )


@contextlib.contextmanager
def _replaced(owner: Any, name: str, method: Any) -> Iterator[None]:
    setattr(owner, name, method)
    try:
        yield
    finally:
        delattr(owner, name)


def _convolved(convolution: Any, inputs: Any, kernel: Any) -> Any:
    shape = tuple(kernel.shape)
    if tuple(inputs.shape[1:]) != shape[:3]:
        return convolution(inputs, kernel)
    ops = keras.ops
    rows, columns = ops.reshape(inputs, (-1, math.prod(shape[:3]))), shape[3]
    products = ops.matmul(rows, ops.reshape(kernel, (-1, columns)))
    return ops.reshape(products, (-1, 1, 1, columns))


def _side_by_side(call: Any, replicas: int, inputs: Any, **settings: Any) -> Any:
    count = inputs.shape[0]
    if count < replicas:
        return call(inputs, **settings)
    cuts = [count * replica // replicas for replica in range(1, replicas)]
    parts = keras.ops.split(inputs, cuts)
    return keras.ops.concatenate([call(part, **settings) for part in parts])
