"""Three rewrites of a net that make its training step faster on a CPU.

TensorFlow's CPU kernels miss two chances. First, a convolution whose kernel is as large as its
input is a matrix product, which takes a fifth of the time. Second, one small convolution after the
other cannot keep several cores busy. If a batch is cut into parts that go through the net at the
same time, all cores have work, and each part fits into the cache.

Third, an LSTM that XLA compiles gets its gradient from equations instead of automatic
differentiation (`recurrent_kernels`), which takes less than half of the time.

The outputs are the same up to rounding. The rewrites exist only while a training step is traced, so
the saved net is a plain Keras net. `benchmarks/digits.py speed` measures the gain.
"""

import contextlib
import functools
import math
from collections.abc import Iterator
from typing import Any

import keras

from keras_recipes.train import recurrent_kernels


@contextlib.contextmanager
def cpu_optimized(model: keras.Model, replicas: int, *, xla: bool = False) -> Iterator[None]:
    """Apply the rewrites to a model inside the block.

    Args:
        model: A model whose layers treat each example by itself (no batch normalisation).
        replicas: Number of parts into which each batch is cut; they share the weights.
        xla: Whether XLA compiles what is traced inside the block for a CPU. Only then LSTMs are
            rewritten, because the rewritten form is slower without XLA.
    """
    with contextlib.ExitStack() as replacements:
        for layer in filter(_is_plain_convolution, model.layers):
            convolve = functools.partial(_convolved, layer.convolution_op)
            replacements.enter_context(_replaced(layer, "convolution_op", convolve))
        for layer in filter(recurrent_kernels.is_plain_lstm, model.layers if xla else ()):
            loop = functools.partial(recurrent_kernels.inner_loop, layer, layer.inner_loop)
            replacements.enter_context(_replaced(layer, "inner_loop", loop))
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
