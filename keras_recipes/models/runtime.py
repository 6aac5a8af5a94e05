"""What computes a model's outputs: Keras, or another runtime that opens an export."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from keras_recipes.errors import (
    CorruptModelError,
    InputError,
    RecipeError,
    UnsafeModelError,
    first_line,
    no_memory,
    printable,
)
from keras_recipes.untrusted import budget, sizes

if TYPE_CHECKING:
    import keras
    import numpy as np

# What a backend puts around the name of an operation, for terminals.
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\{\{.*?\}\}")

BATCH_SIZE = 1_000
"""The most inputs that are computed at once, so that memory stays bounded."""


class Runtime(Protocol):
    """A model with one input and one output that is ready to compute."""

    @property
    def name(self) -> str:
        """The name and version of the runtime, such as "onnxruntime 1.31.1"."""

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input, without the batch axis; None for an axis of any length."""

    def outputs(self, x: "np.ndarray") -> "np.ndarray":
        """Compute the model's outputs for a batch.

        Args:
            x: Numbers of any dtype, shape (N, *input_shape). As in Keras, a last axis of length 1
                may be present or absent.

        Returns:
            Floats of shape (N, ...).

        Raises:
            RecipeError: The model cannot compute outputs for this batch.
        """


class KerasRuntime:
    """A Keras model that computes on Keras' own backend.

    Args:
        model: The model.
        where: The model's path, for the messages; its name if there is none.

    Raises:
        InputError: The model has several inputs or outputs.
    """

    def __init__(self, model: "keras.Model", where: str = "") -> None:
        shapes = model.input_shape, model.output_shape
        if not all(isinstance(shape, tuple) for shape in shapes):
            raise InputError(
                "expected a model with one input and one output, received more; only predict takes "
                "it, with an .npz file that holds an array for each input"
            )
        if len(model.input_shape) < 2:
            raise InputError(
                f"expected a model whose input has a batch axis, received {model.input_shape}"
            )
        self.model, self._where = model, where or model.name

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
        """Compute the model's outputs for a batch, shape (N, ...).

        Raises:
            UnsafeModelError: The model needs more memory than the limits for inputs of this shape,
                or than there is.
            CorruptModelError: A layer cannot compute these inputs.
            InputError: This process was forked after Keras had started.
        """
        from keras_recipes import backend

        backend.check_not_forked()
        most = sizes.rows_at_once(self.model, x.shape, BATCH_SIZE)
        return in_batches(self._computed, x, self._where, most=most)

    def _computed(self, piece: "np.ndarray") -> "np.ndarray":
        import keras

        # This calls the model instead of `predict`: tracing a function for every model and shape
        # costs more than it saves here, and TensorFlow warns about it.
        try:
            answer: np.ndarray = keras.ops.convert_to_numpy(self.model(piece, training=False))
        except Exception as error:  # each backend has its own exceptions
            raise self._failed(error) from error
        return answer

    def _failed(self, error: Exception) -> RecipeError:
        reason = printable(_ESCAPES.sub("", " ".join(str(error).split())), 200)
        if isinstance(error, MemoryError) or "ResourceExhausted" in type(error).__name__:
            return UnsafeModelError(
                f"{self._where}: refused, it needs more memory than there is: {reason}"
            )
        return CorruptModelError(
            f"{self._where}: cannot compute these inputs ({reason}); give others, or get the model "
            "again"
        )


def not_computed(where: str, runtime: str, error: Exception) -> RecipeError:
    """Return the error for a model of another runtime that cannot compute its outputs.

    Args:
        where: The model's path.
        runtime: The runtime's name.
        error: What it raised.
    """
    reason = printable(first_line(error), 400)
    if no_memory(error, "for this"):
        return UnsafeModelError(f"{where}: refused, it needs more memory than there is: {reason}")
    return RecipeError(f"{where}: {runtime}: {reason}")


def check_fits(runtime: Runtime, x: "np.ndarray", recipe: str) -> None:
    """Refuse a model whose input shape does not fit the recipe on its card.

    Args:
        runtime: The runtime of the model.
        x: Inputs of the card's recipe, shape (N, ...).
        recipe: The recipe's name, for the message.

    Raises:
        CorruptModelError: The model takes inputs of another shape.
    """
    expected, shape = runtime.input_shape, x.shape[1:]
    shapes = [shape, (*shape, 1), shape[:-1] if shape[-1:] == (1,) else shape]
    if not any(_matches(expected, found) for found in shapes):
        raise CorruptModelError(
            f"its card: {recipe} has inputs of shape {shape}, but the model takes "
            f"{expected}; restore it, or fit again"
        )


def _matches(expected: tuple[int | None, ...], found: tuple[int, ...]) -> bool:
    return len(expected) == len(found) and all(
        want in (None, got) for want, got in zip(expected, found, strict=True)
    )


def check_ends(ranks: Sequence[int | None], outputs: int, where: str) -> None:
    """Refuse a model with several inputs or outputs, or without a batch axis.

    Args:
        ranks: Number of axes of each input; None where it is unknown.
        outputs: Number of outputs.
        where: The model's path, for the message.

    Raises:
        CorruptModelError: The model has several inputs or outputs, or no batch axis.
    """
    if len(ranks) != 1 or outputs != 1 or (ranks[0] or 0) < 2:
        raise CorruptModelError(
            f"{where}: expected one input with a batch axis and one output, "
            f"received {len(ranks)} inputs and {outputs} outputs; export another"
        )


def in_batches(
    compute: "Callable[[np.ndarray], np.ndarray]",
    x: "np.ndarray",
    where: str,
    batch: int | None = None,
    most: int = BATCH_SIZE,
) -> "np.ndarray":
    """Compute the outputs for a batch, piece by piece.

    Args:
        compute: Function that computes the outputs of one piece.
        x: Inputs, shape (N, ...).
        where: The model's path, for the messages.
        batch: The exact number of inputs that the model takes at once; None if it takes any number.
        most: The largest number of inputs at once, if the model takes any number.

    Returns:
        Outputs, shape (N, ...).

    Raises:
        CorruptModelError: The model does not give an output for each input.
    """
    import numpy as np

    size, answers = batch or most, []
    for start in range(0, len(x), size):
        piece = x[start : start + size]
        missing = size - len(piece) if batch else 0
        filled = np.concatenate([piece, piece[-1:].repeat(missing, axis=0)]) if missing else piece
        with budget.without_waiting():
            answer = compute(filled)
        if not answer.ndim or len(answer) != len(filled):
            raise CorruptModelError(f"{where}: expected an output for each input; export it again")
        answers.append(answer[: len(piece)])
        budget.progress()
    return np.concatenate(answers)


def as_input(x: "np.ndarray", shape: tuple[int | None, ...], dtype: str) -> "np.ndarray":
    """Convert a batch for another runtime; unlike Keras, such runtimes convert nothing.

    Args:
        x: Numbers of shape (N, ...). As in Keras, a last axis of length 1 may be present or absent.
        shape: The shape of one input.
        dtype: NumPy's name for the input's type.
    """
    if x.ndim == len(shape) + 2 and x.shape[-1] == 1:
        x = x[..., 0]
    elif x.ndim == len(shape) and shape[-1] == 1:
        x = x[..., None]
    return x.astype(dtype)
