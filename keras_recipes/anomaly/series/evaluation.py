"""Evaluation of the alarms about numbers: by events if there are labels, else their number."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from keras_recipes.anomaly.series import calibration, dataset, event_metrics, source
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.data import demonstration, demonstration_series
from keras_recipes.data import labels as labelled
from keras_recipes.data.time_series import Record, Series, SeriesLayout
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Measured

log = logging.getLogger(__name__)


def assess(
    fitted: Fitted,
    paths: Sequence[str] | None,
    *,
    labels: str | None,
    threshold: float,
    first: int | None,
) -> Measured:
    """See `kind.assess`."""
    if paths is None:
        return _held_out(fitted, threshold, first, labels)
    table = TableDetector.of_fitted(fitted, threshold)
    found = source.to_judge([Path(text) for text in paths], table)
    times: list[float] = []
    scores = _scores(table, found, times)
    alarms = scores.max(axis=1) >= 0.5
    metrics = {
        "records": float(len(scores)),
        "anomalies": float(alarms.sum()),
        "alarms": float(alarms.mean()),
    }
    truth = _truth(labels, paths, table.layout)
    return Measured(metrics if truth is None else {**metrics, **_against(truth, scores, times)})


def _held_out(fitted: Fitted, threshold: float, first: int | None, labels: str | None) -> Measured:
    """Judge the held-out records again, by a detector that learns from the others."""
    if labels:
        raise InputError(
            "labels: expected records that the labels belong to, received none; name them with "
            "--data"
        )
    layout = TableDetector.of_fitted(fitted, threshold).layout
    assert fitted.card is not None
    paths, found = source.records_of(fitted.card.paths(), layout)
    observed = dataset.observe(paths, found, None, layout, first)
    return Measured(calibration.learn(fitted.model, observed, None, threshold)[1])


def _scores(table: TableDetector, found: Series, times: list[float]) -> np.ndarray:
    """Return the score of each record and column, of shape (N, columns).

    The time of each record is appended to `times`; it is the record's number if it has no time.
    """

    def records() -> Iterator[Record]:
        for number, record in enumerate(found.records):
            timed = table.layout.time is not None and record.seconds is not None
            times.append(record.seconds if timed and record.seconds is not None else float(number))
            yield record

    rows = table.rows(replace(found, records=records()))
    scores = np.fromiter((row["score"] for row in rows), "float64")
    if not len(scores):
        raise InputError("expected records to measure on, received none")
    return scores.reshape(-1, len(table.detectors))


def _truth(
    labels: str | None, paths: Sequence[str], layout: SeriesLayout
) -> list[labelled.Window] | None:
    if not labels and list(paths) == [demonstration.BROKEN_METRICS]:
        return [labelled.Window(*window) for window in demonstration_series.truth()]
    return labelled.windows(labels, layout) if labels else None


def _against(
    truth: Sequence[labelled.Window], scores: np.ndarray, times: Sequence[float]
) -> dict[str, float]:
    """Return the metrics of the alarms of all columns together.

    A label counts as found if any column raised an alarm in it.
    """
    highest, when = scores.max(axis=1), np.array(times)
    windows = []
    for window in truth:
        inside = np.flatnonzero((when >= window.begin) & (when <= window.end))
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
    alarms = highest >= 0.5
    found, false, missed = event_metrics.events(alarms, windows, probation=0)
    gain = event_metrics.nab_gain(alarms, windows, probation=0)
    return {
        "windows": float(len(windows)),
        "windows_found": float(found),
        "false_alarms": false,  # a number here, not a share
        "precision": found / max(found + false, 1),
        "recall": found / (found + missed),
        "f1": event_metrics.f1(found, false, missed),
        "vus_pr": event_metrics.vus_pr(highest, windows),
        "nab": event_metrics.nab_score([gain], len(windows)),
    }
