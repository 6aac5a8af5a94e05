"""Evaluation of the alarms about numbers: by events if there are labels, else their number."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from keras_recipes.anomaly.series import calibration, dataset, event_metrics, source
from keras_recipes.anomaly.series.online_lstm import weights_of
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.data import demonstration, demonstration_series
from keras_recipes.data import labels as labelled
from keras_recipes.data.time_series import Record, Series, SeriesLayout
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Askable
from keras_recipes.recipe import Measured

log = logging.getLogger(__name__)


def assess(
    model: Askable,
    paths: Sequence[str] | None,
    *,
    labels: str | None,
    threshold: float,
    false_alarms_per_day: float | None,
    first: int | None,
) -> Measured:
    """See `kind.assess`."""
    if paths is None:
        return _held_out(model, threshold, false_alarms_per_day, first, labels)
    table = TableDetector.of_model(model, threshold, false_alarms_per_day)
    found = source.to_judge([Path(text) for text in paths], table)
    judged = _Judged.of(table, found)
    metrics = {
        "records": float(len(judged.scores)),
        "anomalies": float(judged.alarms.sum()),
        "alarms": float(judged.alarms.mean()),
    }
    truth = _truth(labels, paths, table.layout)
    return Measured(metrics if truth is None else {**metrics, **_against(truth, judged)})


def _held_out(
    model: Askable,
    threshold: float,
    false_alarms_per_day: float | None,
    first: int | None,
    labels: str | None,
) -> Measured:
    """Judge the held-out records again, by a detector that learns from the others."""
    if labels:
        raise InputError(
            "labels: expected records that the labels belong to, received none; name them with "
            "--data"
        )
    layout = TableDetector.of_model(model, threshold, None).layout
    assert model.card is not None
    paths, found = source.records_of(model.card.paths(), layout)
    observed = dataset.observe(paths, found, None, layout, first)
    weights = weights_of(model.net)
    return Measured(calibration.learn(weights, observed, None, threshold, false_alarms_per_day)[1])


@dataclass(frozen=True, eq=False)
class _Judged:
    """The verdicts on records.

    Attributes:
        times: The time of each record, or its number, of shape (N,).
        scores: The scores, of shape (N,).
        alarms: Whether an incident begins with a record.
        inside: Whether a record belongs to an incident.
    """

    times: np.ndarray
    scores: np.ndarray
    alarms: np.ndarray
    inside: np.ndarray

    @classmethod
    def of(cls, table: TableDetector, found: Series) -> "_Judged":
        times: list[float] = []

        def records() -> Iterator[Record]:
            for number, record in enumerate(found.records):
                seconds = record.seconds if table.layout.time is not None else None
                times.append(float(number) if seconds is None else seconds)
                yield record

        verdicts = [one.verdict for one in table.judged(replace(found, records=records()))]
        if not verdicts:
            raise InputError("expected records to measure on, received none")
        return cls(
            np.array(times),
            np.array([verdict.score for verdict in verdicts]),
            np.array([verdict.alarm for verdict in verdicts]),
            np.array([verdict.incident > 0 for verdict in verdicts]),
        )


def _truth(
    labels: str | None, paths: Sequence[str], layout: SeriesLayout
) -> list[labelled.Window] | None:
    if not labels and list(paths) == [demonstration.BROKEN_METRICS]:
        return [labelled.Window(*window) for window in demonstration_series.truth()]
    return labelled.windows(labels, layout) if labels else None


def _against(truth: Sequence[labelled.Window], judged: _Judged) -> dict[str, float]:
    """Return the metrics of events, and those of single records."""
    windows = []
    for window in truth:
        inside = np.flatnonzero((judged.times >= window.begin) & (judged.times <= window.end))
        if not len(inside):
            log.warning("a label has no record in it: %s", window)
            continue
        windows.append((int(inside[0]), int(inside[-1])))
    windows.sort()
    if not windows:
        raise InputError(
            "labels: expected labels in the time span of the records, received none; check the "
            "time zone"
        )
    labels = np.zeros(len(judged.scores), bool)
    for first, last in windows:
        labels[first : last + 1] = True
    found, false, missed = event_metrics.events(judged.alarms, windows, probation=0)
    points = event_metrics.points(judged.inside, labels)
    gain = event_metrics.nab_gain(judged.alarms, windows, probation=0)
    return {
        "windows": float(len(windows)),
        "windows_found": float(found),
        "false_alarms": false,  # a number here, not a share
        "precision": found / max(found + false, 1),
        "recall": found / (found + missed),
        "f1": event_metrics.f1(found, false, missed),
        "point_f1": points.f1,
        "point_false_alarms": points.false_alarm_rate,
        "point_missed": points.missed_alarm_rate,
        "vus_pr": event_metrics.vus_pr(judged.scores, windows),
        "nab": event_metrics.nab_score([gain], len(windows)),
    }
