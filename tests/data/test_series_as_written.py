"""Tables of numbers are read as they were written, or refused with the cell that is not clear."""

import itertools
import json
import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keras_recipes.data import record_kind, time_series
from keras_recipes.data.series import order
from keras_recipes.data.time_series import MONDAY, Record, Series, SeriesLayout
from keras_recipes.errors import InputError
from tests.data.series_members import KINDS, RECORDS, REFUSED, Member, clock, day, lines, load

MEMBERS = [
    pytest.param(member, id=f"{kind}: {name}")
    for kind, members in KINDS.items()
    for name, member in members.items()
]

DOCUMENTS = ("annotated", "json")
"""The forms whose records are known when the whole document is there."""


def written(member: Member) -> Path:
    path = Path(member.name)
    path.write_text(member.text, encoding="utf-8")
    return path


def known(found: Series, **more: object) -> SeriesLayout:
    """Return the layout of a series as a card gives it back."""
    layout = SeriesLayout(
        time=found.time, columns=found.columns, header=found.header or None, reading=found.reading
    )
    kept = json.loads(json.dumps(layout.to_json()))
    return SeriesLayout.from_json(kept)


def time_of(record: Record) -> str | None:
    if record.seconds is None:
        return None
    return str(MONDAY + timedelta(seconds=record.seconds))


@pytest.mark.parametrize("member", MEMBERS)
def test_a_table_is_read_as_it_was_written(member: Member) -> None:
    path = written(member)
    assert record_kind.recognise([str(path)]) == "metrics"
    found = time_series.read(str(path))
    records = list(found.records)
    assert found.columns == member.columns
    assert len(records) == RECORDS
    assert records[0].values == pytest.approx(member.first)
    assert records[-1].values == pytest.approx(member.last)
    assert time_of(records[0]) == member.begin


@pytest.mark.parametrize("member", MEMBERS)
def test_file_and_stream_are_read_as_the_card_says(member: Member) -> None:
    found = time_series.read(str(written(member)))
    layout, records = known(found), list(found.records)
    assert list(time_series.read(member.name, layout).records) == records
    refused: list[str] = []
    stream = iter(member.text.splitlines(keepends=True))
    assert list(time_series.from_lines("stdin", stream, layout, refused.append).records) == records
    assert not refused


@pytest.mark.parametrize("member", MEMBERS)
def test_a_record_is_there_when_its_lines_are_and_a_document_s_at_the_end(member: Member) -> None:
    found = time_series.read(str(written(member)))
    assert found.reading is not None
    is_document = found.reading.form in DOCUMENTS and not member.name.endswith("jsonl")
    one_by_one = member.text.startswith("Series;")  # a series follows the other
    taken = 0

    def arriving() -> Iterator[str]:
        nonlocal taken
        for line in member.text.splitlines(keepends=True):
            taken += 1
            yield line

    layout = known(found)
    records = time_series.from_lines("stdin", arriving(), layout, [].append).records
    used = []
    for _ in itertools.islice(records, 5):
        used.append(taken)
    if is_document or one_by_one:
        assert set(used) == {len(member.text.splitlines())}
        return
    steps = {b - a for a, b in itertools.pairwise(used)}
    assert len(steps) == 1, "each record takes as many lines"
    assert used[-1] < 60


@pytest.mark.parametrize("case", REFUSED)
def test_what_may_mean_two_things_is_refused_with_the_cell(case: str) -> None:
    name, text, message = REFUSED[case]
    Path(name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as raised:
        list(time_series.read(name).records)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("decimal", "value"), [(".", 1985.0), (",", 1.985)], ids=["point", "comma"]
)
def test_the_user_can_say_what_a_mark_means(decimal: str, value: float) -> None:
    Path("m.csv").write_text("time;v\n" + lines(lambda n: f"{day(n)};1,985"))
    found = time_series.read("m.csv", SeriesLayout(decimal=decimal))
    assert {record.values[0] for record in found.records} == {value}


@pytest.mark.parametrize("decimal", [".", ","])
def test_the_user_can_say_whether_a_comma_is_a_delimiter(decimal: str) -> None:
    Path("m.csv").write_text(lines(lambda n: f"21,{n % 10}"))
    first = next(time_series.read("m.csv", SeriesLayout(decimal=decimal)).records)
    assert first.values == ((21.0,) if decimal == "," else (21.0, 0.0))


def notes(text: str, name: str = "m.csv", **said: object) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return "\n".join(note for _, note in time_series.read(name, SeriesLayout(**said)).notes)


