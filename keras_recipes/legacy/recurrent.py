"""Recurrent layers: the old slope of hard_sigmoid, cuDNN's layouts, states among the inputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_recipes.legacy.tree import Call, Layer, refused

SLOPE = 1.2
"""Keras 3's hard_sigmoid is clip(x / 6 + 0.5), the earlier one clip(0.2 x + 0.5)."""

GATES = {"LSTM": 4, "LSTMCell": 4, "GRU": 3, "GRUCell": 3, "ConvLSTM": 4, "CuDNNLSTM": 4}
CANDIDATES = {4: 2, 3: 2}
"""Which of the gates is the candidate, to which the layer's own activation is applied."""

LAYERS = {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM2D", "CuDNNLSTM", "CuDNNGRU"}


def rescaled_gates(layer: Layer) -> list[np.ndarray]:
    """The arrays of a gated layer or cell, scaled where a gate's activation is the old one.

    Raises:
        InputError: The old activation is applied to the state of a cell, which has no weights.
    """
    number = gates(layer.kind)
    own = layer.config.get("activation") == "hard_sigmoid"
    if own and number == 4:
        raise refused(
            layer,
            "activation='hard_sigmoid', whose slope Keras 3 changed and which is applied to the "
            "state itself",
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
    """How many gates lie side by side in the arrays of a layer."""
    return next(number for name, number in GATES.items() if kind.startswith(name))


def from_cudnn(layer: Layer) -> None:
    """Puts arrays that cuDNN's layouts are in into those of LSTM and GRU; others stay.

    cuDNN has each gate's kernels the other way round, and a second bias.
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
    """States that were given as further inputs, as what they are."""
    constants = layer.config.get("num_constants") or 0
    return [_call(call, constants) for call in layer.calls]


def _call(call: Call, constants: int) -> Call:
    first = call.args[0] if call.args else None
    if not isinstance(first, Sequence) or isinstance(first, str):
        return call
    sequences, *rest = first
    split = len(rest) - constants
    more: dict[str, Any] = {"initial_state": rest[:split]} if split else {}
    if constants:
        more["constants"] = rest[split:]
    return Call((sequences, *call.args[1:]), {**call.kwargs, **more})
