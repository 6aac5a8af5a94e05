"""Tables that were once read with another meaning, in silence: times, rows and numbers."""

import gc
import json
import logging
import math
import time
from datetime import timedelta
from pathlib import Path

import pytest

from keras_recipes.data import time_series
from keras_recipes.data.series import joining, order
from keras_recipes.data.time_series import MONDAY, Record, Series, SeriesLayout
from keras_recipes.errors import InputError


def read(text: str, name: str = "table.csv") -> tuple[Series, list[Record]]:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    found = time_series.read(str(path))
    return found, list(order.watched(name, found.records))


def warnings(found: Series) -> str:
    return "\n".join(text for is_warning, text in found.notes if is_warning)


def at(record: Record) -> str:
    assert record.seconds is not None
    return str(MONDAY + timedelta(seconds=record.seconds))


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


def numbered(pattern: str, count: int = 30) -> list[str]:
    return [pattern.format(n=n, hour=n % 24, day=n // 24 + 1) for n in range(count)]


# Times


def test_a_column_of_times_is_better_than_a_number_in_a_column_called_index() -> None:
    rows = numbered("{n};0{day}.03.2024 {hour:02}:00;{n},5")
    found, records = read(table("index;Datum;Wert", *rows))
    assert (found.time, found.columns) == ("Datum", ("Wert",))
    assert at(records[1]) == "2024-03-01 01:00:00"


def test_24_00_is_midnight_of_the_next_day() -> None:
    rows = [f"2024-03-{n // 24 + 1:02} {n % 24 + 1:02}:00,2{n}.5" for n in range(72)]
    found, records = read(table("when,value", *rows))
    assert (at(records[22]), at(records[23])) == ("2024-03-01 23:00:00", "2024-03-02 00:00:00")
    rows = [f"{n // 24 + 1}.3.2024 {n % 24 + 1}:00;2{n},5" for n in range(72)]
    found, records = read(table("Datum;Wert", *rows))
    assert (found.time, at(records[23])) == ("Datum", "2024-03-02 00:00:00")


@pytest.mark.parametrize("cell", ["24:00:30", "24:01", "24:00 24:00", "24:00 " * 400])
def test_other_times_behind_24_00_are_refused(cell: str) -> None:
    rows = [f"2024-03-{n // 24 + 1:02} {n % 24:02}:00,2{n}.5" for n in range(72)]
    with pytest.raises(InputError, match=r"line 74: expected a time"):
        list(read(table("when,value", *rows, f"2024-03-04 {cell},3.5"))[1])


@pytest.mark.parametrize(
    "header, row",
    [
        ("Date,Sleep Duration,Pulse", "2024-03-{n:02},06:{n},5{n}"),
        ("date,avg_response_time,requests", "2024-03-{n:02},1.{n},2{n}"),
    ],
)
def test_a_duration_beside_one_record_a_day_is_no_time_of_day(header: str, row: str) -> None:
    found, records = read(table(header, *(row.format(n=n) for n in range(10, 31))))
    assert found.columns[-1] == header.split(",")[-1]
    assert at(records[0]) == "2024-03-10 00:00:00"


def test_one_record_a_day_may_have_a_time_of_day() -> None:
    rows = [f"2024-03-{n:02},0{n % 10}:30,2{n}.5" for n in range(1, 31)]
    found, records = read(table("date,time,value", *rows))
    assert (found.columns, at(records[0])) == (("value",), "2024-03-01 01:30:00")


@pytest.mark.parametrize("name", ["Local Time", "End"])
def test_times_of_day_may_go_back_now_and_then(name: str) -> None:
    # The clocks go back at 3:00, and the end of a day is written as 0:00.
    hours = [1, 2, 2, *range(3, 24), 0] if name == "Local Time" else [*range(1, 24), 0]
    rows = [f"2024-10-{day},{hour:02}:00,2{hour}.5" for day in (26, 27, 28) for hour in hours]
    found, records = read(table(f"Date,{name},value", *rows))
    assert (found.columns, at(records[1])) == (("value",), "2024-10-26 02:00:00")


def test_a_counter_with_a_steady_step_is_no_time() -> None:
    rows = [f"2024-03-01 00:{n:02},{1_700_000_000 + 60_000 * n},2{n}" for n in range(60)]
    assert read(table("time,uptime_ms,value", *rows))[0].columns == ("uptime_ms", "value")
    rows = [f"{1_700_000_000 + 1_500 * n},2{n}" for n in range(60)]
    assert read(table("bytes,value", *rows))[0].time is None


def test_days_of_a_short_table_are_where_they_usually_are() -> None:
    rows = [f"11/03/09 {n // 60:02}:{n % 60:02},2{n}" for n in range(300)]
    _, records = read(table("time,value", *rows))
    assert at(records[0]) == "2009-11-03 00:00:00"
    rows = [f"02.01.18 {n // 60:02}:{n % 60:02};2{n}" for n in range(300)]
    found, records = read(table("Zeit;Wert", *rows))
    assert at(records[0]) == "2018-01-02 00:00:00"
    assert "%y" not in warnings(found)


def test_times_in_two_forms_have_the_order_in_which_they_rise() -> None:
    rows = [
        (f"2024-11-03 00:{n:02}" if n % 2 else f"03/11/2024 00:{n:02}") + f",2{n}.5"
        for n in range(60)
    ]
    _, records = read(table("time,value", *rows))
    assert [at(records[n]) for n in (0, 1)] == ["2024-11-03 00:00:00", "2024-11-03 00:01:00"]


def test_of_a_duration_and_a_start_the_start_is_the_time_of_day() -> None:
    rows = [f"2024-03-0{n // 24 + 1},0{n % 7}:30,{n % 24:02}:00,{n}.5" for n in range(72)]
    found, records = read(table("Date,Duration,Start Time,Cost", *rows))
    assert found.columns == ("Cost",)
    assert at(records[25]) == "2024-03-02 01:00:00"


def test_dates_without_midnight_have_their_day_where_the_others_have_it() -> None:
    rows = [
        f"{n // 24 + 1:02}/03/2024" + (f" {n % 24:02}:00:00" if n % 24 else "") + f",2{n}.5"
        for n in range(240)
    ]
    _, records = read(table("time,value", *rows))
    assert [at(records[n]) for n in (0, 25)] == ["2024-03-01 00:00:00", "2024-03-02 01:00:00"]
    assert len(records) == 240


@pytest.mark.parametrize("mark", "/.-")
def test_a_year_of_two_digits_may_come_first(mark: str) -> None:
    rows = [f"24{mark}03{mark}{n // 24 + 1:02} {n % 24:02}:00:00,2{n}.5" for n in range(72)]
    _, records = read(table("Date/Time,CH1", *rows))
    assert at(records[25]) == "2024-03-02 01:00:00"


def test_halves_of_the_day_in_another_script_are_no_times() -> None:
    rows = [f"2024/3/1 {'上午' if n < 12 else '下午'} {n % 12:02}:00:00,2{n}.5" for n in range(24)]
    found, _ = read(table("time,value", *rows))
    assert found.time is None
    assert "time" in warnings(found)


def test_times_since_1970_with_one_step_need_no_known_name() -> None:
    rows = [f"{1709251200000 + 60_000 * n},2{n}.5,{1709251259999 + 60_000 * n}" for n in range(40)]
    found, records = read(table("open_time,price,close_time", *rows))
    assert (found.time, found.columns) == ("open_time", ("price",))
    assert at(records[1]) == "2024-03-01 00:01:00"
    rows = [f"{1709251200 + 37 * n * n},2{n}.5" for n in range(40)]
    assert read(table("bytes,value", *rows))[0].columns == ("bytes", "value")


def test_a_date_in_parts_and_row_numbers_are_not_watched() -> None:
    rows = [f"{n + 1},2024,3,{n // 24 + 1},{n % 24},2{n}.5" for n in range(72)]
    found, records = read(table("No,year,month,day,hour,pm2.5", *rows))
    assert (found.time, found.columns, len(records)) == (None, ("pm2.5",), 72)
    assert "year, month, day, hour are not put together to times" in warnings(found)
    found, _ = read(table("day,month,mm", *numbered("{n},{n},{n}.5", 40)))
    assert "month" in found.columns


def test_hours_from_1_to_24_beside_a_date_end_with_the_next_day() -> None:
    rows = [f"2024-03-{n // 24 + 1:02},{n % 24 + 1},2{n}.5" for n in range(72)]
    found, records = read(table("date,hour,value", *rows))
    assert found.columns == ("value",)
    assert [at(records[n]) for n in (0, 23)] == ["2024-03-01 01:00:00", "2024-03-02 00:00:00"]


def test_a_column_called_hour_that_holds_more_than_hours_is_a_value() -> None:
    rows = [f"2024-03-{n % 28 + 1:02},{n % 25},2{n}.5" for n in range(60)]
    found, _ = read(table("date,hour,value", *rows))
    assert found.columns == ("hour", "value")


def test_a_response_time_beside_the_times_is_a_value() -> None:
    rows = numbered("2024-03-0{day} {hour:02}:00,2{n}.05,0")
    found, _ = read(table("datetime,time,lost", *rows))
    assert (found.time, found.columns) == ("datetime", ("time", "lost"))


def test_row_numbers_are_no_times() -> None:
    found, records = read(table("index,value", *numbered("{n},2{n}.05")))
    assert (found.time, found.columns) == (None, ("value",))
    assert records[0].seconds is None


def test_elapsed_seconds_are_said_to_be_read_as_seconds_since_1970() -> None:
    found, _ = read(table("time,value", *numbered("{n}.25,7{n}")))
    assert found.time == "time"
    assert "times such as '0.25' in time are read as seconds since 1970" in warnings(found)


def test_epochs_are_read_without_a_warning() -> None:
    found, records = read(table("time,value", *numbered("17092512{n:02},7{n}")))
    assert warnings(found) == ""
    assert at(records[0]) == "2024-03-01 00:00:00"


@pytest.mark.parametrize(
    ("name", "cell", "second"),
    [
        ("time", "202403{day:02}{hour:02}1000", "2024-03-01 01:10:00"),
        ("time", "202403{day:02}{hour:02}10", "2024-03-01 01:10:00"),
        ("time", "202403{day:02}{hour:02}", "2024-03-01 01:00:00"),
        ("MESS_DATUM", "202403{day:02}{hour:02}", "2024-03-01 01:00:00"),
        ("TIMESTAMP_START", "202403{day:02}{hour:02}00", "2024-03-01 01:00:00"),
        ("started", "202403{day:02}{hour:02}00", "2024-03-01 01:00:00"),
        ("Date", "{n}0000", None),
    ],
)
def test_times_of_digits_only_are_no_seconds(name: str, cell: str, second: str | None) -> None:
    found, records = read(table(f"{name},value", *numbered(f"{cell},7{{n}}")))
    if second is None:
        assert "since 1970" in warnings(found)
    else:
        assert (found.time, found.columns) == (name, ("value",))
        assert at(records[1]) == second


@pytest.mark.parametrize(
    ("header", "row", "second"),
    [
        ("Date,v", "{n45352},1.5", "2024-03-02 00:00:00"),
        ("Zeit;v", "{n45352},25;1,5", "2024-03-02 06:00:00"),
        ("ts;v", "{n1709251200},5;1,5", "2024-03-01 00:00:01.500000"),
    ],
)
def test_days_of_spreadsheets_and_numbers_with_a_comma_are_times(
    header: str, row: str, second: str
) -> None:
    rows = [
        row.replace("{n45352}", str(45352 + n)).replace("{n1709251200}", str(1709251200 + n))
        for n in range(30)
    ]
    found, records = read(table(header, *rows))
    assert found.columns == ("v",)
    assert at(records[1]) == second


@pytest.mark.parametrize(
    ("cell", "first"),
    [
        ("24-03-01 {hour:02}:00", "2024-03-01 00:00:00"),
        ("25-06-24 {hour:02}:00", "2024-06-25 00:00:00"),
    ],
)
def test_the_year_of_two_digits_may_come_first(cell: str, first: str) -> None:
    found, records = read(table("time,value", *numbered(f"{cell},7{{n}}", 20)))
    assert at(records[0]) == first
    assert "if that is wrong, add --set time_format='" in warnings(found)


@pytest.mark.parametrize(
    ("cell", "second"),
    [
        ("{n1:02}/06/24", "2024-06-02 00:00:00"),
        ("{n1:02}-06-24", "2024-06-02 00:00:00"),
        ("24-06-{n1:02}", "2024-06-02 00:00:00"),
    ],
)
def test_days_in_a_row_show_which_number_is_the_day(cell: str, second: str) -> None:
    rows = [cell.format(n1=n + 1) + f",7{n}" for n in range(26)]
    found, records = read(table("time,value", *rows))
    assert at(records[1]) == second
    assert warnings(found) == ""


@pytest.mark.parametrize(
    ("header", "row", "timed", "columns"),
    [
        ("data", "{large}", None, ("data",)),
        ("time,data_rate", "{n}.5,{large}", "time", ("data_rate",)),
        ("uptime,load", "{large}.25,{n}", None, ("uptime", "load")),
        ("host,updates,load", "a,{large},{n}", None, ("updates", "load")),
        ("time,value", "{half},{n}", "time", ("value",)),
        ("time,value", "{back},{n}", "time", ("value",)),
        ("time,value", '"1,709,251,2{n:02}",{n}', None, ("time", "value")),
    ],
)
def test_numbers_of_the_size_of_spreadsheet_days_are_numbers(
    header: str, row: str, timed: str | None, columns: tuple[str, ...]
) -> None:
    rows = [row.format(n=n, large=40000 + n, half=n // 2, back=300 - 3 * n) for n in range(60)]
    found, records = read(table(header, *rows))
    assert (found.time, found.columns) == (timed, columns)
    assert len(records) == 60


def test_an_epoch_of_zero_among_others_is_still_a_time() -> None:
    rows = [f"{0 if n == 7 else 1709251200 + 60 * n},{n}" for n in range(60)]
    found, _ = read(table("timestamp,value", *rows))
    assert (found.time, found.columns) == ("timestamp", ("value",))


def test_series_one_after_the_other_stay_in_the_order_of_their_reading() -> None:
    days = ["03/01", "03/02", "03/03", "04/01", "04/02", "04/03", "05/01"]
    rows = [f"{name},{day}/2024 10:00,1" for name in "ab" for day in days]
    _, records = read(table("Series,Time,Value", *rows))
    assert [record.timestamp[:5] for record in records] == days


# Rows


PIVOTED = (
    ",result,table,_time,cpu,host",
    *(
        f",_result,{n % 2},2024-03-01T00:{n // 2:02}:00Z,{n % 2 * 90 + 1},{'ab'[n % 2]}"
        for n in range(40)
    ),
)


def test_hosts_of_a_pivoted_table_do_not_overwrite_each_other() -> None:
    found, records = read(table(*PIVOTED))
    assert found.columns == ("a.cpu", "b.cpu")
    assert len(records) == 20
    assert records[0].values == (1.0, 91.0)


def test_a_field_of_text_is_no_key_of_an_annotated_table() -> None:
    found, _ = read(
        table(
            "#group,false,false,false,false,false,true",
            "#datatype,string,long,dateTime:RFC3339,double,string,string",
            "#default,_result,,,,,",
            ",result,table,_time,cpu,status,host",
            *(
                f",,0,2024-03-01T00:{n:02}:00Z,{n},{'ok' if n % 3 else 'warn'},{'ab'[n > 15]}"
                for n in range(30)
            ),
        )
    )
    assert found.columns == ("a.cpu", "b.cpu")


def test_times_are_in_order_by_what_they_are_and_not_by_their_letters() -> None:
    rows = [f",,0,2024-03-01T00:00:{n // 2:02}{'.5' if n % 2 else ''}Z,{n},a" for n in range(40)]
    header = (
        "#group,false,false,true,false,true",
        "#datatype,string,long,dateTime:RFC3339,double,string",
        ",result,table,_time,cpu,host",
    )
    _, records = read(table(*header, *rows))
    assert [record.values[0] for record in records] == list(range(40))


def test_an_hour_that_comes_twice_loses_no_record(caplog: pytest.LogCaptureFixture) -> None:
    hours = [0, 1, 2, 2, *range(3, 24)]
    rows = [f"{name},2024-10-27 {h:02}:00:00,{h}" for name in ("a", "b") for h in hours]
    with caplog.at_level(logging.WARNING):
        _, records = read(table("Series,Time,Value", *rows))
    assert len(records) == 25


def test_records_of_one_time_are_said_to_be_so(caplog: pytest.LogCaptureFixture) -> None:
    rows = [f"2024-03-01 {n // 3:02}:00,{n % 3},{n}" for n in range(60)]
    with caplog.at_level(logging.WARNING):
        read(table("time,sensor_id,value", *rows))
    assert "40 of 60 records have the time of the record before them" in caplog.text


def test_an_export_without_groups_has_the_keys_of_its_texts() -> None:
    rows = [
        f",,0,2024-03-01T00:{n // 4:02}:00Z,{n % 4},{'ui'[n % 4 < 2]},cpu,{'ab'[n % 2]}"
        for n in range(80)
    ]
    header = (
        "#group,false,false,false,false,false,false,false",
        "#datatype,string,long,dateTime:RFC3339,double,string,string,string",
        ",result,table,_time,_value,_field,_measurement,host",
    )
    found, records = read(table(*header, *rows))
    assert set(found.columns) == {"u.a._value", "u.b._value", "i.a._value", "i.b._value"}
    assert len(records) == 20


def test_a_field_of_text_is_no_key_of_a_pivoted_table() -> None:
    rows = [
        f",_result,0,2024-03-01T00:{n:02}:00Z,{n},{'ok' if n % 3 else 'warn'}" for n in range(40)
    ]
    found, records = read(table(",result,table,_time,cpu,status", *rows))
    assert found.columns == ("cpu",)
    assert len(records) == 40


def test_a_missing_value_with_a_hash_is_no_comment() -> None:
    rows = [f"{'#N/A' if n % 10 == 3 else n},2024-03-01 00:{n:02}" for n in range(60)]
    _, records = read(table("temp,time", *rows))
    assert len(records) == 60


def test_a_first_record_of_small_numbers_is_no_header() -> None:
    _, records = read(table("temp,on,count", ",0,1", *numbered("{n},0,1")))
    assert len(records) == 31


def test_many_records_of_one_time_take_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        rows = ((n, {"time": "2024-03-01", "value": n}) for n in range(count))
        gc.disable()  # a collection takes as long as the other tests have left objects
        try:
            begun = time.process_time()
            assert len(list(joining.sorted_by_time("x", rows, "time"))) == count
            return time.process_time() - begun
        finally:
            gc.enable()

    assert seconds(40_000) < 20 * max(seconds(4_000), 0.01)


def test_a_row_that_was_commented_out_is_no_record() -> None:
    rows = numbered("2024-03-0{day} {hour:02}:00:00,7{n}")
    rows.insert(5, "#2024-03-01 05:00:00,9999")
    _, records = read(table("time,value", *rows))
    assert len(records) == 30
    assert max(record.values[0] for record in records) < 1000


@pytest.mark.parametrize("first", ["", "time"])
def test_a_header_of_numbers_behind_an_index_is_a_header(first: str) -> None:
    rows = numbered("2024-03-0{day} {hour:02}:00,2{n}.05,1{n}")
    found, records = read(table(f"{first},0,1", *rows))
    assert found.columns == ("0", "1")
    assert len(records) == 30


@pytest.mark.parametrize("header", ["time\tcpu %\tmem", "time\tvalue (ms)\tmem"])
def test_cells_between_tabs_may_hold_blanks(header: str) -> None:
    rows = numbered("2024-03-0{day} {hour:02}:00:00\t2{n}\t5")
    found, _ = read(table(header, *rows), "table.tsv")
    assert found.columns == tuple(header.split("\t")[1:])


@pytest.mark.parametrize(("date", "is_said"), [("01/03/2024", True), ("13/03/2024", False)])
def test_a_report_whose_day_and_month_may_be_exchanged_is_said(
    date: str, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    header = f"Linux 5.15.0 (web1) {date} _x86_64_ (4 CPU)\n\n00:00:01 CPU %user %idle"
    rows = [f"{n % 24:02}:{n // 24:02}:01 all {n}.10 {90 - n}.20" for n in range(20)]
    with caplog.at_level(logging.WARNING):
        read(table(header, *rows), "sar.txt")
    assert ("is read with the month first" in caplog.text) == is_said


# Numbers


def test_thousands_with_points_beside_german_dates_are_not_decimals() -> None:
    rows = [f"{n:02}.03.2024;{n}.100" for n in range(10, 30)]
    with pytest.raises(InputError, match="say which with --set decimal=comma"):
        read(table("Datum;Umsatz", *rows))


def test_a_footnote_mark_is_no_digit() -> None:
    rows = numbered("2024-03-0{day} {hour:02}:00;{n};1")
    rows[3] = "2024-03-01 03:00;4\u00b9;1"
    found, _ = read(table("time;v;w", *rows))
    assert found.columns == ("w",)
    assert "v (units that do not fit together, such as '0' and '4\u00b9')" in found.notes[0][1]


@pytest.mark.parametrize("cell", ["(null)", "\\N", "#NV", "<NA>"])
def test_other_words_for_a_missing_value_are_known(cell: str) -> None:
    rows = numbered("2024-03-0{day} {hour:02}:00:00,7{n}")
    rows[3] = f"2024-03-01 03:00:00,{cell}"
    _, records = read(table("time,value", *rows))
    assert str(records[3].values[0]) == "nan"


# Several series in one file


def test_labels_that_differ_in_their_names_only_are_several_series() -> None:
    series = [
        {"metric": {label: "user"}, "values": [[1709251200 + 15 * n, f"{n}.5"] for n in range(40)]}
        for label in ("mode", "state")
    ]
    text = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}})
    found, records = read(text, "m.json")
    assert found.columns == ("mode=user.value", "state=user.value")
    assert (len(records), records[3].values) == (40, (3.5, 3.5))


def test_labels_whose_values_are_alike_when_joined_are_several_series() -> None:
    series = [
        {"metric": metric, "values": [[1709251200 + 15 * n, f"{n}.5"] for n in range(40)]}
        for metric in ({"a": "x.y", "value": "1"}, {"a": "x", "b": "y", "value": "1"})
    ]
    text = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}})
    found, records = read(text, "m.json")
    assert found.columns == ("a=x.y.value", "a=x.b=y.value")
    assert len(records) == 40


