"""The loop over the steps of an LSTM, and its gradient, in a form that XLA makes fast on a CPU.

Keras' own loop is differentiated step by step. Each step then adds to the gradients of the weights,
and what the backward pass needs goes through lists. Here the gradient follows from the equations:

- One matrix product for all steps gives the inputs' share of the gates, and one for all steps gives
  the gradient of each array of weights. Only the product with the recurrent weights is in the loop.
- All four gates are one tanh, because sigmoid(z) = (1 + tanh(z / 2)) / 2.
- A step overwrites what it alone read: the gates take the place of the inputs' share, and the
  gradients of the gates take the place of their derivatives. So XLA copies no arrays.
- Whatever of the backward pass does not depend on later steps is computed for all steps at once.
"""

from collections.abc import Callable
from typing import Any

import keras

SMALLEST = 64
"""Number of units from which on an LSTM is rewritten."""


def is_plain_lstm(layer: keras.Layer) -> bool:
    """Return whether `inner_loop` computes what this layer computes."""
    return (
        type(layer) is keras.layers.LSTM
        and layer.units >= SMALLEST
        and layer.use_bias
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and layer.compute_dtype == layer.variable_dtype
        and not layer.cell.quantization_mode
        and not (layer.dropout or layer.recurrent_dropout)
        and not (layer.go_backwards or layer.stateful or layer.return_state)
    )


def inner_loop(
    layer: keras.layers.LSTM,
    own: Callable[..., Any],
    sequences: Any,
    initial_state: list[Any],
    mask: Any = None,
    training: bool = False,
) -> tuple[Any, Any, list[Any]]:
    """Compute the outputs of an LSTM; replaces the layer's method of this name.

    Args:
        layer: A layer for which `is_plain_lstm` is true.
        own: The layer's own method. It is called if there is a mask, or if the number of sequences
            or steps is not known while tracing.
        sequences: The inputs, shape (N, T, inputs).
        initial_state: The hidden state and the cell state before the first step, each of shape
            (N, units).
        mask: None, or which steps there are.
        training: Changes nothing, because there is no dropout.

    Returns:
        The last outputs, all outputs, and states that nobody reads.
    """
    if mask is not None or None in sequences.shape:
        own_result: tuple[Any, Any, list[Any]] = own(
            sequences, initial_state, mask, training=training
        )
        return own_result
    cell = layer.cell
    outputs = _outputs(
        sequences,
        initial_state[0],
        initial_state[1],
        cell.kernel.value,
        cell.recurrent_kernel.value,
        cell.bias.value,
    )
    return outputs[:, -1], outputs, initial_state


