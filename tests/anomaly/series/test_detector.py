"""Anomalies in a series are found by the records before them, in files as in streams."""

import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes.anomaly.series.detector import FEATURES, SMOOTHING, Reading, SeriesDetector
from keras_recipes.anomaly.series.residuals import WeeklyProfile
from keras_recipes.anomaly.series.value_classes import ValueClasses
from keras_recipes.data import time_series
from keras_recipes.errors import InputError
from tests.shared_data import shared_data

LEARNED = 600


def days(rows: int = 2300, seed: int = 0) -> tuple[list[float], np.ndarray]:
    """Return times and values of a series with a daily rhythm, one record every five minutes."""
    times = 300.0 * np.arange(rows)
    noise = np.random.default_rng(seed).normal(size=rows)
    return times.tolist(), 50 + 20 * np.sin(2 * np.pi * times / 86_400) + noise


def read(values: np.ndarray, learned: int = LEARNED, **options: object) -> list[Reading]:
    times = (300.0 * np.arange(len(values))).tolist()
    detector = SeriesDetector(**options)
    detector.learn(times[:learned], values[:learned].tolist())
    return list(detector.readings(times[learned:], values[learned:].tolist()))


def alarms(readings: list[Reading], learned: int = LEARNED) -> list[int]:
    return [learned + n for n, reading in enumerate(readings) if reading.alarm]


def alone(readings: list[Reading], feature: str) -> list[float]:
    """Return the evidence of one feature without the others."""
    average, averages = 0.0, []
    for reading in readings:
        average += SMOOTHING * (reading.features[FEATURES.index(feature)] - average)
        averages.append(average)
    return averages


def spike(values: np.ndarray) -> None:
    values[2000] += 30


def level_shift(values: np.ndarray) -> None:
    values[2000:] += 15


def wrong_time_of_day(values: np.ndarray) -> None:
    values[2000:2100] = values[1856:1956].copy()


def noisier(values: np.ndarray) -> None:
    values[2000:2100] += 6 * np.random.default_rng(5).normal(size=100)


@pytest.mark.parametrize("event", [spike, level_shift, wrong_time_of_day, noisier])
def test_events_are_found_soon_after_they_begin(event) -> None:  # type: ignore[no-untyped-def]
    _, values = days()
    quiet = alarms(read(values))
    event(values)
    found = alarms(read(values))
    assert any(2000 <= row < 2064 for row in found), found
    assert not any(2000 <= row < 2064 for row in quiet)
    assert len(quiet) <= 4


def test_no_record_is_judged_by_later_records() -> None:
    _, values = days(1600)
    other = values.copy()
    other[1300:] = 0
    assert read(values)[: 1300 - LEARNED] == read(other)[: 1300 - LEARNED]


@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.floats(-1e6, 1e6),
            st.sampled_from([np.nan, np.inf, -np.inf, 1e300, 0.0, 5.0]),
        ),
        min_size=30,
        max_size=150,
    ),
    st.data(),
)
def test_a_file_and_a_stream_with_a_stop_anywhere_give_the_same_readings(
    values: list[float], data: st.DataObject
) -> None:
    normal = [float(n % 7) for n in range(40)]
    times = [600.0 * n for n in range(40 + len(values))]
    bulk = SeriesDetector(seed=1)
    bulk.learn(times[:40], normal)
    expected = list(bulk.readings(times[40:], values))

    stream = SeriesDetector(seed=1)
    stream.learn(times[:40], normal)
    stop = data.draw(st.integers(0, len(values)))
    said = [stream.update(t, v) for t, v in zip(times[40 : 40 + stop], values[:stop], strict=True)]
    kept = io.BytesIO()
    np.savez(kept, **stream.state())
    kept.seek(0)
    with np.load(kept, allow_pickle=False) as state:
        again = SeriesDetector.from_state(state)
    said += [again.update(t, v) for t, v in zip(times[40 + stop :], values[stop:], strict=True)]
    assert said == expected
    assert all(0 <= reading.score <= 1 for reading in said)


@pytest.mark.parametrize(
    "values",
    [
        np.full(900, 5.0),
        np.zeros(900),
        np.full(900, 1e140),
        np.full(900, -1e-200),
        np.arange(900.0),
        np.tile([1.0, 2.0], 450),
        np.geomspace(1e-3, 1e12, 900),
    ],
    ids=["constant", "zero", "huge", "tiny", "rising", "alternating", "exploding"],
)
def test_unusual_series_give_finite_scores(values: np.ndarray) -> None:
    readings = read(values)
    assert np.isfinite([[*reading[:4], *reading.features] for reading in readings]).all()
    if len(np.unique(values)) <= 2:
        assert alarms(readings) == []


