"""A promised number of false alarms a day is a threshold that normal records reach so often."""

import json
import logging

import numpy as np
import pytest

from keras_recipes.anomaly.series.detector import SeriesDetector
from keras_recipes.anomaly.series.joint_detector import JointDetector
from keras_recipes.anomaly.series.promise import SPAN, Promise
from keras_recipes.errors import CorruptModelError

PER_DAY = 288.0
"""Records on a day."""


def noise(records: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).exponential(0.2, size=records)


def a_day(evidence: np.ndarray, threshold: float) -> float:
    """Return on how many spans a day the evidence reaches the threshold."""
    spans = evidence[: len(evidence) // SPAN * SPAN].reshape(-1, SPAN).max(axis=1)
    return float((spans >= threshold).mean() * PER_DAY / SPAN)


@pytest.mark.parametrize("promised", [1.0, 0.3, 0.1])
def test_normal_records_reach_the_threshold_as_often_as_promised(promised: float) -> None:
    others = noise(400_000, 99)
    outcomes = []
    for seed in range(20):
        promise = Promise.of(noise(10_000, seed), PER_DAY)
        assert promise
        outcomes.append(a_day(others, promise.threshold(promised)))
    assert 0.5 * promised < np.mean(outcomes) < 2 * promised


def test_what_the_normal_days_cannot_show_is_said(caplog: pytest.LogCaptureFixture) -> None:
    promise = Promise.of(noise(20 * SPAN, 0), PER_DAY)  # 4.4 days
    assert promise
    with caplog.at_level(logging.WARNING):
        often = promise.threshold(0.5)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        rarely = promise.threshold(0.01)
    assert "4.4 days of normal records can show" in caplog.text
    assert rarely > often


def test_too_few_records_and_records_without_times_promise_nothing() -> None:
    assert Promise.of(noise(9 * SPAN, 0), PER_DAY) is None
    assert Promise.of(noise(100 * SPAN, 0), 0.0) is None


def test_a_promise_is_kept_in_a_card() -> None:
    promise = Promise.of(noise(5_000, 0), PER_DAY)
    assert promise
    kept = Promise.from_json(json.loads(json.dumps(promise.to_json())))
    assert kept
    assert kept.threshold(0.5) == promise.threshold(0.5)
    assert Promise.from_json(None) is None


@pytest.mark.parametrize(
    "damage",
    [{"spans": 0}, {"spans": 2.5}, {"per_day": 0.0}, {"per_day": float("nan")}, {"peaks": []}],
)
def test_a_damaged_promise_is_refused(damage: dict[str, object]) -> None:
    promise = Promise.of(noise(5_000, 0), PER_DAY)
    assert promise
    with pytest.raises(CorruptModelError, match="fit again"):
        Promise.from_json({**promise.to_json(), **damage})


def test_the_evidence_of_a_table_is_that_of_records_it_did_not_learn_from() -> None:
    random = np.random.default_rng(0)
    values, evidence = random.normal(size=(1000, 3)), np.abs(random.normal(size=(1000, 3)))
    found = JointDetector.normal_evidence(values, evidence)
    assert len(found) == 500
    values[700:] += 5
    assert JointDetector.normal_evidence(values, evidence)[200:].min() > found.max()


def test_the_evidence_of_shapes_is_that_of_shapes_it_did_not_learn_from() -> None:
    random = np.random.default_rng(0)
    values = np.sin(2 * np.pi * np.arange(1200) / 60) + 0.05 * random.normal(size=1200)
    values[900:930] = 0.0
    one = SeriesDetector()
    one.learn([None] * 1200, values.tolist())
    assert one.knows_shapes
    assert one.honest_from == 600
    odd = one.normal[910:960].max()
    assert odd > 1.5 * max(one.normal[620:890].max(), one.normal[1000:].max())
