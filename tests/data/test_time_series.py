"""Tables of numbers over time are read in all formats, and errors in them are named."""

import gzip
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes.data import time_series
from keras_recipes.data.time_series import (
    CounterRate,
    Reading,
    Record,
    SeriesLayout,
    TimeParser,
    is_counter,
)
from keras_recipes.errors import InputError
from tests.shared_data import shared_data

NOON = "2024-03-06 12:00:00"  # a Wednesday
NOON_SECONDS = (2 * 24 + 12) * 3600.0
WEEK = 7 * 86_400


def read(text: str, name: str = "m.csv", **known: object) -> tuple[tuple[str, ...], list[Record]]:
    Path(name).write_text(text, encoding="utf-8")
    found = time_series.read(name, SeriesLayout(**known))
    return found.columns, list(found.records)


def test_a_csv_file_with_a_header() -> None:
    columns, records = read(f"timestamp,value\n{NOON},1.5\n2024-03-06 12:05:00,2\n")
    assert columns == ("value",)
    assert [r.values for r in records] == [(1.5,), (2.0,)]
    assert records[0].timestamp == NOON
    assert records[0].seconds is not None and records[0].seconds % WEEK == NOON_SECONDS
    assert records[1].seconds == records[0].seconds + 300


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (f"{NOON},1\n{NOON},2\n", ("value",)),
        ("1\n2\n", ("value",)),
        (f"{NOON};1;2\n{NOON};3;4\n", ("value_1", "value_2")),
        (f"cpu\tmemory\twhen\n1\t2\t{NOON}\n", ("cpu", "memory")),
        (f"\ufefftime|host|load\n{NOON}|web1|3\n", ("load",)),
        ("a,b\n1,\n,2\n", ("a", "b")),
        (f"\n\ntime,x\n\n{NOON},1\n\n", ("x",)),
        ("epoch,temperature\n1,20\n", ("epoch", "temperature")),
        ("ts,temperature\n1709726400,20\n", ("temperature",)),
        (f'"time","x, y"\n"{NOON}","1"\n', ("x, y",)),
    ],
)
def test_columns_are_found(text: str, columns: tuple[str, ...]) -> None:
    found, records = read(text)
    assert found == columns
    assert all(len(record.values) == len(columns) for record in records)


def test_columns_can_be_named() -> None:
    text = f"time,a,b,started\n{NOON},1,2,{NOON}\n"
    columns, records = read(text, columns=("b",), time="started")
    assert (columns, records[0].values) == (("b",), (2.0,))


def test_without_times_rows_are_numbered() -> None:
    _, records = read("value\n5\n6\n")
    assert [(r.timestamp, r.seconds) for r in records] == [("0", None), ("1", None)]


@pytest.mark.parametrize(
    "written",
    [
        NOON,
        "2024-03-06T12:00:00",
        "2024-03-06T12:00:00Z",
        "2024-03-06T12:00:00.000000",
        "2024-03-06 12:00:00+02:00",
        "2024-03-06 12:00",
        "20240306T120000",
        "1709726400",
        "1709726400.0",
        "1709726400000",
        "1709726400000000",
        "1709726400000000000",
        "06/Mar/2024:12:00:00 +0100",
        "Wed, 06 Mar 2024 12:00:00 +0000",
        "2024/03/06 12:00:00",
        "06.03.2024 12:00",
        "03/06/2024 12:00:00",
    ],
)
def test_times_in_common_formats_are_read_as_local_times(written: str) -> None:
    _, records = read(f'time,value\n"{written}",1\n')
    assert records[0].seconds is not None
    assert records[0].seconds % WEEK == NOON_SECONDS
    assert records[0].timestamp == written


def test_a_number_above_twelve_shows_that_the_day_comes_first() -> None:
    _, records = read("time,value\n03/06/2024 12:00,1\n13/06/2024 12:00,1\n")
    assert [r.seconds % 86_400 for r in records if r.seconds is not None] == [43_200, 43_200]


def test_a_time_zone_gives_the_local_time() -> None:
    _, records = read("time,value\n2024-07-03T10:00:00Z,1\n", zone="Europe/Berlin")
    assert records[0].seconds is not None
    assert records[0].seconds % 86_400 == 12 * 3600


def test_a_time_format_can_be_given() -> None:
    _, records = read("t,value\n12h00 6-3-24,1\n", time="t", time_format="%Hh%M %d-%m-%y")
    assert records[0].seconds is not None
    assert records[0].seconds % WEEK == NOON_SECONDS


