"""What the recipe's net says about a series: how surprising the class of the next value is.

The trained weights stay as they are while the series is read. A net that went on learning took a
quarter of the time and was no better on real series. On made streams it was better where the order
of the values changed, and only there; docs/benchmarks.md has the measurement.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from keras_recipes.anomaly.numpy_lstm import LSTMWeights, NumpyLSTM
from keras_recipes.anomaly.series.value_classes import ValueClasses

WeightsFor = Callable[[ValueClasses], LSTMWeights]
"""A function that returns the part of a net's weights that belongs to a series' classes."""


class ClassForecast:
    """The net's state after the values so far, and its prediction of the class of the next value.

    Args:
        weights: The net's weights; its tokens are the classes.
    """

    def __init__(self, weights: LSTMWeights) -> None:
        self._weights, self._net = weights, NumpyLSTM.with_weights(weights)
        self._output, self._state = (array[0] for array in self._net.start(1))
        self._predicted: np.ndarray | None = None

    @property
    def units(self) -> int:
        """The number of the net's units."""
        return self._net.units

    def surprise(self, observed: int) -> float:
        """Return -log10 of the two-sided tail probability of a class, and predict the next one.

        The first value has no prediction, and is no surprise.
        """
        surprise = 0.0
        if self._predicted is not None:
            above, below = self._predicted[observed:].sum(), self._predicted[: observed + 1].sum()
            surprise = max(0.0, -math.log10(2 * min(above, below) + 1e-12))
        self._output, self._state = self._net.step(observed, self._output, self._state)
        odds = self._net.logits(self._output)
        odds -= odds.max()
        np.exp(odds, odds)
        odds /= odds.sum()
        self._predicted = odds
        return surprise

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `from_state` needs, float64."""
        parts = {
            "weights": np.concatenate([array.ravel() for array in self._arrays()]),
            "output": self._output,
            "state": self._state,
            "said": np.array([]) if self._predicted is None else self._predicted,
        }
        if self._weights.peephole is not None:
            parts["peephole"] = self._weights.peephole
        return {name: array.astype("float64") for name, array in parts.items()}

    @classmethod
    def from_state(
        cls, state: Mapping[str, np.ndarray], *, classes: int, units: int
    ) -> "ClassForecast":
        """Return a forecast that continues from a state of `state`.

        States from before the weights stayed as they are continue with the last ones.

        Args:
            state: The state, with arrays of the right shapes.
            classes: The number of classes.
            units: The number of units.
        """
        wide = 4 * units
        shapes = ((classes, wide), (units, wide), (wide,), (units, classes), (classes,))
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        flat = np.split(state["weights"].astype("float32"), ends[:-1])
        kernel, recurrent, bias, dense, dense_bias = (
            array.reshape(shape) for array, shape in zip(flat, shapes, strict=True)
        )
        peephole = state["peephole"].astype("float32") if "peephole" in state else None
        made = cls(LSTMWeights(kernel, recurrent, bias, peephole, dense, dense_bias))
        made._output, made._state = (state[name].astype("float32") for name in ("output", "state"))
        if len(state["said"]):
            made._predicted = state["said"].astype("float32")
        return made

    def _arrays(self) -> tuple[np.ndarray, ...]:
        found = self._weights
        return found.kernel, found.recurrent, found.bias, found.dense, found.dense_bias