def _outputs(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    import tensorflow as tf

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def outputs(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
        by_step = tf.transpose(x, [1, 0, 2])
        a, cells = _forward(by_step, h, c, kernel, recurrent, bias)
        squashed = tf.tanh(cells[1:])
        hidden = _gates(a)[3] * squashed

        def gradient(upstream: Any) -> tuple[Any, ...]:
            upstream = tf.transpose(upstream, [1, 0, 2])
            dh, dc, dz = _backward(upstream, a, cells, squashed, recurrent)
            dz = _rows(dz)
            before = _rows(tf.concat([h[None], hidden[:-1]], 0))
            dx = tf.reshape(tf.matmul(dz, kernel, transpose_b=True), by_step.shape)
            return (
                tf.transpose(dx, [1, 0, 2]),
                dh,
                dc,
                tf.matmul(_rows(by_step), dz, transpose_a=True),
                tf.matmul(before, dz, transpose_a=True),
                tf.reduce_sum(dz, 0),
            )

        return tf.transpose(hidden, [1, 0, 2]), gradient

    # TensorFlow refuses gradients of variables that such a function is given.
    weights = map(tf.convert_to_tensor, (kernel, recurrent, bias))
    return outputs(x, h, c, *weights)


def _rows(by_step: Any) -> Any:
    return keras.ops.reshape(by_step, (-1, by_step.shape[-1]))


def _gates(a: Any) -> tuple[Any, Any, Any, Any]:
    """Return input gate, forget gate, candidates and output gate, in Keras' order."""
    i, f, g, o = keras.ops.split(a, 4, axis=-1)
    return 0.5 + 0.5 * i, 0.5 + 0.5 * f, g, 0.5 + 0.5 * o


def _forward(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> tuple[Any, Any]:
    """Return what `_gates` takes, and the cell states from before the first step on.

    Args:
        x: The inputs, shape (T, N, inputs).
        h: The hidden state before the first step.
        c: The cell state before the first step.
        kernel: The layer's weights, as all that follow.
        recurrent: See `kernel`.
        bias: See `kernel`.
    """
    import tensorflow as tf

    (steps, count), units = x.shape[:2], h.shape[-1]
    scale = tf.constant([0.5] * 2 * units + [1.0] * units + [0.5] * units, x.dtype)
    drive = tf.matmul(_rows(x), kernel * scale) + bias * scale
    drive, recurrent = tf.reshape(drive, (steps, count, -1)), recurrent * scale

    def body(t: Any, h: Any, c: Any, a: Any, cells: Any) -> tuple[Any, ...]:
        a = a.write(t, tf.tanh(a.read(t) + tf.matmul(h, recurrent)))
        # XLA would compute again, for each use, what is not read from where it was written.
        i, f, g, o = _gates(a.read(t))
        cells = cells.write(t + 1, f * c + i * g)
        c = cells.read(t + 1)
        return t + 1, o * tf.tanh(c), c, a, cells

    cells = _array(x.dtype, steps + 1, (count, units)).write(0, c)
    start = (0, h, c, _array(x.dtype, steps, drive.shape[1:]).unstack(drive), cells)
    a, cells = tf.while_loop(lambda t, *_: t < steps, body, start, maximum_iterations=steps)[3:]
    return a.stack(), cells.stack()


def _backward(upstream: Any, a: Any, cells: Any, squashed: Any, recurrent: Any) -> tuple[Any, ...]:
    """Return the gradients of the states before the first step, and of what the gates squash.

    Args:
        upstream: The gradient of the outputs, shape (T, N, units).
        a: See `_gates`.
        cells: See `_forward`.
        squashed: The tanh of the cell states from the first step on.
        recurrent: The layer's recurrent weights.
    """
    import tensorflow as tf

    i, f, g, o = _gates(a)
    # The derivative of the cell state by each of i, f, g; and that of the outputs by o.
    slopes = [g * i * (1 - i), cells[:-1] * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)]
    slopes, of_cell = tf.stack(slopes, 2), o * (1 - squashed * squashed)
    steps, count, _, units = slopes.shape
    by_cell = tf.constant([[[True], [True], [True], [False]]])
    transposed = tf.transpose(recurrent)

    def body(t: Any, dh: Any, dc: Any, dz: Any) -> tuple[Any, ...]:
        dh = dh + upstream[t]
        dc = dc + dh * of_cell[t]
        dz = dz.write(t, dz.read(t) * tf.where(by_cell, dc[:, None], dh[:, None]))
        dh = tf.matmul(tf.reshape(dz.read(t), (count, 4 * units)), transposed)
        return t - 1, dh, dc * _gates(a[t])[1], dz

    zero = tf.zeros((count, units), a.dtype)
    start = (steps - 1, zero, zero, _array(a.dtype, steps, (count, 4, units)).unstack(slopes))
    dh, dc, dz = tf.while_loop(lambda t, *_: t >= 0, body, start, maximum_iterations=steps)[1:]
    return dh, dc, tf.reshape(dz.stack(), (steps, count, 4 * units))


def _array(dtype: Any, steps: int, shape: Any) -> Any:
    import tensorflow as tf

    return tf.TensorArray(dtype, steps, element_shape=shape, clear_after_read=False)