def test_labels_and_dimensions_that_are_called_alike_are_several_series() -> None:
    points = [
        {"interval": {"endTime": f"2024-03-01T00:{n:02}:00Z"}, "value": {"doubleValue": n + 0.5}}
        for n in range(40)
    ]
    series = [
        {"metric": {"type": kind, "labels": {"type": "a", "zone": "m"}},
         "resource": {"type": "vm", "labels": {"zone": "z"}}, "points": points}
        for kind in ("load", "disk")
    ]  # fmt: skip
    found, records = read(json.dumps({"timeSeries": series}), "g.json")
    assert (found.columns, len(records)) == (("load.value", "disk.value"), 40)
    data = [{"timeStamp": f"2024-03-01T00:{n:02}:00Z", "average": n + 0.5} for n in range(40)]
    one = [{"metadatavalues": [{"name": {"value": "name"}, "value": "vm"}], "data": data}]
    metrics = [{"name": {"value": name}, "timeseries": one} for name in ("CPU", "Disk")]
    found, records = read(json.dumps({"value": metrics}), "a.json")
    assert (found.columns, len(records)) == (("CPU.average", "Disk.average"), 40)


def test_a_tag_and_a_field_of_one_name_stay_apart() -> None:
    lines = [f"cpu,usage=idle usage=0.{n + 10},load={n}.5 {1709251200 + n}" for n in range(40)]
    found, records = read(table(*lines), "m.txt")
    assert found.columns == ("usage", "load")
    assert records[2].values == (0.12, 2.5)
    lines[1::2] = [line.replace(" usage=0.", " more=0.") for line in lines[1::2]]
    assert read(table(*lines), "m.txt")[0].columns == ("usage", "load", "more")


