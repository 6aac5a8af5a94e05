"""A recurrent net in NumPy that takes one token after the other and carries its state.

Calling a Keras model costs about a millisecond, however little there is to compute. A text is
written one character at a time, and each character needs one step of the net.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import backend
from keras_recipes.cells import parts
from keras_recipes.cells.parts import Parts

if TYPE_CHECKING:
    import keras

States = list[tuple[np.ndarray, ...]]
"""The states of each recurrent layer, each of shape (units,); the first one is its output."""


class _Numpy:
    """The operations that the equations of cells need."""

    @staticmethod
    def tanh(x: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.tanh(x)
        return found

    @staticmethod
    def sigmoid(x: np.ndarray) -> np.ndarray:
        # The same as 1 / (1 + exp(-x)), but it never overflows.
        found = np.tanh(x * np.float32(0.5))
        found += np.float32(1)
        found *= np.float32(0.5)
        return found


@dataclass(frozen=True, eq=False)
class SteppingNet:
    """A net of an embedding, recurrent layers and a softmax.

    Attributes:
        drives: The weighted input of the first recurrent layer for each token, with its bias,
            float32 of shape (V, gates * units).
        layers: The recurrent layers, with float32 arrays.
        dense: Weights of the softmax, float32 of shape (units, V).
        dense_bias: Its bias, float32 of shape (V,).
    """

    drives: np.ndarray
    layers: Sequence[Parts]
    dense: np.ndarray
    dense_bias: np.ndarray

    @classmethod
    def of(cls, model: "keras.Model") -> "SteppingNet":
        """Return the net of a Keras model.

        Args:
            model: An embedding, recurrent layers that `parts.of` knows, and a dense layer; layers
                for dropout may be between them.

        Raises:
            ValueError: The model has other layers.
        """
        import keras

        known = (keras.layers.InputLayer, keras.layers.Dropout)
        embedding, *recurrent, dense = [x for x in model.layers if not isinstance(x, known)]
        found = [parts.of(layer) for layer in recurrent]
        ends = isinstance(embedding, keras.layers.Embedding), isinstance(dense, keras.layers.Dense)
        if not all(ends) or not found or None in found:
            raise ValueError(
                f"no net of an embedding, recurrent layers and a softmax: {model.name}"
            )
        layers = [_arrays(part) for part in found if part]
        table = _array(embedding.embeddings) @ layers[0].kernel + layers[0].bias
        return cls(table, layers, _array(dense.kernel), _array(dense.bias))

    def start(self) -> States:
        """Return the states before the first token."""
        return [
            (np.zeros(len(layer.recurrent), "float32"),) * layer.states for layer in self.layers
        ]

    def step(self, token_id: int, states: States) -> States:
        """Return the states after one more token.

        Args:
            token_id: A number from 0 to V - 1.
            states: The states so far.
        """
        after: States = []
        for layer, before in zip(self.layers, states, strict=True):
            # The layer below is the input of the next one.
            x = after[-1][0] @ layer.kernel + layer.bias if after else self.drives[token_id]
            r = before[0] @ layer.recurrent
            if layer.recurrent_bias is not None:
                r += layer.recurrent_bias
            after.append(layer.equation(_Numpy, x, r, before, layer.peephole))
        return after

    def logits(self, states: States) -> np.ndarray:
        """Return the inputs of the softmax, float32 of shape (V,)."""
        logits: np.ndarray = states[-1][0] @ self.dense + self.dense_bias
        return logits


def _arrays(layer: Parts) -> Parts:
    weights = (layer.kernel, layer.recurrent, layer.bias, layer.recurrent_bias, layer.peephole)
    return Parts(layer.equation, layer.states, *(None if w is None else _array(w) for w in weights))


def _array(weight: Any) -> np.ndarray:
    return np.ascontiguousarray(backend.to_numpy(weight), "float32")