@pytest.mark.parametrize(
    ("name", "cell", "reason"),
    [
        ("host", lambda n: "web1", "host (text, always 'web1')"),
        ("host", lambda n: f"web{n % 2}", "host (text that changes, such as 'web0' and 'web1')"),
        ("anomaly", lambda n: "0.0", "anomaly (labels, 0 or 1)"),
        ("is_anomaly", lambda n: n % 2, "is_anomaly (labels, 0 or 1)"),
        ("Label", lambda n: 0, "Label (labels, 0 or 1)"),
        ("changepoint", lambda n: "0", "changepoint (labels, 0 or 1)"),
        ("outlier", lambda n: "False", "outlier (labels, 0 or 1)"),
        ("started", day, "started (times)"),
        ("", lambda n: n, "column 3 (row numbers)"),
        ("", lambda n: "", "column 3 (empty)"),
        ("size", lambda n: f"{n + 1} {'kg' if n % 2 else 'ms'}",
         "size (units that do not fit together, such as '1 ms' and '2 kg')"),
    ],
)  # fmt: skip
def test_a_column_that_is_not_watched_is_named_with_the_reason(
    name: str, cell: object, reason: str
) -> None:
    assert callable(cell)
    text = f"time,value,{name}\n" + lines(lambda n: f"{day(n)},{load(n)},{cell(n)}")
    assert reason in notes(text)
    assert time_series.read("m.csv").columns == ("value",)


def test_a_column_named_as_a_label_is_watched_if_it_holds_other_numbers_or_if_asked_for() -> None:
    text = "time,value,label\n" + lines(lambda n: f"{day(n)},{load(n)},{n % 5}")
    Path("m.csv").write_text(text)
    assert time_series.read("m.csv").columns == ("value", "label")
    Path("m.csv").write_text(text.replace("label", "anomaly"))
    named = SeriesLayout(columns=("anomaly",))
    assert time_series.read("m.csv", named).columns == ("anomaly",)


@pytest.mark.parametrize("cell", ["3h05", "00:10", "soon", "2024-13-45 10:00"])
def test_a_column_called_time_that_is_not_read_is_a_warning_with_the_way_out(cell: str) -> None:
    said = notes("time,value\n" + lines(lambda n: f"{cell},{load(n)}"))
    assert f"column 'time' is not read as times: {cell!r}" in said
    assert "--set time_format=" in said


def test_a_text_that_changes_is_a_warning_that_names_it() -> None:
    Path("m.csv").write_text(
        "time,host,value\n" + lines(lambda n: f"{day(n)},web{n % 2},{load(n)}")
    )
    warnings = [note for is_warning, note in time_series.read("m.csv").notes if is_warning]
    assert any("text in host changes" in note for note in warnings)


def test_a_time_format_needs_no_name_of_a_column() -> None:
    Path("m.csv").write_text("a,b\n" + lines(lambda n: f"{load(n)},1.3.24 {clock(n)}h"))
    found = time_series.read("m.csv", SeriesLayout(time_format="%d.%m.%y %H:%Mh"))
    assert (found.time, found.columns) == ("b", ("a",))
    with pytest.raises(InputError, match=r"expected a time written as '%H' .*'1.3.24 00:00h'"):
        time_series.read("m.csv", SeriesLayout(time_format="%H"))


def test_where_nothing_shows_which_of_day_and_month_is_first_it_is_said() -> None:
    text = "time,value\n" + lines(lambda n: f"03/04/2024 {clock(n)},{load(n)}")
    assert "month first; if that is wrong, add --set time_format='%d/%m/%Y %H:%M'" in notes(text)
    assert "day first" in notes(text.replace(",", ";").replace(".", ","))
    assert notes(text.replace("03/04", "13/04")) == ""


def test_a_day_that_contradicts_the_order_of_the_table_is_refused() -> None:
    text = "time,value\n" + lines(lambda n: f"03/04/2024 {clock(n % 100)},{n}", 1_200)
    Path("m.csv").write_text(text + "13/04/2024 00:00,5\n")
    with pytest.raises(InputError, match="expected a time, received '13/04/2024 00:00'"):
        list(time_series.read("m.csv").records)


def test_a_table_that_another_program_wrote_is_not_read_with_the_first_one_s_marks() -> None:
    Path("m.csv").write_text("time;value\n" + lines(lambda n: f"{day(n)};1.{100 + n},5"))
    layout = known(time_series.read("m.csv"))
    Path("other.csv").write_text("time,value\n" + lines(lambda n: f"{day(n)},1.985"))
    with pytest.raises(InputError, match=r"received '1\.985'"):
        list(time_series.read("other.csv", layout).records)


def test_a_stray_line_does_not_end_a_stream() -> None:
    Path("m.csv").write_text("time;value\n" + lines(lambda n: f"{day(n)};{n},5"))
    found = time_series.read("m.csv")
    stray = ["time;value\n", "what\n", "2024-03-01 00:00;1.5\n", "soon;1,5\n", ";;;\n", "\n"]
    refused: list[str] = []
    stream = [*stray, "2024-03-01 00:10;2,5\n"]
    records = time_series.from_lines("stdin", iter(stream), known(found), refused.append).records
    assert [record.values for record in records] == [(2.5,)]
    assert any("received '1.5'" in message for message in refused)
    assert any("received 'soon'" in message for message in refused)


