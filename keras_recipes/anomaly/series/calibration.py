"""Calibration of a detector for each column, with the trained net.

Each column's detector gets the net's weights, and learns from the first nine tenths of the records.
It then judges the last tenth, the held-out records, as it would in a live stream. That gives the
false alarms. The detector goes on learning while it judges.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from keras_recipes.anomaly.series import dataset
from keras_recipes.anomaly.series.dataset import KNOWN, Observed
from keras_recipes.anomaly.series.detector import SeriesDetector
from keras_recipes.anomaly.series.online_lstm import weights_of
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.anomaly.series.value_classes import ValueClasses
from keras_recipes.data.dataset import Dataset
from keras_recipes.data.time_series import CounterRate
from keras_recipes.recipe import Calibrated

if TYPE_CHECKING:
    import keras


def calibrate(model: "keras.Model", data: Dataset, *, threshold: float) -> Calibrated:
    """See `kind.calibrate`."""
    observed, before = data.sequences
    table, metrics = learn(model, observed, before, threshold)
    return Calibrated({"watch": table.to_json()}, metrics)


def learn(
    model: "keras.Model", observed: Observed, before: TableDetector | None, threshold: float
) -> tuple[TableDetector, dict[str, float]]:
    """Return a detector for each column, and their metrics on the held-out records.

    Args:
        model: The trained net.
        observed: Normal records.
        before: The detectors of a model whose training is continued; they go on learning.
        threshold: The threshold of all detectors, in orders of magnitude of probability.
    """
    weights = weights_of(model)
    net = partial(column_weights, weights)
    cut = 0 if before else int(KNOWN * len(observed))
    alarms, values, detectors = 0, 0, {}
    for name, column in observed.values.items():
        numbers = column.tolist()
        if before:
            detector = before.detectors[name]
            detector.replace_net(net)
            detector.set_threshold(threshold)
        else:
            detector = SeriesDetector(threshold=threshold, units=len(weights[1]))
            detector.learn(observed.times[:cut], numbers[:cut], net)
        readings = list(detector.readings(observed.times[cut:], numbers[cut:]))
        alarms += sum(reading.score >= 0.5 for reading in readings)
        values += len(readings)
        detector.accept_as_normal(numbers[cut:])
        detectors[name] = detector
    # Without times, the records to be judged may not follow these records at once. A counter then
    # has to start anew.
    timed = observed.layout.time is not None
    counters = {name: one if timed else CounterRate() for name, one in observed.counters.items()}
    table = TableDetector(observed.layout, detectors, counters)
    records = len(observed) - cut
    metrics = {"false_alarms": alarms / max(values, 1), "held_out_records": float(records)}
    days = observed.days * records / len(observed)
    if days:
        metrics["false_alarms_per_day"] = alarms / days
    return table, metrics


def column_weights(weights: Sequence[np.ndarray], classes: ValueClasses) -> list[np.ndarray]:
    """Return the part of the net's weights that belongs to a column's classes."""
    kernel, recurrent, bias, dense, dense_bias = weights
    chosen = dataset.token_ids(classes)
    return [kernel[chosen], recurrent, bias, dense[:, chosen], dense_bias[chosen]]
