"""What stands before a net for digits: upright characters, directions of strokes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_recipes.digits.augmentation import sampled
from keras_recipes.own_layers import PlainLayer, registered

DIRECTIONS, CELL = 16, 4
"""Of `OrientedGradients`: a cell of 4 by 4 pixels gives as many numbers."""


@registered
class Deskew(PlainLayer):
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
        return sampled(images, down, across)


@registered
class OrientedGradients(PlainLayer):
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