SAR = "Linux 5.15.0 (web1) 2024-03-0{} _x86_64_ (4 CPU)\n"


def test_a_report_of_two_tables_that_follow_each_other_is_refused() -> None:
    first = [f"{n // 6:02}:{n % 6}0:01 all {n}.5 {90 - n}.5" for n in range(40)]
    second = [f"{n // 6:02}:{n % 6}0:01 {1000 + n} {2000 - n}" for n in range(1, 40)]
    header, other = "00:00:01 CPU %user %idle", "00:00:01 kbmemfree kbmemused"
    text = table(SAR.format(1), header, *first, "", other, *second)
    with pytest.raises(InputError, match="line 45: expected one table, received another one"):
        read(text, "sar.txt")


def test_reports_of_two_days_may_have_other_columns_on_the_second() -> None:
    first = [f"{n // 6:02}:{n % 6}0:01 all {n}.5" for n in range(40)]
    second = [f"{line} 1.5" for line in first]
    headers = "00:00:01 CPU %user", "00:00:01 CPU %user %idle"
    text = table(SAR.format(1), headers[0], *first, "", SAR.format(2), headers[1], *second)
    _, records = read(text, "sar.txt")
    assert (len(records), at(records[40])) == (80, "2024-03-02 00:00:01")


@pytest.mark.parametrize("start", [0, 22])
def test_a_report_of_two_tables_in_turns_is_one_of_both_over_midnight(start: int) -> None:
    def both(n: int) -> str:
        clock = f"{(start + n // 6) % 24:02}:{n % 6}0:01"
        parts = f"{clock} CPU %user\n{clock} all {n}.5\n", f"{clock} kbmemfree\n{clock} {n}\n"
        return "\n".join(parts)

    found, records = read(table(SAR.format(1), *map(both, range(160))), "sar.txt")
    assert found.columns == ("all.%user", "kbmemfree")
    assert (len(records), records[-1].values) == (160, (159.5, 159.0))
    assert at(records[-1]) == {0: "2024-03-02 02:30:01", 22: "2024-03-03 00:30:01"}[start]


