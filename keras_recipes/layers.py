"""The few Keras layers of our own, registered, so that a saved model finds them by name.

Importing this module registers them; the loader does so. Without this package a model that has one
does not open, and its card says so.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

_registered = keras.saving.register_keras_serializable(package="keras_recipes")

# LeCun et al. 1998, table I: the maps of S2 (rows) that each map of C3 (columns) is connected to.
C3_TABLE = (
    "X   XXX  XXXX XX",
    "XX   XXX  XXXX X",
    "XXX   XXX  X XXX",
    " XXX  XXXX  X XX",
    "  XXX  XXXX XX X",
    "   XXX  XXXX XXX",
)

# A character of 7 x 12 points for every digit, as the paper has them in figure 3; drawn anew here.
DIGIT_CODES = (
    "  ###      #     #####  ######      ##  #######   ####  #######  #####    ###  ",
    " #   #    ##    #     #       #    # #  #        #            # #     #  #   # ",
    "#     #  # #          #       #   #  #  #       #             # #     # #     #",
    "#     #    #          #      #    #  #  #       #            #  #     # #     #",
    "#     #    #         #      #    #   #  ######  # ###        #   #   #  #     #",
    "#     #    #        #     ###    #   #        # ##   #      #     ###   #     #",
    "#     #    #       #         #  #    #        # #     #     #    #   #   #   ##",
    "#     #    #      #           # #######       # #     #    #    #     #   ### #",
    "#     #    #     #            #      #        # #     #    #    #     #       #",
    "#     #    #    #             #      #        # #     #   #     #     #       #",
    " #   #     #    #       #     #      #  #     #  #   #    #     #     #      # ",
    "  ###    #####  #######  #####       #   #####    ###    #       #####   ####  ",
)


class _Layer(keras.layers.Layer):
    """A layer without arguments of its own."""

    def get_config(self) -> dict[str, Any]:
        """Name, type and whether it is trained: Keras' default has more, or less, at times."""
        return dict(super().get_config())


@_registered
class ScaledTanh(_Layer):
    """The squashing function of LeCun et al. 1998, appendix A: 1.7159 tanh(2x / 3)."""

    def call(self, inputs: Any) -> Any:
        """The same shape, between -1.7159 and 1.7159."""
        return 1.7159 * ops.tanh(inputs * (2 / 3))


@_registered
class TrainableSubsampling2D(_Layer):
    """Adds up 2 x 2 points of each map, times a coefficient, plus a bias, both learned.

    Section II.B of LeCun et al. 1998: two parameters a map. (N, H, W, C) becomes
    (N, H / 2, W / 2, C).
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes a coefficient and a bias for each map."""
        maps = (input_shape[-1],)
        # A quarter: it starts as the average.
        self.coefficient = self.add_weight(
            shape=maps, initializer=keras.initializers.Constant(0.25), name="coefficient"
        )
        self.bias = self.add_weight(shape=maps, initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """The sums, weighted."""
        return 4 * ops.average_pool(inputs, 2) * self.coefficient + self.bias


@_registered
class TableConv2D(_Layer):
    """The convolution of C3, of which each map sees only some of the maps below (`C3_TABLE`).

    Section II.B of LeCun et al. 1998: 5 x 5 kernels, 1,500 weights and 16 biases, where a full
    convolution has 2,400 and 16. (N, H, W, 6) becomes (N, H - 4, W - 4, 16).
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.kernel_size = 5
        seen = np.array([[mark == "X" for mark in row] for row in C3_TABLE])
        self.below, self.maps = seen.shape
        self.where = np.eye(seen.size, dtype="float32")[seen.ravel()]
        self.connections = seen.sum(axis=0)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes a kernel for each connection and a bias for each map."""
        side = self.kernel_size
        fan_in = side * side * float(self.connections.mean())
        limit = math.sqrt(6 / (fan_in + side * side * self.maps))
        self.kernel = self.add_weight(
            shape=(side, side, len(self.where)),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.maps,), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """The maps."""
        side = self.kernel_size
        kernel = ops.reshape(ops.matmul(self.kernel, self.where), (side, side, self.below, -1))
        return ops.conv(inputs, kernel) + self.bias


@_registered
class DistanceToCodes(_Layer):
    """Minus half the squared distance to a fixed code of each digit: logits of the ten classes.

    The radial basis functions of LeCun et al. 1998, section II.C: F6 is to show the digit itself,
    in 7 x 12 points of -1 or 1. Their softmax with cross-entropy is the paper's maximum a
    posteriori criterion (equation 9) without its constant for rubbish. (N, 84) becomes (N, 10).
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        drawn = np.array([list(row) for row in DIGIT_CODES]) == "#"
        codes = [drawn[:, 8 * digit : 8 * digit + 7].ravel() for digit in range(10)]
        self.codes = np.where(codes, 1.0, -1.0)

    def call(self, inputs: Any) -> Any:
        """The logits."""
        codes = ops.cast(self.codes, inputs.dtype)
        return -ops.sum((inputs[:, None, :] - codes) ** 2, axis=-1) / 2


@_registered
class PeepholeLSTMCell(keras.layers.Layer):
    """One step of an LSTM whose gates also see the cell's state, for `keras.layers.RNN`.

    With input x, output h and state c, element-wise products `*`, the logistic function s:

        i = s(x Wi + h Ri + pi * c + bi)        c' = f * c + i * tanh(x Wg + h Rg + bg)
        f = s(x Wf + h Rf + pf * c + bf)        h' = o * tanh(c')
        o = s(x Wo + h Ro + po * c' + bo)

    Gers, Schraudolph, Schmidhuber, *Learning Precise Timing with LSTM Recurrent Networks*, 2002; in
    the form of Graves' 2013 *Generating Sequences With Recurrent Neural Networks* (one peephole a
    unit), which Deeplearning4j calls GravesLSTM. Inputs (N, D), output and states (N, units);
    4 units (D + units + 1) + 3 units parameters, the gates in Keras' order i, f, g, o.
    """

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "glorot_uniform",
        peephole_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        """Makes the cell; its weights exist once it has seen an input.

        Args:
            units: Size of output and state.
            kernel_initializer: Of the weights (D, 4 units) that the input meets.
            recurrent_initializer: Of the weights (units, 4 units) that the output meets.
            peephole_initializer: Of the weights (3, units) that the state meets, in the order of
                input, forget and output gate.
            **kwargs: As for every Keras layer.
        """
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.peephole_initializer = keras.initializers.get(peephole_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights; the forget gate's bias starts at 1, so that it forgets little."""
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
        """One step: the output, and the states to be handed to the next."""
        h, c = states
        drive = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, g, o = ops.split(drive, 4, axis=-1)
        i = ops.sigmoid(i + self.peephole[0] * c)
        f = ops.sigmoid(f + self.peephole[1] * c)
        c = f * c + i * ops.tanh(g)
        h = ops.sigmoid(o + self.peephole[2] * c) * ops.tanh(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to make the same cell."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "peephole_initializer": keras.initializers.serialize(self.peephole_initializer),
        }
