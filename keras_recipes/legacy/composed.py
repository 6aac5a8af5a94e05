"""Build layers that Keras 3 lacks from layers that it has; outputs are equal up to rounding."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_recipes.errors import UnsafeModelError
from keras_recipes.legacy.tree import (
    OPERATIONS,
    Call,
    Layer,
    Tensor,
    chain,
    graph,
    input_name,
    refused,
)
from keras_recipes.untrusted import limits

LETTERS = "abcdefghij"


def activation(name: str, setting: Any) -> list[Layer]:
    """Return layers for an activation as a layer; `hard_sigmoid` is the old version of it."""
    if setting == "hard_sigmoid":
        # clip(0.2 x + 0.5) equals Keras 3's clip(x / 6 + 0.5) at 1.2 x.
        return [
            Layer("Rescaling", f"{name}_slope", {"scale": 1.2, "offset": 0.0}),
            Layer("Activation", f"{name}_hard_sigmoid", {"activation": "hard_sigmoid"}),
        ]
    return [Layer("Activation", f"{name}_activation", {"activation": setting})]


def channels_last(layer: Layer, upgrade: Callable[[Layer], Layer]) -> Layer:
    """Return a channels-first convolution as a channels-last one between two permutations.

    On a CPU, TensorFlow computes most of these only with channels last. Keras 3.15 also adds the
    bias along the wrong axis if the last axis is as long as the number of filters.

    Args:
        layer: A layer with data_format `channels_first`.
        upgrade: Converts a channels-last layer to Keras 3.
    """
    name, config = layer.name, {**layer.config, "data_format": "channels_last"}
    steps = 1 if layer.kind.startswith("ConvLSTM") else 0
    n = next(int(c) for c in layer.kind if c.isdigit())
    setting, outside = config.get("activation"), []
    if setting in ("softmax", "log_softmax"):
        # These work along the last axis, whatever it holds.
        config["activation"], outside = "linear", activation(name, setting)
    inner = upgrade(Layer(layer.kind, f"{name}_last", config, layer.arrays))
    kept = steps if config.get("return_sequences") else 0
    return chain(
        name,
        [
            Layer("Permute", f"{name}_to_last", {"dims": _moved(steps, n, to_last=True)}),
            inner,
            Layer("Permute", f"{name}_to_first", {"dims": _moved(kept, n, to_last=False)}),
            *outside,
        ],
    )


def _moved(steps: int, n: int, *, to_last: bool) -> list[int]:
    """Return a permutation that moves the channels of n-dimensional images, maybe after time."""
    time, one = list(range(1, steps + 1)), steps + 1
    others = list(range(steps + 2, steps + n + 2))
    return [*time, *others, one] if to_last else [*time, steps + n + 1, one, *others[:-1]]


def maxout(layer: Layer) -> Layer:
    """Keras 1's MaxoutDense: the largest of several dense layers, unit by unit.

    Arrays: (pieces, inputs, units) and (pieces, units).
    """
    kernel, *bias = layer.arrays
    pieces, inputs, units = kernel.shape
    side_by_side = np.transpose(kernel, (1, 0, 2)).reshape(inputs, pieces * units)
    arrays = [side_by_side, *(array.reshape(-1) for array in bias)]
    config = {"units": pieces * units, "activation": "linear", "use_bias": bool(bias)}
    return chain(
        layer.name,
        [
            Layer("Dense", f"{layer.name}_pieces", config, arrays),
            Layer("Reshape", f"{layer.name}_apart", {"target_shape": [pieces, units]}),
            Layer("GlobalMaxPooling1D", f"{layer.name}_largest"),
        ],
    )


def highway(layer: Layer) -> Layer:
    """Keras 1's Highway: t f(x) + (1 - t) x, where t is the sigmoid of a dense layer.

    Arrays: the kernel, the kernel of t, and the two biases. The biases come last; before Keras 1.1
    each followed its kernel. The code uses 1 - sigmoid(z) = sigmoid(-z).
    """
    name = layer.name
    kernels = [array for array in layer.arrays if array.ndim == 2]
    biases = [array for array in layer.arrays if array.ndim == 1]
    use_bias = bool(biases)
    size = kernels[0].shape[0]

    def dense(role: str, activation: Any, sign: int, which: int) -> Layer:
        config = {"units": size, "activation": activation, "use_bias": use_bias}
        arrays = [sign * kernels[which], *(sign * bias for bias in biases[which : which + 1])]
        return Layer("Dense", f"{name}_{role}", config, arrays, calls=[call(input_name(name))])

    def call(*names: str) -> Call:
        tensors = [Tensor(one) for one in names]
        return Call((tensors if len(tensors) > 1 else tensors[0],))

    def merge(kind: str, role: str, *names: str) -> Layer:
        return Layer(kind, f"{name}_{role}", calls=[call(*names)])

    return graph(
        name,
        [None, size],
        [
            dense("function", layer.config.get("activation", "linear"), 1, 0),
            dense("transform", "sigmoid", 1, 1),
            dense("carry", "sigmoid", -1, 1),
            merge("Multiply", "transformed", f"{name}_function", f"{name}_transform"),
            merge("Multiply", "carried", input_name(name), f"{name}_carry"),
            merge("Add", "sum", f"{name}_transformed", f"{name}_carried"),
        ],
    )


def scale_and_shift(name: str, scale: np.ndarray, shift: np.ndarray, **config: Any) -> Layer:
    """Return a layer that multiplies each number of its input and adds to it.

    The arrays have the input's shape without the batch axis, or 1 where an axis shares one number.
    """
    letters = LETTERS[1 : 1 + scale.ndim]
    shared = shared_axes(scale)
    own = "".join(x for i, x in enumerate(letters, 1) if i not in shared)
    sizes = [None if i in shared else n for i, n in enumerate(scale.shape, 1)]
    settings = {
        "equation": f"a{letters},{own}->a{letters}",
        "output_shape": sizes,
        "bias_axes": own,
        "activation": "linear",
        **config,
    }
    kept = [n for n in sizes if n is not None]
    return Layer("EinsumDense", name, settings, [scale.reshape(kept), shift.reshape(kept)])


def shared_axes(array: np.ndarray) -> list[int]:
    """Return the axes of an input, from 1, along which all numbers share a parameter."""
    return [i for i, n in enumerate(array.shape, 1) if n == 1 and array.ndim > 1]


def parametric_softplus(layer: Layer) -> Layer:
    """Keras 1's ParametricSoftplus: alpha log(1 + exp(beta x)); arrays alpha and beta."""
    alpha, beta = layer.arrays
    zero = np.zeros_like(alpha)
    inner = scale_and_shift(f"{layer.name}_inside", beta, zero, activation="softplus")
    return chain(layer.name, [inner, scale_and_shift(f"{layer.name}_outside", alpha, zero)])


