"""Fits of the recipe for `benchmarks.logs`, and the measures of what judges a log."""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from benchmarks.log_data import Labelled
from keras_recipes.anomaly.logs.dataset import Parts
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.commands import fit as fitting
from keras_recipes.cookbook.lstm_anomaly import RECIPE
from keras_recipes.data.logs.sessions import Sequences
from keras_recipes.models.fitted import Fitted

ROUNDS = 1_000


@dataclass(frozen=True, eq=False)
class Fit:
    """What one fit learned.

    Attributes:
        options: The options that were given.
        fitted: The model.
        detector: Its detector.
        parts: The parts of the normal sessions.
        rate: The share of normal sessions that may be false alarms.
        seconds: The time of the fit.
    """

    options: dict[str, Any]
    fitted: Fitted
    detector: LogDetector
    parts: Parts
    rate: float
    seconds: float

    @property
    def known(self) -> tuple[Sequences, Sequences]:
        """The normal sessions to learn from."""
        return self.parts.train, self.parts.validation


def fit(path: object, **given: Any) -> Fit:
    """Fit the recipe as `recipes fit` does, and keep the sessions that it learned from.

    Args:
        path: The normal log.
        **given: Options of the recipe.
    """
    started = time.perf_counter()
    values = fitting.settled(RECIPE, None, given)
    task = fitting.prepare(RECIPE, [str(path)], values, None, given, None)
    fitted = fitting.carry_out(task, show_progress=False)
    seconds = time.perf_counter() - started
    assert fitted.card is not None
    rate = fitted.card.metrics["promised_false_alarms"]
    detector = LogDetector.of_model(fitted)
    return Fit(given, fitted, detector, task.data.sequences, rate, seconds)


class Measured(NamedTuple):
    """What judging a log with labels gave.

    Attributes:
        f1: F1.
        precision: Share of the alarms that are about an anomaly.
        recall: Share of the anomalies with an alarm.
        auc_pr: Area under precision over recall.
        false_alarms: Share of the normal sessions with an alarm.
        seconds: The time to learn and to judge.
    """

    f1: float
    precision: float
    recall: float
    auc_pr: float
    false_alarms: float
    seconds: float


def measure(
    log: Labelled, truth: np.ndarray, scores: np.ndarray, alarms: np.ndarray, seconds: float = 0.0
) -> Measured:
    """Measure scores and alarms at the log's prevalence, each of shape (N,)."""
    weights = _weights(truth, log.prevalence)
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, alarms, average="binary", sample_weight=weights, zero_division=0.0
    )
    area = average_precision_score(truth, scores, sample_weight=weights)
    false = float(alarms[truth == 0].mean())
    return Measured(float(f1), float(precision), float(recall), float(area), false, seconds)


def _weights(truth: np.ndarray, prevalence: float | None) -> np.ndarray:
    """Return the weights of sessions that give anomalies this prevalence."""
    if prevalence is None:
        return np.ones(len(truth))
    anomalous = prevalence / (truth == 1).sum()
    normal = (1 - prevalence) / (truth == 0).sum()
    return np.asarray(np.where(truth == 1, anomalous, normal))


def percent(share: float, digits: int = 2) -> str:
    """Return a share as the pages write it."""
    return f"{100 * share:.{digits}f} %"


def interval(log: Labelled, truth: np.ndarray, alarms: np.ndarray) -> tuple[float, float]:
    """Return a 95 % interval of F1 by bootstrap over the sessions."""
    random, values = np.random.default_rng(0), []
    for _ in range(ROUNDS):
        rows = random.integers(0, len(truth), len(truth))
        right, false = (float(alarms[rows][truth[rows] == kind].sum()) for kind in (1, 0))
        anomalies, normal = (float((truth[rows] == kind).sum()) for kind in (1, 0))
        share = log.prevalence or anomalies / len(rows)
        recall, noise = right / max(anomalies, 1), false / max(normal, 1)
        values.append(2 * share * recall / (share * recall + (1 - share) * noise + share))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
