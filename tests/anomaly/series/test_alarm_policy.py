"""A p-value is the share of the past that was as large; one cause gives one alarm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes.anomaly.series import alarm_policy
from keras_recipes.anomaly.series.alarm_policy import AlarmGate, TailCounts


def counted(values: list[float]) -> TailCounts:
    counts = TailCounts(1)
    for value in values:
        counts.neg_log10_p(np.array([[value]]))
    return counts


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-600, 600), min_size=1, max_size=60),
    st.integers(-700, 700),
)
def test_the_p_value_is_the_rank_among_the_past(past: list[int], asked: int) -> None:
    # The magnitudes are three per cent apart, so that no two of them share a bin.
    counts = counted([1.03**n for n in past])
    larger = sum(n >= asked for n in past)
    expected = -np.log10((1 + larger) / (len(past) + 1))
    said = counts.neg_log10_p(np.array([[1.03**asked]]), add=False)
    assert said[0, 0] == pytest.approx(expected)


def test_records_one_by_one_and_at_once_have_the_same_p_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(alarm_policy, "HISTORY", 300)
    magnitudes = np.random.default_rng(0).integers(0, 9, size=(1000, 3)).astype(float)
    one, other = TailCounts(3), TailCounts(3)
    single = np.concatenate([one.neg_log10_p(row) for row in magnitudes[:, None]])
    parts = np.split(magnitudes, [1, 100, 250, 251, 700])
    np.testing.assert_array_equal(single, np.concatenate([other.neg_log10_p(p) for p in parts]))
    assert one.total == other.total


def test_p_values_are_exact_and_the_state_bounded_after_many_halvings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(alarm_policy, "HISTORY", 64)
    magnitudes = np.random.default_rng(0).exponential(size=(8000, 2))
    one, other = TailCounts(2), TailCounts(2)
    single = np.concatenate([one.neg_log10_p(row) for row in magnitudes[:, None]])
    together = np.concatenate([other.neg_log10_p(part) for part in np.split(magnitudes, 250)])
    np.testing.assert_array_equal(single, together)
    assert max(array.max() for array in other.state().values()) <= 64


def test_streams_do_not_mix() -> None:
    counts = TailCounts(3)
    for n in range(99):
        counts.neg_log10_p(np.array([[1.0, 1000.0, float(n % 2)]]))
    said = counts.neg_log10_p(np.array([[2.0, 2.0, 1.0]]))
    np.testing.assert_allclose(said, [[2, 0, np.log10(2)]])


def test_asking_alone_adds_nothing() -> None:
    counts = counted([1.0, 2.0])
    before = counts.state()
    counts.neg_log10_p(np.array([[5.0]]), add=False)
    assert all(np.array_equal(before[k], v) for k, v in counts.state().items())


def test_a_magnitude_above_all_past_ones_has_the_smallest_p_value() -> None:
    assert counted([1.0] * 999).neg_log10_p(np.array([[2.0]]))[0, 0] == pytest.approx(3)


def test_rounding_errors_count_as_nothing() -> None:
    assert counted([0.0] * 99).neg_log10_p(np.array([[1e-15]]))[0, 0] == 0


@pytest.mark.parametrize("magnitude", [0.0, 1e-300, 1e300, np.inf])
def test_no_magnitude_is_too_small_or_too_large(magnitude: float) -> None:
    assert np.isfinite(counted([magnitude] * 3).neg_log10_p(np.array([[magnitude]]))).all()


def test_the_share_of_false_alarms_is_the_p_value() -> None:
    random = np.random.default_rng(0)
    counts = TailCounts(4)
    parts = random.exponential(size=(400, 50, 4))
    said = np.concatenate([counts.neg_log10_p(part) for part in parts])
    assert (said[2000:] >= 2).mean() == pytest.approx(0.01, rel=0.15)


def test_the_distant_past_fades_and_counts_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_policy, "HISTORY", 1000)
    counts = counted([100.0] * 999)
    assert counts.neg_log10_p(np.array([[50.0]]), add=False)[0, 0] == pytest.approx(0)
    for _ in range(5000):
        counts.neg_log10_p(np.array([[1.0]]))
    assert counts.total <= 1000
    assert counts.neg_log10_p(np.array([[50.0]]), add=False)[0, 0] > 1.5


def gate(**other: float) -> AlarmGate:
    return AlarmGate(**{"threshold": 1.2, "rise": 0.3, "decay": 100, "cooldown": 5, **other})


@given(st.floats(0, 12), st.floats(0.1, 5))
def test_a_score_of_one_half_is_the_threshold(evidence: float, threshold: float) -> None:
    verdict = gate(threshold=threshold).judge(evidence)
    assert 0 <= verdict.score <= 1
    assert (verdict.score >= 0.5) == verdict.alarm == (evidence >= threshold)


def test_one_cause_is_one_alarm_and_one_incident_until_it_is_over() -> None:
    one = gate()
    found = [one.judge(evidence) for evidence in (0.1, 3.0, 3.0, 0.7, 0.5, 3.0)]
    assert [verdict.alarm for verdict in found] == [False, True, False, False, False, False]
    assert [verdict.incident for verdict in found] == [0, 1, 1, 1, 0, 0]


def test_an_incident_is_over_when_the_latest_records_are_usual_though_it_is_remembered() -> None:
    one = gate(cooldown=0)
    bad = [one.judge(3.0, latest=3.0) for _ in range(5)]
    after = [one.judge(2.0, latest=0.1) for _ in range(60)]
    assert all(verdict.incident == 1 for verdict in bad)
    assert [verdict.incident for verdict in after[:8]] == [1] * 8
    assert not any(verdict.incident for verdict in after[24:])
    # What is remembered raises no alarm again and no score that says so, until it has faded.
    assert not any(verdict.alarm or verdict.score >= 0.5 for verdict in after[24:])
    assert not one.judge(0.0, latest=0.1).alarm
    assert one.judge(3.0, latest=3.0).incident == 2


def test_an_incident_with_a_few_usual_records_in_it_is_one() -> None:
    one = gate()
    latest = [3.0, 3.0, *[0.1] * 5, 3.0, *[0.1] * 5, 3.0]
    assert {one.judge(2.0, latest=value).incident for value in latest} == {1}


def test_the_score_stays_high_while_the_evidence_lasts_and_raises_no_alarm() -> None:
    one = gate()
    faded = one.judge(0.1, lasting=1.0)
    assert one.judge(0.1).score < faded.score < 0.5
    assert not one.judge(0.1, lasting=5.0).alarm


@given(st.lists(st.floats(0, 6), min_size=2, max_size=20))
def test_scores_outside_incidents_are_in_the_order_of_the_evidence(evidence: list[float]) -> None:
    scores = []
    for value in sorted(evidence):
        one = gate()
        one.judge(3.0)
        one.judge(0.0)  # in the pause, no incident begins
        scores.append(one.judge(value).score)
    assert scores == sorted(scores)
    assert max(scores) < 0.5


def test_incidents_are_numbered() -> None:
    one = gate(rise=0, cooldown=2)
    found = [one.judge(evidence).incident for evidence in (3.0, 0.0, 0.0, 3.0, 3.0, 0.0)]
    assert found == [1, 0, 0, 2, 2, 0]


@given(st.lists(st.floats(0, 6), max_size=200))
def test_records_of_one_half_or_more_are_in_incidents_that_begin_with_the_alarm(
    evidence: list[float],
) -> None:
    one, number = gate(), 0
    for value in evidence:
        verdict = one.judge(value)
        if verdict.score >= 0.5:
            assert verdict.incident
        assert verdict.alarm == (verdict.incident > number)
        number = max(number, verdict.incident)


def test_scores_in_the_pause_after_an_incident_are_less_than_one_half() -> None:
    one = gate()
    assert one.judge(3.0).alarm
    assert one.judge(0.0).incident == 0
    assert 0.5 > one.judge(3.0).score > one.judge(1.0).score > one.judge(0.0).score


def test_after_an_alarm_the_next_needs_more_evidence_for_a_while() -> None:
    one = gate()
    assert one.judge(1.3).alarm
    for _ in range(10):
        one.judge(0.0)
    assert not one.judge(1.3).alarm
    assert one.judge(1.6).alarm
    for _ in range(300):
        one.judge(0.0)
    assert one.judge(1.3).alarm


def test_a_series_with_frequent_evidence_has_few_alarms() -> None:
    one = gate()
    alarms = [one.judge(2.0 * (n % 3 == 0)).alarm for n in range(3000)]
    # In the long run the threshold rises as often as it falls: one alarm for each `decay`.
    assert 28 <= sum(alarms) <= 36


def test_a_gate_continues_from_its_state_and_from_an_older_one() -> None:
    one = gate()
    one.judge(3.0)
    state = one.state()
    assert AlarmGate.from_state(state).judge(2.0) == one.judge(2.0)
    without = {"remembered", "quiet"}
    for newer in (set[str](), {"inside", "incidents"}):
        without |= newer
        older = {name: state[name] for name in state if name not in without}
        assert AlarmGate.from_state(older).judge(0.0).incident == 0
