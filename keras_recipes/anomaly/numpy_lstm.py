"""A recurrent classifier step by step in NumPy: the same numbers as Keras, without its overhead.

Calling a Keras model costs a millisecond however little there is to compute. Live data comes one
symbol at a time, each sequence with a state of its own, and bulk data in sequences of all lengths;
both want the bare arithmetic. `tests/anomaly/test_numpy_lstm.py` holds it to Keras' numbers
(1e-5).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras_recipes import backend
from keras_recipes.untrusted import sizes

if TYPE_CHECKING:
    import keras
    import numpy as np

MOST = 5.0
"""Nats by which a single event can lengthen a run: one large surprise is no run of small ones."""

TOGETHER = 2_048
"""Sequences stepped through side by side: their states fit into a processor's cache."""


@dataclass(frozen=True, eq=False)
class Twin:
    """The arrays of a net: symbols, one LSTM (with peepholes or without), a softmax.

    A gate is 0.5 + 0.5 tanh(x / 2), which never overflows; the halves are in the arrays already.

    Attributes:
        gates: What each symbol adds to the gates, bias included, float32 of shape (V, 4 units).
        recurrent: float32 of shape (units, 4 units), gates in the order i, f, g, o.
        peephole: float32 of shape (3, units); None where the cell has none.
        kernel: Of the softmax, float32 of shape (units, V).
        bias: Of the softmax, float32 of shape (V,).
    """

    gates: "np.ndarray"
    recurrent: "np.ndarray"
    peephole: "np.ndarray | None"
    kernel: "np.ndarray"
    bias: "np.ndarray"

    @classmethod
    def of(cls, model: "keras.Model", symbols: int | None = None) -> "Twin":
        """The twin of a model whose last layers are an LSTM or an RNN of peephole cells, and Dense.

        Args:
            model: The net.
            symbols: How many it has to know; None takes any number.

        Raises:
            ValueError: The model is built differently, or knows another number of symbols.
            UnsafeModelError: Encoding the symbols takes more memory than the limits.
        """
        import keras
        import numpy as np

        recurrent, dense = _layers(model, symbols)
        cell = recurrent.cell
        weights = [backend.to_numpy(weight).astype("float32") for weight in cell.weights]
        peephole = weights[2] if len(weights) == 4 else None
        before = keras.Model(model.inputs, recurrent.input)
        every = keras.ops.arange(dense.units, dtype="int32")[None]
        sizes.rows_at_once(before, every.shape, 1)
        encoded = backend.to_numpy(before([every]))[0].astype("float32")
        if encoded.shape != (dense.units, len(weights[0])):
            raise ValueError(f"it makes {encoded.shape} of {dense.units} symbols")
        kernel, bias = (backend.to_numpy(weight).astype("float32") for weight in dense.weights)
        halves = np.repeat(np.array([0.5, 0.5, 1, 0.5], "float32"), dense.kernel.shape[0])
        gates, between = encoded @ weights[0] + weights[-1], weights[1]
        peephole = None if peephole is None else peephole * np.float32(0.5)
        return cls(gates * halves, between * halves, peephole, kernel, bias)

    @property
    def units(self) -> int:
        """Size of the LSTM's output and state."""
        return len(self.recurrent)

    def start(self, count: int) -> "tuple[np.ndarray, np.ndarray]":
        """Output and state before the first symbol, each of shape (count, units)."""
        import numpy as np

        return np.zeros((count, self.units), "float32"), np.zeros((count, self.units), "float32")

    def step(
        self, symbols: Any, h: "np.ndarray", c: "np.ndarray"
    ) -> "tuple[np.ndarray, np.ndarray]":
        """Output and state after one more symbol in each sequence.

        Args:
            symbols: Integers of shape (N,), or a single one with states of shape (units,).
            h: Outputs of shape (N, units).
            c: States of shape (N, units).
        """
        import numpy as np

        u, drive = self.units, h @ self.recurrent
        drive += self.gates[symbols]
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

    def logits(self, h: "np.ndarray") -> "np.ndarray":
        """The softmax's inputs, shape (N, V)."""
        logits: np.ndarray = h @ self.kernel + self.bias
        return logits

    def thinks(self, h: "np.ndarray", target: int) -> tuple[float, float, int]:
        """Of one sequence: surprise at what comes next, how much was to be expected, the likeliest.

        Args:
            h: The output so far, of shape (units,).
            target: What comes next.
        """
        import numpy as np

        nats, usual, likeliest = _surprise(self.logits(h)[None], np.array([target]))
        return float(nats[0]), float(usual[0]), int(likeliest[0])

    def surprises(
        self, symbols: "np.ndarray", targets: "np.ndarray", starts: "np.ndarray"
    ) -> "Surprises":
        """How unexpected each target is after the symbols up to it, in many sequences.

        Args:
            symbols: All sequences one after the other, integers of shape (total,).
            targets: What comes after each symbol, of the same shape.
            starts: Where each sequence begins, and the total at the end, of shape (N + 1,).
        """
        import numpy as np
        from threadpoolctl import threadpool_limits

        surprise = np.empty(len(symbols), "float32")
        expected = np.empty(len(symbols), "int32")
        largest = np.zeros(len(starts) - 1, "float32")
        lengths = np.diff(starts)
        order = np.argsort(-lengths, kind="stable")

        def work(first: int) -> None:
            some = order[first : first + TOGETHER]
            begin, ending = starts[some], lengths[some]
            h, c = self.start(len(some))
            active, run = len(some), np.zeros(len(some), "float32")
            for t in range(int(ending[0])):
                # Longest first: those that are still running are always the first ones.
                active = int(np.searchsorted(-ending[:active], -t, side="left"))
                rows = begin[:active] + t
                h, c = self.step(symbols[rows], h[:active], c[:active])
                nats, usual, expected[rows] = _surprise(self.logits(h), targets[rows])
                surprise[rows] = nats
                run = np.maximum(run[:active] + np.minimum(nats - usual, MOST), 0)
                largest[some[:active]] = np.maximum(largest[some[:active]], run)

        # One thread a piece: BLAS dividing such small products among threads only makes them wait.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(work, range(0, len(order), TOGETHER)))
        return Surprises(surprise, expected, largest)


def _layers(model: "keras.Model", symbols: int | None) -> tuple[Any, Any]:
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
    if symbols is not None and dense.units != symbols:
        raise ValueError(f"it knows {dense.units:,} symbols instead of {symbols:,}")
    return recurrent, dense


@dataclass(frozen=True, eq=False)
class Surprises:
    """What a net thinks of sequences.

    Attributes:
        nats: `-log p` of each target, float32 of shape (total,).
        expected: The likeliest symbol in its place, int32 of shape (total,).
        runs: The most by which the surprise of any stretch of a sequence exceeds what the net
            itself expects it to be (the entropy of its predictions), in nats, of shape (N,): the
            CUSUM statistic of Page, *Continuous Inspection Schemes*, 1954, with steps of `MOST`.
    """

    nats: "np.ndarray"
    expected: "np.ndarray"
    runs: "np.ndarray"


def _surprise(
    logits: "np.ndarray", targets: "np.ndarray"
) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    """Surprise at the targets, how much of it is to be expected, and the likeliest symbols."""
    import numpy as np

    rows = np.arange(len(logits))
    likeliest = logits.argmax(axis=1)
    logits -= logits[rows, likeliest][:, None]
    weights = np.exp(logits)
    total = weights.sum(axis=1)
    log_total = np.log(total)
    entropy = log_total - np.einsum("ij,ij->i", weights, logits) / total
    return log_total - logits[rows, targets], entropy, likeliest
