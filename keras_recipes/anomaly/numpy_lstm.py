"""The recipe's net in NumPy: the same outputs as Keras, without its overhead.

A call of a Keras model takes about a millisecond, even if there is little to compute. A stream
gives one token at a time, and each sequence has its own state. Files give sequences of all lengths.
NumPy is faster for both. `tests/anomaly/test_numpy_lstm.py` compares the outputs with those of
Keras (1e-5). `NumpyLSTM` only predicts; `series.online_lstm` is the same net that goes on learning.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from threadpoolctl import threadpool_limits

from keras_recipes.models.net import Layer, Net

CUSUM_CLIP = 5.0
"""The largest step of the CUSUM, in nats, because one large surprise is not many small ones."""

BATCH = 2_048
"""The number of sequences in a batch; their states fit into a processor's cache."""


@dataclass(frozen=True, eq=False)
class LSTMWeights:
    """The weights of a net of one LSTM and a softmax, as if its tokens were encoded one-hot.

    V is the number of tokens. The gates are in the order i, f, g, o.

    Attributes:
        kernel: The kernel of the LSTM, float32 of shape (V, 4 units).
        recurrent: The recurrent kernel, float32 of shape (units, 4 units).
        bias: The bias of the LSTM, float32 of shape (4 units,).
        peephole: The peephole weights, float32 of shape (3, units); None without peepholes.
        dense: The kernel of the softmax, float32 of shape (units, V).
        dense_bias: The bias of the softmax, float32 of shape (V,).
    """

    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray
    peephole: np.ndarray | None
    dense: np.ndarray
    dense_bias: np.ndarray

    @classmethod
    def of(cls, net: Net, vocabulary_size: int | None = None) -> "LSTMWeights":
        """Return the weights of a net.

        Args:
            net: A net whose last layers are an LSTM (or an RNN of peephole cells) and a Dense
                layer.
            vocabulary_size: The expected number of tokens; None accepts any number.

        Raises:
            ValueError: The net has other layers, or another number of tokens.
        """
        *before, recurrent, _ = _layers(net)
        arrays = {path: array.astype("float32") for path, array in net.arrays.items()}
        kernel, *rest = _in_group(arrays, f"layers/{recurrent.kind.lower()}/cell/vars/")
        found = cls(
            _of_tokens(before, arrays, kernel),
            recurrent=rest[0],
            bias=rest[-1],
            peephole=rest[1] if len(rest) == 3 else None,
            dense=arrays["layers/dense/vars/0"],
            dense_bias=arrays["layers/dense/vars/1"],
        )
        found.check(vocabulary_size)
        return found

    def check(self, vocabulary_size: int | None = None) -> None:
        """Refuse arrays whose shapes do not fit each other.

        Raises:
            ValueError: They do not, or the number of tokens is not the expected one.
        """
        units, tokens = self.dense.shape
        shapes = {
            "kernel": (tokens, 4 * units),
            "recurrent": (units, 4 * units),
            "bias": (4 * units,),
            "dense_bias": (tokens,),
        }
        for name, expected in shapes.items():
            if (received := getattr(self, name).shape) != expected:
                raise ValueError(f"{name}: expected the shape {expected}, received {received}")
        if self.peephole is not None and self.peephole.shape != (3, units):
            raise ValueError(f"peephole: expected {(3, units)}, received {self.peephole.shape}")
        if vocabulary_size not in (None, tokens):
            raise ValueError(f"expected {vocabulary_size:,} tokens, received {tokens:,}")