def srelu(layer: Layer, *, capped: bool) -> Layer:
    """Keras 1's SReLU, linear in three pieces; arrays t_left, a_left, t_right, a_right.

    Let u = x - t_left, v = u - |t_right| and p = PReLU(u), where PReLU has the slope a_left.
    Then the output is t_left + min(p, |t_right|) + a_right max(v, 0), and min(p, t) is
    t - max(t - p, 0). Only Theano also took the minimum where u is negative, which matters if
    a_left is negative.

    Args:
        layer: A layer with its arrays.
        capped: Whether Theano computed it.
    """
    name = layer.name
    left, left_slope, right, right_slope = layer.arrays
    one, height, shared = np.ones_like(left), np.abs(right), shared_axes(left)

    def step(made: Layer, *sources: str) -> Layer:
        tensors = [Tensor(source) for source in sources]
        made.calls = [Call((tensors if len(tensors) > 1 else tensors[0],))]
        return made

    def line(role: str, source: str, scale: Any, shift: Any, **config: Any) -> Layer:
        return step(scale_and_shift(f"{name}_{role}", scale, shift, **config), source)

    bent = Layer("PReLU", f"{name}_bent", {"shared_axes": shared or None}, [left_slope])
    steps = [
        line("left", input_name(name), one, -left),
        step(bent, f"{name}_left"),
        line("right", input_name(name), one, -(left + height), activation="relu"),
    ]
    if capped:
        steps += [
            line("missing", bent.name, -one, height, activation="relu"),
            line("center", f"{name}_missing", -one, left + height),
            line("slope", f"{name}_right", right_slope, np.zeros_like(left)),
        ]
    else:
        steps += [
            line("center", bent.name, one, left),
            line("slope", f"{name}_right", right_slope - 1, np.zeros_like(left)),
        ]
    total = step(Layer("Add", f"{name}_sum"), f"{name}_center", f"{name}_slope")
    shape = [None, *(None if i in shared else n for i, n in enumerate(left.shape, 1))]
    return graph(name, shape, [*steps, total])


def samplewise_normalization(layer: Layer) -> Layer:
    """Keras 1's BatchNormalization of mode 1: (x - m) / (s + e) g + b, s = sqrt(v + e), by sample.

    Keras 3's LayerNormalization divides by s alone, so its outputs differ by a share of e / s.
    """
    name, epsilon = layer.name, layer.config["epsilon"]
    gamma, beta = layer.arrays[:2]
    x = Tensor(input_name(name))

    def operation(kind: str, role: str, *args: Any, **config: Any) -> Layer:
        calls = [Call(args)]
        return Layer(kind, f"{name}_{role}", config, calls=calls, module=OPERATIONS)

    def out(role: str) -> Tensor:
        return Tensor(f"{name}_{role}")

    last = scale_and_shift(f"{name}_scaled", gamma, beta)
    last.config.update(equation="...a,a->...a", bias_axes="a")
    last.calls = [Call((out("normal"),))]
    return graph(
        name,
        [None, gamma.shape[0]],
        [
            operation("Mean", "mean", x, axis=-1, keepdims=True),
            operation("Subtract", "centered", x, out("mean")),
            operation("Square", "square", out("centered")),
            operation("Mean", "variance", out("square"), axis=-1, keepdims=True),
            operation("Add", "variance_e", out("variance"), epsilon),
            operation("Sqrt", "deviation", out("variance_e")),
            operation("Add", "deviation_e", out("deviation"), epsilon),
            operation("TrueDivide", "normal", out("centered"), out("deviation_e")),
            last,
        ],
    )


