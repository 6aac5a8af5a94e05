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

DIRECTIONS, CELL = 16, 4
"""Of `OrientedGradients`: a cell of 4 by 4 pixels gives as many numbers."""


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
        self.coefficient = self.add_weight(shape=maps, initializer="ones", name="coefficient")
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


class RandomWarp(keras.layers.Layer):
    """Turns, moves, scales, shears and bends images at random, while training only.

    All of it is one change of coordinates, after Simard, Steinkraus and Platt 2003, and each point
    is interpolated once: Keras' own layers one after the other interpolate once each, which blurs
    thin strokes. Takes (N, H, W, C) of any numeric type, gives float32; what comes from outside the
    image is 0. Not for a model that is saved.

    With strength 1, images are turned by up to 8 degrees, moved by up to 1.5 pixels along each
    axis, scaled by up to 8 % along each and sheared by up to 0.08; and the points of a 4 x 4 grid
    over them by normally distributed 0.8 pixels, with those between following smoothly.

    Args:
        strength: Times all of that.
        seed: Of the random numbers.
    """

    GRID = 4

    def __init__(self, strength: float, seed: int) -> None:
        super().__init__()
        self.rotation, self.shift = math.radians(8) * strength, 1.5 * strength
        self.zoom, self.shear, self.elastic = 0.08 * strength, 0.08 * strength, 0.8 * strength
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The images, changed."""
        images = ops.cast(inputs, "float32")
        if not training:
            return images
        return _sampled(images, *self._coordinates(ops.shape(images)[0], *images.shape[1:3]))

    def _coordinates(self, count: Any, height: int, width: int) -> tuple[Any, Any]:
        """Where each point of the changed images lies in the given ones."""
        x = ops.arange(width, dtype="float32")[None, None, :] - (width - 1) / 2
        y = ops.arange(height, dtype="float32")[None, :, None] - (height - 1) / 2
        angle = self._uniform(count, self.rotation)
        sheared = x + self._uniform(count, self.shear) * y
        across = ops.cos(angle) * sheared - ops.sin(angle) * y
        down = ops.sin(angle) * sheared + ops.cos(angle) * y
        across = across * ops.exp(self._uniform(count, self.zoom)) + self._uniform(
            count, self.shift
        )
        down = down * ops.exp(self._uniform(count, self.zoom)) + self._uniform(count, self.shift)
        coarse = (count, self.GRID, self.GRID, 2)
        bent = keras.random.normal(coarse, stddev=self.elastic, seed=self.generator)
        bent = ops.image.resize(
            bent, (height, width), interpolation="bicubic", data_format="channels_last"
        )
        return down + bent[..., 1] + (height - 1) / 2, across + bent[..., 0] + (width - 1) / 2

    def _uniform(self, count: Any, largest: float) -> Any:
        return keras.random.uniform((count, 1, 1), -largest, largest, seed=self.generator)


@_registered
class Deskew(_Layer):
    """Uprights slanted characters: shears each image until its second moments are not slanted.

    As for the deskewed inputs of LeCun et al. 1998, section III.A: rows are moved so that the axis
    of inertia is vertical, and the centre of mass comes to the centre. Takes (N, H, W, 1), white on
    black, of any numeric type, gives float32; an empty image stays as it is.
    """

    def call(self, inputs: Any) -> Any:
        """The images, upright."""
        images = ops.cast(inputs, "float32")
        height, width = images.shape[1:3]
        x = ops.arange(width, dtype="float32")[None, None, :]
        y = ops.arange(height, dtype="float32")[None, :, None]
        mass = images[..., 0] / (ops.sum(images, axis=(1, 2, 3))[:, None, None] + 1e-6)

        def mean(values: Any) -> Any:
            return ops.sum(mass * values, axis=(1, 2), keepdims=True)

        from_x, from_y = x - mean(x), y - mean(y)
        slant = mean(from_x * from_y) / (mean(from_y**2) + 1e-6)
        to_x, to_y = mean(x) - (width - 1) / 2, mean(y) - (height - 1) / 2
        down = ops.broadcast_to(y + to_y, ops.shape(mass))
        across = x + to_x + slant * (y - (height - 1) / 2)
        return _sampled(images, down, across)


@_registered
class OrientedGradients(_Layer):
    """How steep an image is in each of 16 directions around each point of a grid 4 pixels wide.

    Histograms of oriented gradients (Dalal and Triggs 2005, section 6; on MNIST: Maji and Malik
    2009) with as many numbers as there are pixels, and no parameters. A pixel counts in the one or
    two directions that are less than 22.5 degrees from its gradient and, linearly, at the grid's
    nearest points. Square roots of the sums, divided by their size, keep what matters: where
    strokes lie and how they run, hardly how bright they are.

    Takes (N, H, W, 1) of any numeric type, from 0 to 255, H and W multiples of 4; outside the image
    is 0, so that a bright one has an edge all around. Gives float32 of shape (N, H / 4, W / 4, 16),
    the mean of an image's squares 0.09, about that of scaled pixels, or 0 where it is black.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes nothing: looks whether the images divide into cells.

        Raises:
            ValueError: They do not.
        """
        _, *size, channels = input_shape
        if len(size) != 2 or any(not x or x % CELL for x in size) or channels != 1:
            raise ValueError(
                f"{self.name}: expected images of shape (N, H, W, 1), H and W multiples of {CELL}, "
                f"received {tuple(input_shape)}"
            )

    def call(self, inputs: Any) -> Any:
        """The histograms."""
        images = ops.cast(inputs, "float32")
        height, width = images.shape[1:3]
        found = ops.reshape(self._by_direction(images), (-1, height, width * DIRECTIONS))
        found = ops.matmul(_tents(height // CELL), found)
        found = ops.reshape(found, (-1, height // CELL, width, DIRECTIONS))
        found = ops.matmul(_tents(width // CELL), found)
        found = ops.sqrt(1 + found) - 1  # of 0 alone the root would blow up what is rounding
        size = ops.sqrt(ops.mean(found**2, axis=(1, 2, 3), keepdims=True))
        return 0.3 * found / (size + 1e-3)

    def _by_direction(self, images: Any) -> Any:
        """How far each pixel's gradient reaches in the directions next to it: (N, H, W, 16)."""
        padded = ops.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
        across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
        down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
        step = 2 * math.pi / DIRECTIONS
        angles = step * np.arange(DIRECTIONS)
        towards = ops.matmul(
            ops.concatenate([across, down], axis=-1),
            np.stack([np.cos(angles), np.sin(angles)]).astype("float32"),
        )
        return ops.relu(towards - math.cos(step) * ops.sqrt(across**2 + down**2))