@dataclass(frozen=True, eq=False)
class NumpyLSTM:
    """A net of one LSTM (with or without peepholes) and a softmax, with its arrays.

    A gate is computed as 0.5 + 0.5 tanh(x / 2), which never overflows. The arrays already contain
    the factors 1 / 2 of x.

    Attributes:
        gates: What each token adds to the gates, including the bias, float32 of shape
            (V, 4 units). The gates are in the order i, f, g, o.
        recurrent: The recurrent kernel, float32 of shape (units, 4 units).
        peephole: The peephole weights, float32 of shape (3, units); None without peepholes.
        dense: The kernel of the softmax, float32 of shape (units, V).
        dense_bias: The bias of the softmax, float32 of shape (V,).
    """

    gates: np.ndarray
    recurrent: np.ndarray
    peephole: np.ndarray | None
    dense: np.ndarray
    dense_bias: np.ndarray

    @classmethod
    def of(cls, net: Net, vocabulary_size: int | None = None) -> "NumpyLSTM":
        """Return a net in the form that computes fast; see `LSTMWeights.of`."""
        found = LSTMWeights.of(net, vocabulary_size)
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
        """The size of the LSTM's output and state."""
        return len(self.recurrent)

    def start(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return output and state before the first token, each of shape (count, units)."""
        return np.zeros((count, self.units), "float32"), np.zeros((count, self.units), "float32")

    def step(self, token_ids: Any, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return output and state after one more token in each sequence.

        Args:
            token_ids: Token ids of shape (N,); or one token id, with `h` and `c` of shape (units,).
            h: The outputs of shape (N, units).
            c: The states of shape (N, units).
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
        """Return the logits, of shape (N, V)."""
        logits: np.ndarray = h @ self.dense + self.dense_bias
        return logits

    def surprise(self, h: np.ndarray, target: int) -> tuple[float, float, int]:
        """Compare the next token of one sequence with the prediction.

        Args:
            h: The output so far, of shape (units,).
            target: The token id that comes next.

        Returns:
            The surprise and the prediction's entropy, both in nats, and the likeliest token id.
        """
        surprise, entropy, likeliest = _surprise(self.logits(h)[None], np.array([target]))
        return float(surprise[0]), float(entropy[0]), int(likeliest[0])

    def surprises(
        self, token_ids: np.ndarray, targets: np.ndarray, starts: np.ndarray
    ) -> "Surprises":
        """Return the surprise at each target of many sequences.

        Args:
            token_ids: The token ids of all sequences, one sequence after the other, of shape
                (total,).
            targets: The token id that comes after each token, of the same shape.
            starts: The index at which each sequence begins, and the total, of shape (N + 1,).
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
                # The longest come first, so that unfinished sequences are always the first ones.
                active = int(np.searchsorted(-ending[:active], -t, side="left"))
                rows = begin[:active] + t
                h, c = self.step(token_ids[rows], h[:active], c[:active])
                now, entropy, likeliest[rows] = _surprise(self.logits(h), targets[rows])
                surprise[rows] = now
                cusum = np.maximum(cusum[:active] + np.minimum(now - entropy, CUSUM_CLIP), 0)
                largest[batch[:active]] = np.maximum(largest[batch[:active]], cusum)

        # Each batch has one thread, because BLAS is slower if it splits such small products.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(work, range(0, len(order), BATCH)))
        return Surprises(surprise, likeliest, largest)


def _layers(net: Net) -> list[Layer]:
    """Return the layers of a net that ends with an LSTM and a softmax, without dropout."""
    kept = [layer for layer in net.layers if layer.kind != "Dropout"]
    if len(kept) < 2:
        raise ValueError(f"expected a net of several layers, received {len(kept)}")
    recurrent, dense = kept[-2:]
    if not _is_lstm(recurrent) or dense.kind != "Dense":
        raise ValueError("expected one LSTM layer and one Dense layer at the end")
    biased = _cell(recurrent).get("use_bias", True) and dense.settings["use_bias"]
    if not (biased and recurrent.settings["return_sequences"]):
        raise ValueError("expected a net with biases that predicts at every step")
    if dense.settings["activation"] != "softmax":
        raise ValueError(f"expected a softmax, received {dense.settings['activation']!r}")
    return kept


def _is_lstm(layer: Layer) -> bool:
    cell = _cell(layer)
    return (
        layer.kind in ("LSTM", "RNN")
        and (layer.kind == "LSTM" or layer.settings["cell"]["class_name"] == "PeepholeLSTMCell")
        and cell.get("activation", "tanh") == "tanh"
        and cell.get("recurrent_activation", "sigmoid") == "sigmoid"
        and not layer.settings["go_backwards"]
    )


def _cell(layer: Layer) -> Mapping[str, Any]:
    """Return the settings of a recurrent layer's cell."""
    settings = layer.settings["cell"]["config"] if layer.kind == "RNN" else layer.settings
    return cast("Mapping[str, Any]", settings)


def _in_group(arrays: Mapping[str, np.ndarray], group: str) -> list[np.ndarray]:
    """Return the arrays of a group of the weights file, whose names are numbers from 0."""
    count = sum(path.startswith(group) for path in arrays)
    return [arrays[f"{group}{number}"] for number in range(count)]


def _of_tokens(
    before: Sequence[Layer], arrays: Mapping[str, np.ndarray], kernel: np.ndarray
) -> np.ndarray:
    """Return the product of each encoded token and the LSTM's kernel, shape (V, 4 units).

    Args:
        before: The layers that encode the tokens.
        arrays: The net's weights.
        kernel: The kernel of the LSTM.

    Raises:
        ValueError: The tokens are encoded by other layers.
    """
    encoding = [layer for layer in before if layer.kind != "Reshape"]
    kind, settings = (encoding[0].kind, encoding[0].settings) if len(encoding) == 1 else ("", {})
    if kind == "CategoryEncoding" and settings["output_mode"] == "one_hot":
        return kernel
    if kind == "Embedding":
        encoded = arrays["layers/embedding/vars/0"]
    elif kind == "Rescaling":
        numbers = np.arange(len(arrays["layers/dense/vars/1"]), dtype="float32")
        encoded = (numbers * settings["scale"] + settings["offset"])[:, None]
    else:
        names = ", ".join(layer.kind for layer in before)
        raise ValueError(f"expected tokens encoded one-hot, by an embedding or as numbers: {names}")
    return np.asarray(encoded @ kernel)


@dataclass(frozen=True, eq=False)
class Surprises:
    """The surprise of a net at the tokens of sequences.

    Attributes:
        surprise: The surprise at each target, -log p in nats, float32 of shape (total,).
        likeliest: The likeliest token id at each step, int32 of shape (total,).
        cusum: The largest sum, over any part of a sequence, of the surprise minus the entropy of
            the predictions, in nats, of shape (N,). It is the CUSUM statistic of Page, *Continuous
            Inspection Schemes*, 1954, with steps of at most `CUSUM_CLIP`.
    """

    surprise: np.ndarray
    likeliest: np.ndarray
    cusum: np.ndarray


def _surprise(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the surprise at the targets, the entropy of the predictions, and the likeliest tokens.

    Surprise and entropy are in nats. The logits are changed in place.
    """
    rows = np.arange(len(logits))
    likeliest = logits.argmax(axis=1)
    logits -= logits[rows, likeliest][:, None]
    weights = np.exp(logits)
    total = weights.sum(axis=1)
    log_total = np.log(total)
    entropy = log_total - np.einsum("ij,ij->i", weights, logits) / total
    return log_total - logits[rows, targets], entropy, likeliest
