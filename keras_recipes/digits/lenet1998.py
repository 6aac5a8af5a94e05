"""The layers of LeNet-5 that Keras has not, as LeCun et al. built them in 1998."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_recipes.own_layers import PlainLayer, registered

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


@registered
class ScaledTanh(PlainLayer):
    """The squashing function of LeCun et al. 1998, appendix A: 1.7159 tanh(2x / 3)."""

    def call(self, inputs: Any) -> Any:
        """The same shape, between -1.7159 and 1.7159."""
        return 1.7159 * ops.tanh(inputs * (2 / 3))


@registered
class TrainableSubsampling2D(PlainLayer):
    """Adds up 2 x 2 points of each map, times a coefficient, plus a bias, both learned.

    Section II.B of LeCun et al. 1998: two parameters a map. (N, H, W, C) becomes
    (N, H / 2, W / 2, C).
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes a coefficient and a bias for each map."""
        maps = (input_shape[-1],)
        self.coefficient = self.add_weight(shape=maps, initializer="ones", name="coefficient")
        self.bias = self.add_weight(shape=maps, initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """The sums, weighted."""
        return 4 * ops.average_pool(inputs, 2) * self.coefficient + self.bias


@registered
class TableConv2D(PlainLayer):
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


@registered
class DistanceToCodes(PlainLayer):
    """Minus a tenth of the squared distance to a fixed code of each digit: logits of ten classes.

    The radial basis functions of LeCun et al. 1998, section II.C: F6 is to show the digit itself,
    in 7 x 12 points of -1 or 1. Their softmax with cross-entropy is the paper's maximum a
    posteriori criterion (equation 9) without its constant for rubbish, which keeps F6 near the
    codes. A tenth does that instead: with the whole distance, five points out of 84 decide a digit
    before F6 shows it, and one image in a hundred more is misread. (N, 84) becomes (N, 10).
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        drawn = np.array([list(row) for row in DIGIT_CODES]) == "#"
        codes = [drawn[:, 8 * digit : 8 * digit + 7].ravel() for digit in range(10)]
        self.codes = np.where(codes, 1.0, -1.0)

    def call(self, inputs: Any) -> Any:
        """The logits."""
        codes = ops.cast(self.codes, inputs.dtype)
        return -ops.sum((inputs[:, None, :] - codes) ** 2, axis=-1) / 10
