"""Recurrent layers: the old slope of hard_sigmoid, cuDNN's layouts, and states among inputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_recipes.legacy.tree import Call, Layer, refused

SLOPE = 1.2
"""Keras 3's hard_sigmoid is clip(x / 6 + 0.5); earlier versions used clip(0.2 x + 0.5)."""

GATES = {"LSTM": 4, "LSTMCell": 4, "GRU": 3, "GRUCell": 3, "ConvLSTM": 4, "CuDNNLSTM": 4}
CANDIDATES = {4: 2, 3: 2}
"""The index of the candidate gate, to which the layer's own activation is applied."""

LAYERS = {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM2D", "CuDNNLSTM", "CuDNNGRU"}


def rescaled_gates(layer: Layer) -> list[np.ndarray]:
    """Return the arrays of a gated layer or cell, scaled for gates with the old activation.

    Raises:
        InputError: The old activation is applied to a cell's state, which has no weights.
    """
    number = gates(layer.kind)
    own = layer.config.get("activation") == "hard_sigmoid"
    if own and number == 4:
        raise refused(
            layer,
            "activation='hard_sigmoid' is applied to the state itself, and Keras 3 changed its "
            "slope",
            "save it with another activation",
        )
    gate = layer.config.get("recurrent_activation") == "hard_sigmoid"
    factors = [SLOPE if (own if i == CANDIDATES[number] else gate) else 1.0 for i in range(number)]
    scaled = []
    for array in layer.arrays:
        units = array.shape[-1] // number
        scaled.append(array * np.repeat(np.asarray(factors, array.dtype), units))
    return scaled


def gates(kind: str) -> int:
    """Return the number of gates that a layer's arrays hold side by side."""
    return next(number for name, number in GATES.items() if kind.startswith(name))


def from_cudnn(layer: Layer) -> None:
    """Convert a layer's arrays from cuDNN's layout to that of LSTM and GRU, if they have it.

    cuDNN stores each gate's kernels transposed, and a second bias.
    """
    if layer.kind not in ("LSTM", "GRU") or len(layer.arrays) != 3:
        return
    kernel, recurrent, bias = layer.arrays
    number, units = gates(layer.kind), recurrent.shape[0]
    if bias.shape != (2 * number * units,):
        return
    kernels = [part.T.reshape(part.shape, order="F") for part in np.split(kernel, number, axis=1)]
    recurrents = [part.T for part in np.split(recurrent, number, axis=1)]
    two = bias.reshape(2, -1)
    layer.arrays = [
        np.concatenate(kernels, axis=1),
        np.concatenate(recurrents, axis=1),
        two.sum(axis=0) if layer.kind == "LSTM" else two,
    ]
    layer.config["reset_after"] = True


def calls(layer: Layer) -> list[Call]:
    """Return the calls with states as keyword arguments instead of further inputs."""
    constants = layer.config.get("num_constants") or 0
    return [_call(call, constants) for call in layer.calls]


def _call(call: Call, constants: int) -> Call:
    first = call.args[0] if call.args else None
    if not isinstance(first, Sequence) or isinstance(first, str):
        return call
    sequences, *others = first
    split = len(others) - constants
    more: dict[str, Any] = {"initial_state": others[:split]} if split else {}
    if constants:
        more["constants"] = others[split:]
    return Call((sequences, *call.args[1:]), {**call.kwargs, **more})
