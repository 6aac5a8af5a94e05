"""What is normal for each column, learned from records for which the net is trained.

The net's weights go to a detector for each column. Learned from are the first nine tenths of the
records. The rest is judged as it would be live, which gives the false alarms, and learned from on
the way.
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
    """A detector for each column, and how they do on the records held back.

    Args:
        model: The trained net.
        observed: Normal records.
        before: What a model that goes on training remembers; its detectors go on.
        threshold: Of all of them.
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
    # Without times nobody knows whether what is to be judged follows at once.
    timed = observed.layout.time is not None
    counters = {name: one if timed else CounterRate() for name, one in observed.counters.items()}
    table = TableDetector(observed.layout, detectors, counters)
    records = len(observed) - cut
    metrics = {"false_alarms": alarms / max(values, 1), "held_out_records": float(records)}
    days = observed.days * records / len(observed)
    if days:
        metrics["false_alarms_a_day"] = alarms / days
    return table, metrics


def column_weights(weights: Sequence[np.ndarray], classes: ValueClasses) -> list[np.ndarray]:
    """Of the whole net's weights those for a column's classes."""
    kernel, recurrent, bias, dense, dense_bias = weights
    chosen = dataset.token_ids(classes)
    return [kernel[chosen], recurrent, bias, dense[:, chosen], dense_bias[chosen]]
