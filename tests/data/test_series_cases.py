"""Real shapes of tables on which the package failed once: each is read with its right values."""

import logging
from pathlib import Path

import numpy as np
import pytest

from keras_recipes.anomaly.series import dataset
from keras_recipes.data import record_kind
from keras_recipes.errors import InputError
from tests.command_line import Run
from tests.shared_data import shared_data

CASES: dict[str, tuple[str, dict[str, list[float]]]] = {
    "08-tables-taken-for-logs/vmstat.txt": (
        "580 records of r, b, swpd, free, buff and 12 more, without times",
        {"us": [13, 20, 14], "free": [8002367, 8007367, 8001960], "id": [80, 80, 80]},
    ),
    "08-tables-taken-for-logs/influx-line.txt": (
        "640 records of usage_user, times in time",
        {"usage_user": [9.31, 18.99, 18.5]},
    ),
    "09-decimal-comma/no-header.csv": (
        "300 records of value_1, value_2, without times",
        {"value_1": [21.8, 20.5, 24.0], "value_2": [43.6, 41.1, 48.1]},
    ),
    "09-decimal-comma/with-time.csv": (
        "300 records of value, times in timestamp",
        {"value": [21.8, 20.5, 24.0]},
    ),
    "09-decimal-comma/header.csv": (
        "300 records of Wert, times in Zeit",
        {"Wert": [21.8, 20.5, 24.0]},
    ),
    "09-decimal-comma/airquality.csv": (
        "300 records of CO(GT), PT08.S1(CO), T, RH, times in Date and Time",
        {"CO(GT)": [2.4, 2.3, 2.7], "PT08.S1(CO)": [1308, 1232, 1442], "T": [21.8, 20.5, 24.0]},
    ),
    "10-date-and-time-columns/household.csv": (
        "300 records of Global_active_power, times in Date and Time",
        {"Global_active_power": [21.801, 20.539, 24.036]},
    ),
    "10-date-and-time-columns/iso.csv": (
        "300 records of value, times in Date and Time",
        {"value": [21.8, 20.54, 24.04]},
    ),
    "11-table-times-not-read/sadf.csv": (
        "300 records of %user, %idle, times in timestamp",
        {"%user": [21.8, 20.54, 24.04], "%idle": [78.2, 79.46, 75.96]},
    ),
    "11-table-times-not-read/ampm.csv": (
        "300 records of value, times in time",
        {"value": [21.8, 20.54, 24.04]},
    ),
    "12-exports-with-a-preamble/influx-annotated.csv": (
        "300 records of _value, times in _time",
        {"_value": [21.8, 20.54, 24.04]},
    ),
    "12-exports-with-a-preamble/excel-sep.csv": (
        "300 records of Value, times in Time",
        {"Value": [21.8, 20.54, 24.04]},
    ),
    "13-numbers-written-for-people/thousands.csv": (
        "300 records of requests, times in time",
        {"requests": [2180.1, 2053.9, 2403.6]},
    ),
    "13-numbers-written-for-people/percent.csv": (
        "300 records of cpu, times in time",
        {"cpu": [21.8, 20.5, 24.0]},
    ),
}

TEN_MINUTES, MINUTE = 600.0, 60.0


def read(path: Path, time_format: str | None = None, first: int | None = None) -> dataset.Observed:
    """Read a table as `fit` reads it."""
    found = dataset.read(
        [str(path)],
        None,
        columns=None,
        time=None,
        time_format=time_format,
        zone=None,
        decimal="auto",
        first=first,
        length=50,
    )
    observed = found.sequences[0]
    assert isinstance(observed, dataset.Observed)
    return observed


@pytest.mark.parametrize("name", CASES)
def test_a_table_is_read_with_its_right_values(name: str, caplog: pytest.LogCaptureFixture) -> None:
    path = shared_data(f"cases/series/{name}")
    assert record_kind.recognise([str(path)]) == "metrics"
    said, values = CASES[name]
    with caplog.at_level(logging.INFO):
        observed = read(path)
    assert f"{path}: metrics, {said}" in caplog.text
    for column, first in values.items():
        assert observed.values[column][:3].tolist() == first
    if "without times" not in said:
        step = MINUTE if name.endswith("line.txt") else TEN_MINUTES
        assert set(np.diff(np.array(observed.times, "float64"))) == {step}


def test_one_number_or_two_is_refused_with_the_cell() -> None:
    path = shared_data("cases/series/09-decimal-comma/one-column.csv")
    with pytest.raises(InputError, match="received '21,8', one number or two"):
        read(path)


def test_a_time_format_alone_finds_its_column() -> None:
    path = shared_data("cases/series/18-time-format-alone-ignored/ampm.csv")
    assert read(path, time_format="%m/%d/%Y %I:%M:%S %p").layout.time == "time"
    with pytest.raises(InputError, match="expected a time written as '%Y' in some column"):
        read(path, time_format="%Y")


def test_skab_s_labels_are_not_watched(caplog: pytest.LogCaptureFixture) -> None:
    path = shared_data("datasets/series/skab/valve1/0.csv")
    with caplog.at_level(logging.INFO):
        observed = read(path, first=400)
    assert len(observed.values) == 8
    assert "anomaly (labels, 0 or 1); changepoint (labels, 0 or 1)" in caplog.text


@pytest.mark.full
def test_every_command_says_that_the_newest_records_come_first(recipes: Run) -> None:
    train = shared_data("cases/series/19-newest-first/train.csv")
    test = shared_data("cases/series/19-newest-first/test.csv")
    said = "335 records are older than the record before them: the newest come first"
    result = recipes("fit", "lstm-anomaly", "--data", str(train), "--epochs", "1", "--out", "m")
    assert result.exit_code == 0, result.stderr
    assert "older" not in result.stderr
    for command in (
        ("predict", "m", str(test)),
        ("evaluate", "m", "--data", str(test)),
        ("plot", "m", "--data", str(test), "--output", "plots"),
        ("fit", "lstm-anomaly", "--data", str(test), "--epochs", "1", "--out", "n"),
    ):
        result = recipes(*command)
        assert result.exit_code == 0, result.stderr
        assert said in result.stderr
    result = recipes("predict", "m", "-", input=test.read_bytes())
    assert "is older than the one before it" in result.stderr


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "records"),
    [("09-decimal-comma/airquality.csv", 300), ("08-tables-taken-for-logs/vmstat.txt", 580)],
)
def test_a_model_answers_a_stream_as_a_file(recipes: Run, name: str, records: int) -> None:
    path = shared_data(f"cases/series/{name}")
    result = recipes("fit", "lstm-anomaly", "--data", str(path), "--epochs", "1", "--out", "m")
    assert result.exit_code == 0, result.stderr
    whole = recipes("predict", "m", str(path), "--format", "csv")
    assert whole.exit_code == 0, whole.stderr
    stream = recipes("predict", "m", "-", "--format", "csv", input=path.read_bytes())
    assert stream.stdout == whole.stdout
    assert len(whole.stdout.splitlines()) == 1 + records