def test_a_stream_may_begin_behind_its_header() -> None:
    Path("m.csv").write_text("a;time;b\n" + lines(lambda n: f"{n},5;{day(n)};x"))
    layout = known(time_series.read("m.csv"))
    stream = iter(["7,5;2024-03-01 00:00;x\n"])
    records = time_series.from_lines("stdin", stream, layout, [].append).records
    assert [record.values for record in records] == [(7.5,)]


def test_a_report_may_go_on_behind_its_header() -> None:
    Path("m.txt").write_text("r  b  us  id\n" + lines(lambda n: f"1  0  {n}  80"))
    layout = known(time_series.read("m.txt"))
    stream = iter(["1  0  7  80\n"])
    records = time_series.from_lines("stdin", stream, layout, [].append).records
    assert [record.values for record in records] == [(1, 0, 7, 80)]


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_beyond_the_calendar_is_refused(time: str) -> None:
    Path("m.csv").write_text("time,value\n" + lines(lambda n: f"{day(n)}:00Z,1") + f"{time},1\n")
    with pytest.raises(InputError, match="expected a time of the years 1 to 9999"):
        list(time_series.read("m.csv", SeriesLayout(zone="Europe/Berlin")).records)


def test_another_series_among_one_is_refused() -> None:
    text = lines(lambda n: f"cpu,host=h1 u={n} {1709251200 + n}")
    Path("m.txt").write_text(text)
    layout = known(time_series.read("m.txt"))
    mixed = [*text.splitlines(keepends=True)[:2], "cpu,host=h2 u=99 1709251300\n"]
    refused: list[str] = []
    records = time_series.from_lines("stdin", iter(mixed), layout, refused.append).records
    assert [record.values for record in records] == [(0,), (1,)]
    assert "expected one series with host 'h1', received 'h2'" in refused[0]


def said(caplog: pytest.LogCaptureFixture, seconds: list[float | None]) -> str:
    records = (Record(str(one), one, (1.0,)) for one in seconds)
    with caplog.at_level(logging.INFO):
        assert len(list(order.watched("m.csv", records))) == len(seconds)
    return caplog.text


def test_newest_first_and_irregular_records_are_said(caplog: pytest.LogCaptureFixture) -> None:
    assert "9 records are older than the record before them: the newest come first" in said(
        caplog, [600.0 * n for n in range(10)][::-1]
    )
    caplog.clear()
    assert "3 records are older than the record before them; records" in said(
        caplog, [600.0 * n if n % 10 else 600.0 * (n - 5) for n in range(40)]
    )
    caplog.clear()
    assert (
        "30 of 99 gaps between records are unlike the usual one, 10 minutes"
        in said(caplog, [600.0 * (n + sum(10 * i < 3 * n for i in range(30))) for n in range(100)])
        or "are irregular" in caplog.text
    )


def test_regular_records_and_records_without_times_are_not_said_to_be_irregular(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert said(caplog, [600.0 * n + n % 3 for n in range(300)]) == ""
    assert said(caplog, [600.0 * (n + 50 * (n > 100)) for n in range(300)]) == ""
    assert said(caplog, [None] * 50) == ""


def test_a_card_of_an_earlier_version_reads_tables_as_it_did() -> None:
    layout = SeriesLayout.from_json(
        {
            "time": "time",
            "columns": ["v"],
            "time_format": None,
            "zone": None,
            "header": ["time", "v"],
        }
    )
    Path("m.csv").write_text("time;v\n03/06/2024 12:00;1.5\n13/06/2024 12:00;-\n")
    records = list(time_series.read("m.csv", layout).records)
    assert [time_of(record) for record in records] == ["2024-03-06 12:00:00", "2024-06-13 12:00:00"]
    assert records[0].values == (1.5,)
    assert math.isnan(records[1].values[0])
    assert layout.to_json() == replace(layout).to_json()
    assert "reading" not in layout.to_json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("form", "magic"),
        ("delimiter", "x"),
        ("marks", {"decimal": "x", "grouped": True}),
        ("marks", {"decimal": ",", "grouped": 1}),
        ("units", {"v": 5}),
        ("units", []),
        ("formats", "%d"),
        ("formats", ["%d"] * 1_000),
        ("clock", 5),
        ("day_first", "yes"),
        ("keys", [["a"]]),
    ],
)
def test_a_damaged_reading_in_a_card_is_not_used(name: str, value: object) -> None:
    Path("m.csv").write_text("time;value\n" + lines(lambda n: f"{day(n)};{n},5"))
    kept = known(time_series.read("m.csv")).to_json()
    kept["reading"][name] = value
    with pytest.raises((TypeError, ValueError, KeyError, AttributeError)):
        SeriesLayout.from_json(kept)
