"""Random warping of the training images, and test-time augmentation."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_recipes.own_layers import PlainLayer, registered


class RandomWarp(keras.layers.Layer):
    """A layer that turns, moves, scales, shears and bends images at random during training.

    All changes are one change of coordinates, as in Simard, Steinkraus and Platt 2003. So each
    pixel is interpolated once. A chain of Keras' own layers interpolates in each layer, which blurs
    thin strokes.

    With strength 1, an image is turned by up to 8 degrees, moved by up to 1.5 pixels along each
    axis, scaled by up to 8 % along each axis, and sheared by up to 0.08. To bend it, the points of
    a 4 x 4 grid over the image are moved by a normal distribution with a standard deviation of 0.8
    pixels; the pixels between them follow smoothly.

    The input has shape (N, H, W, C) and any numeric dtype. The output has the same shape and dtype
    float32. Pixels from outside the image are 0. Do not put this layer into a model that is saved.

    Args:
        strength: Factor for the sizes of all these changes.
        seed: Seed of the random numbers.
    """

    GRID = 4

    def __init__(self, strength: float, seed: int) -> None:
        super().__init__()
        self.rotation, self.shift = math.radians(8) * strength, 1.5 * strength
        self.zoom, self.shear, self.elastic = 0.08 * strength, 0.08 * strength, 0.8 * strength
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the changed images or, outside training, the images as they are."""
        images = ops.cast(inputs, "float32")
        if not training:
            return images
        return sampled(images, *self._coordinates(ops.shape(images)[0], *images.shape[1:3]))

    def _coordinates(self, count: Any, height: int, width: int) -> tuple[Any, Any]:
        """Return the place in the original image of each pixel of the changed one."""
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


@registered
class TurnedViews(PlainLayer):
    """A layer for test-time augmentation that makes three versions of each image.

    The versions are the image as it is and the image turned to the left and to the right. The
    following layers answer for each version, and `MeanOfViews` averages the answers. During
    training, the images stay as they are.

    The input has shape (N, H, W, C) and any numeric dtype. The output has shape (3 N, H, W, C) and
    dtype float32, or float64 in a float64 net; the versions follow each other as whole batches.
    Pixels from outside the image are 0.

    Args:
        degrees: Angle of the turned versions, in degrees.
    """

    def __init__(self, degrees: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.degrees = degrees

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the three versions or, during training, the images as they are."""
        images = ops.cast(inputs, self.image_dtype)
        if training:
            return images
        angles = (math.radians(self.degrees), -math.radians(self.degrees))
        return ops.concatenate([images, *(_turned(images, angle) for angle in angles)])

    def get_config(self) -> dict[str, Any]:
        """Return the settings from which `from_config` makes the same layer."""
        return {**super().get_config(), "degrees": self.degrees}


@registered
class MeanOfViews(PlainLayer):
    """A layer that averages the answers for the versions of `TurnedViews`: (3 N, D) to (N, D)."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the means or, during training, the answers as they are."""
        if training:
            return inputs
        return ops.mean(ops.reshape(inputs, (3, -1, inputs.shape[-1])), axis=0)


def views(degrees: float) -> tuple[list[keras.Layer], list[keras.Layer]]:
    """Return the layers for test-time augmentation before and after a net; none for 0 degrees."""
    if not degrees:
        return [], []
    return [TurnedViews(degrees, name="views")], [MeanOfViews(name="mean_of_views")]


def _turned(images: Any, angle: float) -> Any:
    height, width = images.shape[1:3]
    y, x = np.mgrid[:height, :width] - np.array([height - 1, width - 1])[:, None, None] / 2
    down = math.sin(angle) * x + math.cos(angle) * y + (height - 1) / 2
    across = math.cos(angle) * x - math.sin(angle) * y + (width - 1) / 2
    count = ops.shape(images)[0]
    where = (ops.cast(grid[None], images.dtype) for grid in (down, across))
    return sampled(images, *(ops.tile(grid, (count, 1, 1)) for grid in where))


def sampled(images: Any, down: Any, across: Any) -> Any:
    """Return images resampled at real coordinates by bilinear interpolation.

    Args:
        images: Shape (N, H, W, C), float32 or float64.
        down: Row of each output pixel in the image, shape (N, H, W).
        across: Column of each output pixel in the image, shape (N, H, W).
    """
    height, width, channels = images.shape[1:]
    # A frame of zeros stands for everything outside the image.
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
