"""Calibration of a detector for each column, with the trained net.

Each column's detector gets the net's weights, and learns from the first nine tenths of the records.
So does the detector of all columns together. They then judge the last tenth, the held-out records,
as they would in a live stream. That gives the false alarms. At last all records are normal.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from keras_recipes.anomaly.series import dataset
from keras_recipes.anomaly.series.dataset import KNOWN, Observed
from keras_recipes.anomaly.series.detector import SeriesDetector
from keras_recipes.anomaly.series.joint_detector import JointDetector
from keras_recipes.anomaly.series.online_lstm import weights_of
from keras_recipes.anomaly.series.promise import Promise
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.anomaly.series.value_classes import ValueClasses
from keras_recipes.data.dataset import Dataset
from keras_recipes.data.time_series import CounterRate, Record, Series
from keras_recipes.models.net import Net
from keras_recipes.recipe import Calibrated

if TYPE_CHECKING:
    import keras


def calibrate(
    model: "keras.Model", data: Dataset, *, threshold: float, false_alarms_per_day: float | None
) -> Calibrated:
    """See `kind.calibrate`."""
    observed, before = data.sequences
    weights = weights_of(Net.of(model))
    table, metrics = learn(weights, observed, before, threshold, false_alarms_per_day)
    return Calibrated({"watch": table.to_json()}, metrics)


def learn(
    weights: Sequence[np.ndarray],
    observed: Observed,
    before: TableDetector | None,
    threshold: float,
    false_alarms_per_day: float | None = None,
) -> tuple[TableDetector, dict[str, float]]:
    """Return a detector for each column, and their metrics on the held-out records.

    Args:
        weights: The trained net's weights, from `weights_of`.
        observed: Normal records.
        before: The detectors of a model whose training is continued; they go on learning.
        threshold: The threshold of all detectors, in orders of magnitude of probability.
        false_alarms_per_day: As for `TableDetector.promised`.
    """
    net = partial(column_weights, weights)
    cut = 0 if before else int(KNOWN * len(observed))
    if before:
        detectors = before.detectors
        for detector in detectors.values():
            detector.replace_net(net)
    else:
        detectors = {name: SeriesDetector(units=len(weights[1])) for name in observed.values}
        for name, detector in detectors.items():
            detector.learn(observed.times[:cut], observed.values[name][:cut].tolist(), net)
    # Without times, the records to be judged may not follow these records at once. A counter then
    # has to start anew.
    timed = observed.layout.time is not None
    counters = {name: one if timed else CounterRate() for name, one in observed.counters.items()}
    joint = before.joint if before else _joint(observed, cut, detectors, threshold)
    promise = before.promise if before else _promise(observed, cut, detectors)
    table = TableDetector(observed.layout, detectors, counters, joint=joint, promise=promise)
    threshold = table.promised(threshold, false_alarms_per_day)
    table.set_threshold(threshold)
    alarms = _judge_held_out(table, observed, cut)
    if before and table.joint:
        table.joint.accept_as_normal()
    else:
        table.joint = _joint(observed, len(observed), detectors, threshold)
    records = len(observed) - cut
    metrics = {"false_alarms": alarms / max(records, 1), "held_out_records": float(records)}
    days = observed.days * records / len(observed)
    if days:
        metrics["false_alarms_per_day"] = alarms / days
    return table, metrics


def _promise(observed: Observed, cut: int, detectors: dict[str, SeriesDetector]) -> Promise | None:
    """Return how high the evidence of the first records gets, as if they came live."""
    evidence = np.stack([one.normal for one in detectors.values()], axis=1)
    if len(detectors) == 1:
        (only,) = detectors.values()
        evidence = evidence[only.honest_from :, 0]
    else:
        evidence = JointDetector.normal_evidence(_values(observed, cut), evidence)
    return Promise.of(evidence, len(observed) / (observed.days or math.inf))


def _values(observed: Observed, count: int) -> np.ndarray:
    return np.stack([column[:count] for column in observed.values.values()], axis=1)


def _joint(
    observed: Observed, cut: int, detectors: dict[str, SeriesDetector], threshold: float
) -> JointDetector | None:
    """Return the joint detector that learned from the first records; None for one column."""
    if len(detectors) == 1:
        return None
    return JointDetector.of(_values(observed, cut), list(detectors.values()), threshold)


def _judge_held_out(table: TableDetector, observed: Observed, cut: int) -> int:
    """Return the number of alarms about the held-out records, which are then accepted as normal."""
    columns = [observed.values[name][cut:].tolist() for name in table.detectors]
    rows = zip(*columns, strict=True)
    records = (Record("", time, row) for time, row in zip(observed.times[cut:], rows, strict=True))
    # The values of counters are rates already.
    plain = replace(table, counters={})
    found = Series(tuple(table.detectors), records)
    alarms = sum(judged.verdict.alarm for judged in plain.judged(found))
    for (_, detector), values in zip(table.detectors.items(), columns, strict=True):
        detector.accept_as_normal(values)
    return alarms


def column_weights(weights: Sequence[np.ndarray], classes: ValueClasses) -> list[np.ndarray]:
    """Return the part of the net's weights that belongs to a column's classes."""
    kernel, recurrent, bias, dense, dense_bias = weights
    chosen = dataset.token_ids(classes)
    return [kernel[chosen], recurrent, bias, dense[:, chosen], dense_bias[chosen]]
