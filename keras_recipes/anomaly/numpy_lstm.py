"""A recurrent classifier in NumPy: the same numbers as Keras, without its overhead.

Calling a Keras model costs a millisecond however little there is to compute. Live data comes one
token at a time, each sequence with a state of its own, and bulk data in sequences of all lengths;
both want the bare arithmetic. `tests/test_stepping.py` holds it to Keras' numbers (1e-5).
`NumpyLSTM` answers; `series.online_lstm` is the same net that goes on learning.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from keras_recipes import backend
from keras_recipes.untrusted import sizes

if TYPE_CHECKING:
    import keras

CUSUM_CLIP = 5.0
"""Nats by which one event can raise the CUSUM: one large surprise is no run of small ones."""

BATCH = 2_048
"""Sequences stepped through side by side: their states fit into a processor's cache."""


@dataclass(frozen=True, eq=False)
class LSTMWeights:
    """The weights of a net of one LSTM and a softmax, whatever way its tokens are encoded.

    Attributes:
        kernel: What each token adds to the gates, as if it were encoded one-hot, float32 of shape
            (V, 4 units), gates in the order i, f, g, o.
        recurrent: float32 of shape (units, 4 units).
        bias: float32 of shape (4 units,).
        peephole: float32 of shape (3, units); None where the cell has none.
        dense: Of the softmax, float32 of shape (units, V).
        dense_bias: Of the softmax, float32 of shape (V,).
    """

    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray
    peephole: np.ndarray | None
    dense: np.ndarray
    dense_bias: np.ndarray

    @classmethod
    def of(cls, model: "keras.Model", vocabulary_size: int | None = None) -> "LSTMWeights":
        """Those of a model whose last layers are an LSTM or an RNN of peephole cells, and Dense.

        Args:
            model: The net.
            vocabulary_size: How many tokens it has to know; None takes any number.

        Raises:
            ValueError: The model is built differently, or knows another number of tokens.
            UnsafeModelError: Encoding the tokens takes more memory than the limits.
        """
        import keras

        recurrent, dense = _layers(model, vocabulary_size)
        weights = [backend.to_numpy(weight).astype("float32") for weight in recurrent.cell.weights]
        before = keras.Model(model.inputs, recurrent.input)
        tokens = keras.ops.arange(dense.units, dtype="int32")[None]
        sizes.rows_at_once(before, tokens.shape, 1)
        encoded = backend.to_numpy(before([tokens]))[0].astype("float32")
        if encoded.shape != (dense.units, len(weights[0])):
            raise ValueError(f"it makes {encoded.shape} of {dense.units} tokens")
        return cls(
            encoded @ weights[0],
            weights[1],
            weights[-1],
            weights[2] if len(weights) == 4 else None,
            *(backend.to_numpy(weight).astype("float32") for weight in dense.weights),
        )


