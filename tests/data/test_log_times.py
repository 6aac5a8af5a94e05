"""The times of a log: what is given overrides what is detected, and no time becomes 0."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keras_recipes.data.logs import sessions
from keras_recipes.data.logs.layout import LogLayout
from keras_recipes.data.logs.parser import Parser
from keras_recipes.data.logs.recognition import recognise
from keras_recipes.data.logs.time_values import near, read
from keras_recipes.errors import CorruptModelError, InputError
from tests.command_line import Run

NEW_YEAR_2025 = 1735689600.0


def times(lines: list[bytes], **options: str) -> list[float]:
    return Parser(recognise(lines, **options)).parse(lines).times


def test_a_given_format_overrides_what_all_lines_seem_to_show() -> None:
    lines = [b"0%d/02/2025 00:00:00 job done" % day for day in range(1, 10)]
    assert times(lines, time_format="%d/%m/%Y %H:%M:%S")[:2] == [1738368000.0, 1738454400.0]
    assert times(lines, time_format="day/month/year") == times(
        lines, time_format="%d/%m/%Y %H:%M:%S"
    )
    other = times(lines, time_format="month/day/year")
    assert other[1] - other[0] == 31 * 86_400


def test_a_given_format_reads_what_is_in_no_table() -> None:
    lines = [b"|01~Jan~2025~00h%02d| job %d" % (i, i) for i in range(30)]
    assert times(lines, time_format="%d~%b~%Y~%Hh%M")[:2] == [NEW_YEAR_2025, NEW_YEAR_2025 + 60]


def test_the_second_time_of_a_line_can_be_taken() -> None:
    lines = [b"2025-01-01 00:00:%02d from 2024-06-01 00:00:00" % i for i in range(30)]
    first, second = times(lines), times(lines, time_format="iso#1")
    assert first[0] == NEW_YEAR_2025
    assert set(second) == {read("iso", b"2024-06-01 00:00:00")}


def test_the_field_of_the_times_can_be_given() -> None:
    lines = [b'{"time": 1735689600, "begun": "01.01.2024 00:00:%02d", "msg": "a"}' % i
             for i in range(30)]  # fmt: skip
    assert times(lines, time="begun")[0] == 1704067200.0
    assert times(lines, time="begun", time_format="%d.%m.%Y %H:%M:%S")[1] == 1704067201.0
    assert times(lines)[0] == NEW_YEAR_2025


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"time_format": "%Y-%m-%d"}, "needs %H"),
        ({"time_format": "%Q %H"}, "no directive %Q"),
        ({"time_format": "%H %H"}, "each directive once"),
        ({"time_format": "yesterday"}, "no spelling of times is named yesterday"),
        ({"time_format": "%H:%M " + "x" * 200}, "at most 100 characters"),
        ({"time_format": "%d.%m.%Y %H:%M"}, "which no line has"),
        ({"time": "ts"}, "time_format"),
    ],
)
def test_times_that_no_line_has_are_refused(options: dict[str, str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        recognise([b"2025-01-01 00:00:00 a"] * 30, **options)


def test_a_missing_field_of_times_is_refused() -> None:
    with pytest.raises(InputError, match="time: expected a field with times, received 'when'"):
        recognise([b'{"ts": 1735689600, "msg": "a"}'] * 30, time="when")


@pytest.mark.parametrize("time", ["%", "%H%H", "no such", "iso#11", "iso#-1", "%(a+)+$"])
def test_a_card_with_a_damaged_time_is_refused(time: str) -> None:
    values = recognise([b"2025-01-01 00:00:00 a"] * 30).to_json()
    with pytest.raises(CorruptModelError, match="layout of the log is damaged"):
        LogLayout.from_json({**values, "time": time})


@pytest.mark.parametrize(
    "damage",
    [
        {"columns": []},
        {"columns": "date time"},
        {"columns": [1, 2]},
        {"columns": ["a"] * 1_000},
        {"words": ["a"] * 4},
        {"words": [["a"]]},
        {"spelling": "%H%H"},
        {"spelling": 7},
        {"format": ["w3c"]},
        {"format": "jsonl"},
    ],
)
def test_a_card_with_damaged_columns_is_refused(damage: dict[str, object]) -> None:
    rows = [b"2025-01-01 00:00:%02d GET /a 200" % i for i in range(30)]
    layout = recognise([b"#Fields: date time cs-method cs-uri-stem sc-status", *rows])
    assert layout.words == ("cs-method", "sc-status", "cs-uri-stem")
    assert LogLayout.from_json(layout.to_json()) == layout
    with pytest.raises(CorruptModelError, match="layout of the log is damaged"):
        LogLayout.from_json({**layout.to_json(), **damage})


def test_a_date_in_a_column_of_its_own_is_no_part_of_the_event() -> None:
    lines = [b"#Fields: date time cs-method cs-uri-stem sc-status s-port"]
    lines += [b"2025-01-01 00:0%d:%02d GET /a 200 443" % divmod(i, 60) for i in range(200)]
    layout = sessions.with_masking(recognise(lines), [(0, lines)])
    today, tomorrow = (
        Parser(layout).parse([b"2025-01-%02d 00:00:00 GET /a 200 443" % day]).messages
        for day in (1, 2)
    )
    assert today == tomorrow
    assert b"GET" in today[0]


def test_years_go_on_over_new_year() -> None:
    lines = [b"Dec 31 23:59:%02d host app: a" % i for i in range(60)]
    lines += [b"Jan  1 00:00:%02d host app: a" % i for i in range(60)]
    found = times(lines)
    assert [b - a for a, b in itertools.pairwise(found)] == [1.0] * 119


def test_a_log_of_last_year_goes_on_over_the_day_of_today() -> None:
    begin = datetime.now(UTC) - timedelta(days=3)
    hours = [begin + timedelta(hours=n) for n in range(6 * 24)]
    lines = [f"{hour:%b %d %H:%M:%S} host app: a".encode() for hour in hours]
    for some in (lines, [b"<13>" + line for line in lines], [b"I " + line for line in lines]):
        found = times(some)
        assert [b - a for a, b in itertools.pairwise(found)] == [3600.0] * 143


def test_a_line_that_is_late_keeps_its_year() -> None:
    today = datetime.now(UTC).replace(microsecond=0)
    ahead, before = today + timedelta(days=2), today - timedelta(days=2)
    text = [f"{day:%b %d %H:%M:%S}".encode() for day in (ahead, before)]
    last, this = (read("syslog", spelt) for spelt in text)
    assert last is not None
    assert this is not None
    assert near("syslog", this, last) - last == -4 * 86_400
    assert near("syslog", last, this) - this == 4 * 86_400


def test_times_of_a_day_go_on_after_midnight() -> None:
    lines = [b"23:59:%02d started %d" % (i, i) for i in range(60)]
    lines += [b"00:00:%02d started %d" % (i, i) for i in range(60)]
    found = times(lines)
    assert [b - a for a, b in itertools.pairwise(found)] == [1.0] * 119


def test_lines_before_the_first_time_have_that_time() -> None:
    text = [b"Starting up"] + [b"2025-01-01 00:00:%02d a" % i for i in range(30)]
    syslog = [b"starting up"] + [b"Jan  1 00:00:%02d host app: a" % i for i in range(30)]
    jsonl = [b'{"msg": "b"}'] + [b'{"ts": %d, "msg": "a"}' % (1735689600 + i) for i in range(30)]
    for lines in (text, syslog, jsonl):
        found = times(lines)
        assert found[0] == found[1] > 1e9


def test_lines_without_a_time_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    lines = [b"2025-01-01 00:00:%02d a" % i for i in range(30)] + [
        b"no time",
        b"2025-99-01 00:00:00 b",
    ]
    sessions.collect(recognise(lines), [(0, lines)])
    assert "2 lines have no time that can be read" in caplog.text


@pytest.mark.full
def test_the_options_work_on_the_command_line(recipes: Run) -> None:
    Path("app.log").write_text(
        "".join(
            f"|0{1 + i // 1440}~02~2025 {i // 60 % 24:02d}h{i % 60:02d}| job\n" for i in range(2000)
        )
    )
    fit = recipes("fit", "lstm-anomaly", "--data", "app.log", "--set", "time_format=%d~%m~%Y %Hh%M",
                  "--epochs", "1", "--out", "m")  # fmt: skip
    assert fit.exit_code == 0, fit.stderr
    assert "time as %d~%m~%Y %Hh%M; sessions by windows of 300 s; 400 sessions" in fit.stderr
    wrong = recipes("fit", "lstm-anomaly", "--data", "app.log", "--out", "n",
                    "--set", "time_format=%d.%m.%Y %H:%M")  # fmt: skip
    assert wrong.exit_code == 2
    assert "which no line has" in wrong.stderr
