"""A stream of log lines goes on through rotations, late lines, silences and whatever lines hold."""

import contextlib
import csv
import gzip
import io
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keras_recipes import atomic, fit, save
from keras_recipes.anomaly import state_file
from keras_recipes.anomaly.logs import log_clock
from keras_recipes.errors import RecipeError
from keras_recipes.recipe import Row
from tests.anomaly import junk
from tests.command_line import Run
from tests.shared_data import shared_data

BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
STEPS = [b"start request for user", b"load page home", b"query database", b"end request ok"]
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and files")
LATE = "expected nothing more of"


def line(second: float, number: int, message: bytes = STEPS[0]) -> bytes:
    when = (BEGIN + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
    return b"%s INFO order-%d %s" % (when, number, message)


def session(second: float, number: int) -> list[bytes]:
    return [line(second + step, number, text) for step, text in enumerate(STEPS)]


def joined(some: list[bytes]) -> bytes:
    return b"".join(one + b"\n" for one in some)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of orders: four lines in four seconds make a session."""
    folder = tmp_path_factory.mktemp("orders")
    normal = [one for n in range(80) for one in session(10 * n, 10_000 + n)]
    (folder / "normal.log").write_bytes(joined(normal))
    fitted = fit(
        "lstm-anomaly",
        folder / "normal.log",
        session=r"order-\d+",
        epochs=2,
        show_progress=False,
    )
    return save(fitted, folder / "orders")


@pytest.fixture
def with_sessions(model: Path, empty_folder: Path) -> Callable[..., Path]:
    """Return a function that makes a copy of the model with another rule for sessions."""

    def made(timed: bool = True, **rule: object) -> Path:
        folder = Path(shutil.copytree(model, empty_folder / "copied"))
        card = json.loads((folder / "card.json").read_text())
        layout = card["learned"]["layout"]
        layout["sessions"] = {"by": "window", "key": "", "window": 0.0, "idle": 0.0, **rule}
        layout["timed"] = timed
        (folder / "card.json").write_text(json.dumps(card))
        return folder

    return made


def answers(run: Run, model: Path, some: list[bytes], *asked: str, status: int = 0) -> list[Row]:
    result = run("predict", str(model), "-", "--format", "csv", *asked, input=joined(some))
    assert result.exit_code == status, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


def names(rows: list[Row]) -> list[str]:
    return [row["session"] for row in rows]


class Live:
    """A running `recipes predict MODEL -`, whose rows are read as they come."""

    def __init__(self, model: Path, *asked: str, source: object = subprocess.PIPE) -> None:
        command = [sys.executable, "-m", "keras_recipes", "predict", str(model), "-"]
        with Path("messages.txt").open("wb") as messages, Path("rows.csv").open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "--format", "csv", *asked], stdin=source, stdout=out, stderr=messages
            )

    def send(self, some: list[bytes]) -> None:
        self.process.stdin.write(joined(some))
        self.process.stdin.flush()

    def rows(self, at_least: int = 0, seconds: float = 300) -> list[Row]:
        """Wait until there are so many rows, and return all."""
        until = time.monotonic() + seconds
        while True:
            whole = Path("rows.csv").read_text().rpartition("\n")[0]
            rows = list(csv.DictReader(io.StringIO(whole)))
            if len(rows) >= at_least:
                return rows
            assert time.monotonic() < until, Path("messages.txt").read_text()
            assert self.process.poll() is None, Path("messages.txt").read_text()
            time.sleep(0.1)

    def end(self) -> int:
        if self.process.stdin:
            self.process.stdin.close()
        return self.process.wait(timeout=60)

    def messages(self) -> str:
        return Path("messages.txt").read_text()


def words(first: int, count: int) -> list[str]:
    """Return words without digits, so that each line is an event of its own."""
    letters = str.maketrans("0123456789", "abcdefghij")
    return [f"w{number}w".translate(letters) for number in range(first, first + count)]


@pytest.mark.full
@POSIX
@pytest.mark.skipif(not shutil.which("tail"), reason="needs tail")
def test_tail_follows_two_rotations_and_a_truncation_and_each_line_is_answered_once(
    with_sessions: Callable[..., Path],
) -> None:
    each_line = with_sessions(by="lines", window=1.0)
    batch, app, sent = 200, Path("app.log"), list[str]()

    def more() -> bytes:
        some = words(len(sent), batch)
        sent.extend(some)
        return joined([line(len(sent), 1, word.encode()) for word in some])

    app.write_bytes(more())
    follow = ["tail", "-n", "+1", "-F", "app.log"]
    tail = subprocess.Popen(follow, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    live = Live(each_line, source=tail.stdout)
    tail.stdout.close()

    def read() -> None:
        live.rows(at_least=len(sent) - 1)  # the window of the last line is still open
        time.sleep(1.5)  # tail looks once a second where it is not told of changes

    try:
        read()
        app.rename("app.log.1")  # a rotation by a new file
        app.write_bytes(more())
        read()
        shutil.copy(app, "app.log.2")  # a rotation by a copy, after which the file is truncated
        os.truncate(app, 0)
        time.sleep(1.5)
        with app.open("ab") as file:
            file.write(more())
        read()
        app.write_bytes(b"")  # a truncation
        time.sleep(1.5)
        with app.open("ab") as file:
            file.write(more())
        read()
    finally:
        tail.terminate()
        tail.wait()
    assert live.end() == 0
    rows = live.rows()
    assert names(rows) == [f"line {number}" for number in range(1, len(sent) + 1)]
    assert len(sent) == 4 * batch
    for row, word in zip(rows, sent, strict=True):
        assert f" {word}" in row["observed"]


def test_the_zeros_that_a_truncated_log_begins_with_are_not_part_of_the_line(
    recipes: Run, model: Path
) -> None:
    lines = session(0, 1)
    zeros = [b"\0" * 3_000_000 + lines[0], *lines[1:]]
    assert answers(recipes, model, zeros) == answers(recipes, model, lines)
    Path("x.log").write_bytes(joined(zeros))
    result = recipes("predict", str(model), "x.log", "--format", "csv")
    assert names(list(csv.DictReader(io.StringIO(result.stdout)))) == ["order-1"]


def test_lines_out_of_order_by_less_than_a_minute_make_the_windows_that_the_file_has(
    recipes: Run, with_sessions: Callable[..., Path]
) -> None:
    minutes = with_sessions(window=60.0)
    ordered = [line(3 * n, n) for n in range(200)]
    shuffled = [ordered[n // 10 * 10 + (n * 7) % 10] for n in range(200)]
    Path("x.log").write_bytes(joined(shuffled))
    result = recipes("predict", str(minutes), "x.log", "--format", "csv")
    in_file = {row["session"] for row in csv.DictReader(io.StringIO(result.stdout))}
    live = names(answers(recipes, minutes, shuffled))
    assert sorted(live) == sorted(in_file)
    assert len(live) == len(set(live)) == 10


def test_a_line_that_comes_after_its_window_is_counted_and_opens_no_second_one(
    recipes: Run, with_sessions: Callable[..., Path]
) -> None:
    minutes = with_sessions(window=60.0)
    lines = [line(3 * n, n) for n in range(200)]
    late = [line(5 + n, 900) for n in range(50)]
    asked = ("predict", str(minutes), "-", "--format", "csv")
    result = recipes(*asked, input=joined([*lines, *late, *lines[-1:]]))
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(names(rows)) == len(set(names(rows))) == 10
    assert f"{LATE} 2026-01-05T08:00:00Z, which is over, received a line of" in result.stderr
    assert result.stderr.count(LATE) == 3
    assert "50 lines were skipped" in result.stderr


def test_a_late_window_that_was_never_open_stays_open_for_all_of_its_lines(
    recipes: Run, with_sessions: Callable[..., Path]
) -> None:
    minutes = with_sessions(window=60.0)
    lines = [line(600 + 3 * n, n) for n in range(100)]
    lines[60:60] = [line(5, 900), *lines[60:61], line(6, 900), line(7, 900)]
    result = recipes("predict", str(minutes), "-", "--format", "csv", input=joined(lines))
    assert LATE not in result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert names(rows).count("2026-01-05T08:00:00Z") == 1
    Path("x.log").write_bytes(joined(lines))
    same = recipes("predict", str(minutes), "x.log", "--format", "csv").stdout
    assert sorted(names(list(csv.DictReader(io.StringIO(same))))) == sorted(names(rows))


def test_the_timeout_says_how_late_a_line_of_a_window_may_be(
    recipes: Run, with_sessions: Callable[..., Path]
) -> None:
    minutes = with_sessions(window=60.0)
    lines = [*(line(3 * n, n) for n in range(60)), line(10, 900), line(181, 5)]
    told = recipes("predict", str(minutes), "-", input=joined(lines)).stderr
    assert LATE in told
    more = recipes("predict", str(minutes), "-", "--set", "timeout=300", input=joined(lines))
    assert LATE not in more.stderr


def test_a_key_that_comes_again_begins_a_session_with_a_number(recipes: Run, model: Path) -> None:
    lines = [one for n, key in enumerate([1, 2, 1, 2, 1]) for one in session(5_000 * n, key)]
    live = names(answers(recipes, model, lines))
    assert live == ["order-1", "order-2", "order-1 (2)", "order-2 (2)", "order-1 (3)"]
    asked = ("--set", "state=s.npz")
    kept = [names(answers(recipes, model, some, *asked)) for some in (lines[:10], lines[10:])]
    assert [name for some in kept for name in some] == live[:4]


def test_a_late_line_of_a_session_that_is_over_is_part_of_nothing(
    recipes: Run, model: Path
) -> None:
    good = [*session(0, 1), *session(5_000, 2), *session(10_000, 3)]
    late = [*good[:9], line(4, 1, b"something else"), *good[9:]]
    result = recipes("predict", str(model), "-", "--format", "csv", input=joined(late))
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    expected = answers(recipes, model, good)
    assert [{**row, "line": ""} for row in rows] == [{**row, "line": ""} for row in expected]
    assert f"{LATE} order-1, which is over" in result.stderr


@pytest.mark.parametrize("rule", [{}, {"by": "window", "window": 60.0, "key": ""}])
def test_wrong_times_keep_no_later_session_open(
    recipes: Run, with_sessions: Callable[..., Path], rule: dict[str, object]
) -> None:
    made = with_sessions(**(rule or {"by": "regex", "key": r"order-\d+"}))
    lines = [one for n in range(60) for one in session(100 * n, n)]
    wrong = b"9999-12-31T23:59:59Z INFO order-777 load page home"
    again = [*lines[:80], wrong, b"a line without a time", *lines[80:]]
    asked = ("--set", "state=s.npz")  # so that open sessions are not answered at the end
    expected = set(names(answers(recipes, made, lines, *asked)))
    Path("s.npz").unlink()
    assert len(expected) > 50
    assert expected <= set(names(answers(recipes, made, again, *asked)))


def test_a_clock_that_is_set_back_does_not_silence_a_log(
    recipes: Run, with_sessions: Callable[..., Path]
) -> None:
    minutes = with_sessions(window=60.0)
    hour = [line(3 * n, n) for n in range(1200)]
    result = recipes("predict", str(minutes), "-", "--format", "csv", input=joined(hour + hour))
    live = names(list(csv.DictReader(io.StringIO(result.stdout))))
    assert len(live) == len(set(live))
    second = [name for name in live if name.endswith(" (2)")]
    assert len(second) >= 60 - log_clock.SET_BACK_AFTER // 20 - 1
    assert "the times in the log were set back to 2026-01-05T08:0" in result.stderr


def test_memory_does_not_grow_with_times_that_go_back_for_ever(recipes: Run, model: Path) -> None:
    from keras_recipes.anomaly.logs.open_sessions import OpenSession
    from keras_recipes.anomaly.logs.session_table import SPARE, SessionTable

    table, opened = SessionTable(10), OpenSession("x", [], [])  # type: ignore[arg-type]
    opened.due = 1e9
    table.add(b"x", opened)
    for second in range(10_000):
        opened.due = 1e9 - second
        table.queue(b"x", opened)
    assert len(table._queue) <= SPARE + 3
    assert list(table.due(1e9 - 10_000)) == []
    assert next(table.due(1e9)) == b"x"


SILENT = [*session(0, 1), *session(300, 2), *session(2_000, 3), *session(2_010, 4),
          *session(9_000, 5)]  # fmt: skip


def test_a_log_that_fell_silent_has_a_row_in_files_and_in_streams(
    recipes: Run, model: Path
) -> None:
    Path("x.log").write_bytes(joined(SILENT))
    asked = ("--format", "csv", "--set", "idle_after=10m")
    result = recipes("predict", str(model), "x.log", *asked)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    silent = [row for row in rows if row["session"].startswith("silent")]
    assert names(silent) == [
        "silent since 2026-01-05T08:05:03Z",
        "silent since 2026-01-05T08:33:33Z",
    ]
    assert [row["line"] for row in silent] == ["8", "16"]
    assert {(row["anomaly"], row["score"], row["observed"]) for row in silent} == {
        ("1", "1.0", "no line for 10m")
    }
    live = answers(recipes, model, SILENT, "--set", "idle_after=10m")
    assert [row for row in live if row["session"].startswith("silent")] == silent
    assert sorted(names(live)) == sorted(names(rows))
    without = recipes("predict", str(model), "x.log", "--format", "csv").stdout
    assert "silent" not in without
    longer = recipes("predict", str(model), "x.log", *asked[:2], "--set", "idle_after=1h").stdout
    assert longer.count("silent since") == 1


def test_a_single_last_line_ends_a_silence_and_a_single_wrong_time_is_none(
    recipes: Run, model: Path
) -> None:
    asked = ("--set", "idle_after=10m")
    heartbeat = [line(0, 1), line(700, 1), line(1_400, 1)]
    live = answers(recipes, model, heartbeat, *asked)
    assert len([name for name in names(live) if name.startswith("silent")]) == 2
    wrong = [*session(0, 1), line(50_000, 2), *session(10, 3)]
    assert "silent" not in str(answers(recipes, model, wrong, *asked))


def test_the_parts_of_a_rotated_log_are_one_log_and_other_logs_are_others(
    recipes: Run, model: Path
) -> None:
    Path("web.log.1").write_bytes(joined(SILENT[:8]))
    Path("web.log").write_bytes(joined(SILENT[8:12]))
    Path("db.log").write_bytes(joined([one for n in range(12) for one in session(400 * n, 50 + n)]))
    asked = ("--format", "csv", "--set", "idle_after=10m", "--set", "only_anomalies=true")
    result = recipes("predict", str(model), "web.log.1", "web.log", "db.log", *asked)
    silent = [
        row for row in csv.DictReader(io.StringIO(result.stdout)) if "silent" in row["session"]
    ]
    assert [row["line"] for row in silent] == ["web.log.1:8"]


@pytest.mark.parametrize("span", ["10", "soon", "-5m", "0s", "5 weeks"])
def test_what_is_no_time_span_is_refused(recipes: Run, model: Path, span: str) -> None:
    Path("x.log").write_bytes(joined(SILENT))
    for given in ("x.log", "-"):
        result = recipes("predict", str(model), given, "--set", f"idle_after={span}", input=b"")
        assert result.exit_code == 2
        assert "idle_after: expected a time span such as 30s, 10m or 2h" in result.stderr


def test_silences_in_a_file_without_times_are_refused(
    recipes: Run, with_sessions: Callable[..., Path]
) -> None:
    untimed = with_sessions(timed=False, by="lines", window=4.0)
    Path("x.log").write_bytes(joined(STEPS * 5))
    result = recipes("predict", str(untimed), "x.log", "--set", "idle_after=10m")
    assert result.exit_code == 2
    assert "idle_after: expected lines with times" in result.stderr


def test_a_script_learns_of_anomalies_and_silences_in_a_stream(recipes: Run, model: Path) -> None:
    asked = ("--fail-on-anomaly", "--set", "false_alarm_rate=1e-12")
    answers(recipes, model, SILENT, *asked)
    answers(recipes, model, SILENT, *asked, "--set", "idle_after=10m", status=10)
    silent = ("--set", "idle_after=10m", "--set", "only_anomalies=true")
    rows = answers(recipes, model, SILENT, *asked, *silent, status=10)
    assert all(name.startswith("silent since") for name in names(rows))
    answers(recipes, model, [*SILENT, line(9_010, 6, b"WARN on fire")], "--fail-on-anomaly",
            status=10)  # fmt: skip


@pytest.mark.full
def test_a_live_log_that_falls_silent_is_told_once_each_time(model: Path) -> None:
    live = Live(model, "--set", "idle_after=2s", "--set", "only_anomalies=true", "--set",
                "state=s.npz")  # fmt: skip
    live.send(session(0, 1))
    assert names(live.rows(1)) == ["silent since 2026-01-05T08:00:03Z"]
    time.sleep(4)
    assert len(live.rows()) == 1
    live.send(session(10, 2))
    assert names(live.rows(2))[1] == "silent since 2026-01-05T08:00:13Z"
    assert live.end() == 0
    again = Live(model, "--set", "idle_after=2s", "--set", "only_anomalies=true", "--set",
                 "state=s.npz")  # fmt: skip
    again.send([])
    time.sleep(8)
    assert "silent" not in Path("rows.csv").read_text()  # it was told before the new start
    assert again.end() == 0


@pytest.mark.full
def test_a_log_that_says_nothing_from_the_beginning_is_told(model: Path) -> None:
    live = Live(model, "--set", "idle_after=1s")
    (row,) = live.rows(1)
    assert (row["session"][:14], row["line"]) == ("silent since 2", "0")
    assert live.end() == 0


@pytest.mark.parametrize("junk", junk.LINES.values(), ids=junk.LINES.keys())
def test_whatever_a_line_holds_the_next_lines_are_answered(
    recipes: Run, model: Path, junk: bytes
) -> None:
    good = [*session(0, 1), *session(10, 2), *session(20, 3)]
    expected = answers(recipes, model, good)
    rows = answers(recipes, model, [*good[:4], junk, *good[4:]])
    later = [{**row, "line": ""} for row in expected if row["session"] != "order-1"]
    assert [{**row, "line": ""} for row in rows if row["session"] != "order-1"] == later


@POSIX
def test_a_line_on_which_the_search_for_a_session_never_ends_is_passed_over(
    recipes: Run, with_sessions: Callable[..., Path]
) -> None:
    evil = with_sessions(by="regex", key=r"order-\d+|(?:x+)+y")
    good = [*session(0, 1), *session(10, 2), *session(20, 3)]
    expected = answers(recipes, evil, good)
    bad = b"2026-01-05T08:00:05Z INFO " + b"x" * 100
    lines = [*good[:4], bad, *good[4:8], bad, bad, bad, *good[8:]]
    begin = time.process_time()
    result = recipes("predict", str(evil), "-", "--format", "csv", input=joined(lines))
    assert time.process_time() - begin < 20
    assert result.exit_code == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [{**row, "line": ""} for row in rows] == [{**row, "line": ""} for row in expected]
    assert "standard input line 5: takes too long to search for 'order-" in result.stderr
    assert "4 lines were skipped" in result.stderr
    Path("x.log").write_bytes(joined(lines))
    in_file = recipes("predict", str(evil), "x.log")
    assert in_file.exit_code == 3
    assert "takes too long; fit with a simpler" in in_file.stderr


def test_a_key_of_a_megabyte_is_kept_short_in_files_and_streams(
    recipes: Run, with_sessions: Callable[..., Path]
) -> None:
    hexadecimal = with_sessions(by="regex", key=r"order-\w+")
    long = b"a" * 900_000
    lines = [line(n, n % 2, b"x").replace(b"order-", b"order-" + long) for n in range(6)]
    live = names(answers(recipes, hexadecimal, lines))
    assert len(set(live)) == 2
    assert all(len(name) == 1_000 for name in live)
    Path("x.log.gz").write_bytes(gzip.compress(joined(lines)))
    result = recipes("predict", str(hexadecimal), "x.log.gz", "--format", "csv")
    assert set(names(list(csv.DictReader(io.StringIO(result.stdout))))) == set(live)


def hostile_lines(count: int, number: int = 0) -> Iterator[bytes]:
    """Yield lines with another key each, as long as keys and messages may be."""
    for n in range(number, number + count):
        key = b"order-%d%s" % (n, b"k" * 3_000)
        yield line(n, 0, b"%s %s" % (words(n, 1)[0].encode(), b"m" * 5_000)).replace(
            b"order-0", key
        )


def test_memory_is_bounded_whatever_keys_values_and_messages_come(
    with_sessions: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page on logs says 16 kB for each session that may be open, and a constant."""
    import tracemalloc

    from keras_recipes import load
    from keras_recipes.anomaly.logs.detector import LogDetector
    from keras_recipes.anomaly.logs.stream import LogStream
    from keras_recipes.data.logs import templates

    monkeypatch.setattr(templates, "REMEMBERED_BYTES", 100_000)
    fitted = load(with_sessions(by="regex", key=r"order-\w+"))
    stream = LogStream(LogDetector.of_model(fitted), 0.01, timeout=1e9, open_sessions=100)
    tracemalloc.start()
    try:
        used = []
        for number in range(0, 1_200, 100):
            list(stream._judged(stream._parser.parse(hostile_lines(100, number))))
            used.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(stream._table.open) == len(stream._table.closed) == 100
    assert max(used) < 100 * 16_000 + 1_000_000
    assert used[-1] < used[3] + 500_000  # caches of times; 800 sessions came since then


def test_sessions_with_very_many_kinds_of_events_are_fewer(
    recipes: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras_recipes.anomaly.logs import session_table

    monkeypatch.setattr(session_table, "MOST_KINDS", 9)
    asked = ("--set", "state=s.npz")
    some = [one for n in range(3) for one in session(10 * n, n)]
    assert names(answers(recipes, model, some, *asked)) == ["order-0"]
    assert names(answers(recipes, model, session(30, 3), *asked)) == ["order-1"]


def test_names_of_fields_and_times_are_cached_only_where_they_are_short() -> None:
    from keras_recipes.data.logs import json_fields, time_values, times

    before = json_fields._known_among.cache_info().currsize, time_values.read.cache_info().currsize
    for n in range(100):
        json_fields.first({f"{n}{'k' * 10_000}": 1, "message": "x"}, ("message",))
        json_fields.first({f"{n}-{m}": 1 for m in range(1_000)}, ("message",))
        times.Reader().read(f"{n}" * 1_000)
    after = json_fields._known_among.cache_info().currsize, time_values.read.cache_info().currsize
    assert after == before


@POSIX
@pytest.mark.full
def test_sessions_with_keys_of_a_megabyte_take_no_more_memory_each() -> None:
    """The case took 2.1 MB for each session; these are its first 400."""
    case = shared_data("cases/robustness/26-session-keys-of-a-megabyte")
    lines = [one for n in range(80) for one in session(10 * n, n)]
    normal = joined([one.replace(b"order-", b"session=f0f0f0f0f0f0f0f0") for one in lines])
    Path("normal.log").write_bytes(normal)
    save(fit("lstm-anomaly", "normal.log", epochs=1, show_progress=False), Path("hexlog"))
    with Path("long.log").open("wb") as file:
        maker = [sys.executable, str(case / "make.py")]
        with subprocess.Popen(maker, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as made:
            file.writelines(itertools.islice(made.stdout, 400))
            made.stdout.close()
    with Path("long.log").open("rb") as source:
        live = Live(Path("hexlog"), source=source)
        used = most_memory(live.process)
    assert live.process.returncode == 0, live.messages()
    assert len(live.rows()) == 400
    assert used < 1_500_000  # TensorFlow takes 850,000


def most_memory(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process; return the most memory that it had, in kilobytes.

    The kernel's own figure for a process that has ended counts its parent's memory, too.
    """
    most = 0
    while process.poll() is None:
        with contextlib.suppress(OSError, TypeError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            most = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
        time.sleep(0.05)
    assert most, "the memory was not read"
    return most


@POSIX
@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_stream_that_is_stopped_keeps_its_sessions(model: Path, number: signal.Signals) -> None:
    # These tests may run under nohup, which programs inherit and respect.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    live = Live(model, "--set", "state=s.npz")
    live.send([*session(0, 1), *session(5_000, 2)[:2]])
    live.rows(1)
    live.process.send_signal(number)
    assert live.process.wait(timeout=60) == 128 + number
    assert "stopped; 1 open sessions are kept in s.npz" in live.messages()
    live.process.stdin.close()
    again = Live(model, "--set", "state=s.npz")
    again.send([*session(5_000, 2)[2:], *session(10_000, 3), *session(10_010, 4)])
    assert names(again.rows(1))[0] == "order-2"
    assert again.end() == 0


@POSIX
@pytest.mark.full
def test_a_reader_that_goes_away_does_not_lose_the_sessions(model: Path) -> None:
    command = [sys.executable, "-m", "keras_recipes", "predict", str(model), "-", "--format",
               "csv", "--set", "state=s.npz"]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(joined([*session(0, 1), *session(5_000, 2)]))
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(joined([*session(10_000, 3), *session(20_000, 4)]))
        process.stdin.close()
        assert process.wait(timeout=120) == 141
    assert Path("s.npz").exists()


def test_a_state_that_cannot_be_written_on_the_way_is_a_warning(
    recipes: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, tried = atomic.file, list[Path]()

    def full_at_first(target: Path, content: bytes) -> None:
        tried.append(target)
        if len(tried) == 1:
            raise RecipeError("the disk is full")
        whole(target, content)

    monkeypatch.setattr(atomic, "file", full_at_first)
    monkeypatch.setattr(state_file, "KEEP_SECONDS", 0.0)
    lines = [*session(0, 1), *session(5_000, 2), *session(10_000, 3)]
    asked = ("predict", str(model), "-", "--format", "csv", "--set", "state=s.npz")
    result = recipes(*asked, input=joined(lines))
    assert result.exit_code == 0
    assert "warning: s.npz: the state was not kept: the disk is full" in result.stderr
    assert len(result.stdout.splitlines()) >= 2
    assert Path("s.npz").exists()


@POSIX
def test_a_full_disk_ends_no_stream_and_is_told_at_the_end(
    recipes: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    monkeypatch.setattr(state_file, "KEEP_SECONDS", 0.0)
    lines = [*session(0, 1), *session(5_000, 2), *session(10_000, 3)]
    asked = ("predict", str(model), "-", "--format", "csv", "--set", "state=s.npz")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file may be longer, as on a full disk; Python ignores the signal.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        result = recipes(*asked, input=joined(lines))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert result.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert names(rows) == ["order-1", "order-2"]
    assert "warning: s.npz: the state was not kept: " in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: s.npz: the state was not kept: ")
    assert [path.name for path in Path().iterdir()] == []


def test_any_error_keeps_the_sessions(
    recipes: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras_recipes.data import lines

    def broken(tick: float) -> Iterator[list[bytes]]:
        yield [*session(0, 1), *session(5_000, 2)]
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(lines, "from_standard_input", broken)
        result = recipes("predict", str(model), "-", "--set", "state=s.npz")
    assert result.exit_code == 1
    more = answers(recipes, model, session(20_000, 3), "--set", "state=s.npz")
    assert "order-2" in names(more)
