"""The equations of recurrent cells, each in one place, for Keras' tensors and for NumPy's arrays.

A step of a cell meets the input x and the last output h with its weights and gives

    x' = x W + b      r' = h R      states' = equation(x', r', states)

The first state is the output. The equations are element by element, and each unit has its part in
every gate. With the logistic function s:

    simple      h = tanh(x' + r')
    gru         z = s(x'z + r'z)    n = tanh(x'n + s(x'r + r'r) * r'n)    h = z * h + (1 - z) * n
    lstm        c = s(f) * c + s(i) * tanh(g)          h = s(o) * tanh(c)
    peephole    as lstm; i and f also see the old c, and o sees the new one
    coupled     c = s(f) * c + (1 - s(f)) * tanh(g)    h = s(o) * tanh(c)

GRU: Cho et al., *Learning Phrase Representations using RNN Encoder-Decoder*, 2014, in the form of
Keras (`reset_after`), whose second bias belongs to r'. LSTM: Hochreiter, Schmidhuber, *Long
Short-Term Memory*, 1997, with the forget gate of Gers, Schmidhuber, Cummins, *Learning to Forget*,
2000. Coupled gates: Greff et al., *LSTM: A Search Space Odyssey*, 2017 (CIFG).
"""

from collections.abc import Callable, Sequence
from typing import Any

Equation = Callable[[Any, Any, Any, Sequence[Any], Any], tuple[Any, ...]]
"""`equation(ops, x, r, states, peephole)` gives the new states.

`ops` has `sigmoid` and `tanh`, such as `keras.ops`. `x` and `r` have the shape
(..., gates * units), and every state has the shape (..., units).
"""


def simple(ops: Any, x: Any, r: Any, states: Sequence[Any], peephole: Any) -> tuple[Any, ...]:
    """Return the state of a simple cell, with a single gate."""
    return (ops.tanh(x + r),)


def gru(ops: Any, x: Any, r: Any, states: Sequence[Any], peephole: Any) -> tuple[Any, ...]:
    """Return the state of a GRU; the gates are in Keras' order z, r, n."""
    (h,) = states
    u = h.shape[-1]
    gates = ops.sigmoid(x[..., : 2 * u] + r[..., : 2 * u])
    z, reset = gates[..., :u], gates[..., u:]
    new = ops.tanh(x[..., 2 * u :] + reset * r[..., 2 * u :])
    return (new + z * (h - new),)


def lstm(ops: Any, x: Any, r: Any, states: Sequence[Any], peephole: Any) -> tuple[Any, ...]:
    """Return output and state of an LSTM; the gates are in Keras' order i, f, g, o."""
    _, c = states
    u = c.shape[-1]
    drive = x + r
    gates = ops.sigmoid(drive[..., : 2 * u])
    c = gates[..., u:] * c + gates[..., :u] * ops.tanh(drive[..., 2 * u : 3 * u])
    return ops.sigmoid(drive[..., 3 * u :]) * ops.tanh(c), c


def peephole(ops: Any, x: Any, r: Any, states: Sequence[Any], peephole: Any) -> tuple[Any, ...]:
    """Return output and state of an LSTM with peepholes; `peephole` has the shape (3, units)."""
    _, c = states
    u = c.shape[-1]
    drive = x + r
    i = ops.sigmoid(drive[..., :u] + peephole[0] * c)
    f = ops.sigmoid(drive[..., u : 2 * u] + peephole[1] * c)
    c = f * c + i * ops.tanh(drive[..., 2 * u : 3 * u])
    return ops.sigmoid(drive[..., 3 * u :] + peephole[2] * c) * ops.tanh(c), c


def coupled(ops: Any, x: Any, r: Any, states: Sequence[Any], peephole: Any) -> tuple[Any, ...]:
    """Return output and state of an LSTM with coupled gates, in the order f, g, o."""
    _, c = states
    u = c.shape[-1]
    drive = x + r
    new = ops.tanh(drive[..., u : 2 * u])
    c = new + ops.sigmoid(drive[..., :u]) * (c - new)
    return ops.sigmoid(drive[..., 2 * u :]) * ops.tanh(c), c
