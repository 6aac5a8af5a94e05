"""The recipe's net in NumPy, learning while it reads.

Keras needs about a millisecond to call a model on one record, however small the model; the
arithmetic of ten units needs some ten microseconds. Gates, weights and their order are those of
`keras.layers.LSTM` and `Dense`, so that what Keras trained goes on here and the other way round.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_recipes.anomaly.numpy_lstm import LSTMWeights

if TYPE_CHECKING:
    import keras


TRUNCATION = 16
"""Steps between two updates, and how far gradients reach back."""


class _Step(NamedTuple):
    """One step of the net, as back-propagation wants to see it again; a batch may stand in front.

    Attributes:
        gates: Input, forget, candidate, output, after their activations.
        carried: The cell's state before.
        squashed: tanh of the cell's state after.
        received: The output before.
        output: The output after.
        probabilities: Of the next class.
    """

    gates: np.ndarray
    carried: np.ndarray
    squashed: np.ndarray
    received: np.ndarray
    output: np.ndarray
    probabilities: np.ndarray


class OnlineLSTM:
    """LSTM(units, tanh) -> softmax over classes, fed with one class a step, one-hot.

    `observe` moves one step and, each `truncation` steps, learns from them: cross-entropy,
    back-propagation through time truncated there, Adam (Kingma & Ba 2015) on gradients clipped to
    norm one.

    Args:
        classes: How many classes there are.
        units: Of the LSTM.
        seed: Of the initial weights.
        learning_rate: While observing; 0 leaves the weights alone.
        truncation: Steps between two updates, and how far gradients reach back.
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
        # All weights live in one vector: the optimizer then costs ten calls and not fifty.
        self._flat = np.zeros(sum(int(np.prod(shape)) for shape in self._shapes))
        self._kernel, self._recurrent, self._bias, self._dense, self._dense_bias = self._split(
            self._flat
        )
        self._first, self._second = np.zeros_like(self._flat), np.zeros_like(self._flat)
        self._updates = 0
        self._initialise(np.random.default_rng(seed))
        # tanh(x / 2) / 2 + 1 / 2 is the sigmoid, so that one call of tanh serves all four gates.
        self._slope = np.full(wide, 0.5)
        self._slope[2 * units : 3 * units] = 1
        self._level = 1 - self._slope
        self.reset()

    @property
    def weights(self) -> list[np.ndarray]:
        """In the order of `keras.Model.get_weights()`: kernel, recurrent, bias, dense kernel, bias.

        Their shapes are (classes, 4 units), (units, 4 units), (4 units,), (units, classes) and
        (classes,).
        """
        return [part.copy() for part in self._split(self._flat)]

    @weights.setter
    def weights(self, values: Sequence[np.ndarray]) -> None:
        for part, value in zip(self._split(self._flat), values, strict=True):
            part[...] = value

    def reset(self) -> None:
        """Forget what was read, not what was learned."""
        self._output, self._state = np.zeros(self.units), np.zeros(self.units)
        self._tape: list[_Step] = []
        self._inputs: list[int] = []

    def observe(self, observed: int) -> np.ndarray:
        """Take the next class, perhaps learn, and say what is expected after it.

        Returns:
            Probabilities of the next class, shape (classes,), summing to one.
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
        """Learn what normal looks like, in several passes over sequences cut from it.

        Args:
            classes: Shape (N,), integers below `classes`, in order of time.
            epochs: Passes.
            rate: The learning rate.
            length: Steps of a sequence; where the cuts are differs from pass to pass.

        Returns:
            The mean cross-entropy (nats) of the last pass.
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
        """Everything that `restore` needs to go on as if nothing had happened."""
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
        """Go on where the net was that gave this state."""
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
        """Keras' own: Glorot uniform, orthogonal, forget bias 1."""
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
        """Of the mean cross-entropy; inputs and targets have the shape (steps, batch)."""
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
        """From the gradient at the outputs to that before the gates' activations."""
        n, back = self.units, self._recurrent.T.copy()
        gates = np.array([step.gates for step in tape])
        squashed = np.array([step.squashed for step in tape])
        i, f, g, o = (gates[..., k * n : (k + 1) * n] for k in range(4))
        # What does not depend on later steps is worked out for all steps at once.
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


def weights_of(model: "keras.Model") -> list[np.ndarray]:
    """What a net of the recipe starts with here, whatever way its tokens are encoded.

    Args:
        model: Its last layers are an LSTM and a softmax.

    Returns:
        As `OnlineLSTM.weights`, a class for each token.
    """
    found = LSTMWeights.of(model)
    arrays = (found.kernel, found.recurrent, found.bias, found.dense, found.dense_bias)
    return [array.astype("float64") for array in arrays]
