"""The recipe's net in NumPy, which goes on learning while it reads.

Keras needs about a millisecond to call a model on one record, even if the model is small. The
arithmetic of ten units needs some ten microseconds. Gates, weights and their order are those of
`keras.layers.LSTM` and `Dense`, so weights can be moved from Keras to this net and back.
"""

from collections.abc import Sequence

import numpy as np

from keras_recipes.anomaly.numpy_lstm import LSTMWeights
from keras_recipes.models.net import Net

TRUNCATION = 16
"""The number of steps between two updates; gradients reach back as far."""


class _Tape:
    """The last steps of a net, kept for backpropagation.

    Attributes:
        gates: Input gate, forget gate, candidate and output gate, after their activations, of shape
            (steps, 4 units).
        states: The cell's state before the first step and after each, of shape (steps + 1, units).
        squashed: tanh of the cell's state after each step, of shape (steps, units).
        outputs: The output before the first step and after each, of shape (steps + 1, units).
        probabilities: The probabilities of the next class, of shape (steps, classes).

    Args:
        steps: The number of steps.
        batch: The number of sequences that are read side by side, the second axis of all arrays;
            empty for one sequence without such an axis.
        units: The number of LSTM units.
        classes: The number of classes.
    """

    def __init__(self, steps: int, batch: tuple[int, ...], units: int, classes: int) -> None:
        self.gates = np.zeros((steps, *batch, 4 * units))
        self.states = np.zeros((steps + 1, *batch, units))
        self.squashed = np.zeros((steps, *batch, units))
        self.outputs = np.zeros((steps + 1, *batch, units))
        self.probabilities = np.zeros((steps, *batch, classes))
        # The parts of each step, which are taken from the arrays once only.
        self.rows = [self._row(step) for step in range(steps)]

    def _row(self, step: int) -> tuple[np.ndarray, ...]:
        gates, n = self.gates[step], self.states.shape[-1]
        return (
            gates,
            *(gates[..., k * n : (k + 1) * n] for k in range(4)),
            *(self.states[step], self.states[step + 1], self.squashed[step]),
            *(self.outputs[step], self.outputs[step + 1], self.probabilities[step]),
        )

    def restart(self, step: int) -> None:
        """Continue at the first step, after this number of steps."""
        self.states[0], self.outputs[0] = self.states[step], self.outputs[step]

    def kept(self, steps: int) -> dict[str, np.ndarray]:
        """Return the first steps, by the names that states have."""
        return {
            "gates": self.gates[:steps],
            "carried": self.states[:steps],
            "squashed": self.squashed[:steps],
            "received": self.outputs[:steps],
            "output": self.outputs[1 : steps + 1],
            "probabilities": self.probabilities[:steps],
        }