def _tents(cells: int) -> np.ndarray:
    """What each of a grid's points takes of each pixel of a row: (cells, CELL * cells), float32."""
    middles = CELL * (np.arange(cells) + 0.5)
    distances = np.abs(np.arange(CELL * cells) + 0.5 - middles[:, None]) / CELL
    return np.maximum(0, 1 - distances).astype("float32")


@_registered
class TurnedViews(_Layer):
    """Three views of each image, as it is and turned either way, one batch behind the other.

    Test-time augmentation: the rest of the net answers for each view, `MeanOfViews` averages the
    answers. While training, images stay as they are. (N, H, W, C) of any numeric type becomes
    float32 of shape (3 N, H, W, C); what comes from outside the image is 0.

    Args:
        degrees: How far.
    """

    def __init__(self, degrees: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.degrees = degrees

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The views."""
        images = ops.cast(inputs, "float32")
        if training:
            return images
        angles = (math.radians(self.degrees), -math.radians(self.degrees))
        return ops.concatenate([images, *(_turned(images, angle) for angle in angles)])

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to make the same layer."""
        return {**super().get_config(), "degrees": self.degrees}


@_registered
class MeanOfViews(_Layer):
    """The mean of what was answered for the three views of `TurnedViews`: (3 N, D) to (N, D)."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The means; while training, when there is one view, the answers as they are."""
        if training:
            return inputs
        return ops.mean(ops.reshape(inputs, (3, -1, inputs.shape[-1])), axis=0)


def views(degrees: float) -> tuple[list[keras.Layer], list[keras.Layer]]:
    """What stands before a net and behind it for test-time augmentation; nothing for 0 degrees."""
    if not degrees:
        return [], []
    return [TurnedViews(degrees, name="views")], [MeanOfViews(name="mean_of_views")]


def _turned(images: Any, angle: float) -> Any:
    height, width = images.shape[1:3]
    y, x = np.mgrid[:height, :width] - np.array([height - 1, width - 1])[:, None, None] / 2
    down = math.sin(angle) * x + math.cos(angle) * y + (height - 1) / 2
    across = math.cos(angle) * x - math.sin(angle) * y + (width - 1) / 2
    count = ops.shape(images)[0]
    where = (ops.cast(grid[None], "float32") for grid in (down, across))
    return _sampled(images, *(ops.tile(grid, (count, 1, 1)) for grid in where))


def _sampled(images: Any, down: Any, across: Any) -> Any:
    """Images at real coordinates of shape (N, H, W), linear between the four points around."""
    height, width, channels = images.shape[1:]
    # A frame of zeros, so that everything outside is one of its points.
    framed = ops.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0)))
    flat = ops.reshape(framed, (-1, channels))
    down, across = ops.clip(down, -1, height) + 1, ops.clip(across, -1, width) + 1
    top, left = ops.floor(down), ops.floor(across)
    lower, right = (down - top)[..., None], (across - left)[..., None]
    first = ops.arange(ops.shape(images)[0], dtype="int32")[:, None, None]
    first = first * ((height + 3) * (width + 3))
    corner = first + ops.cast(top, "int32") * (width + 3) + ops.cast(left, "int32")

    def row(start: Any) -> Any:
        return (1 - right) * ops.take(flat, start, 0) + right * ops.take(flat, start + 1, 0)

    return (1 - lower) * row(corner) + lower * row(corner + width + 3)


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
