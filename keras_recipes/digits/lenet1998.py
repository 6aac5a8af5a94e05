"""The layers of LeNet-5 of 1998 (LeCun et al.) that Keras does not have."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_recipes.own_layers import PlainLayer, registered

# LeCun et al. 1998, table I. X marks the maps of S2 (rows) to which a map of C3 (column) connects.
C3_TABLE = (
    "X   XXX  XXXX XX",
    "XX   XXX  XXXX X",
    "XXX   XXX  X XXX",
    " XXX  XXXX  X XX",
    "  XXX  XXXX XX X",
    "   XXX  XXXX XXX",
)


# Each digit as a character of 7 x 12 points, like those of the paper's figure 3 but drawn here.
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
    """The activation function of LeCun et al. 1998, appendix A: 1.7159 tanh(2x / 3)."""

    def call(self, inputs: Any) -> Any:
        """Return values between -1.7159 and 1.7159 of the same shape."""
        return 1.7159 * ops.tanh(inputs * (2 / 3))


@registered
class TrainableSubsampling2D(PlainLayer):
    """A layer that adds up 2 x 2 points, times a trained coefficient, plus a trained bias.

    Each map has one coefficient and one bias (LeCun et al. 1998, section II.B). (N, H, W, C)
    becomes (N, H / 2, W / 2, C).
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create a coefficient and a bias for each map."""
        maps = (input_shape[-1],)
        self.coefficient = self.add_weight(shape=maps, initializer="ones", name="coefficient")
        self.bias = self.add_weight(shape=maps, initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Return the weighted sums."""
        return 4 * ops.average_pool(inputs, 2) * self.coefficient + self.bias


@registered
class TableConv2D(PlainLayer):
    """The convolution of C3: each map is connected to some of the input maps (`C3_TABLE`).

    It has kernels of 5 x 5, 1,500 weights and 16 biases (LeCun et al. 1998, section II.B). A full
    convolution has 2,400 weights and 16 biases. (N, H, W, 6) becomes (N, H - 4, W - 4, 16).
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.kernel_size = 5
        seen = np.array([[mark == "X" for mark in row] for row in C3_TABLE])
        self.below, self.maps = seen.shape
        self.where = np.eye(seen.size, dtype="float32")[seen.ravel()]
        self.connections = seen.sum(axis=0)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create a kernel for each connection and a bias for each map."""
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
        """Return the maps."""
        side = self.kernel_size
        kernel = ops.reshape(ops.matmul(self.kernel, self.where), (side, side, self.below, -1))
        return ops.conv(inputs, kernel) + self.bias


@registered
class DistanceToCodes(PlainLayer):
    """A layer whose logits are -1/10 of the squared distance of F6 to a fixed code of each digit.

    The codes are those of the radial basis functions in LeCun et al. 1998, section II.C: a picture
    of the digit in 7 x 12 points, each -1 or 1. So F6 learns to draw the digit.

    A softmax over these logits, trained by cross-entropy, is the paper's maximum a posteriori
    criterion (equation 9) without its constant for images that are no digit. That constant keeps F6
    near the codes. Here the factor 1/10 does so: with the whole distance, five of the 84 points are
    enough to decide a digit before F6 shows it, and one more image in a hundred is misread.

    (N, 84) becomes (N, 10).
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        drawn = np.array([list(row) for row in DIGIT_CODES]) == "#"
        codes = [drawn[:, 8 * digit : 8 * digit + 7].ravel() for digit in range(10)]
        self.codes = np.where(codes, 1.0, -1.0)

    def call(self, inputs: Any) -> Any:
        """Return the logits."""
        codes = ops.cast(self.codes, inputs.dtype)
        return -ops.sum((inputs[:, None, :] - codes) ** 2, axis=-1) / 10
