"""Preprocessing layers for digits.

`Deskew` and `OrientedGradients` treat each image by itself. `Standardization` and
`PrincipalComponents` have weights that `adapt` computes from the training images, and that training
does not change.
"""

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_recipes.digits.augmentation import sampled
from keras_recipes.own_layers import PlainLayer, registered

DIRECTIONS, CELL = 16, 4
"""Directions and cell size of `OrientedGradients`: a cell of 4 x 4 pixels gives 16 numbers."""

EPSILON = 0.01
"""The number added to each variance before its square root divides; pixels are from 0 to 1.

Without it, a pixel that is 0 in every training image would be divided by 0, and directions that
hold almost nothing but noise would be magnified until they are as large as the strokes.
"""

ADAPTED_AT_ONCE = 4_096
"""The number of images from which the statistics are computed at once."""


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


class Statistics(keras.layers.Layer):
    """A layer with weights that are computed from training images and not trained.

    The input has shape (N, ...) and any numeric dtype; all sizes but N are known. Each of the
    `features` numbers of an image is a variable of its own. Until `adapt` is called, the mean is 0
    and the standard deviation is 1.

    Keras' `Normalization` does the same for mean and standard deviation, but not for this purpose.
    It replaces a standard deviation of 0 by 1e-7, so a test pixel that is never bright in training
    becomes 10,000,000. And `set_weights`, from which a saved net gets its statistics, has no effect
    on it.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights.

        Raises:
            ValueError: A size other than N is not known.
        """
        sizes = [size for size in input_shape[1:] if size is not None]
        if len(sizes) != len(input_shape) - 1:
            raise ValueError(
                f"{self.name}: expected inputs of a known size, received {tuple(input_shape)}"
            )
        self.features = math.prod(sizes)
        self.mean = self.statistic("mean", (self.features,), "zeros")

    def statistic(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        """Return a new weight that is not trained."""
        return self.add_weight(name=name, shape=shape, initializer=initializer, trainable=False)

    def centred(self, inputs: Any) -> Any:
        """Return the inputs minus the mean, shape (N, features)."""
        return ops.reshape(ops.cast(inputs, self.compute_dtype), (-1, self.features)) - self.mean

    @abstractmethod
    def adapt(self, batches: Iterable[np.ndarray]) -> None:
        """Compute the weights from training inputs.

        Args:
            batches: Arrays of shape (N, ...) as the layer receives them.
        """

    def in_image(self, weights: np.ndarray) -> np.ndarray:
        """Return the weights of the layer's outputs as weights of the preprocessed pixels.

        Args:
            weights: Shape (outputs, count); the result has shape (features, count).
        """
        return weights


@registered
class Standardization(Statistics):
    """A layer that subtracts each pixel's mean and, if asked, divides by its standard deviation.

    The output has the shape of the input.

    Args:
        divide: Whether to divide by the standard deviation.
    """

    def __init__(self, divide: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self.divide = divide

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights; see `Statistics.build`."""
        super().build(input_shape)
        if self.divide:
            self.deviation = self.statistic("deviation", (self.features,), "ones")

    def call(self, inputs: Any) -> Any:
        """Return the standardized images."""
        changed = self.centred(inputs)
        if self.divide:
            changed = changed / self.deviation
        return ops.reshape(changed, (-1, *inputs.shape[1:]))

    def adapt(self, batches: Iterable[np.ndarray]) -> None:
        """Compute mean and standard deviation of each pixel; the variance gets `EPSILON` more."""
        count, total, squares = 0, np.zeros(self.features), np.zeros(self.features)
        for rows in _rows(batches):
            count, total, squares = (
                count + len(rows),
                total + rows.sum(0),
                squares + (rows**2).sum(0),
            )
        mean = total / count
        self.mean.assign(mean)
        if self.divide:
            self.deviation.assign(np.sqrt(np.maximum(0, squares / count - mean**2) + EPSILON))

    def get_config(self) -> dict[str, Any]:
        """Return the settings from which `from_config` makes the same layer."""
        return {**super().get_config(), "divide": self.divide}


@registered
class PrincipalComponents(Statistics):
    """A layer for principal component analysis (PCA) and whitening.

    The mean image is subtracted, and the image becomes its coordinates along the directions in
    which the training images vary most. These coordinates are uncorrelated. Whitening divides each
    by its standard deviation, so that all of them count alike.

    The output has shape (N, components). With `as_image` the coordinates are turned back into an
    image, and the output has the shape of the input: PCA then leaves out all but the strongest
    directions, and whitening is zero-phase component analysis (ZCA), after which neighbouring
    pixels are uncorrelated.

    Args:
        components: Number of directions, at most the number of pixels.
        whiten: Whether to divide by the standard deviations.
        as_image: Whether to return images.
    """

    def __init__(self, components: int, whiten: bool, as_image: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self.components, self.whiten, self.as_image = components, whiten, as_image

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights; see `Statistics.build`.

        Raises:
            ValueError: There are more components than pixels.
        """
        super().build(input_shape)
        if self.components > self.features:
            raise ValueError(
                f"{self.name}: expected at most {self.features} components, one for each pixel, "
                f"received {self.components}"
            )
        self.axes = self.statistic("axes", (self.features, self.components), _first_pixels)
        if self.whiten:
            self.deviations = self.statistic("deviations", (self.components,), "ones")

    def call(self, inputs: Any) -> Any:
        """Return the coordinates, or the images that they make."""
        coordinates = ops.matmul(self.centred(inputs), self.axes)
        if self.whiten:
            coordinates = coordinates / self.deviations
        if not self.as_image:
            return coordinates
        return ops.reshape(
            ops.matmul(coordinates, ops.transpose(self.axes)), (-1, *inputs.shape[1:])
        )

    def adapt(self, batches: Iterable[np.ndarray]) -> None:
        """Compute the mean, the strongest directions and their standard deviations.

        The variance of each direction gets `EPSILON` more. A direction is turned so that its
        largest number is positive.
        """
        count, total = 0, np.zeros(self.features)
        products = np.zeros((self.features, self.features))
        for rows in _rows(batches):
            count, total, products = (
                count + len(rows),
                total + rows.sum(0),
                products + rows.T @ rows,
            )
        mean = total / count
        variances, axes = np.linalg.eigh(products / count - np.outer(mean, mean))
        variances, axes = (x[..., ::-1][..., : self.components] for x in (variances, axes))
        largest = axes[abs(axes).argmax(axis=0), np.arange(self.components)]
        self.mean.assign(mean)
        self.axes.assign(axes * np.sign(largest))
        if self.whiten:
            self.deviations.assign(np.sqrt(np.maximum(0, variances) + EPSILON))

    def in_image(self, weights: np.ndarray) -> np.ndarray:
        """Return the weights of the coordinates as weights of the preprocessed pixels."""
        return weights if self.as_image else np.asarray(self.axes) @ weights

    def get_config(self) -> dict[str, Any]:
        """Return the settings from which `from_config` makes the same layer."""
        mine = ("components", "whiten", "as_image")
        return {**super().get_config(), **{name: getattr(self, name) for name in mine}}


def _first_pixels(shape: Sequence[int], dtype: Any = None) -> Any:
    """Return the axes before `adapt`: each coordinate is a pixel."""
    return ops.eye(*shape, dtype=dtype)


def _rows(batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield each batch as float64 of shape (N, features)."""
    for batch in batches:
        yield np.asarray(batch, "float64").reshape(len(batch), -1)


def layers(kind: str | None, components: int, *, as_image: bool = False) -> list[keras.Layer]:
    """Return the layer for an option `preprocessing`; an empty list if it is not set.

    Args:
        kind: "mean", "scale", "pca", "whitening" or None.
        components: Number of principal components for "pca" and "whitening".
        as_image: Whether the next layer needs images.
    """
    if kind is None:
        return []
    if kind in ("mean", "scale"):
        return [Standardization(kind == "scale", name="preprocessing")]
    return [PrincipalComponents(components, kind == "whitening", as_image, name="preprocessing")]


def layer_of(model: keras.Model) -> Statistics | None:
    """Return the layer of a net that has statistics of the training images, if there is one."""
    return next((layer for layer in model.layers if isinstance(layer, Statistics)), None)


def adapt(model: keras.Model, images: np.ndarray) -> None:
    """Compute the statistics of a net's preprocessing layer, if it has one.

    Args:
        model: A net; only the weights of its preprocessing layer change.
        images: The training images, as the net receives them.
    """
    if layer := layer_of(model):
        layer.adapt(_received(model, layer, images))


def received(model: keras.Model, layer: keras.Layer, images: np.ndarray) -> np.ndarray:
    """Return what a layer of a net receives for images, as during training."""
    return np.concatenate(list(_received(model, layer, images)))


def outputs(layer: Statistics, seen: np.ndarray) -> np.ndarray:
    """Return the outputs of a preprocessing layer as rows, shape (N, outputs)."""
    return np.asarray(ops.convert_to_numpy(layer(seen))).reshape(len(seen), -1)


def _received(model: keras.Model, layer: keras.Layer, images: np.ndarray) -> Iterator[np.ndarray]:
    before = keras.Model(model.inputs[0], layer.input)
    for start in range(0, len(images), ADAPTED_AT_ONCE):
        # During training, layers of test-time augmentation return the images as they are.
        outputs = before(images[start : start + ADAPTED_AT_ONCE], training=True)
        yield ops.convert_to_numpy(outputs)
