"""The article's LSTM, whose gates also read the cell's state."""

from typing import Any

import keras
from keras import ops

from keras_recipes.cells import equations
from keras_recipes.own_layers import registered


@registered
class PeepholeLSTMCell(keras.layers.Layer):
    """A cell for `keras.layers.RNN`: an LSTM whose gates also read the cell's state.

    x is the input, h the output, c the state, `*` the element-wise product and s the logistic
    function:

        i = s(x Wi + h Ri + pi * c + bi)        c' = f * c + i * tanh(x Wg + h Rg + bg)
        f = s(x Wf + h Rf + pf * c + bf)        h' = o * tanh(c')
        o = s(x Wo + h Ro + po * c' + bo)

    Peepholes are from Gers, Schraudolph, Schmidhuber, *Learning Precise Timing with LSTM Recurrent
    Networks*, 2002. This cell has the form of Graves' 2013 *Generating Sequences With Recurrent
    Neural Networks*, with one peephole per unit and gate. Deeplearning4j calls it GravesLSTM.

    Inputs have the shape (N, D), outputs and states (N, units). The cell has
    4 units (D + units + 1) + 3 units parameters. The gates are in Keras' order i, f, g, o.
    """

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "glorot_uniform",
        peephole_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        """Create the cell; `build` creates its weights.

        Args:
            units: The size of output and state.
            kernel_initializer: Initializer of the weights of the input, of shape (D, 4 units).
            recurrent_initializer: Initializer of the weights of the output, of shape
                (units, 4 units).
            peephole_initializer: Initializer of the weights of the state, of shape (3, units), in
                the order of input, forget and output gate.
            **kwargs: The arguments of every Keras layer.
        """
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.peephole_initializer = keras.initializers.get(peephole_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights; the forget gate's bias starts at 1, so that it forgets little."""
        units = self.units

        def bias(shape: Any, dtype: Any = None) -> Any:
            ones = ops.ones((units,), dtype)
            zeros = ops.zeros((units,), dtype)
            return ops.concatenate([zeros, ones, zeros, zeros])

        self.kernel = self.add_weight(
            shape=(input_shape[-1], 4 * units), initializer=self.kernel_initializer, name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(units, 4 * units), initializer=self.recurrent_initializer, name="recurrent"
        )
        self.peephole = self.add_weight(
            shape=(3, units), initializer=self.peephole_initializer, name="peephole"
        )
        self.bias = self.add_weight(shape=(4 * units,), initializer=bias, name="bias")
        self.built = True

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """Compute one step; return the output and the states for the next step."""
        drive = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        h, c = equations.peephole(ops, drive, self.bias, states, self.peephole)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to create the same cell."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "peephole_initializer": keras.initializers.serialize(self.peephole_initializer),
        }
