"""An LSTM with coupled gates: what is forgotten makes room for what comes in."""

from typing import Any

import keras
from keras import ops

from keras_recipes.cells import equations
from keras_recipes.own_layers import registered


@registered
class CoupledLSTMCell(keras.layers.Layer):
    """A cell for `keras.layers.RNN`: an LSTM whose input gate is one minus its forget gate.

    x is the input, h the output, c the state, `*` the element-wise product and s the logistic
    function:

        f = s(x Wf + h Rf + bf)        c' = f * c + (1 - f) * tanh(x Wg + h Rg + bg)
        o = s(x Wo + h Ro + bo)        h' = o * tanh(c')

    Greff et al., *LSTM: A Search Space Odyssey*, 2017, call it CIFG.

    Inputs have the shape (N, D), outputs and states (N, units). The cell has
    3 units (D + units + 1) parameters. The gates are in the order f, g, o.
    """

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        **kwargs: Any,
    ) -> None:
        """Create the cell; `build` creates its weights.

        Args:
            units: The size of output and state.
            kernel_initializer: Initializer of the weights of the input, of shape (D, 3 units).
            recurrent_initializer: Initializer of the weights of the output, of shape
                (units, 3 units).
            **kwargs: The arguments of every Keras layer.
        """
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights; the forget gate's bias starts at 1, so that it forgets little."""
        units = self.units

        def bias(shape: Any, dtype: Any = None) -> Any:
            return ops.concatenate([ops.ones((units,), dtype), ops.zeros((2 * units,), dtype)])

        self.kernel = self.add_weight(
            shape=(input_shape[-1], 3 * units), initializer=self.kernel_initializer, name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(units, 3 * units), initializer=self.recurrent_initializer, name="recurrent"
        )
        self.bias = self.add_weight(shape=(3 * units,), initializer=bias, name="bias")
        self.built = True

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """Compute one step; return the output and the states for the next step."""
        drive = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        h, c = equations.coupled(ops, drive, self.bias, states, None)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to create the same cell."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
