"""What computes a recurrent layer: its equation and its weights, by the parts they play."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras_recipes.cells import equations
from keras_recipes.cells.equations import Equation

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Parts:
    """A recurrent layer in parts; arrays or tensors, as they were in the layer.

    Attributes:
        equation: The equation of a step.
        states: Number of states; the first one is the output.
        kernel: Weights of the input, shape (D, gates * units).
        recurrent: Weights of the last output, shape (units, gates * units).
        bias: Added to the weighted input, shape (gates * units,).
        recurrent_bias: Added to the weighted output, of the same shape; None if there is none.
        peephole: Weights of the state, shape (3, units); None if there are none.
    """

    equation: Equation
    states: int
    kernel: Any
    recurrent: Any
    bias: Any
    recurrent_bias: Any = None
    peephole: Any = None


def of(layer: "keras.Layer") -> Parts | None:
    """Return the parts of a recurrent layer, or None if it computes anything else.

    Args:
        layer: A built layer. Known are Keras' SimpleRNN, GRU and LSTM with their usual activations,
            and an RNN of one of this package's cells, all without dropout inside.
    """
    import keras

    from keras_recipes.cells.coupled_lstm import CoupledLSTMCell
    from keras_recipes.cells.peephole_lstm import PeepholeLSTMCell

    layers = keras.layers
    cell = getattr(layer, "cell", None)
    if isinstance(cell, CoupledLSTMCell):
        return Parts(equations.coupled, 2, cell.kernel, cell.recurrent_kernel, cell.bias)
    if isinstance(cell, PeepholeLSTMCell):
        return Parts(
            equations.peephole,
            2,
            cell.kernel,
            cell.recurrent_kernel,
            cell.bias,
            peephole=cell.peephole,
        )
    if type(cell) not in (layers.SimpleRNNCell, layers.GRUCell, layers.LSTMCell):
        return None
    return _of_keras(cell) if _is_usual(cell) else None


def _of_keras(cell: Any) -> Parts:
    import keras

    weights = cell.kernel, cell.recurrent_kernel
    if isinstance(cell, keras.layers.SimpleRNNCell):
        return Parts(equations.simple, 1, *weights, cell.bias)
    if isinstance(cell, keras.layers.GRUCell):
        return Parts(equations.gru, 1, *weights, cell.bias[0], cell.bias[1])
    return Parts(equations.lstm, 2, *weights, cell.bias)


def _is_usual(cell: Any) -> bool:
    import keras

    return bool(
        cell.use_bias
        and not (cell.dropout or cell.recurrent_dropout)
        and cell.activation is keras.activations.tanh
        and getattr(cell, "recurrent_activation", keras.activations.sigmoid)
        is keras.activations.sigmoid
        and getattr(cell, "reset_after", True)
    )