@dataclass(frozen=True, eq=False)
class NumpyLSTM:
    """The arrays of a net: tokens, one LSTM (with peepholes or without), a softmax.

    A gate is 0.5 + 0.5 tanh(x / 2), which never overflows; the halves are in the arrays already.

    Attributes:
        gates: What each token adds to the gates, bias included, float32 of shape (V, 4 units).
        recurrent: float32 of shape (units, 4 units), gates in the order i, f, g, o.
        peephole: float32 of shape (3, units); None where the cell has none.
        dense: Of the softmax, float32 of shape (units, V).
        dense_bias: Of the softmax, float32 of shape (V,).
    """

    gates: np.ndarray
    recurrent: np.ndarray
    peephole: np.ndarray | None
    dense: np.ndarray
    dense_bias: np.ndarray

    @classmethod
    def of(cls, model: "keras.Model", vocabulary_size: int | None = None) -> "NumpyLSTM":
        """The same net as a Keras model; see `LSTMWeights.of`."""
        found = LSTMWeights.of(model, vocabulary_size)
        halves = np.repeat(np.array([0.5, 0.5, 1, 0.5], "float32"), len(found.dense))
        peephole = None if found.peephole is None else found.peephole * np.float32(0.5)
        return cls(
            (found.kernel + found.bias) * halves,
            found.recurrent * halves,
            peephole,
            found.dense,
            found.dense_bias,
        )

    @property
    def units(self) -> int:
        """Size of the LSTM's output and state."""
        return len(self.recurrent)

    def start(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Output and state before the first token, each of shape (count, units)."""
        return np.zeros((count, self.units), "float32"), np.zeros((count, self.units), "float32")

    def step(self, token_ids: Any, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Output and state after one more token in each sequence.

        Args:
            token_ids: Integers of shape (N,), or a single one with states of shape (units,).
            h: Outputs of shape (N, units).
            c: States of shape (N, units).
        """
        u, drive = self.units, h @ self.recurrent
        drive += self.gates[token_ids]
        if self.peephole is not None:
            drive[..., :u] += self.peephole[0] * c
            drive[..., u : 2 * u] += self.peephole[1] * c
        output = drive[..., 3 * u :].copy() if self.peephole is not None else None
        np.tanh(drive, out=drive)
        i, f, g = (drive[..., k * u : (k + 1) * u] for k in range(3))
        c = 0.5 * ((1 + f) * c + (1 + i) * g)
        if output is None or self.peephole is None:
            o = drive[..., 3 * u :]
        else:
            o = np.tanh(output + self.peephole[2] * c)
        return (0.5 + 0.5 * o) * np.tanh(c), c

    def logits(self, h: np.ndarray) -> np.ndarray:
        """The softmax's inputs, shape (N, V)."""
        logits: np.ndarray = h @ self.dense + self.dense_bias
        return logits

    def surprise(self, h: np.ndarray, target: int) -> tuple[float, float, int]:
        """Of one sequence: surprise at what comes next, entropy of the prediction, the likeliest.

        Args:
            h: The output so far, of shape (units,).
            target: What comes next.
        """
        nats, entropy, likeliest = _surprise(self.logits(h)[None], np.array([target]))
        return float(nats[0]), float(entropy[0]), int(likeliest[0])

    def surprises(
        self, token_ids: np.ndarray, targets: np.ndarray, starts: np.ndarray
    ) -> "Surprises":
        """How unexpected each target is after the tokens up to it, in many sequences.

        Args:
            token_ids: All sequences one after the other, integers of shape (total,).
            targets: What comes after each token, of the same shape.
            starts: Where each sequence begins, and the total at the end, of shape (N + 1,).
        """
        surprise = np.empty(len(token_ids), "float32")
        likeliest = np.empty(len(token_ids), "int32")
        largest = np.zeros(len(starts) - 1, "float32")
        lengths = np.diff(starts)
        order = np.argsort(-lengths, kind="stable")

        def work(first: int) -> None:
            batch = order[first : first + BATCH]
            begin, ending = starts[batch], lengths[batch]
            h, c = self.start(len(batch))
            active, cusum = len(batch), np.zeros(len(batch), "float32")
            for t in range(int(ending[0])):
                # Longest first: those that are still running are always the first ones.
                active = int(np.searchsorted(-ending[:active], -t, side="left"))
                rows = begin[:active] + t
                h, c = self.step(token_ids[rows], h[:active], c[:active])
                nats, entropy, likeliest[rows] = _surprise(self.logits(h), targets[rows])
                surprise[rows] = nats
                cusum = np.maximum(cusum[:active] + np.minimum(nats - entropy, CUSUM_CLIP), 0)
                largest[batch[:active]] = np.maximum(largest[batch[:active]], cusum)

        # One thread a piece: BLAS dividing such small products among threads only makes them wait.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(work, range(0, len(order), BATCH)))
        return Surprises(surprise, likeliest, largest)


def _layers(model: "keras.Model", vocabulary_size: int | None) -> tuple[Any, Any]:
    """The LSTM and the softmax that a net ends with."""
    import keras

    from keras_recipes.anomaly.peephole_lstm import PeepholeLSTMCell

    kept = [x for x in model.layers if not isinstance(x, keras.layers.Dropout)]
    if len(kept) < 2:
        raise ValueError(f"no net of several layers: {model.name}")
    recurrent, dense = kept[-2:]
    cell = getattr(recurrent, "cell", None)
    known = isinstance(cell, keras.layers.LSTMCell | PeepholeLSTMCell)
    if not known or not isinstance(dense, keras.layers.Dense):
        raise ValueError(f"no net of one LSTM and one Dense layer: {model.name}")
    if not (getattr(cell, "use_bias", True) and dense.use_bias and recurrent.return_sequences):
        raise ValueError(f"no net that predicts at every step, with biases: {model.name}")
    if vocabulary_size is not None and dense.units != vocabulary_size:
        raise ValueError(f"it knows {dense.units:,} tokens instead of {vocabulary_size:,}")
    return recurrent, dense


@dataclass(frozen=True, eq=False)
class Surprises:
    """How surprised a net is by sequences.

    Attributes:
        nats: `-log p` of each target, float32 of shape (total,).
        likeliest: The likeliest token in its place, int32 of shape (total,).
        cusum: The most by which the surprise of any stretch of a sequence exceeds what the net
            itself expects it to be (the entropy of its predictions), in nats, of shape (N,): the
            CUSUM statistic of Page, *Continuous Inspection Schemes*, 1954, whose steps are at most
            `CUSUM_CLIP`.
    """

    nats: np.ndarray
    likeliest: np.ndarray
    cusum: np.ndarray


def _surprise(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Surprise at the targets, the entropy of the predictions, and the likeliest tokens."""
    rows = np.arange(len(logits))
    likeliest = logits.argmax(axis=1)
    logits -= logits[rows, likeliest][:, None]
    weights = np.exp(logits)
    total = weights.sum(axis=1)
    log_total = np.log(total)
    entropy = log_total - np.einsum("ij,ij->i", weights, logits) / total
    return log_total - logits[rows, targets], entropy, likeliest
