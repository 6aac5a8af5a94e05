"""A Keras model with several inputs or outputs, each of which has a name."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras_recipes import backend
from keras_recipes.untrusted import sizes

if TYPE_CHECKING:
    import keras
    import numpy as np

BATCH_SIZE = 1_000


class NamedModel:
    """A Keras model whose inputs and outputs are arrays by name.

    Attributes:
        inputs: The shape of each input by name, without the batch axis; None is any length.
        outputs: The names of the outputs.
    """

    def __init__(self, model: "keras.Model") -> None:
        self._model = model
        ends = zip(_names(model.input, model.inputs), model.inputs, strict=True)
        self.inputs = {name: tuple(spec.shape[1:]) for name, spec in ends}
        self.outputs = _names(model.output, model.outputs)

    def compute(self, x: "Mapping[str, np.ndarray]") -> "dict[str, np.ndarray]":
        """Compute the outputs for a batch.

        Args:
            x: Numbers by the name of the input, each of shape (N, ...).

        Returns:
            Arrays of shape (N, ...) by the name of the output.

        Raises:
            UnsafeModelError: The model needs more memory than the limits for such inputs.
        """
        import numpy as np

        backend.check_not_forked()
        flat = [x[name] for name in self.inputs]
        most = sizes.rows_for(self._model, [array.shape for array in flat], BATCH_SIZE)
        pieces = [
            self._piece([array[start : start + most] for array in flat])
            for start in range(0, len(flat[0]), most)
        ]
        joined = [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
        return dict(zip(self.outputs, joined, strict=True))

    def _piece(self, flat: "list[np.ndarray]") -> "list[np.ndarray]":
        import keras

        given = keras.tree.pack_sequence_as(self._model.input, flat)
        answers = keras.tree.flatten(self._model(given, training=False))
        return [keras.ops.convert_to_numpy(answer) for answer in answers]


def has_several_ends(model: "keras.Model") -> bool:
    """Return whether a model has several inputs or outputs, or has them by name."""
    return not all(isinstance(shape, tuple) for shape in (model.input_shape, model.output_shape))


def _names(structure: Any, ends: Sequence[Any]) -> list[str]:
    """Return a name for each end: its key, or the name of its layer, numbered if it has several."""
    if isinstance(structure, Mapping):
        return sorted(structure)
    names: list[str] = []
    for end in ends:
        base = str(end._keras_history.operation.name)
        names.append(base if base not in names else _numbered(base, names))
    return names


def _numbered(base: str, taken: Sequence[str]) -> str:
    number = 1
    while f"{base}_{number}" in taken:
        number += 1
    return f"{base}_{number}"
