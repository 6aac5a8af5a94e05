"""Who computes a model's outputs: Keras, or whatever runs a file that left Keras."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.untrusted import sizes

if TYPE_CHECKING:
    import keras
    import numpy as np

BATCH_SIZE = 1_000
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
        """The model's outputs for a batch, shape (N, ...).

        Raises:
            UnsafeModelError: For inputs of this shape the model needs more memory than the limits.
        """
        most = sizes.rows_at_once(self.model, x.shape, BATCH_SIZE)
        return in_batches(self._computed, x, self.model.name, most=most)

    def _computed(self, piece: "np.ndarray") -> "np.ndarray":
        import keras

        # Called and not `predict`ed: a function traced anew for every model and shape costs more
        # than it saves here, and TensorFlow complains.
        answer: np.ndarray = keras.ops.convert_to_numpy(self.model(piece, training=False))
        return answer


def check_fits(runtime: Runtime, x: "np.ndarray", recipe: str) -> None:
    """Refuses a model that does not take what its card says.

    Args:
        runtime: Of the model.
        x: Inputs of the card's recipe, shape (N, ...).
        recipe: Its name, for the message.

    Raises:
        CorruptModelError: The model takes inputs of another shape.
    """
    expected, shape = runtime.input_shape, x.shape[1:]
    shapes = [shape, (*shape, 1), shape[:-1] if shape[-1:] == (1,) else shape]
    if not any(_matches(expected, found) for found in shapes):
        raise CorruptModelError(
            f"its card: says {recipe}, which has inputs of shape {shape}, and the model takes "
            f"{expected}; restore it, or fit again"
        )


def _matches(expected: tuple[int | None, ...], found: tuple[int, ...]) -> bool:
    return len(expected) == len(found) and all(
        want in (None, got) for want, got in zip(expected, found, strict=True)
    )


def check_ends(ranks: Sequence[int | None], outputs: int, where: str) -> None:
    """Refuses a model with several inputs or outputs, or one whose input has no batch axis.

    Args:
        ranks: How many axes each input has; None where that is not known.
        outputs: How many there are.
        where: The model's path, for the message.

    Raises:
        CorruptModelError: It is one.
    """
    if len(ranks) != 1 or outputs != 1 or (ranks[0] or 0) < 2:
        raise CorruptModelError(
            f"{where}: expected one input with a batch axis and one output, "
            f"received {len(ranks)} and {outputs}"
        )


def in_batches(
    compute: "Callable[[np.ndarray], np.ndarray]",
    x: "np.ndarray",
    where: str,
    batch: int | None = None,
    most: int = BATCH_SIZE,
) -> "np.ndarray":
    """What a runtime computes for a batch, piece by piece.

    Args:
        compute: Outputs for one piece.
        x: Inputs, first axis N.
        where: The model's path, for the messages.
        batch: So many inputs the model takes at once, neither more nor less; None where it takes
            any number.
        most: No more than so many at once, where it takes any number.

    Raises:
        CorruptModelError: The model does not give an output for each input.
    """
    import numpy as np

    size, answers = batch or most, []
    for start in range(0, len(x), size):
        piece = x[start : start + size]
        missing = size - len(piece) if batch else 0
        filled = np.concatenate([piece, piece[-1:].repeat(missing, axis=0)]) if missing else piece
        answer = compute(filled)
        if not answer.ndim or len(answer) != len(filled):
            raise CorruptModelError(f"{where}: does not give an output for each input")
        answers.append(answer[: len(piece)])
    return np.concatenate(answers)


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