@pytest.mark.parametrize(
    "missing", ["", "nan", "NaN", "null", "None", "N/A", "-", "inf", "-Infinity", "1e999"]
)
def test_missing_and_infinite_values_are_not_finite(missing: str) -> None:
    _, records = read(f"time,value\n{NOON},1\n{NOON},{missing}\n")
    assert not math.isfinite(records[1].values[0])


def test_json_lines_with_objects_inside() -> None:
    rows = [
        {"timestamp": 1709726400123, "host": "a", "cpu": {"user": 1, "idle": 2.5}, "up": True},
        {"cpu": {"idle": None}, "timestamp": 1709726400223},
    ]
    columns, records = read("".join(json.dumps(row) + "\n" for row in rows), "m.jsonl")
    assert columns == ("cpu.user", "cpu.idle", "up")
    assert records[0].values == (1, 2.5, 1)
    assert all(math.isnan(value) for value in records[1].values)


def test_gzipped_files() -> None:
    Path("m.csv.gz").write_bytes(gzip.compress(f"time,value\n{NOON},7\n".encode()))
    assert next(time_series.read("m.csv.gz").records).values == (7.0,)


def test_parquet() -> None:
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"time": pd.to_datetime([NOON, NOON]), "a": [1, 2], "b": [None, 0.5]})
    frame.to_parquet("m.parquet", engine="pyarrow")
    found = time_series.read("m.parquet")
    records = list(found.records)
    assert found.columns == ("a", "b")
    assert records[0].seconds is not None and records[0].seconds % WEEK == NOON_SECONDS
    assert math.isnan(records[0].values[1]) and records[1].values == (2, 0.5)


def test_a_dataframe_with_times_as_its_index() -> None:
    index = pd.to_datetime([NOON, "2024-03-06 13:00:00"])
    found = time_series.from_frame(pd.DataFrame({"x": [1.0, np.nan]}, index=index))
    records = list(found.records)
    assert found.columns == ("x",)
    assert records[0].seconds is not None and records[0].seconds % WEEK == NOON_SECONDS
    assert math.isnan(records[1].values[0])


def test_lines_are_read_one_by_one_as_they_arrive() -> None:
    known = SeriesLayout("time", ("value",), header=("time", "value"), reading=Reading("csv", ","))

    def arriving() -> Iterator[str]:
        yield "time,value\n"
        yield f"{NOON},1\n"
        raise AssertionError("the third line was read too early")

    records = time_series.from_lines("standard input", arriving(), known).records
    assert next(records).values == (1.0,)


