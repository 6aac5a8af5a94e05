"""Who computes a model's outputs: Keras, or whatever runs a file that left Keras."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import keras
    import numpy as np

PIECE = 1_000
"""Inputs that are computed at once, so that memory stays bounded."""


class Runtime(Protocol):
    """A model with one input and one output, ready to compute."""

    @property
    def name(self) -> str:
        """What computes, with its version, such as "onnxruntime 1.31.1"."""

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input, without the batch axis; None where any length is taken."""

    def outputs(self, x: "np.ndarray") -> "np.ndarray":
        """The model's outputs for a batch.

        Args:
            x: Numbers of any type, shape (N, *input_shape); as in Keras, a last axis of length 1
                may be there or not.

        Returns:
            Floats of shape (N, ...).

        Raises:
            RecipeError: The model cannot compute that.
        """


class KerasRuntime:
    """A Keras model, computing on Keras' own backend.

    Raises:
        InputError: The model has several inputs or outputs.
    """

    def __init__(self, model: "keras.Model") -> None:
        shapes = model.input_shape, model.output_shape
        if not all(isinstance(shape, tuple) for shape in shapes):
            raise InputError("expected a model with one input and one output, this one has more")
        if len(model.input_shape) < 2:
            raise InputError(f"expected a model of arrays, this one takes {model.input_shape}")
        self.model = model

    @property
    def name(self) -> str:
        """Keras and its version."""
        import keras

        return f"Keras {keras.__version__}"

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input, without the batch axis."""
        shape: tuple[int | None, ...] = self.model.input_shape[1:]
        return shape

    def outputs(self, x: "np.ndarray") -> "np.ndarray":
        """The model's outputs for a batch, shape (N, ...)."""
        import keras
        import numpy as np

        # Called and not `predict`ed: a function traced anew for every model and shape costs more
        # than it saves here, and TensorFlow complains.
        answers = [self.model(piece, training=False) for piece in pieces(x)]
        return np.concatenate([keras.ops.convert_to_numpy(answer) for answer in answers])


def pieces(x: "np.ndarray", size: int = PIECE) -> "Iterable[np.ndarray]":
    """The batch cut into pieces, the last of them shorter."""
    return (x[start : start + size] for start in range(0, len(x), size))


def as_input(x: "np.ndarray", shape: tuple[int | None, ...], dtype: str) -> "np.ndarray":
    """A batch as another runtime wants it, which converts nothing by itself; Keras does.

    Args:
        x: Numbers of shape (N, ...); as in Keras, a last axis of length 1 may be there or not.
        shape: Of one input.
        dtype: NumPy's name for the input's type.
    """
    if x.ndim == len(shape) + 2 and x.shape[-1] == 1:
        x = x[..., 0]
    elif x.ndim == len(shape) and shape[-1] == 1:
        x = x[..., None]
    return x.astype(dtype)
