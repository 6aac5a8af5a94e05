"""The recipe's net in NumPy, which goes on learning while it reads.

Keras needs about a millisecond to call a model on one record, even if the model is small. The
arithmetic of ten units needs some ten microseconds. Gates, weights and their order are those of
`keras.layers.LSTM` and `Dense`, so weights can be moved from Keras to this net and back.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_recipes.anomaly.numpy_lstm import LSTMWeights
from keras_recipes.models.net import Net

TRUNCATION = 16
"""The number of steps between two updates; gradients reach back as far."""


class _Step(NamedTuple):
    """One step of the net, kept for backpropagation; arrays may have a batch axis first.

    Attributes:
        gates: Input gate, forget gate, candidate and output gate, after their activations.
        carried: The cell's state before the step.
        squashed: tanh of the cell's state after the step.
        received: The output before the step.
        output: The output after the step.
        probabilities: The probabilities of the next class.
    """

    gates: np.ndarray
    carried: np.ndarray
    squashed: np.ndarray
    received: np.ndarray
    output: np.ndarray
    probabilities: np.ndarray


class OnlineLSTM:
    """LSTM(units, tanh) -> softmax over classes, with one one-hot class per step as its input.

    `observe` moves one step. Every `truncation` steps it learns from these steps: cross-entropy,
    truncated backpropagation through time, and Adam (Kingma & Ba 2015) on gradients clipped to
    norm one.

    Args:
        classes: The number of classes.
        units: The number of LSTM units.
        seed: The seed of the initial weights.
        learning_rate: The learning rate of `observe`; 0 keeps the weights.
        truncation: The number of steps between two updates; gradients reach back as far.
    """

    def __init__(
        self,
        classes: int,
        *,
        units: int = 10,
        seed: int = 0,
        learning_rate: float = 0.003,
        truncation: int = TRUNCATION,
    ) -> None:
        self.classes, self.units = classes, units
        self.learning_rate, self.truncation = learning_rate, truncation
        wide = 4 * units
        self._shapes = ((classes, wide), (units, wide), (wide,), (units, classes), (classes,))
        # All weights are parts of one vector, so that the optimizer needs ten calls and not fifty.
        self._flat = np.zeros(sum(int(np.prod(shape)) for shape in self._shapes))
        self._kernel, self._recurrent, self._bias, self._dense, self._dense_bias = self._split(
            self._flat
        )
        self._first, self._second = np.zeros_like(self._flat), np.zeros_like(self._flat)
        self._updates = 0
        self._initialise(np.random.default_rng(seed))
        # The sigmoid is tanh(x / 2) / 2 + 1 / 2, so that one call of tanh computes all four gates.
        self._slope = np.full(wide, 0.5)
        self._slope[2 * units : 3 * units] = 1
        self._level = 1 - self._slope
        self.reset()

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weights, in the order of `keras.Model.get_weights()`.

        They are the LSTM's kernel (classes, 4 units), recurrent kernel (units, 4 units) and bias
        (4 units,), and the softmax's kernel (units, classes) and bias (classes,).
        """
        return [part.copy() for part in self._split(self._flat)]

    @weights.setter
    def weights(self, values: Sequence[np.ndarray]) -> None:
        for part, value in zip(self._split(self._flat), values, strict=True):
            part[...] = value

    def reset(self) -> None:
        """Reset the LSTM's state, but keep the weights."""
        self._output, self._state = np.zeros(self.units), np.zeros(self.units)
        self._tape: list[_Step] = []
        self._inputs: list[int] = []

    def observe(self, observed: int) -> np.ndarray:
        """Read the next class, learn if an update is due, and predict the class after it.

        Returns:
            The probabilities of the next class, of shape (classes,); their sum is one.
        """
        if len(self._tape) == self.truncation:
            self._learn_tape(observed)
        step, self._state = self._step(
            self._kernel[observed] + self._bias, self._output, self._state
        )
        self._output = step.output
        if self.learning_rate:
            self._tape.append(step)
            self._inputs.append(observed)
        return step.probabilities

    def learn(
        self, classes: np.ndarray, *, epochs: int = 60, rate: float = 0.01, length: int = 32
    ) -> float:
        """Train the net in several passes over sequences cut from normal data.

        Args:
            classes: Integers below the number of classes, in order of time, of shape (N,).
            epochs: The number of passes.
            rate: The learning rate.
            length: The number of steps of a sequence. Each pass cuts the data at other places.

        Returns:
            The mean cross-entropy of the last pass, in nats.
        """
        length, loss = min(length, len(classes) - 1), 0.0
        if length < 1:
            return loss
        random = np.random.default_rng(0)
        for _ in range(epochs):
            first = int(random.integers(min(length, len(classes) - length)))
            count = (len(classes) - 1 - first) // length
            cut = first + length * np.arange(count) + np.arange(length)[:, None]
            loss = self._pass(classes[cut], classes[cut + 1], rate)
        return loss

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs."""
        widths = (4 * self.units, *[self.units] * 4, self.classes)
        tape = {}
        for name, width in zip(_Step._fields, widths, strict=True):
            column = np.array([getattr(step, name) for step in self._tape])
            tape[f"tape_{name}"] = column.reshape(len(self._tape), width)
        return {
            "weights": self._flat.copy(),
            "first": self._first.copy(),
            "second": self._second.copy(),
            "updates": np.array(self._updates),
            "output": self._output.copy(),
            "state": self._state.copy(),
            "inputs": np.array(self._inputs, dtype=np.int64),
            **tape,
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Set the net to a state from `state`."""
        self._flat[...] = state["weights"]
        self._first[...], self._second[...] = state["first"], state["second"]
        self._updates = int(state["updates"])
        self._output, self._state = state["output"].copy(), state["state"].copy()
        self._inputs = [int(value) for value in state["inputs"]]
        columns = [state[f"tape_{name}"] for name in _Step._fields]
        self._tape = [_Step(*parts) for parts in zip(*columns, strict=True)]

    def _split(self, flat: np.ndarray) -> list[np.ndarray]:
        parts, start = [], 0
        for shape in self._shapes:
            size = shape[0] * (shape[1] if len(shape) > 1 else 1)
            parts.append(flat[start : start + size].reshape(shape))
            start += size
        return parts

    def _initialise(self, random: np.random.Generator) -> None:
        """Set the initial weights as Keras does: Glorot uniform, orthogonal, forget bias 1."""
        for matrix in (self._kernel, self._dense):
            limit = np.sqrt(6 / sum(matrix.shape))
            matrix[...] = random.uniform(-limit, limit, matrix.shape)
        q, r = np.linalg.qr(random.normal(size=self._recurrent.shape[::-1]))
        self._recurrent[...] = (q * np.sign(np.diag(r))).T
        self._bias[self.units : 2 * self.units] = 1

    def _step(
        self, fed: np.ndarray, received: np.ndarray, carried: np.ndarray
    ) -> tuple[_Step, np.ndarray]:
        n = self.units
        gates = received @ self._recurrent
        gates += fed
        gates *= self._slope
        np.tanh(gates, gates)
        gates *= self._slope
        gates += self._level
        state = gates[..., n : 2 * n] * carried
        state += gates[..., :n] * gates[..., 2 * n : 3 * n]
        squashed = np.tanh(state)
        output = gates[..., 3 * n :] * squashed
        odds = output @ self._dense
        odds += self._dense_bias
        odds -= odds.max(-1, keepdims=True)
        np.exp(odds, odds)
        odds /= odds.sum(-1, keepdims=True)
        return _Step(gates, carried, squashed, received, output, odds), state

    def _learn_tape(self, observed: int) -> None:
        inputs = np.array(self._inputs)
        targets = np.append(inputs[1:], observed)
        tape = [_Step(*(part[None] for part in step)) for step in self._tape]
        self._update(self._gradient(tape, inputs[:, None], targets[:, None]), self.learning_rate)
        self._tape, self._inputs = [], []

    def _pass(self, inputs: np.ndarray, targets: np.ndarray, rate: float) -> float:
        output = state = np.zeros((inputs.shape[1], self.units))
        tape = []
        for row in inputs:
            step, state = self._step(self._kernel[row] + self._bias, output, state)
            output = step.output
            tape.append(step)
        given = np.array([step.probabilities for step in tape])
        right = np.take_along_axis(given, targets[..., None], axis=2)
        self._update(self._gradient(tape, inputs, targets), rate)
        return float(-np.log(np.maximum(right, 1e-12)).mean())

    def _gradient(self, tape: "list[_Step]", inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the gradient of the mean cross-entropy as one vector.

        Args:
            tape: The steps.
            inputs: The classes that the net read, of shape (steps, batch).
            targets: The classes that came next, of the same shape.
        """
        flat = np.zeros_like(self._flat)
        kernel, recurrent, bias, dense, shift = self._split(flat)
        errors = np.array([step.probabilities for step in tape])
        np.put_along_axis(
            errors,
            targets[..., None],
            np.take_along_axis(errors, targets[..., None], axis=2) - 1,
            axis=2,
        )
        errors /= targets.size
        through = self._back_through_time(tape, errors @ self._dense.T)
        rows = through.reshape(-1, 4 * self.units)
        errors = errors.reshape(-1, self.classes)
        dense += np.concatenate([step.output for step in tape]).T @ errors
        shift += errors.sum(axis=0)
        recurrent += np.concatenate([step.received for step in tape]).T @ rows
        bias += rows.sum(axis=0)
        np.add.at(kernel, inputs.ravel(), rows)
        return flat

    def _back_through_time(self, tape: "list[_Step]", wanted: np.ndarray) -> np.ndarray:
        """Return the gradient before the gates' activations, from the one at the outputs."""
        n, back = self.units, self._recurrent.T.copy()
        gates = np.array([step.gates for step in tape])
        squashed = np.array([step.squashed for step in tape])
        i, f, g, o = (gates[..., k * n : (k + 1) * n] for k in range(4))
        # Factors that do not depend on later steps are computed for all steps at once.
        per_state = np.concatenate(
            [
                g * i * (1 - i),
                np.array([step.carried for step in tape]) * f * (1 - f),
                i * (1 - g * g),
            ],
            axis=-1,
        )
        per_output = squashed * o * (1 - o)
        into_state = o * (1 - squashed * squashed)
        result = np.empty_like(gates)
        at_output, at_state = np.zeros_like(wanted[0]), np.zeros_like(wanted[0])
        for t in range(len(tape) - 1, -1, -1):
            at_output = at_output + wanted[t]
            at_state = at_state + at_output * into_state[t]
            result[t, ..., : 3 * n] = per_state[t]
            for k in range(3):
                result[t, ..., k * n : (k + 1) * n] *= at_state
            result[t, ..., 3 * n :] = at_output * per_output[t]
            at_output = result[t] @ back
            at_state = at_state * f[t]
        return result

    def _update(self, gradient: np.ndarray, rate: float) -> None:
        gradient /= max(1.0, float(np.sqrt(gradient @ gradient)))
        self._updates += 1
        self._first += 0.1 * (gradient - self._first)
        gradient *= gradient
        self._second += 0.001 * (gradient - self._second)
        scale: float = np.sqrt(1 - 0.999**self._updates) / (1 - 0.9**self._updates)
        self._flat -= rate * scale * self._first / (np.sqrt(self._second) + 1e-7)


def weights_of(net: Net) -> list[np.ndarray]:
    """Return a net's weights for `OnlineLSTM`, for every encoding of the tokens.

    Args:
        net: A net whose last layers are an LSTM and a softmax.

    Returns:
        The weights in the order of `OnlineLSTM.weights`, float64, one class per token.
    """
    found = LSTMWeights.of(net)
    arrays = (found.kernel, found.recurrent, found.bias, found.dense, found.dense_bias)
    return [array.astype("float64") for array in arrays]
