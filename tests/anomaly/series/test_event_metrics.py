"""The metrics agree with their papers' definitions on cases computed by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes.anomaly.series import event_metrics

ROWS = 1000
WINDOW = (400, 499)


def alarms(*rows: int) -> np.ndarray:
    flags = np.zeros(ROWS, dtype=bool)
    flags[list(rows)] = True
    return flags


def gain(*rows: int) -> float:
    return event_metrics.nab_gain(alarms(*rows), [WINDOW], probation=150)


def test_nab_gives_2_for_the_first_row_of_a_window_and_1_for_the_last() -> None:
    assert gain(400) == pytest.approx(2)
    assert gain(499) == pytest.approx(1, abs=0.03)
    assert gain(450) == pytest.approx(1.86, abs=0.01)


def test_nab_counts_a_window_once_by_its_earliest_alarm() -> None:
    assert gain(450, 451, 480) == gain(450)


def test_nab_subtracts_0_11_for_a_false_alarm_and_less_shortly_after_a_window() -> None:
    assert gain(200) == pytest.approx(-0.11)
    assert gain(900) == pytest.approx(-0.11)
    assert -0.02 < gain(502) < 0


def test_nab_leaves_the_probation_out() -> None:
    assert gain(0, 149) == 0 == gain()


def test_nab_is_0_without_alarms_and_100_for_perfect_alarms() -> None:
    assert event_metrics.nab_score([gain(), gain()], 2) == 0
    assert event_metrics.nab_score([gain(400), gain(400)], 2) == pytest.approx(100)
    assert event_metrics.nab_score([], 0) == 0


def test_events_are_windows_and_alarms_and_no_points_are_adjusted() -> None:
    found = event_metrics.events(
        alarms(10, 200, 450, 451, 700), [WINDOW, (800, 850)], probation=150
    )
    assert found == (1, 2, 1)
    assert event_metrics.f1(*found) == pytest.approx(0.4)
    assert event_metrics.events(alarms(200), [], probation=150) == (0, 1, 0)
    assert event_metrics.f1(0, 0, 0) == 1


def test_vus_pr_is_high_for_scores_in_the_windows_and_the_prevalence_for_noise() -> None:
    inside = np.zeros(ROWS)
    inside[WINDOW[0] : WINDOW[1] + 1] = 1
    random = np.random.default_rng(0)
    noise = [event_metrics.vus_pr(random.random(ROWS), [WINDOW]) for _ in range(20)]
    assert event_metrics.vus_pr(inside, [WINDOW]) > 0.85
    assert np.mean(noise) == pytest.approx(0.13, abs=0.05)
    assert event_metrics.vus_pr(1 - inside, [WINDOW]) < 0.1


def test_vus_pr_without_a_buffer_is_the_average_precision_times_what_exists() -> None:
    from sklearn.metrics import average_precision_score

    random = np.random.default_rng(1)
    labels = np.zeros(200)
    labels[80:120] = 1
    scores = random.random(200) + 0.5 * labels
    ours = event_metrics.vus_pr(scores, [(80, 119)], widest=0, widths=1)
    assert ours == pytest.approx(average_precision_score(labels, scores), abs=0.02)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=50, max_size=80), st.integers(0, 40))
def test_vus_pr_stays_between_0_and_1(scores: list[float], first: int) -> None:
    assert 0 <= event_metrics.vus_pr(np.array(scores), [(first, first + 5)]) <= 1
