"""Preprocessing layers for digits: deskewing, and histograms of oriented gradients."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_recipes.digits.augmentation import sampled
from keras_recipes.own_layers import PlainLayer, registered

DIRECTIONS, CELL = 16, 4
"""Directions and cell size of `OrientedGradients`: a cell of 4 x 4 pixels gives 16 numbers."""


@registered
class Deskew(PlainLayer):
    """A layer that makes slanted characters upright and moves them to the centre.

    The rows of each image are shifted until the axis of inertia is vertical, and the centre of mass
    is moved to the centre of the image, as for the deskewed inputs of LeCun et al. 1998, section
    III.A. The input has shape (N, H, W, 1), white on black, and any numeric dtype. The output has
    the same shape and dtype float32, or float64 in a float64 net. An empty image stays as it is.
    """

    def call(self, inputs: Any) -> Any:
        """Return the upright images."""
        images = ops.cast(inputs, self.image_dtype)
        height, width = images.shape[1:3]
        x = ops.arange(width, dtype=self.image_dtype)[None, None, :]
        y = ops.arange(height, dtype=self.image_dtype)[None, :, None]
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
    """A layer that computes histograms of oriented gradients (HOG), without parameters.

    For each point of a grid of 4 pixels' width, 16 numbers say how strong the gradients around it
    are in 16 directions (Dalal and Triggs 2005, section 6; on MNIST: Maji and Malik 2009). A pixel
    counts in the one or two directions that are less than 22.5 degrees from its gradient, and at
    the nearest grid points by linear interpolation. The square roots of the sums are divided by
    their root mean square. So the numbers say where strokes are and how they run, and hardly how
    bright they are.

    The input has shape (N, H, W, 1), any numeric dtype, and values from 0 to 255; H and W are
    multiples of 4. Pixels outside the image count as 0, so a bright image has an edge all around.
    The output has shape (N, H / 4, W / 4, 16) and dtype float32, or float64 in a float64 net: as
    many numbers as pixels. The mean of their squares is 0.09, as for scaled pixels, and 0 for a
    black image.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Check that the images divide into cells; the layer has no weights to create.

        Raises:
            ValueError: The shape is another than (N, H, W, 1), or H or W is no multiple of 4.
        """
        _, *size, channels = input_shape
        if len(size) != 2 or any(not x or x % CELL for x in size) or channels != 1:
            raise ValueError(
                f"{self.name}: expected images of shape (N, H, W, 1), H and W multiples of {CELL}, "
                f"received {tuple(input_shape)}"
            )

    def call(self, inputs: Any) -> Any:
        """Return the histograms."""
        images = ops.cast(inputs, self.image_dtype)
        height, width = images.shape[1:3]
        found = ops.reshape(self._by_direction(images), (-1, height, width * DIRECTIONS))
        found = ops.matmul(_tents(height // CELL), found)
        found = ops.reshape(found, (-1, height // CELL, width, DIRECTIONS))
        found = ops.matmul(_tents(width // CELL), found)
        found = ops.sqrt(1 + found) - 1  # sqrt(found) would magnify rounding errors near 0
        size = ops.sqrt(ops.mean(found**2, axis=(1, 2, 3), keepdims=True))
        return 0.3 * found / (size + 1e-3)

    def _by_direction(self, images: Any) -> Any:
        """Return the share of each pixel's gradient in each direction, shape (N, H, W, 16)."""
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
    """Return the weight of each pixel of a row for each grid point: (cells, CELL * cells)."""
    middles = CELL * (np.arange(cells) + 0.5)
    distances = np.abs(np.arange(CELL * cells) + 0.5 - middles[:, None]) / CELL
    return np.maximum(0, 1 - distances).astype("float32")