# Reports and quotation marks


def test_columns_of_a_report_with_one_name_stay_apart() -> None:
    found, records = read(
        table("KB/t tps MB/s KB/t tps MB/s", *numbered("1{n} 2{n} 3{n} 4 5{n} 6"))
    )
    assert found.columns[:4] == ("KB/t", "tps", "MB/s", "KB/t 2")
    assert records[2].values == (12, 22, 32, 4, 52, 6)
    found, records = read(table("# gpu sm mem", "# Idx % %", *numbered("0 1{n} 2{n}", 40)), "m.txt")
    assert {"sm", "mem"} <= {*found.columns}


def test_a_row_of_missing_numbers_is_no_header_of_a_report() -> None:
    values = ["nan nan" if n == 20 else f"{n} 2{n}" for n in range(60)]
    rows = [f"{n // 6:02}:{n % 6}0:00 {value}" for n, value in enumerate(values)]
    found, records = read(table(SAR.format(1), "00:00:00 cpu mem", *rows), "m.txt")
    assert (found.columns, len(records)) == (("cpu", "mem"), 60)


def test_times_with_a_colon_behind_them_are_those_of_the_records() -> None:
    rows = [f"{1709251200 + 60 * n}: {n}.5e+01 {n}" for n in range(40)]
    found, records = read(table("cpu mem", "", *rows), "rrd.txt")
    assert (found.columns, at(records[1])) == (("cpu", "mem"), "2024-03-01 00:01:00")