def test_files_folders_and_patterns() -> None:
    Path("day").mkdir()
    for name in ("b.csv", "a.jsonl"):
        row = f"{NOON},1\n" if name == "b.csv" else '{"x": 1}\n'
        Path("day", name).write_text(row)
    Path("day", "notes.txt").write_text("no series")
    for inputs in (["day"], ["day/a.*", "day/b.csv"]):
        assert [Path(name).name for name in time_series.names(inputs)] == ["a.jsonl", "b.csv"]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "m.csv", "received nothing"),
        ("\n \n", "m.csv", "received nothing"),
        ("time,value\n", "m.csv", "received none"),
        (f"time,value\n{NOON},1,2\n", "m.csv", "line 2: expected 2 cells, received 3"),
        (f"time,value\n{NOON},1\n{NOON}\n", "m.csv", "line 3: expected 2 cells, received 1"),
        (f"time,value\n{NOON},1\n{NOON},two\n", "m.csv", "line 3: expected a number .*'two'"),
        (f"time,value\n{NOON},1\nsoon,1\n", "m.csv", "line 3: expected a time, received 'soon'"),
        (
            f"time,host\n{NOON},web\n",
            "m.csv",
            "expected a column of numbers, received columns time, host",
        ),
        ("a,a\n1,2\n", "m.csv", "different names"),
        ('{"a": 1}\n{"a": 1\n', "m.jsonl", "line 2: expected a JSON object"),
        ('{"a": 1}\n[1]\n', "m.jsonl", "line 2: expected a JSON object"),
        ("{" * 40, "m.jsonl", "line 1: expected a JSON object"),
        ("no parquet", "m.parquet", "expected Parquet|needs pyarrow"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_file_and_line(
    text: str, name: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(text, name)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"columns": ("memory",)}, "column 'memory', received columns time, value"),
        ({"time": "when"}, "expected a column 'when'"),
        ({"zone": "Mars/Olympus"}, "expected a name like Europe/Berlin"),
        ({"time_format": "%d.%m.%Y"}, "expected a time written as '%d.%m.%Y'"),
    ],
)
def test_options_that_do_not_fit_the_table_are_refused(
    known: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(f"time,value\n{NOON},1\n", **known)


def test_bytes_that_are_no_text_are_named() -> None:
    Path("m.csv").write_bytes(b"time,value\n\xff\xfe,1\n")
    with pytest.raises(InputError, match=r"m\.csv: expected UTF-8"):
        list(time_series.read("m.csv").records)
    rows = "".join(f"{number}\n" for number in os.urandom(999))
    Path("m.csv").write_bytes(gzip.compress(f"value\n{rows}".encode())[:600])
    with pytest.raises(InputError, match=r"m\.csv: cannot be read"):
        list(time_series.read("m.csv").records)


@pytest.mark.parametrize("text", ["missing.csv", "."])
def test_files_that_are_not_there_are_named(text: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        time_series.read(text)
    with pytest.raises(InputError, match="no "):
        time_series.names([text])


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"any-text-{os.getpid()}.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        for record in time_series.read(str(path)).records:
            assert all(isinstance(value, float) for value in record.values)
    except InputError as error:
        assert "\n" not in str(error)
    finally:
        path.unlink()


@settings(deadline=None)
@given(st.floats(0, 4e9))
def test_a_time_as_a_number_is_seconds_whatever_its_unit(seconds: float) -> None:
    if seconds < 2e8:
        return
    times = TimeParser(SeriesLayout())
    said = [times.seconds("here", repr(round(seconds * unit))) for unit in (1, 10**3, 10**6)]
    assert max(said) - min(said) <= 1


def test_counters_are_distinguished_from_values_that_rise_and_fall() -> None:
    random = np.random.default_rng(0)
    requests = np.cumsum(random.poisson(5, size=500)).astype(float)
    restarted = np.concatenate([requests[:300], requests[300:] - requests[300]])
    assert is_counter(requests.tolist())
    assert is_counter(restarted.tolist())
    errors = np.cumsum(random.random(500) < 0.1)
    assert is_counter(errors.tolist())
    assert not is_counter(random.normal(size=500).tolist())
    assert not is_counter(np.cumsum(random.normal(size=500)).tolist())
    assert not is_counter([5.0] * 500)
    assert not is_counter([1.0, 2.0])


def test_no_series_of_the_benchmark_is_detected_as_a_counter() -> None:
    folder = shared_data("datasets/nab/data")
    paths = sorted(folder.rglob("*.csv"))
    values = [[r.values[0] for r in time_series.read(str(path)).records][:750] for path in paths]
    assert len(values) > 20
    assert not any(map(is_counter, values))


def test_a_counters_growth_goes_through_its_restart() -> None:
    rate = CounterRate()
    rows = [(0.0, 100.0), (10.0, 150.0), (20.0, 30.0), (40.0, math.nan), (60.0, 110.0)]
    grown = [rate.update(seconds, value) for seconds, value in rows]
    assert math.isnan(grown[0]) and math.isnan(grown[3])
    assert [grown[1], grown[2], grown[4]] == [5.0, 3.0, 2.0]


def test_a_counters_growth_without_times_is_per_record() -> None:
    rate = CounterRate()
    assert [rate.update(None, value) for value in (1.0, 4.0, 2.0)][1:] == [3.0, 2.0]


def test_a_real_log_of_a_servers_status_is_read() -> None:
    found = time_series.read(str(shared_data("datasets/logs/nginxplus_status.jsonl")))
    records = list(found.records)
    assert "connections.active" in found.columns
    assert len(records) > 10
    assert records[0].seconds is not None


def test_counters_among_the_columns_are_replaced_by_their_growth() -> None:
    text = "time,total,load\n" + "".join(
        f"2024-03-06 12:{minute:02}:00,{600 * minute},{minute % 3}\n" for minute in range(60)
    )
    columns, records = read(text)
    grown = list(
        time_series.with_rates(
            time_series.Series(columns, iter(records)), {"total": CounterRate()}
        ).records
    )
    assert math.isnan(grown[0].values[0])
    assert {record.values[0] for record in grown[1:]} == {10.0}
    assert [record.values[1] for record in grown] == [record.values[1] for record in records]
