"""Evaluation of the alarms about a log: precision and recall with labels, else their number."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from keras_recipes.anomaly.logs import dataset, source
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.verdicts import Verdicts
from keras_recipes.data import demonstration
from keras_recipes.data import labels as labelled
from keras_recipes.models.fitted import Askable
from keras_recipes.recipe import Measured


def assess(
    model: Askable,
    paths: Sequence[str] | None,
    *,
    labels: str | None,
    false_alarm_rate: float | None,
    false_alarms_per_day: float | None,
    seed: int,
) -> Measured:
    """See `kind.assess`."""
    detector = LogDetector.of_model(model)
    assert model.card is not None
    rate = detector.allowed_rate(false_alarm_rate, false_alarms_per_day)
    known = [Path(text) for text in paths or model.card.paths()]
    _, found = source.sessions_of(detector, known)
    if paths is None:
        found = found.subset(dataset.split(found.names, seed) == dataset.TEST)
    verdicts = Verdicts.of(detector, found)
    judged = verdicts.scores(rate)
    metrics = {
        "sessions": float(len(judged)),
        "anomalies": float((judged >= 0.5).sum()),
        "loss": float(verdicts.surprise.mean()),
    }
    truth = _truth(labels, paths, found.names)
    if truth is None:
        return Measured({**metrics, "alarms": float((judged >= 0.5).mean())})
    return Measured({**metrics, **_against(truth, judged)})


def _truth(
    labels: str | None, paths: Sequence[str] | None, names: Sequence[str]
) -> np.ndarray | None:
    if not labels and list(paths or ()) == [demonstration.BROKEN]:
        return labelled.matched(demonstration.truth(), names, demonstration.BROKEN)
    return labelled.matched(labelled.read(labels), names, labels) if labels else None


def _against(truth: np.ndarray, judged: np.ndarray) -> dict[str, float]:
    alarms = judged >= 0.5
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, alarms, average="binary", zero_division=0.0
    )
    return {
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "auc_pr": float(average_precision_score(truth, judged)) if truth.any() else 0.0,
        "false_alarms": float(alarms[truth == 0].mean()) if (truth == 0).any() else 0.0,
    }