def test_integers_behind_a_comma_and_a_blank_are_no_report() -> None:
    rows = [f"{1709251200 + 60 * n}, {n}, 2{n}" for n in range(40)]
    found, records = read(table("time, cpu, mem", *rows))
    assert (found.time, found.columns) == ("time", ("cpu", "mem"))
    assert records[3].values == (3, 23)


def test_thousands_beside_german_dates_are_refused_whatever_the_delimiter() -> None:
    rows = [
        f"0{n // 24 + 1}.03.2024 {n % 24:02}:00\t{'1.060' if n % 5 else '800'}" for n in range(72)
    ]
    with pytest.raises(InputError, match=r"expected numbers with one meaning, received '1\.060'"):
        read(table("Zeit\tAnrufe", *rows))


def test_numbers_of_columns_above_times_are_their_names() -> None:
    text = table("0,1", *numbered("2024-03-0{day} {hour:02}:00:00,2{n}.5"))
    found, records = read(text)
    assert (found.time, found.columns, len(records)) == ("0", ("1",), 30)
    known = SeriesLayout("0", found.columns, header=found.header, reading=found.reading)
    assert list(time_series.read("table.csv", known).records) == records


def test_three_decimals_between_commas_are_decimals_beside_german_dates() -> None:
    rows = [f"0{n // 24 + 1}.03.2024 {n % 24:02}:00,{n}.178" for n in range(72)]
    _, records = read(table("Datum,Wert", *rows))
    assert records[3].values == (3.178,)