def locally_connected(layer: Layer) -> Layer:
    """LocallyConnected1D and 2D: every position has its own kernel.

    A convolution with kernels of ones and zeros cuts out the patches, which is exact. An
    EinsumDense multiplies them. Arrays: (places, numbers in a patch, filters), and a bias of the
    output's shape.
    """
    kernel = layer.arrays[0]
    if layer.config.get("implementation", 1) != 1 or kernel.ndim != 3:
        raise refused(
            layer,
            f"implementation={layer.config.get('implementation')}, whose weights are arranged "
            "for the whole image",
            "save it with implementation=1",
        )
    dimensions = int(layer.kind[-2])
    places, numbers, filters = kernel.shape
    if numbers**2 > limits.current().parameters:
        raise UnsafeModelError(
            f"{layer}: refused, its patches need {numbers**2:,} parameters; {limits.advice()}"
        )
    first = layer.config.get("data_format") == "channels_first"
    size, strides = _list(layer, "kernel_size", dimensions), _list(layer, "strides", dimensions)
    steps = [_patches(layer, size, strides, numbers, first)]
    if dimensions == 2:
        steps.append(Layer("Reshape", f"{layer.name}_row", {"target_shape": [places, numbers]}))
    steps += _places(layer, kernel)
    if dimensions == 2:
        shape = [*_extent(layer), filters]
        steps.append(Layer("Reshape", f"{layer.name}_picture", {"target_shape": shape}))
    setting = layer.config.get("activation") or "linear"
    if setting != "linear":
        steps += activation(layer.name, setting)
    if first:
        to_last, to_first = (_moved(0, dimensions, to_last=last) for last in (True, False))
        steps.insert(0, Layer("Permute", f"{layer.name}_to_last", {"dims": to_last}))
        steps.append(Layer("Permute", f"{layer.name}_to_first", {"dims": to_first}))
    return chain(layer.name, steps)


def _list(layer: Layer, name: str, length: int) -> list[int]:
    value = layer.config.get(name, 1)
    return list(value) if isinstance(value, list | tuple) else [value] * length


def _patches(layer: Layer, size: list[int], strides: list[int], numbers: int, first: bool) -> Layer:
    channels = numbers // int(np.prod(size))
    kernel = np.eye(numbers, dtype="float32").reshape(*size, channels, numbers)
    if first:
        # With channels first, the numbers of a patch are ordered channel by channel.
        order = np.arange(numbers).reshape(channels, *size)
        order = np.moveaxis(order, 0, -1).reshape(-1)
        kernel = np.eye(numbers, dtype="float32")[order].reshape(*size, channels, numbers)
    config = {
        "filters": numbers,
        "kernel_size": size,
        "strides": strides,
        "padding": "valid",
        "data_format": "channels_last",
        "use_bias": False,
        "activation": "linear",
        "trainable": False,
    }
    return Layer(f"Conv{len(size)}D", f"{layer.name}_patches", config, [kernel])


def _places(layer: Layer, kernel: np.ndarray) -> list[Layer]:
    places, _, filters = kernel.shape
    biases = [array.reshape(places, filters) for array in layer.arrays[1:]]
    if layer.config.get("data_format") == "channels_first":
        # Keras read the bias as (filters, rows, columns) here, but stored it in the other order.
        biases = [array.reshape(filters, places).T for array in biases]
    config = {
        "equation": "abc,bcd->abd",
        "output_shape": [places, filters],
        "bias_axes": "bd" if biases else None,
        "activation": "linear",
    }
    return [Layer("EinsumDense", f"{layer.name}_places", config, [kernel, *biases])]


def _extent(layer: Layer) -> list[int]:
    """Return the rows and columns of the output."""
    for array in layer.arrays[1:]:
        return list(array.shape[:2])
    shape = layer.config.get("build_input_shape") or layer.config.get("batch_input_shape")
    if not shape:
        raise refused(
            layer,
            "without a bias, the file does not hold the number of rows of its output",
            "save it with use_bias=True, or with Keras 2.12 or later",
        )
    spatial = shape[2:] if layer.config.get("data_format") == "channels_first" else shape[1:3]
    size, strides = _list(layer, "kernel_size", 2), _list(layer, "strides", 2)
    return [(n - k) // s + 1 for n, k, s in zip(spatial, size, strides, strict=True)]