def test_a_constant_series_that_moves_is_one_anomaly_within_a_record() -> None:
    values = np.full(900, 5.0)
    values[700] = 5.1
    assert alarms(read(values)) in ([700], [701])


def test_missing_values_score_0_and_change_nothing() -> None:
    times, values = days(1200)
    one, other = SeriesDetector(), SeriesDetector()
    for detector in (one, other):
        detector.learn(times[:LEARNED], values[:LEARNED].tolist())
    for missing in (float("nan"), float("inf"), -float("inf"), 1e200):
        assert one.update(times[LEARNED], missing).score == 0
    for t, v in zip(times[LEARNED:], values[LEARNED:].tolist(), strict=True):
        assert one.update(t, v) == other.update(t, v)


def test_missing_values_among_the_normal_ones_are_skipped() -> None:
    times, values = days(1000)
    with_gaps = [(t, v) for t, v in zip(times, values.tolist(), strict=True)]
    with_gaps.insert(100, (times[100], float("nan")))
    one, other = SeriesDetector(), SeriesDetector()
    one.learn(times[:LEARNED], values[:LEARNED].tolist())
    other.learn(*zip(*with_gaps[: LEARNED + 1], strict=True))
    assert one.update(times[LEARNED], 40.0) == other.update(times[LEARNED], 40.0)


def test_a_series_without_times_or_with_uneven_steps_is_read() -> None:
    _, values = days(1500)
    detector = SeriesDetector()
    detector.learn([None] * LEARNED, values[:LEARNED].tolist())
    assert np.isfinite(detector.update(None, 50.0).evidence)
    uneven = np.cumsum(np.random.default_rng(0).exponential(300, size=1500)).tolist()
    detector = SeriesDetector()
    detector.learn(uneven[:LEARNED], values[:LEARNED].tolist())
    said = list(detector.readings(uneven[LEARNED:], values[LEARNED:].tolist()))
    assert np.isfinite([reading.evidence for reading in said]).all()


def test_about_one_record_in_a_hundred_is_outside_the_expected_interval() -> None:
    _, values = days(6000)
    readings = read(values)
    outside = [
        not reading.low <= value <= reading.high
        for reading, value in zip(readings, values[LEARNED:].tolist(), strict=True)
    ]
    assert 0.005 < np.mean(outside[1000:]) < 0.02


def test_the_expected_interval_follows_the_time_of_day() -> None:
    _, values = days(2400)
    readings = read(values)
    middle = np.array([(reading.low + reading.high) / 2 for reading in readings])
    assert np.corrcoef(middle[-600:], values[-600:])[0, 1] > 0.95


def test_the_expected_interval_is_not_negative_if_no_value_was() -> None:
    counts = np.random.default_rng(0).poisson(2, 1200).astype(float)
    counts[900:905] = 200  # this widens the expected interval
    readings = read(counts)
    assert min(reading.low for reading in readings) == 0
    assert all(reading.low <= reading.high for reading in readings)
    lower = read(counts - 1)
    assert min(reading.low for reading in lower) < -1
    # If the values become negative, the expected interval follows in time.
    fallen = read(np.concatenate([counts[:700], np.tile(counts[700:] - 1000, 2)]))
    assert fallen[-1].low <= counts[-1] - 1000 <= fallen[-1].high


@pytest.mark.parametrize("size", [15.0, 100.0])
def test_the_expected_interval_does_not_stay_wide_after_an_incident(size: float) -> None:
    _, values = days(3000)
    quiet = read(values)
    values[1500:1580] += size
    readings = read(values)
    assert any(1500 <= row < 1580 for row in alarms(readings))
    for after in (1600, 1700, 2000, 2900):
        now, usual = readings[after - LEARNED], quiet[after - LEARNED]
        assert now.high - now.low < 1.5 * (usual.high - usual.low)


@pytest.mark.parametrize("records", [12, 80])
def test_an_incident_is_over_soon_after_the_values_are_usual_again(records: int) -> None:
    _, values = days(3000)
    values[2000 : 2000 + records] += 30
    found = [LEARNED + n for n, reading in enumerate(read(values)) if reading.incident]
    inside = [row for row in found if 1990 <= row < 2300]
    assert set(range(2003, 2000 + records)) <= set(inside)
    assert max(inside) < 2000 + records + 32