def test_words_for_missing_values_among_texts_are_texts() -> None:
    rows = [f"2024-03-01 {n // 60:02}:{n % 60:02},2{n}.5,unknown" for n in range(1_200)]
    rows += [f"2024-03-02 00:{n:02},2{n}.5,charging" for n in range(60)]
    found, records = read(table("time,value,state", *rows))
    assert (found.columns, len(records)) == (("value",), 1_260)
    rows = [f"2024-03-01 00:{n:02},{'unknown' if n == 7 else n}" for n in range(60)]
    _, records = read(table("time,value", *rows))
    assert math.isnan(records[7].values[0])


def test_a_cell_may_have_several_lines() -> None:
    rows = numbered("2024-03-0{day} {hour:02}:00:00,2{n}.5,ok", 60)
    rows[20] = rows[20].replace("ok", '"disk full\non web1, web2, web3"')
    assert len(read(table("time,value,note", *rows))[1]) == 60


def test_two_long_series_that_follow_each_other_are_two_columns() -> None:
    series = [
        {"metric": {"host": host}, "values": [[1709251200 + 60 * n, str(n)] for n in range(1_500)]}
        for host in ("a", "b")
    ]
    text = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}})
    found, records = read(text, "m.json")
    assert (found.columns, len(records)) == (("a.value", "b.value"), 1_500)


def test_series_keep_their_names_when_another_one_is_missing() -> None:
    def text(*labels: dict[str, str]) -> str:
        series = [
            {"metric": one, "values": [[1709251200 + 60 * n, str(n)] for n in range(60)]}
            for one in labels
        ]
        return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}})

    several = {"a": "x.y", "b": "z"}, {"a": "x", "b": "y.z"}
    found, _ = read(text(*several), "m.json")
    assert found.columns == ("a=x.y.b=z.value", "a=x.b=y.z.value")
    assert found.reading is not None
    known = SeriesLayout("time", found.columns[:1], header=found.header, reading=found.reading)
    Path("m.json").write_text(text(several[0]))
    assert len(list(time_series.read("m.json", known).records)) == 60


def test_a_quotation_mark_that_is_not_closed_takes_no_rows() -> None:
    rows = numbered("2024-03-0{day} {hour:02}:00:00,2{n}.5,ok", 60)
    rows[20] = rows[20].replace("ok", '"bad')
    with pytest.raises(InputError, match="line 61: expected the closing quotation mark"):
        read(table("time,value,note", *rows))
