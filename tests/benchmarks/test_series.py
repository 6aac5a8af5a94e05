"""The benchmark of series runs on folders like those of the data, and counts what it says."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks import series_constants, series_data, series_tables
from benchmarks.series_constants import Recorded
from benchmarks.series_data import WEEK, Case
from benchmarks.series_tables import Judged
from keras_recipes.anomaly.series import source
from tests.checkout import ROOT


def judged(case: Case, alarms: list[int]) -> Judged:
    raised = np.isin(np.arange(len(case.judged)), alarms)
    return Judged(case, "one", 0, raised.astype(float), raised, raised, (0.0, 0.0))


def case(windows: tuple[tuple[int, int], ...], rows: int = 400) -> Case:
    return Case("some", "case", ("value",), None, np.zeros((rows + 100, 1)), 100, windows)


def test_an_alarm_in_a_window_is_found_and_each_other_alarm_is_false() -> None:
    found = series_tables.measures([judged(case(((50, 60), (200, 220))), [55, 57, 100, 300])])
    assert (found["found"], found["windows"], found["false"]) == (1, 2, 2)
    assert found["event_f1"] == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2))


def test_false_alarms_of_normal_tables_are_counted_by_the_week() -> None:
    found = series_tables.measures([judged(case((), rows=2 * WEEK), [5, 700, 1500])])
    assert found["false_a_week"] == pytest.approx(1.5)


def recorded(name: str, largest: float) -> Recorded:
    """Return a series whose evidence is `largest` in its window, and 0 elsewhere."""
    said = np.zeros((1, 400, 19))
    said[0, 45:70] = largest
    one = Case(name, "case", ("v",), None, np.zeros((500, 1)), 100, ((50, 60),))
    nothing = np.zeros((1, 400))
    return Recorded(
        one, 0, np.zeros((1, 100, 19)), said, nothing, np.zeros(1), np.array([]), learned=90
    )


def test_constants_are_chosen_on_the_other_families(capsys: pytest.CaptureFixture[str]) -> None:
    """In three families, only a lower threshold finds the window; it is none in the fourth."""
    weak = {name: [recorded(name, 0.75)] for name in ("one", "two", "three")}
    calm = recorded("four", 0.75)
    calm = replace(calm, case=replace(calm.case, windows=((300, 310),)))
    series_constants.print_left_out({**weak, "four": [calm]})
    rows = [line.split("|")[1:4] for line in capsys.readouterr().out.splitlines()[3:]]
    said = {(family.strip(), *words.strip().split(": ")): float(f1) for family, words, f1 in rows}
    assert said["one", "by default"] == 0
    assert said["one", "best for the others", "threshold 0.7"] == 1
    assert said["four", "best for the others", "threshold 0.7"] == 0


@pytest.mark.parametrize("columns", [1, 3])
def test_verdicts_with_the_default_constants_are_those_of_the_recipe(
    columns: int, tmp_path: Path
) -> None:
    values = np.random.default_rng(0).normal(size=(700, columns))
    values[:, 0] += 3 * np.sin(np.arange(700) / 5)
    values[500:540] += 6
    one = Case("some", "case", tuple("abc"[:columns]), None, values, 400, ((100, 139),))
    found = series_constants.recorded(one, 0, tmp_path / "kept", None)
    replayed = series_constants.replayed(found, series_constants.DEFAULT)
    table, path = series_constants.fitted(one, 0, None, tmp_path)
    rows = list(table.rows(source.to_judge([str(path)], table)))
    assert replayed.alarms.tolist() == [bool(row["anomaly"]) for row in rows]
    assert replayed.alarms.any()
    assert replayed.inside.tolist() == [row["incident"] > 0 for row in rows]
    assert replayed.scores == pytest.approx([row["score"] for row in rows], abs=0.005)


def test_a_drifting_stream_has_anomalies_in_all_its_parts_and_the_same_ones_for_a_seed() -> None:
    for one, again in zip(series_data.drifting(3), series_data.drifting(3), strict=True):
        assert np.array_equal(one.values, again.values)
        begins = [first for first, _ in one.windows]
        assert len(begins) == 20
        assert begins[0] < 1_000 < len(one.judged) - 1_000 < begins[-1]


@pytest.mark.parametrize("columns", [1, 8])
def test_normal_weeks_have_no_windows_and_the_asked_number_of_columns(columns: int) -> None:
    made = series_data.weeks(columns, seed=0)
    assert made.values.shape == (6 * WEEK, columns)
    assert made.windows == ()


def test_commands_are_given_or_not_and_a_measurement_follows_some_of_them() -> None:
    made = series_data.commands(25, seed=0)
    measured, given = made.values[:, 0], made.values[:, 1:]
    assert made.values.shape == (6 * WEEK, 25)
    assert made.windows == ()
    assert set(np.unique(given)) == {0.0, 1.0}
    assert np.nanmax([abs(np.corrcoef(measured, one)[0, 1]) for one in given.T if one.any()]) > 0.3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make two series like NAB's with a spike each, one of them labelled."""
    start, data = datetime(2024, 1, 1), tmp_path / "nab" / "data" / "some"
    data.mkdir(parents=True)
    times = [start + timedelta(minutes=5 * n) for n in range(1000)]
    for seed, name in enumerate(("one", "two", "unasked")):
        values = 10 + np.random.default_rng(seed).normal(size=1000)
        values[600] += 30
        rows = [f"{t},{v}" for t, v in zip(times, values.tolist(), strict=True)]
        (data / f"{name}.csv").write_text("\n".join(["timestamp,value", *rows]) + "\n")
    window = [f"{times[580]}.000000", f"{times[640]}.000000"]
    labels = tmp_path / "nab" / "labels"
    labels.mkdir()
    (labels / "combined_windows.json").write_text(
        json.dumps({"some/one.csv": [window], "some/two.csv": []})
    )
    return tmp_path


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.series", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.full
def test_each_variant_is_judged_with_the_same_net_and_scores_mirror_the_data(folder: Path) -> None:
    asked = ("--families", "nab", "--variants", "everything", "without surprise", "--each")
    kept = ("--nets", folder / "nets", "--scores", folder / "out", "--jobs", 1)
    done = bench(folder, *asked, *kept, "--set", '{"epochs": 1}')
    assert done.returncode == 0, done.stderr
    assert "nab some/one.csv seed 0 everything: found 1 of 1" in done.stdout
    assert "nab some/one.csv seed 0 without surprise: found 1 of 1" in done.stdout
    assert len(list((folder / "nets").iterdir())) == 2
    header, *rows = (folder / "out/some/one.csv").read_text().splitlines()
    assert header == "timestamp,anomaly_score"
    assert len(rows) == 1000
    assert rows[0] == "2024-01-01 00:00:00,0.0"
    assert float(rows[600].split(",")[1]) >= 0.5


def test_a_folder_without_the_families_is_refused(tmp_path: Path) -> None:
    done = bench(tmp_path, "--families", "skab")
    assert done.returncode == 2
    assert "expected nab/ and series/" in done.stderr
