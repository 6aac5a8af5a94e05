"""The detectors of a table give the same rows for files and for streams with a stop."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes.anomaly.series.detector import SeriesDetector
from keras_recipes.anomaly.series.joint_detector import JointDetector
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.data import demonstration_series
from keras_recipes.data.time_series import CounterRate, Record, Series, SeriesLayout
from keras_recipes.errors import InputError
from keras_recipes.report import plots
from tests.report.legible import check


def watch(*columns: str, counters: tuple[str, ...] = ()) -> TableDetector:
    """Return detectors of columns whose normal values are 0, 1, ... 6 in turn."""
    detectors = {}
    for name in columns:
        detectors[name] = SeriesDetector()
        detectors[name].learn([600.0 * n for n in range(40)], [float(n % 7) for n in range(40)])
    layout = SeriesLayout("time", columns, header=("time", *columns))
    joint = None
    if len(columns) > 1:
        normal = np.repeat(np.arange(40.0)[:, None] % 7, len(columns), axis=1)
        joint = JointDetector.of(normal, list(detectors.values()), 0.85)
    rates = {name: CounterRate() for name in counters}
    return TableDetector(layout, detectors, rates, joint=joint)


def table(*rows: tuple[float, ...], columns: tuple[str, ...] = ("a", "b")) -> Series:
    records = (Record(str(n), 600.0 * n, row) for n, row in enumerate(rows))
    return Series(columns, records, "time", ("time", *columns))


def test_all_incidents_of_the_demonstration_are_found_and_little_else() -> None:
    normal = list(demonstration_series.normal().records)
    detector = SeriesDetector()
    detector.learn([r.seconds for r in normal], [r.values[0] for r in normal])
    watched = TableDetector(SeriesLayout("timestamp", ("requests",)), {"requests": detector})
    found = list(demonstration_series.broken().records)
    seconds = [record.seconds for record in found]
    rows = list(watched.rows(Series(("requests",), iter(found))))
    assert list(rows[0]) == [
        "timestamp", "value", "score", "anomaly", "incident", "expected_low", "expected_high"
    ]  # fmt: skip
    flagged = [when for when, row in zip(seconds, rows, strict=True) if row["anomaly"]]
    for begin, end in demonstration_series.truth():
        assert any(begin <= when <= end for when in flagged), (begin, flagged)
    assert len(flagged) <= 8
    figure = plots.watched(rows, "requests", "the demonstration")
    plots.save(figure, Path("requests.png"))
    check(figure)
    top, bottom = figure.axes
    assert sum(len(axes.patches) for axes in (top, bottom)) == 2 * len(flagged)
    assert len({row["incident"] for row in rows if row["incident"]}) == len(flagged)


def test_no_band_of_counts_goes_below_zero_in_the_picture_of_them() -> None:
    values = np.random.default_rng(0).poisson(1, 200).tolist()
    rows = list(watch("a").rows(table(*[(float(value),) for value in values], columns=("a",))))
    (band,) = plots.watched(rows, "a", "counts").axes[0].collections
    assert band.get_paths()[0].vertices[:, 1].min() == 0


def test_the_demonstration_is_the_same_every_time() -> None:
    one, other = (list(demonstration_series.broken().records) for _ in range(2))
    assert one == other
    assert one[0].timestamp == "2024-01-15 00:00:00"


def test_several_columns_give_one_row_for_a_record() -> None:
    (row,) = watch("a", "b").rows(table((1.0, math.nan)))
    assert list(row) == ["timestamp", "score", "anomaly", "incident", "columns"]
    assert (row["anomaly"], row["incident"], row["columns"]) == (0, 0, "")


def test_each_column_has_a_row_if_asked_and_missing_values_are_none() -> None:
    rows = list(watch("a", "b").rows(table((1.0, math.nan)), per_column=True))
    assert [(row["column"], row["value"], row["anomaly"]) for row in rows] == [
        ("a", 1.0, 0),
        ("b", None, 0),
    ]


def test_the_growth_of_a_counter_is_judged_through_its_restarts() -> None:
    watched = watch("a", counters=("a",))
    rows = list(watched.rows(table((600.0,), (1800.0,), (1200.0,), columns=("a",))))
    assert [row["value"] for row in rows] == [None, 2.0, 2.0]


def test_a_counter_starts_anew_if_its_table_is_read_again() -> None:
    watched = watch("a", counters=("a",))
    for _ in range(2):
        rows = list(watched.rows(table((600.0,), (1800.0,), columns=("a",))))
        assert [row["value"] for row in rows] == [None, 2.0]


values = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, 1e300, 0.0, 5.0]))


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(values, values), min_size=20, max_size=100), st.data())
def test_a_state_from_a_card_or_a_file_continues_with_the_same_rows(
    rows: list[tuple[float, float]], data: st.DataObject
) -> None:
    stop = data.draw(st.integers(0, len(rows)))
    every = list(table(*rows).records)
    whole = list(watch("a", "b", counters=("b",)).rows(table(*rows)))

    one = watch("a", "b", counters=("b",))
    said = list(one.rows(Series(("a", "b"), iter(every[:stop]))))
    by_card = TableDetector.from_json(one.to_json())
    by_file = watch("a", "b", counters=("b",))
    by_file.restore(*one.state("digest"), "digest")
    for other in (by_card, by_file):
        assert [*said, *other.rows(Series(("a", "b"), iter(every[stop:])))] == whole
        assert other.records == len(rows)
    assert np.isfinite([row["score"] for row in whole]).all()


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(values, values), min_size=1, max_size=150))
def test_records_at_once_and_one_by_one_have_the_same_rows(
    rows: list[tuple[float, float]],
) -> None:
    one, other = (watch("a", "b", counters=("b",)) for _ in range(2))
    at_once = list(one.rows(table(*rows)))
    assert at_once == list(other.rows(table(*rows), at_once=1))
    assert one.state("digest")[0] == other.state("digest")[0]


def test_records_before_one_that_cannot_be_read_are_answered() -> None:
    def records() -> Iterator[Record]:
        for number in range(3):
            yield Record(str(number), 600.0 * number, (1.0,))
        raise InputError("the fourth record")

    found = watch("a").rows(Series(("a",), records()))
    assert [next(found)["timestamp"] for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(InputError, match="the fourth record"):
        next(found)


def test_a_stream_answers_a_record_before_the_next_one_is_there() -> None:
    def records() -> Iterator[Record]:
        yield Record("0", 0.0, (1.0,))
        pytest.fail("the next record was waited for")

    rows = watch("a").rows(Series(("a",), records()), at_once=1)
    assert next(rows)["timestamp"] == "0"
