"""One verdict for all columns of a table: a promise that does not depend on their number."""

import math

import numpy as np
import pytest

from keras_recipes.anomaly.series.joint import JointView


def machine(rows: int, columns: int = 8, seed: int = 0) -> np.ndarray:
    """Return columns that follow two causes, with noise of their own."""
    random = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(2, columns))
    return 10 + random.normal(size=(rows, 2)) @ mix + 0.3 * random.normal(size=(rows, columns))


def deviations(view: JointView, values: np.ndarray) -> np.ndarray:
    return np.array([view.update(row)[0] for row in values.tolist()])


@pytest.mark.parametrize("columns", [2, 8, 25, 55])
def test_normal_records_deviate_alike_whatever_the_number_of_columns(columns: int) -> None:
    values = machine(6000, columns)
    view = JointView.of(values[:2000])
    found = deviations(view, values[2000:])
    assert found.max() < 1.6
    assert 0.7 < np.quantile(found, 0.999) < 1.3


def test_a_column_that_leaves_the_others_is_found_and_blamed() -> None:
    values = machine(3000)
    values[2500:, 3] = values[2500:, 3][::-1] + 2.0  # the values alone are not unusual
    view = JointView.of(values[:2000])
    before = deviations(view, values[2000:2500])
    after, parts = zip(*(view.update(row) for row in values[2500:].tolist()), strict=True)
    assert max(before) < 1.5 < np.median(after)
    assert int(np.median(np.array(parts), axis=0).argmax()) == 3


@pytest.mark.parametrize(
    "column",
    [
        np.full(4000, 7.0),
        np.where(np.arange(4000) % 397 == 0, 7.1, 7.0),
        (np.arange(4000) % 500 < 20).astype(float),
        np.linspace(0, 40, 4000),
        np.full(4000, math.nan),
        np.where(np.arange(4000) % 3 == 0, math.nan, np.random.default_rng(5).normal(size=4000)),
        np.full(4000, 1e155),
    ],
    ids=["constant", "nearly", "command", "drift", "missing", "gaps", "huge"],
)
def test_odd_columns_do_no_harm(column: np.ndarray) -> None:
    values = np.column_stack([machine(4000, 4), column])
    view = JointView.of(values[:2000])
    found = deviations(view, values[2000:])
    assert np.isfinite(found).all()
    assert found.max() < 2.0
    # What the other columns show is still seen.
    values[3000:, 0] += 20
    assert deviations(JointView.of(values[:2000]), values[2000:])[1000:].max() > 2.1


def test_a_table_of_constants_has_no_joint_view() -> None:
    assert JointView.of(np.ones((100, 3))) is None


def test_a_new_level_becomes_usual_if_the_view_is_to_adapt() -> None:
    values = machine(4000)
    values[1000:] += 5
    view = JointView.of(values[:1000])
    assert deviations(view, values[1000:1100]).min() > 2.1
    for row in values[1100:3000].tolist():
        view.update(row, adapt=True)
    assert deviations(view, values[3000:]).max() < 2.1


def test_a_view_continues_from_its_state() -> None:
    values = machine(1500)
    one = JointView.of(values[:1000])
    deviations(one, values[1000:1200])
    other = JointView(one.state())
    assert (deviations(one, values[1200:]) == deviations(other, values[1200:])).all()
