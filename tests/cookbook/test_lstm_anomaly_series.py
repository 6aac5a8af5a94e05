"""The recipe learns what is normal in series, answers, streams, and continues its training."""

import csv
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keras_recipes import catalog, evaluate, export, fit, load, predict, save
from keras_recipes.cookbook import lstm_anomaly
from keras_recipes.data import record_kind
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Row
from tests.command_line import Run
from tests.report.legible import check
from tests.shared_data import shared_data

BROKEN = "demo-metrics-anomalies"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fitted = fit("lstm-anomaly", "demo-metrics", epochs=8, show_progress=False)
    return save(fitted, tmp_path_factory.mktemp("metrics") / "demo")


@pytest.fixture(scope="module")
def fitted(model: Path) -> Fitted:
    return load(model)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of three columns, one of which is a counter."""
    folder = tmp_path_factory.mktemp("servers")
    (folder / "servers.csv").write_text(table(400))
    fitted = fit("lstm-anomaly", folder / "servers.csv", epochs=4, show_progress=False)
    return save(fitted, folder / "servers")


def table(rows: int, first: int = 0) -> str:
    random = np.random.default_rng(0)
    lines = ["time,cpu,host,memory,requests"]
    cpu, memory = random.normal(50, 5, first + rows), random.normal(8, 1, first + rows)
    for n in range(first, first + rows):
        when = np.datetime64("2024-03-04T00:00:00") + np.timedelta64(5 * n, "m")
        lines.append(f"{when},{cpu[n]:.3f},web1,{memory[n]:.3f},{600 * n}")
    return "\n".join(lines) + "\n"


def burning(line: str) -> str:
    """Return a row of `table` with a CPU of more than 900."""
    when, rest = line.split(",", 1)
    return f"{when},9{rest}"


def answers(run: Run, model: Path, *asked: str, **more: object) -> list[Row]:
    result = run("predict", str(model), *asked, "--format", "csv", **more)
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.parametrize(
    ("name", "lines", "kind"),
    [
        ("x.csv", "a\nb\n", "metrics"),
        ("x.txt", "2024-01-01 00:00:00;5\n2024-01-01 00:01:00;6\n", "metrics"),
        ("x.jsonl", '{"t": 1, "v": {"a": 2}}\n{"t": 2, "v": {"a": 3}}\n', "metrics"),
        ("x.jsonl", '{"ts": "2024-01-01T00:00:00Z", "host": "a", "v": 1}\n', "metrics"),
        ("x.jsonl", '{"n": 1, "request": "GET /"}\n{"n": 2, "request": "GET /b"}\n', "logs"),
        ("x.log", "2026-01-05 08:00:00,123 INFO a\n2026-01-05 08:00:01,456 INFO b\n", "logs"),
        ("x.log", "", "logs"),
    ],
)
def test_tables_of_numbers_are_told_from_logs(name: str, lines: str, kind: str) -> None:
    Path(name).write_text(lines)
    assert record_kind.recognise([name]) == kind


def test_a_server_s_status_is_numbers_and_its_access_log_is_a_log() -> None:
    status = shared_data("datasets/logs/nginxplus_status.jsonl")
    assert record_kind.recognise([str(status)]) == "metrics"
    assert record_kind.recognise([str(shared_data("datasets/logs/apache_access.log"))]) == "logs"


def test_every_incident_of_the_second_series_is_found(fitted: Fitted) -> None:
    measured = evaluate(fitted, BROKEN)
    assert measured["windows_found"] == measured["windows"] == 4
    assert measured["f1"] >= 0.8
    assert measured["nab"] >= 75
    assert 0 < measured["vus_pr"] <= 1


@pytest.mark.parametrize("by_stream", [False, True])
@pytest.mark.parametrize("columns", [1, 3])
def test_where_no_record_is_an_anomaly_it_is_said_how_many_were_looked_at(
    recipes: Run, model: Path, servers: Path, by_stream: bool, columns: int
) -> None:
    one = "timestamp,requests\n" + "".join(
        f"2024-01-16T{hour:02}:00:00,400\n" for hour in range(24)
    )
    text, asked_of = (one, model) if columns == 1 else (table(24, 400), servers)
    Path("today.csv").write_text(text)
    asked = ["-"] if by_stream else ["today.csv"]
    only = ("--set", "only_anomalies=true", "--set", "threshold=1000")
    result = recipes("predict", str(asked_of), *asked, *only, input=text)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == "no anomalies among 24 records"


def test_every_metric_of_numbers_is_explained(fitted: Fitted) -> None:
    known = set(catalog.get("lstm-anomaly").metrics)
    assert set(fitted.card.metrics) <= known
    assert set(evaluate(fitted, BROKEN)) <= known


def test_held_out_records_are_measured_again_with_the_same_result(fitted: Fitted) -> None:
    again = evaluate(fitted)
    assert again["held_out_records"] == 202
    assert {name: fitted.card.metrics[name] for name in again} == again
    assert again["false_alarms"] <= 0.02


def test_a_record_s_row_says_what_was_expected(recipes: Run, model: Path) -> None:
    rows = answers(recipes, model, BROKEN)
    assert list(rows[0]) == [
        "timestamp", "value", "score", "anomaly", "incident", "expected_low", "expected_high"
    ]  # fmt: skip
    inside = [
        float(row["expected_low"]) <= float(row["value"]) <= float(row["expected_high"])
        for row in rows[:200]
    ]
    assert np.mean(inside) > 0.95
    assert all(float(row["score"]) < 0.5 or row["incident"] != "0" for row in rows)
    begins = [
        now for before, now in itertools.pairwise(rows) if now["incident"] > before["incident"]
    ]
    assert [row for row in rows if row["anomaly"] == "1"] == begins
    some = answers(recipes, model, BROKEN, "--set", "only_anomalies=true")
    assert some == [row for row in rows if row["anomaly"] == "1"]


def test_incidents_have_a_row_each_in_files_and_in_streams(recipes: Run, model: Path) -> None:
    rows = answers(recipes, model, BROKEN)
    found = answers(recipes, model, BROKEN, "--set", "incidents=true")
    assert list(found[0]) == ["incident", "begin", "end", "peak", "score", "columns"]
    for row in found:
        own = [one for one in rows if one["incident"] == row["incident"]]
        highest = max(own, key=lambda one: float(one["score"]))
        assert (row["begin"], row["end"]) == (own[0]["timestamp"], own[-1]["timestamp"])
        assert (row["peak"], row["score"]) == (highest["timestamp"], highest["score"])
        assert row["columns"] == "requests"
    assert len(found) == sum(row["anomaly"] == "1" for row in rows)


def test_an_incident_goes_on_in_the_next_run_of_a_stream(recipes: Run, servers: Path) -> None:
    header, *lines = table(80, 400).splitlines(keepends=True)
    lines[10:30] = [burning(line) for line in lines[10:30]]
    content = header + "".join(lines)
    asked = ("-", "--set", "incidents=true")
    (whole,) = answers(recipes, servers, *asked, input=content.encode())
    assert whole["columns"].split(";")[0] == "cpu"
    state = ("--set", "state=s.npz")
    begin = (header + "".join(lines[:20])).encode()
    assert answers(recipes, servers, *asked, *state, input=begin) == []
    end = "".join(lines[20:]).encode()
    rest = answers(recipes, servers, *asked, *state, input=end)
    assert rest == [whole]


def test_several_columns_have_a_row_for_each_record(recipes: Run, servers: Path) -> None:
    lines = table(40, 400).splitlines(keepends=True)
    lines[21:] = [burning(line) for line in lines[21:]]
    Path("new.csv").write_text("".join(lines))
    rows = answers(recipes, servers, "new.csv")
    assert list(rows[0]) == ["timestamp", "score", "anomaly", "incident", "columns"]
    assert len(rows) == 40
    assert [row["anomaly"] for row in rows].count("1") == 1
    assert {row["incident"] for row in rows[:20]} == {"0"}
    assert rows[25]["incident"] == "1" and rows[25]["columns"].split(";")[0] == "cpu"


def test_each_column_has_a_row_if_asked_and_text_is_left_out(recipes: Run, servers: Path) -> None:
    Path("new.csv").write_text(table(20, 400))
    rows = answers(recipes, servers, "new.csv", "--set", "per_column=true")
    assert [row["column"] for row in rows[:3]] == ["cpu", "memory", "requests"]
    assert len(rows) == 60
    assert {row["value"] for row in rows if row["column"] == "requests"} == {"2.0"}
    assert load(servers).card.learned["watch"]["counters"].keys() == {"requests"}
    only = recipes("predict", str(servers), "new.csv", "--format", "csv", "--set", "threshold=99",
                   "--set", "only_anomalies=true", "--set", "per_column=true")  # fmt: skip
    assert only.stdout == ",".join(rows[0]) + "\n"


def test_a_stream_parts_and_the_whole_file_give_the_same(recipes: Run, servers: Path) -> None:
    content = table(60, 400)
    header, *lines = content.splitlines(keepends=True)
    Path("new.csv").write_text(content)
    Path("a.csv").write_text(header + "".join(lines[:25]))
    Path("b.csv").write_text(header + "".join(lines[25:]))
    whole = answers(recipes, servers, "new.csv")
    assert answers(recipes, servers, "-", input=content.encode()) == whole
    assert answers(recipes, servers, "a.csv", "b.csv") == whole
    both = Path("a.csv").read_text() + Path("b.csv").read_text()
    assert answers(recipes, servers, "-", input=both.encode()) == whole
    keep = ("-", "--set", "state=s.npz")
    first = answers(recipes, servers, *keep, input=(header + "".join(lines[:25])).encode())
    # The second run starts after the header, as with `tail -F`.
    second = answers(recipes, servers, *keep, input="".join(lines[25:]).encode())
    assert first + second == whole


def test_json_lines_and_parquet_give_the_same_as_csv(recipes: Run, servers: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    Path("new.csv").write_text(table(20, 400))
    frame = pandas.read_csv("new.csv")
    frame.to_json("new.jsonl", orient="records", lines=True)
    frame.to_parquet("new.parquet")
    whole = answers(recipes, servers, "new.csv")
    assert answers(recipes, servers, "new.jsonl") == whole
    assert answers(recipes, servers, "new.parquet") == whole


def test_a_stream_goes_on_behind_a_row_that_does_not_fit(recipes: Run, servers: Path) -> None:
    header, *lines = table(10, 400).splitlines(keepends=True)
    broken = [header, *lines[:5], "2024-03-05 10:00:00,what\n", "soon,1,web1,1,1\n", *lines[5:]]
    Path("good.csv").write_text(header + "".join(lines))
    result = recipes("predict", str(servers), "-", "--format", "csv", input="".join(broken))
    assert result.exit_code == 0
    assert "expected 5 cells, received 2; row skipped" in result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert rows == answers(recipes, servers, "good.csv")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_stream_that_is_stopped_keeps_its_state(servers: Path) -> None:
    command = [sys.executable, "-m", "keras_recipes", "predict", str(servers), "-",
               "--format", "csv", "--set", "state=s.npz"]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
        process.stdin.write(table(5, 400))
        process.stdin.flush()
        seen = [process.stdout.readline() for _ in range(6)]
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        _, messages = process.communicate(timeout=60)
    assert seen[-1]
    assert process.returncode == 143
    assert "stopped; the state after 5 records is kept in s.npz" in messages
    assert Path("s.npz").exists()


def test_the_state_of_another_model_and_a_damaged_one_are_refused(
    recipes: Run, servers: Path, model: Path
) -> None:
    row = b"2024-03-06 10:00:00,1,web1,1,1\n"
    answers(recipes, servers, "-", "--set", "state=s.npz", input=row)
    other = recipes("predict", str(model), "-", "--set", "state=s.npz", input=b"time,requests\n")
    assert (other.exit_code, "kept with another model" in other.stderr) == (2, True)
    content = Path("s.npz").read_bytes()
    for damaged in (b"no state", content[:1000], content[:5000] + b"!" + content[5001:]):
        Path("s.npz").write_bytes(damaged)
        result = recipes("predict", str(servers), "-", "--set", "state=s.npz", input=row)
        assert (result.exit_code, "damaged" in result.stderr) == (4, True)


def test_the_threshold_can_be_moved_without_training(recipes: Run, model: Path) -> None:
    found = [
        len(
            answers(recipes, model, BROKEN, "--set", f"threshold={at}", "--set", "only_anomalies=1")
        )
        for at in (0.3, 0.85, 9)
    ]
    assert found[0] > found[1] > found[2] == 0


def test_a_promised_number_of_false_alarms_decides_the_threshold(
    recipes: Run, model: Path, fitted: Fitted
) -> None:
    alarms = []
    for promised in ("20", "0.001"):
        asked = ("--set", f"false_alarms_per_day={promised}", "--set", "only_anomalies=true")
        result = recipes("predict", str(model), BROKEN, *asked, "--format", "jsonl")
        assert result.exit_code == 0, result.stderr
        assert ("rarer than" in result.stderr) == (promised == "0.001")
        alarms.append(len(result.stdout.splitlines()))
    assert alarms[0] > alarms[1]
    assert evaluate(fitted, false_alarms_per_day=1.0)["false_alarms_per_day"] <= 1.0


def test_too_few_normal_records_promise_nothing(recipes: Run, servers: Path) -> None:
    Path("more.csv").write_text(table(10))
    result = recipes("predict", str(servers), "more.csv", "--set", "false_alarms_per_day=1")
    assert result.exit_code == 2
    assert "give a threshold, or fit on more normal records" in result.stderr


@pytest.mark.parametrize(
    "labels",
    [
        "start,end\n2024-01-16 12:00:00,2024-01-16 12:20:00\n",
        "timestamp\n2024-01-16 12:00:00\n2024-01-18 10:20:00\n",
        "timestamp,label\n2024-01-16 12:00:00,1\n2024-01-17 12:00:00,0\n",
    ],
)
def test_labels_give_precision_and_recall_of_events(recipes: Run, model: Path, labels: str) -> None:
    Path("labels.csv").write_text(labels)
    result = recipes("evaluate", str(model), "--data", BROKEN, "--labels", "labels.csv", "--json")
    assert result.exit_code == 0, result.stderr
    metrics = json.loads(result.stdout)["metrics"]
    assert metrics["recall"] == 1
    assert (
        metrics["windows_found"]
        == metrics["windows"]
        == len(labels.splitlines()) - 1 - (labels.count(",0"))
    )
    assert metrics["false_alarms"] == metrics["anomalies"] - metrics["windows_found"]


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ("", "expected the columns start,end"),
        ("start,end\nsoon,later\n", "line 2: expected a time"),
        ("start,end\n2024-01-17,2024-01-16\n", "expected an end after the start"),
        (
            "start,end\n2031-01-17,2031-01-18\n",
            "labels: expected labels in the time span of the records",
        ),
        ("start,end\n", "expected at least one labelled anomaly"),
    ],
)
def test_labels_that_make_no_sense_are_refused(
    recipes: Run, model: Path, labels: str, complaint: str
) -> None:
    Path("labels.csv").write_text(labels)
    result = recipes("evaluate", str(model), "--data", BROKEN, "--labels", "labels.csv")
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_training_goes_on_with_more_normal_numbers(recipes: Run, servers: Path) -> None:
    higher = table(300, 400).replace(",web1,", "0,web1,")  # one more digit of cpu is no change
    Path("new.csv").write_text(higher)
    result = recipes("fit", "lstm-anomaly", "--from", str(servers), "--data", "new.csv",
                     "--epochs", "2", "--out", "more")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    before, after = (load(path).card.learned["watch"]["detectors"] for path in (servers, "more"))
    assert after["cpu"]["plain"]["seen"] == before["cpu"]["plain"]["seen"] + 300
    assert after["cpu"]["plain"]["classes"]["edges"] == before["cpu"]["plain"]["classes"]["edges"]
    Path("other.csv").write_text("time,disk\n2024-03-04 00:00,1\n")
    result = recipes("fit", "lstm-anomaly", "--from", str(servers), "--data", "other.csv")
    assert result.exit_code == 2
    assert "expected a column" in result.stderr


def test_only_the_first_records_are_learned_from_on_request(recipes: Run) -> None:
    Path("m.csv").write_text(table(300))
    result = recipes("fit", "lstm-anomaly", "--data", "m.csv", "--set", "first=200", "--epochs",
                     "1", "--set", "columns=cpu", "--json")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["metrics"]["held_out_records"] == 20
    assert "m.csv: metrics, 200 records of cpu, times in time" in result.stderr


def test_pictures_show_each_series(recipes: Run, servers: Path) -> None:
    Path("new.csv").write_text(table(100, 400))
    result = recipes("plot", str(servers), "--data", "new.csv", "--output", "plots")
    assert result.exit_code == 0, result.stderr
    names = {path.stem for path in Path("plots").iterdir()}
    assert names == {"loss", "series-1", "series-2", "series-3"}
    fitted, recipe = load(servers), lstm_anomaly.RECIPE
    for _, figure in recipe.answers.draw(recipe, fitted.card, ["new.csv"])(fitted):
        check(figure)


def test_counts_are_not_expected_below_zero_in_files_and_in_streams(
    recipes: Run, model: Path, empty_folder: Path
) -> None:
    values = [5, 3000, *(3, 0) * 50]
    lines = ["timestamp,requests"]
    for number, value in enumerate(values):
        when = np.datetime64("2024-03-04T00:00:00") + np.timedelta64(10 * number, "m")
        lines.append(f"{when},{value}")
    content = "\n".join(lines) + "\n"
    Path("few.csv").write_text(content)
    rows = answers(recipes, model, "few.csv")
    assert rows == answers(recipes, model, "-", input=content.encode())
    assert min(float(row["expected_low"]) for row in rows) == 0


def test_values_from_python_are_judged(fitted: Fitted, servers: Path) -> None:
    pandas = pytest.importorskip("pandas")
    rows = predict(fitted, [400.0, 410.0, 9_999.0])
    assert [row["value"] for row in rows] == [400.0, 410.0, 9_999.0]
    frame = pandas.read_csv(io.StringIO(table(5, 400)), parse_dates=["time"])
    assert len(predict(load(servers), frame)) == 5
    with pytest.raises(InputError, match=r"shape \(N, 1\)"):
        predict(fitted, [[1.0, 2.0]])
    Path("new.csv").write_text(table(5, 400))
    for given in ("new.csv", Path("new.csv"), ["new.csv"]):
        assert len(predict(servers, given)) == 5
    for nothing in (None, {}, 5, [], [[1.0], [2.0, 3.0]]):
        with pytest.raises(
            InputError, match=r"expected numbers of shape \(N, 1\), a DataFrame, or"
        ):
            predict(fitted, nothing)


@pytest.mark.parametrize("form", ["json-h5", "keras"])
def test_a_model_of_numbers_leaves_for_other_formats(servers: Path, form: str) -> None:
    export(load(servers), form, f"out.{form}" if form == "keras" else "out")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "expected rows of numbers, received nothing"),
        ("time,value\n", "expected rows of numbers, received none"),
        ("word\nalpha\nbeta\n", "expected a column of numbers, received columns word"),
        ("time,value\n" + "2024-01-01 00:00:00,nan\n" * 50, "at least 30 numbers"),
        ("time,value\n" + "2024-01-01 00:00:00,1\n" * 20, "at least 30 numbers"),
        ("time,value\n2024-01-01 00:00:00,1\nsoon,2\n", "line 3: expected a time"),
        (
            "\n".join([",".join(f"c{n}" for n in range(101)), *[",".join(["1"] * 101)] * 40]),
            "at most 100 columns of numbers, received 101",
        ),
        ("time,value\n2024-01-01 00:00:00,1\n2024-01-01 00:01:00,x\n", "expected a number"),
    ],
)
def test_what_cannot_be_learned_from_is_said(recipes: Run, content: str, complaint: str) -> None:
    Path("m.csv").write_text(content)
    result = recipes("fit", "lstm-anomaly", "--data", "m.csv")
    assert result.exit_code == 2, result.stderr
    assert complaint in result.stderr


def odd(time: Callable[[int], str], value: Callable[[int], object]) -> str:
    return "time,value\n" + "".join(f"{time(n)},{value(n)}\n" for n in range(120))


def minutes(n: int) -> str:
    return f"2024-01-01 {n // 60:02}:{n % 60:02}:00"


ODD = {
    "constant": (odd(minutes, lambda n: 5), "120 records of value"),
    "duplicates": (odd(lambda n: minutes(n // 2), lambda n: n % 7), "120 records"),
    "out of order": (
        odd(lambda n: minutes(n ^ 1), lambda n: n % 7),
        "60 records are older than the record before them",
    ),
    "mixed zones": (
        odd(lambda n: f"2024-01-01T{n // 60:02}:{n % 60:02}:00+0{n % 3}:00", lambda n: n % 7),
        "times in time",
    ),
    "no timestamps": ("value\n" + "".join(f"{n % 7}\n" for n in range(120)), "without times"),
}
QUICK = ("constant", "no timestamps")


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.full) for kind in ODD]
)
def test_odd_tables_are_learned_from(recipes: Run, kind: str) -> None:
    content, said = ODD[kind]
    Path("m.csv").write_text(content)
    result = recipes("fit", "lstm-anomaly", "--data", "m.csv", "--epochs", "1", "--out", "m")
    assert result.exit_code == 0, result.stderr
    assert said in result.stderr
    assert len(answers(recipes, Path("m"), "m.csv")) == 120


def test_a_file_with_other_columns_is_refused(recipes: Run, servers: Path) -> None:
    Path("other.csv").write_text("time,cpu,disk\n2024-03-04 00:00,1,2\n")
    result = recipes("predict", str(servers), "other.csv")
    assert result.exit_code == 2
    expected = "other.csv: expected a column 'memory', received columns time, cpu, disk"
    assert expected in result.stderr


def test_a_cell_that_cannot_learn_on_is_refused_before_training(recipes: Run) -> None:
    result = recipes("fit", "lstm-anomaly", "--data", "demo-metrics", "--preset", "article")
    assert result.exit_code == 2
    assert "add --set cell=lstm" in result.stderr


def damaged(learned: Row, *path: str, value: object) -> Row:
    inner = json.loads(json.dumps(learned))
    found = inner
    for name in path[:-1]:
        found = found[name]
    found[path[-1]] = value
    return inner


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("watch",), None),
        (("watch", "layout"), {}),
        (("watch", "layout", "columns"), ["other"]),
        (("watch", "layout", "zone"), "Nowhere/At_All"),
        (("watch", "counters"), {"requests": ["x", 1]}),
        (("watch", "promise"), 5),
        (("watch", "promise", "spans"), "many"),
        (("watch", "detectors", "requests"), 5),
        (("watch", "detectors", "requests", "plain", "lasting"), 1e300),
        (("watch", "detectors", "requests", "plain", "latest"), None),
        (("watch", "detectors", "requests", "plain", "gate", "quiet"), -1),
        (("watch", "detectors", "requests", "buffer"), "AAAA"),
        (("watch", "detectors", "requests", "net_weights"), ""),
        (("watch", "detectors", "requests", "plain"), []),
        (("watch", "detectors", "requests", "plain", "scale"), 0),
        (("watch", "detectors", "requests", "plain", "seen"), -1),
        (("watch", "detectors", "requests", "plain", "gate", "bar"), "high"),
        (("watch", "detectors", "requests", "plain", "options", "units"), 10**9),
        (("watch", "detectors", "requests", "plain", "options", "views"), ["magic"]),
        (("watch", "detectors", "requests", "plain", "classes", "edges"), [3.0, 1.0]),
        (("watch", "detectors", "requests", "plain", "profile", "per_hour"), 0.0),
        (("watch", "detectors", "requests", "plain", "profile", "by_week"), [1.0]),
    ],
)
def test_a_damaged_card_is_refused(fitted: Fitted, path: tuple[str, ...], value: object) -> None:
    card = replace(fitted.card, learned=damaged(fitted.card.learned, *path, value=value))
    with pytest.raises(CorruptModelError):
        predict(replace(fitted, card=card), [1.0])


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("zone=Foo/Bar", "expected a name like Europe/Berlin"),
        ("columns=requests,requests", "expected each name once"),
        ("columns=nope", "received nope"),
    ],
)
def test_what_no_model_could_be_asked_with_is_refused_before_training(
    setting: str, complaint: str, recipes: Run
) -> None:
    result = recipes("fit", "lstm-anomaly", "--data", "demo-metrics", "--set", setting)
    assert result.exit_code == 2
    assert complaint in result.stderr.splitlines()[-1]


def test_a_table_that_ends_without_numbers_is_refused(recipes: Run, empty_folder: Path) -> None:
    rows = [f"2024-01-01 00:00:{i:02},{i % 7 if i < 35 else ''}" for i in range(60)]
    Path("m.csv").write_text("timestamp,v\n" + "\n".join(rows) + "\n")
    result = recipes("fit", "lstm-anomaly", "--data", "m.csv")
    assert result.exit_code == 2
    assert "all are missing" in result.stderr.splitlines()[-1]


def test_the_state_of_another_kind_of_model_is_not_called_damaged(
    recipes: Run, model: Path
) -> None:
    Path("few.log").write_text("INFO opened\nINFO closed\n" * 2_000)
    log_model = str(save(fit("lstm-anomaly", "few.log", epochs=1, show_progress=False), "logs"))
    ask = ["-", "--set", "state=kept.npz"]
    table_of_one = "timestamp,requests\n2024-01-01 00:00:00,5\n"
    assert recipes("predict", str(model), *ask, input=table_of_one).exit_code == 0
    result = recipes("predict", log_model, *ask, input="order-1 created\n")
    assert result.exit_code == 2
    assert "kept with another model" in result.stderr.splitlines()[-1]
