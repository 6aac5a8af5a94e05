"""Shapes that repeat are learned, and a window unlike all of them is evidence."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes.anomaly.series.detector import SeriesDetector
from keras_recipes.anomaly.series.shapes import (
    LARGEST_EVIDENCE,
    POINTS,
    ShapeView,
    ShapeWindows,
    period_of,
)
from tests.shared_data import shared_data


def beats(count: int, period: int = 60, seed: int = 0) -> np.ndarray:
    """Return a series of pulses, whose shape has a sharp and a blunt part."""
    phase = np.arange(count) % period / period
    shape = np.exp(-((phase - 0.3) ** 2) / 0.002) + 0.4 * np.exp(-((phase - 0.6) ** 2) / 0.01)
    return shape + 0.01 * np.random.default_rng(seed).normal(size=count)


def blips(count: int, seed: int = 0) -> np.ndarray:
    """Return a series that is flat but for single records, about 40 records apart."""
    gaps = np.random.default_rng(seed).integers(39, 42, size=count)
    at = gaps.cumsum()
    values = np.zeros(count)
    values[at[at < count]] = 1
    return values


@pytest.mark.parametrize("period", [7, 60, 400])
def test_the_period_is_found(period: int) -> None:
    assert period_of(beats(4000, period) / 0.25) == pytest.approx(period, abs=1)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=2000),
        np.random.default_rng(0).normal(size=2000).cumsum(),
        np.arange(2000.0),
        np.full(2000, 3.0),
        np.full(5, 3.0),
        np.geomspace(1e-3, 1e12, 2000),
        blips(2000),
    ],
    ids=["noise", "walk", "line", "constant", "few", "exploding", "mostly flat"],
)
def test_a_series_without_a_repeated_shape_has_no_view(values: np.ndarray) -> None:
    assert ShapeView.of(values) is None


@pytest.mark.parametrize(("step", "expected"), [(60.0, True), (1440.0, False), (None, True)])
def test_a_rhythm_of_days_is_left_to_the_calendar(step: float | None, expected: bool) -> None:
    assert (ShapeView.of(beats(2000), step) is not None) == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=40, max_size=80), st.integers(0, 2**32 - 1))
def test_the_distance_is_that_to_the_nearest_window_by_brute_force(
    blocks: list[float], seed: int
) -> None:
    known = np.array(blocks)
    window = np.random.default_rng(seed).normal(size=POINTS)
    found = ShapeWindows(1, known, upper=0.0, scale=1.0).distance(window)

    def distance(other: np.ndarray) -> float:
        away = (window - window.mean()) - (other - other.mean())
        return float(np.sqrt((away**2).mean()))

    every = [known[n : n + POINTS] for n in range(len(known) - POINTS + 1)]
    assert found == pytest.approx(min(map(distance, every)), abs=1e-6)


def test_a_bad_shape_is_evidence_and_a_good_one_is_little() -> None:
    view = ShapeView.of(beats(3000))
    later = beats(3000, seed=1)
    later[1512:1530] = later[1500]  # the sharp part of a pulse is missing
    said = np.array([view.update(value) for value in later.tolist()])
    assert 1512 <= int(said.argmax()) <= 1560
    assert said.max() > 2 * np.delete(said, np.arange(1512, 1580)).max()


def test_what_stays_becomes_usual() -> None:
    view = ShapeView.of(beats(3000))
    said = [view.update(value) for value in beats(60_000, 45).tolist()]
    assert np.mean(said[-5000:]) < np.mean(said[:5000]) / 3


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e150, 1e150), max_size=200), st.data())
def test_a_view_continues_from_its_state(values: list[float], data: st.DataObject) -> None:
    one = ShapeView.of(beats(1000))
    stop = data.draw(st.integers(0, len(values)))
    for value in values[:stop]:
        one.update(value)
    kept = io.BytesIO()
    np.savez(kept, **one.state())
    kept.seek(0)
    with np.load(kept, allow_pickle=False) as state:
        other = ShapeView.from_state(dict(state))
    rest = [one.update(value) for value in values[stop:]]
    assert [other.update(value) for value in values[stop:]] == rest
    assert all(0 <= evidence <= LARGEST_EVIDENCE for evidence in rest)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("series", np.array([1.5, 0.0, 1.0])),
        ("series", np.array([60.0, 0.0, 0.0])),
        ("0_blocks", np.zeros(3)),
        ("0_last", np.zeros(3)),
        ("0_last", np.zeros(8 + 2 * POINTS)),
    ],
)
def test_a_damaged_state_is_refused(name: str, value: np.ndarray) -> None:
    state = ShapeView.of(beats(1000)).state()
    with pytest.raises(ValueError, match="shapes"):
        ShapeView.from_state({**state, name: value})


def test_a_detector_finds_a_bad_shape_that_no_single_value_shows() -> None:
    normal, later = beats(3000), beats(3000, seed=1)
    later[1500:1560] = later[1500:1560][::-1]  # a pulse runs backwards
    detector = SeriesDetector()
    detector.learn([None] * len(normal), normal.tolist())
    readings = list(detector.readings([None] * len(later), later.tolist()))
    alarms = [n for n, reading in enumerate(readings) if reading.alarm]
    assert [n for n in alarms if 1500 <= n <= 1600]
    assert len(alarms) <= 2


def test_the_anomaly_among_repeated_shapes_of_the_archive_is_found() -> None:
    folder = shared_data("cases/series/17-repeating-shape")
    normal, later = (
        np.loadtxt(folder / f"{part}.csv", skiprows=1).tolist() for part in ("train", "test")
    )
    first, last = np.loadtxt(folder / "labels.csv", int, skiprows=1, delimiter=",")
    detector = SeriesDetector()
    detector.learn([None] * len(normal), normal)
    readings = list(detector.readings([None] * len(later), later))
    alarms = [n for n, reading in enumerate(readings) if reading.alarm]
    inside = [n for n in alarms if first <= n <= last]
    assert inside
    assert len(alarms) - len(inside) <= 1
