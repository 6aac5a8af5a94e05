"""Logs as people have them are read as what they are, or their anomalies are found."""

from pathlib import Path

import pytest

from keras_recipes.data import record_kind
from keras_recipes.data.logs import documents, sessions
from keras_recipes.data.logs.recognition import recognise
from tests.command_line import Run
from tests.shared_data import shared_data


def case(name: str) -> Path:
    return shared_data(f"cases/logs/{name}")


def read(path: Path) -> tuple[str, int]:
    """Return how a log is read, in words, and the number of its sessions."""
    layout = recognise([line for block in documents.blocks(path) for line in block])
    found = sessions.collect(layout, sessions.blocks([path])).sequences()
    return layout.in_words, len(found)


@pytest.mark.parametrize(
    "name",
    [
        *("bgl-label-first", "compose-prefix", "file-prefix", "german", "healthapp"),
        *("level-first", "logcat", "logfmt-ts", "tomcat"),
    ],
)
def test_a_time_anywhere_in_the_line_makes_windows_of_time(name: str) -> None:
    words, count = read(case(f"01-log-time-not-seen/{name}.log"))
    assert "sessions by windows of 300 s" in words
    assert 35 <= count <= 40


@pytest.mark.parametrize("name", ["reqId", "requestId", "sessionId", "traceId"])
def test_a_session_field_is_found_whatever_its_case(name: str) -> None:
    assert read(case(f"02-json-names/{name}.log")) == (
        f"jsonl; time in time; sessions by {name}",
        40,
    )


@pytest.mark.parametrize(
    ("name", "field"),
    [("cloudtrail", "eventTime"), ("epoch-us", "ts"), ("journald", "__REALTIME_TIMESTAMP")],
)
def test_the_times_of_json_are_found_in_any_unit(name: str, field: str) -> None:
    words, count = read(case(f"03-json-time-fields/{name}.log"))
    assert words == f"jsonl; time in {field}; sessions by windows of 300 s"
    assert 50 <= count <= 56


@pytest.mark.parametrize("name", ["events", "log"])
def test_a_table_with_messages_is_a_log(name: str) -> None:
    path = case(f"14-event-log-as-csv/{name}.csv")
    assert record_kind.recognise([str(path)]) == "logs"
    assert read(path)[1] == 300


def test_dates_of_a_table_are_read_as_the_whole_table_shows() -> None:
    path = case("14-event-log-as-csv/events.csv")
    layout = recognise([line for block in documents.blocks(path) for line in block])
    found = sessions.collect(layout, sessions.blocks([path])).sequences()
    assert layout.spelling == "month/day/year"
    assert found.names[0] == "2024-03-01T00:00:00Z"


@pytest.mark.parametrize(("name", "lines"), [("array", [1, 2]), ("pretty", [1, 6])])
def test_json_that_is_not_one_object_a_line_is_read_as_its_objects(
    name: str, lines: list[int]
) -> None:
    path = case(f"15-json-not-one-a-line/{name}.json")
    layout = recognise([line for block in documents.blocks(path) for line in block])
    found = sessions.collect(layout, sessions.blocks([path])).sequences()
    assert layout.in_words == "jsonl; time in time; sessions by session"
    assert found.lines[:2].tolist() == lines


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "options", "strange"),
    [
        ("04-outcome-in-a-number", ["--set", "window=20s"], "503"),
        ("06-outcome-word-merged", [], "FAILED"),
    ],
)
def test_what_says_how_it_ended_is_found(
    name: str, options: list[str], strange: str, recipes: Run
) -> None:
    folder = case(name)
    fit = recipes("fit", "lstm-anomaly", "--data", str(folder / "train.log"), *options,
                  "--epochs", "6", "--out", "m")  # fmt: skip
    assert fit.exit_code == 0, fit.stderr
    answers = recipes("predict", "m", str(folder / "test.log"), "--format", "csv").stdout
    rows = [line.split(",") for line in answers.splitlines()[1:]]
    lines = (folder / "test.log").read_text().splitlines()
    assert any(strange in line for line in lines)
    flagged = {row[0] for row in rows if row[2] == "1"}
    if name.startswith("06"):
        wrong = {f"job_id=J{number:05d}" for number in range(1020, 1040)}
        assert flagged == wrong
    else:
        assert len(flagged) >= 3
