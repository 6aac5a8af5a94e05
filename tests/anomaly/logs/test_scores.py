"""P-values, distances and scores have the properties that their docstrings promise."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_recipes.anomaly.logs import dataset, event_counts, scores
from keras_recipes.anomaly.logs.event_counts import EventCounts
from keras_recipes.anomaly.logs.new_events import NewEvents, News
from keras_recipes.anomaly.null_distribution import NullDistribution
from keras_recipes.data.logs import severity
from keras_recipes.errors import CorruptModelError

values = st.lists(st.floats(0, 1e6), min_size=1, max_size=500).map(np.array)


@given(values, st.lists(st.floats(0, 1e9), min_size=1, max_size=50).map(sorted))
def test_a_larger_value_is_never_more_normal(seen: np.ndarray, asked: list[float]) -> None:
    found = NullDistribution.of(seen).p_value(np.array(asked))
    assert np.all(np.diff(found) <= 1e-12)
    assert np.all((found >= 0) & (found <= 1))


@given(values)
def test_a_distribution_is_the_same_after_a_round_trip_through_json(seen: np.ndarray) -> None:
    null = NullDistribution.of(seen)
    again = NullDistribution.from_json(json.loads(json.dumps(null.to_json())))
    asked = np.linspace(0, 2 * seen.max() + 1, 50)
    assert np.array_equal(null.p_value(asked), again.p_value(asked))


@pytest.mark.parametrize("p_value", [0.01, 0.001, 0.0001])
def test_promised_false_alarms_are_kept_on_further_values(p_value: float) -> None:
    random = np.random.default_rng(0)
    kept = []
    for _ in range(20):
        limit = NullDistribution.of(random.exponential(size=5_000)).critical_value(p_value)
        kept.append(np.mean(random.exponential(size=500_000) >= limit))
    assert np.mean(kept) == pytest.approx(p_value, rel=0.5)


def test_rare_values_far_away_do_not_more_than_double_the_false_alarms() -> None:
    """Sessions of an unusual kind are no tail of the others, however often they are seen."""
    random = np.random.default_rng(0)

    def draw(size: int) -> np.ndarray:
        return random.exponential(size=size) + 20 * random.random(size) * (
            random.random(size) < 0.002
        )

    promised = 1 / 5_001
    kept = []
    for _ in range(100):
        limit = NullDistribution.of(draw(5_000)).critical_value(promised)
        kept.append(np.mean(draw(20_000) >= limit))
    assert np.mean(kept) < 2.2 * promised


@given(values)
def test_rounding_hardly_changes_a_p_value(seen: np.ndarray) -> None:
    null, rounded = NullDistribution.of(np.round(seen, 2)), np.round(seen, 2)
    assert null.p_value(rounded) == pytest.approx(null.p_value(rounded + 1e-5), rel=0.2)


def test_one_extreme_session_does_not_set_the_threshold() -> None:
    calm = np.random.default_rng(0).exponential(size=2_000)
    limit = NullDistribution.of(calm).critical_value(1e-4)
    assert NullDistribution.of(np.append(calm, 1e6)).critical_value(1e-4) < 2 * limit


def test_a_normal_session_has_distance_0_and_a_truncated_one_a_large_distance() -> None:
    table = np.array([[3, 3, 0]] * 500 + [[3, 3, 1]] * 300 + [[3, 3, 2]] * 200)
    counts, _ = EventCounts.of(table, seed=0)
    distances, nearest = counts.distances(np.array([[3, 3, 1], [1, 3, 0], [3, 3, 9]]))
    assert distances[0] == 0
    # A count that is always three in normal sessions weighs more than a count that varies.
    assert distances[1] > 5 > distances[2] > 0
    assert counts.costs(np.array([1, 3, 0]), int(nearest[1])).argmax() == 0


def test_leaving_out_a_session_that_occurs_once_gives_its_distance_from_the_others() -> None:
    table = np.array([[1, 0]] * 50 + [[1, 5]])
    counts, apart = EventCounts.of(table, seed=0)
    assert np.all(apart[:50] == 0)
    assert apart[50] == pytest.approx(counts.weights[1] * np.log2(6))


def test_very_many_different_sessions_are_thinned_and_stay_comparable() -> None:
    table = np.random.default_rng(0).poisson(50, size=(5_000, 6))
    counts, apart = EventCounts.of(table, seed=0)
    assert len(counts.references) == event_counts.REFERENCES
    further = counts.distances(np.random.default_rng(1).poisson(50, size=(5_000, 6)))[0]
    assert np.mean(further) == pytest.approx(np.mean(apart), rel=0.1)


def test_a_score_is_a_half_where_the_p_value_is_the_promised_share() -> None:
    found = scores.score(np.array([1.0, 0.01, 0.001, 0.0001, 0.0]), 0.001)
    assert found[2] == 0.5
    assert np.all(np.diff(found) > 0)
    assert np.all((found >= 0) & (found <= 1))


def test_false_alarms_per_day_become_a_share_of_the_sessions_per_day() -> None:
    assert scores.allowed_rate(0.1, None, sessions_per_day=5_000) == 0.1
    assert scores.allowed_rate(0.1, 2, sessions_per_day=5_000) == pytest.approx(2 / 5_000)


def test_the_default_share_is_no_rarer_than_the_normal_sessions_can_show() -> None:
    assert scores.allowed_rate(None, None, sessions=57) == pytest.approx(1 / 58)
    assert scores.allowed_rate(None, None, sessions=100_000) == scores.RAREST
    assert scores.allowed_rate(1e-6, None, sessions=57) == 1e-6


def test_a_new_event_is_as_rare_as_the_normal_sessions_show() -> None:
    never = NewEvents.of(np.zeros(99, int))
    assert never.p_value(0) == 1
    assert never.p_value(1) == pytest.approx(0.01)
    often = NewEvents.of(np.array([0] * 90 + [1] * 8 + [3]))
    assert [often.p_value(count) for count in (1, 2, 3, 4)] == pytest.approx(
        [0.09, 0.01, 0.01, 0.01]
    )
    assert often.p_values(np.array([0, 1, 7])) == pytest.approx([1, 0.09, 0.01])
    assert NewEvents.from_json(often.to_json()) == often
    assert NewEvents.from_json(None).p_value(3) == 1


def test_a_severe_new_event_is_rarer_than_many_that_are_not() -> None:
    def novelty(*messages: bytes) -> int:
        news = News()
        for line, message in enumerate(messages):
            news.add(known.rank(message), line, line, message)
        return news.novelty

    known = NewEvents()
    info, fatal = b"INFO cache of size", b"RAS KERNEL FATAL data TLB error interrupt"
    assert 0 < novelty(info) < novelty(info, info) < novelty(fatal) < novelty(info, fatal, fatal)
    assert novelty(b"no level at all") == novelty(info)
    assert novelty(*[info] * 99) == novelty(*[info] * 50)
    seen = NewEvents.of(np.array([0] * 40 + [novelty(info)] * 10 + [novelty(info, info)] * 9))
    assert seen.p_value(novelty(info)) == pytest.approx(19 / 60)
    assert seen.p_value(novelty(fatal)) == pytest.approx(1 / 60)
    assert seen.least_anomalous_rank(1 / 60) == severity.RANK["warn"]
    assert seen.least_anomalous_rank(0.4) == 0
    assert NewEvents.of(np.array([novelty(fatal)] * 30)).least_anomalous_rank(0.01) is None


@pytest.mark.parametrize(
    ("message", "level"),
    [
        (b"INFO dfs.DataNode: ERROR in name", "info"),
        (b"- .. * RAS KERNEL FATAL data TLB", "fatal"),
        (b"[error] client", "error"),
        (b'level=warn msg="x"', "warn"),
        (b'{"severity": "Critical", "m": ""}', "critical"),
        (b"error disk full", "error"),  # as the level and the message of JSON are joined
        (b"(main) Warning: x", None),
        (b"the error was small", None),
        (b"INFORMATION_SCHEMA and ERRORS", None),
        (b"", None),
    ],
)
def test_a_level_is_a_word_in_capitals_or_in_its_own_place(
    message: bytes, level: str | None
) -> None:
    assert severity.of_message(message) == (None if level is None else severity.RANK[level])


@pytest.mark.parametrize("values", [{"by_level": 1}, {"by_level": True, "at_least": [1] * 300}])
def test_damaged_levels_of_new_events_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(CorruptModelError, match="new events"):
        NewEvents.from_json({"sessions": 5, "at_least": [], **values})


@pytest.mark.parametrize(
    "values",
    [{}, [], {"sessions": 5}, {"sessions": -1, "at_least": []}, {"sessions": 5, "at_least": [6]},
     {"sessions": 5, "at_least": [1, 2]}, {"sessions": 5, "at_least": [True]},
     {"sessions": 5, "at_least": [1] * 51}, {"sessions": "5", "at_least": []}],
)  # fmt: skip
def test_damaged_numbers_of_new_events_are_refused(values: object) -> None:
    with pytest.raises(CorruptModelError, match="new events"):
        NewEvents.from_json(values)


@pytest.mark.parametrize(
    "damage",
    [
        {"values": []},
        {"values": [2.0, 1.0]},
        {"shares": [2.0, 1.0]},
        {"scale": -1},
        {"scale": "x"},
        {"values": ["a"]},
        {"beyond": float("nan")},
    ],
)
def test_a_damaged_null_distribution_is_refused(damage: dict[str, object]) -> None:
    good = NullDistribution.of(np.arange(100.0)).to_json()
    with pytest.raises(CorruptModelError):
        NullDistribution.from_json({**good, **damage})


@pytest.mark.parametrize("damage", [{"weights": [1.0]}, {"references": [[[9, 1]]]}, {"weights": 3}])
def test_damaged_counts_are_refused(damage: dict[str, object]) -> None:
    good = EventCounts.of(np.array([[1, 2], [1, 3]] * 5), 0)[0].to_json()
    with pytest.raises(CorruptModelError):
        EventCounts.from_json({**good, **damage}, 2)


@given(st.integers(30, 80), st.integers(0, 2**32 - 1))
def test_no_part_of_the_sessions_is_left_empty(sessions: int, seed: int) -> None:
    names = [f"line {100 * number}" for number in range(sessions)]
    sizes = np.bincount(dataset.split(names, seed, (0.1, 0.2)), minlength=3)
    assert len(sizes) == 3
    assert sizes.min() > 0
    assert sizes[2] > 0.3 * sessions