def test_scores_fall_slowly_after_an_incident_and_are_less_than_one_half() -> None:
    _, values = days(3000)
    values[2000:2020] += 30
    after = [reading.score for reading in read(values)[2060 - LEARNED :]]
    usual = float(np.median(after[300:]))
    assert 0.5 > after[0] > after[30] > usual


@pytest.mark.parametrize("values", [[], [1.0] * 9, [float("nan")] * 50])
def test_too_few_numbers_to_learn_from_are_refused(values: list[float]) -> None:
    with pytest.raises(InputError, match="at least 10 numbers"):
        SeriesDetector().learn([None] * len(values), values)


def test_a_detector_that_has_not_learned_refuses_to_judge() -> None:
    for ask in (lambda: SeriesDetector().update(None, 1.0), SeriesDetector().state):
        with pytest.raises(InputError, match="call learn first"):
            ask()


@pytest.mark.parametrize("feature", [feature for feature in FEATURES if feature != "surprise"])
def test_each_feature_alone_finds_a_large_spike(feature: str) -> None:
    _, values = days(1500)
    values[1000] += 500
    evidence = alone(read(values), feature)
    assert 1000 - LEARNED <= int(np.argmax(evidence)) < 1064 - LEARNED


def test_the_net_alone_finds_values_in_another_order() -> None:
    values = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 300)
    values[1000:1010] = 3.0
    evidence = alone(read(values), "surprise")
    assert 1000 <= LEARNED + int(np.argmax(evidence)) < 1064


def test_weights_trained_elsewhere_are_used() -> None:
    times, values = days(1000)
    trained, given = (
        SeriesDetector(seed=3, learning_rate=0.0),
        SeriesDetector(seed=4, learning_rate=0.0),
    )
    trained.learn(times[:LEARNED], values[:LEARNED].tolist())
    net = trained._net
    given.learn(times[:LEARNED], values[:LEARNED].tolist(), weights=lambda classes: net.weights)
    for t, v in zip(times[LEARNED:700], values[LEARNED:700].tolist(), strict=True):
        assert trained.update(t, v) == given.update(t, v)


def test_classes_are_equally_frequent_and_two_are_outside_the_range() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    classes = ValueClasses(values)
    of = [classes.of(value) for value in values.tolist()]
    assert classes.of(values.min() - 1e-9) == 0
    assert classes.of(values.max() + 1e-9) == classes.count - 1
    assert set(of) == set(range(1, classes.count - 1))
    assert max(np.bincount(of)) < 60


def test_repeated_values_share_a_class() -> None:
    assert ValueClasses(np.array([1.0] * 500 + [2.0] * 500)).count <= 5


def test_an_hour_of_the_week_is_learned_apart_from_the_other_days() -> None:
    profile = WeeklyProfile(1)
    for hour in range(24 * 7 * 8):
        weekend = hour // 24 % 7 >= 5
        seconds, value = 3600.0 * hour, 10.0 if weekend else 50.0
        profile.learn(seconds, value, profile.expected(seconds))
    assert profile.expected(3600.0 * (5 * 24 + 12)) < 20
    assert profile.expected(3600.0 * (2 * 24 + 12)) > 40


def test_memory_is_bounded() -> None:
    times, values = days(1600)
    detector = SeriesDetector()
    detector.learn(times[:LEARNED], values[:LEARNED].tolist())

    def size() -> int:
        return sum(part.nbytes for part in detector.state().values())

    for _ in detector.readings(times[LEARNED:1100], values[LEARNED:1100].tolist()):
        pass
    before = size()
    for _ in detector.readings(times[1100:], values[1100:].tolist()):
        pass
    assert abs(size() - before) < 20_000
    assert size() < 3_000_000


def test_it_finds_the_anomalies_of_two_series_of_the_benchmark() -> None:
    # Only two series, to be fast; benchmarks/series.py runs all of them.
    folder = shared_data("datasets/nab/data")
    for name, event in (
        ("artificialWithAnomaly/art_daily_flatmiddle.csv", (2679, 3081)),
        ("realTraffic/occupancy_6005.csv", (1645, 1883)),
    ):
        records = list(time_series.read(str(folder / name)).records)
        learned = int(0.15 * len(records))
        times, values = [r.seconds for r in records], [r.values[0] for r in records]
        detector = SeriesDetector()
        detector.learn(times[:learned], values[:learned])
        found = alarms(list(detector.readings(times[learned:], values[learned:])), learned)
        inside = [row for row in found if event[0] <= row <= event[1]]
        assert inside, found
        assert len(found) - len(inside) <= 2
    assert list(itertools.islice(found, 1))