class OnlineLSTM:
    """LSTM(units, tanh) -> softmax over classes, with one one-hot class per step as its input.

    Every `truncation` steps `observe` learns from these steps: cross-entropy,
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
        self._halve()
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
        self._halve()

    def reset(self) -> None:
        """Reset the LSTM's state, but keep the weights."""
        self._tape = _Tape(self.truncation, (), self.units, self.classes)
        self._inputs: list[int] = []

    def observe(self, observed: Sequence[int]) -> np.ndarray:
        """Read the next classes, learn whenever an update is due, and predict the one after each.

        Args:
            observed: The classes, in order. How many are given at once does not matter.

        Returns:
            The probabilities of the class after each, of shape (N, classes); their sums are one.
        """
        found, first, tape = [], 0, self._tape
        while first < len(observed):
            begin = len(self._inputs)
            if begin == self.truncation:
                self._update_by_tape(observed[first])
                begin = 0
            some = observed[first : first + self.truncation - begin]
            end = begin + len(some)
            found.append(self._read(tape, begin, some).copy())
            if self.learning_rate:
                self._inputs += some
            else:
                tape.restart(end)
            first += len(some)
        return found[0] if len(found) == 1 else np.concatenate(found)

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
        at = len(self._inputs)
        return {
            "weights": self._flat.copy(),
            "first": self._first.copy(),
            "second": self._second.copy(),
            "updates": np.array(self._updates),
            "output": self._tape.outputs[at].copy(),
            "state": self._tape.states[at].copy(),
            "inputs": np.array(self._inputs, dtype=np.int64),
            **{f"tape_{name}": array.copy() for name, array in self._tape.kept(at).items()},
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Set the net to a state from `state`."""
        self._flat[...] = state["weights"]
        self._halve()
        self._first[...], self._second[...] = state["first"], state["second"]
        self._updates = int(state["updates"])
        at = len(state["inputs"])
        self._inputs = [int(value) for value in state["inputs"]]
        for name, array in self._tape.kept(at).items():
            array[...] = state[f"tape_{name}"]
        self._tape.outputs[at], self._tape.states[at] = state["output"], state["state"]
        if not self.learning_rate:
            self._tape.restart(at)
            self._inputs = []

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

    def _read(self, tape: _Tape, begin: int, inputs: "Sequence[int] | np.ndarray") -> np.ndarray:
        """Read some classes into a tape, and return the probabilities of the next classes.

        Args:
            tape: The tape, whose steps before `begin` are known.
            begin: The first step.
            inputs: The classes, of shape (steps,) or (steps, batch).
        """
        kernel, recurrent, dense = self._halved_kernel, self._halved_recurrent, self._dense
        slope, level = self._slope, self._level
        end = begin + len(inputs)
        for given, row in zip(inputs, tape.rows[begin:end], strict=True):
            gates, i, f, g, o, carried, state, squashed, received, output, odds = row
            np.dot(received, recurrent, gates)
            gates += kernel[given]
            np.tanh(gates, gates)
            gates *= slope
            gates += level
            np.multiply(f, carried, state)
            state += i * g
            np.tanh(state, squashed)
            np.multiply(o, squashed, output)
            # A product for each step, so that rounding does not depend on the number of steps.
            np.dot(output, dense, odds)
        odds = tape.probabilities[begin:end]
        odds += self._dense_bias
        odds -= odds.max(-1, keepdims=True)
        np.exp(odds, odds)
        odds /= odds.sum(-1, keepdims=True)
        return odds

    def _update_by_tape(self, observed: int) -> None:
        """Learn from a full tape and from the class after it, and begin another tape."""
        targets = np.array([*self._inputs[1:], observed])
        gradient = self._gradient(self._tape, np.array(self._inputs), targets)
        self._update(gradient, self.learning_rate)
        self._tape.restart(len(self._inputs))
        self._inputs = []

    def _pass(self, inputs: np.ndarray, targets: np.ndarray, rate: float) -> float:
        tape = _Tape(len(inputs), inputs.shape[1:], self.units, self.classes)
        given = self._read(tape, 0, inputs)
        right = np.take_along_axis(given, targets[..., None], axis=2)
        self._update(self._gradient(tape, inputs, targets), rate)
        return float(-np.log(np.maximum(right, 1e-12)).mean())

    def _gradient(self, tape: _Tape, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the gradient of the mean cross-entropy as one vector.

        Args:
            tape: The steps.
            inputs: The classes that the net read, of shape (steps,) or (steps, batch).
            targets: The classes that came next, of the same shape.
        """
        flat = np.zeros_like(self._flat)
        kernel, recurrent, bias, dense, shift = self._split(flat)
        errors = tape.probabilities.reshape(-1, self.classes).copy()
        errors[np.arange(len(errors)), targets.ravel()] -= 1
        errors /= targets.size
        wanted = (errors @ self._dense.T).reshape(tape.squashed.shape)
        rows = self._back_through_time(tape, wanted).reshape(-1, 4 * self.units)
        dense += tape.outputs[1:].reshape(-1, self.units).T @ errors
        shift += errors.sum(axis=0)
        recurrent += tape.outputs[:-1].reshape(-1, self.units).T @ rows
        bias += rows.sum(axis=0)
        np.add.at(kernel, inputs.ravel(), rows)
        return flat

    def _back_through_time(self, tape: _Tape, wanted: np.ndarray) -> np.ndarray:
        """Return the gradient before the gates' activations, from the one at the outputs."""
        n, back = self.units, self._recurrent.T.copy()
        i, f, g, o = (tape.gates[..., k * n : (k + 1) * n] for k in range(4))
        # Factors that do not depend on later steps are computed for all steps at once.
        by_state = np.stack(
            [g * i * (1 - i), tape.states[:-1] * f * (1 - f), i * (1 - g * g)], axis=-2
        )
        by_output = tape.squashed * o * (1 - o)
        into_state = o * (1 - tape.squashed * tape.squashed)
        result = np.empty(tape.gates.shape)
        split = result.reshape(*wanted.shape[:-1], 4, n)
        of_states, of_outputs = split[..., :3, :], split[..., 3, :]
        at_output, at_state = np.zeros_like(wanted[0]), np.zeros_like(wanted[0])
        for step in range(len(result) - 1, -1, -1):
            at_output += wanted[step]
            at_state += at_output * into_state[step]
            np.multiply(by_state[step], at_state[..., None, :], of_states[step])
            np.multiply(by_output[step], at_output, of_outputs[step])
            np.dot(result[step], back, at_output)
            at_state *= f[step]
        return result

    def _update(self, gradient: np.ndarray, rate: float) -> None:
        gradient /= max(1.0, float(np.sqrt(gradient @ gradient)))
        self._updates += 1
        self._first += 0.1 * (gradient - self._first)
        gradient *= gradient
        self._second += 0.001 * (gradient - self._second)
        scale: float = np.sqrt(1 - 0.999**self._updates) / (1 - 0.9**self._updates)
        self._flat -= rate * scale * self._first / (np.sqrt(self._second) + 1e-7)
        self._halve()

    def _halve(self) -> None:
        """Keep the weights of the gates as `_read` uses them: for x / 2 where that is needed."""
        self._halved_kernel = (self._kernel + self._bias) * self._slope
        self._halved_recurrent = self._recurrent * self._slope


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
