"""Jobs of the page: a file is learned from and judged in another process, one at a time."""

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from keras_recipes.commands.predict import predict
from tests.anomaly.logs import test_stream as orders
from tests.serve.conftest import record
from tests.serve.servers import Answer, Server


def table(rows: int, *, strange: int | None = None) -> bytes:
    lines = [record(n) for n in range(rows)]
    if strange is not None:
        lines[strange] = f"{lines[strange].partition(',')[0]},99\n"
    return ("t,load\n" + "".join(lines)).encode()


def begun(server: Server, query: str, *files: tuple[str, bytes]) -> str:
    answer = server.send_files(f"/page/jobs?{query}", *files)
    assert answer.status == 202, answer.body
    return str(answer.json["job"])


def ended(server: Server, job: str) -> dict[str, Any]:
    for _ in range(900):
        found = server.ask(f"/page/jobs/{job}").json
        if found["state"] not in ("fitting", "judging"):
            return dict(found)
        time.sleep(0.2)
    raise AssertionError(found)


def stop(server: Server, job: str) -> Answer:
    return server.ask(f"/page/jobs/{job}", method="DELETE")


def test_a_model_of_the_server_judges_a_file_as_the_command_does(
    all_kinds: Server, table_model: Path
) -> None:
    Path("load.csv").write_bytes(table(400, strange=350))
    job = begun(all_kinds, "model=load", ("load.csv", Path("load.csv").read_bytes()))
    found = ended(all_kinds, job)
    assert (found["state"], found["alarms"]) == ("done", 1), found
    rows = all_kinds.ask(f"/page/jobs/{job}/rows.jsonl").rows
    assert rows == predict(table_model, "load.csv")
    drawn = all_kinds.ask(f"/page/jobs/{job}/chart.json").json["columns"]
    assert [column["name"] for column in drawn] == ["load"]
    assert [float(row["value"]) for row in rows] == drawn[0]["value"]
    text = all_kinds.ask(f"/page/jobs/{job}/rows.csv").body.decode()
    assert [row["timestamp"] for row in csv.DictReader(io.StringIO(text))] == [
        row["timestamp"] for row in rows
    ]
    assert all_kinds.ask(f"/page/jobs/{job}/rows?threshold=50", b"", method="POST").status == 202
    assert ended(all_kinds, job)["alarms"] == 0
    assert stop(all_kinds, job).json["state"] == "stopped"
    assert all_kinds.ask(f"/page/jobs/{job}").status == 404


def test_what_cannot_be_read_is_the_readers_message(all_kinds: Server) -> None:
    job = begun(all_kinds, "model=orders", ("notes.log", b"hello\nworld\n"))
    found = ended(all_kinds, job)
    assert found["state"] == "failed"
    assert found["error"].startswith("notes.log: expected sessions by ")
    job = begun(all_kinds, "model=load", ("x.csv", b"t,load\n1,two\n"))
    assert "x.csv" in ended(all_kinds, job)["error"]


@pytest.mark.parametrize(
    ("query", "files", "status", "message"),
    [
        ("model=lenet5", [("a.csv", b"1")], 422, "lenet5: judges no logs"),
        ("model=none", [("a.csv", b"1")], 404, "no model 'none'"),
        ("model=load&state=x", [("a.csv", b"1")], 422, "state: expected one of threshold"),
        ("model=load&threshold=-1", [("a.csv", b"1")], 422, "threshold: expected a number > 0"),
        ("share=2", [("a.csv", b"1")], 422, "share: expected a number > 0 and < 1"),
        ("share=nan", [("a.csv", b"1")], 422, "share: expected a number > 0 and < 1"),
        ("epochs=0", [("a.csv", b"1")], 422, "epochs: expected a whole number"),
        ("out=x", [("a.csv", b"1")], 422, "out: expected one of kind"),
        ("model=load", [], 400, "expected one file, received 0"),
        ("model=load", [("a", b"1"), ("b", b"2")], 400, "expected one file, received 2"),
        ("model=load", [("a.gz", b"\x1f\x8b12")], 415, "expected text, received a packed file"),
        ("model=load", [("..", b"1")], 400, "expected files with printable names"),
    ],
)
def test_a_wrong_request_is_one_line(
    query: str, files: list[tuple[str, bytes]], status: int, message: str, all_kinds: Server
) -> None:
    answer = all_kinds.send_files(f"/page/jobs?{query}", *files)
    assert answer.status == status
    assert message in answer.error
    assert all_kinds.ask("/page/jobs", b"x", "text/plain").status == 415
    assert all_kinds.ask("/page/jobs/unknown/rows.csv").status == 404


def test_a_web_page_from_elsewhere_stops_nothing(all_kinds: Server) -> None:
    answer = all_kinds.ask("/page/jobs/x", method="DELETE", Origin="http://elsewhere.example")
    assert answer.status == 403


@pytest.mark.full
def test_a_file_cannot_replace_what_a_job_writes_or_be_imported(all_kinds: Server) -> None:
    for name in ("rows.jsonl", "json.py", "demo-metrics-anomalies"):
        job = begun(all_kinds, "model=load", (name, table(50)))
        found = ended(all_kinds, job)
        assert found["state"] == "done", found
        assert len(all_kinds.ask(f"/page/jobs/{job}/rows.jsonl").rows) == 50


@pytest.mark.full
def test_limits_end_a_job(table_model: Path) -> None:
    limits = ("--most-rows", "60", "--longest-job", "0.3")
    with Server(str(table_model), *limits) as server:
        job = begun(server, "model=load", ("x.csv", table(50)))
        assert "more than 0.3 seconds" in ended(server, job)["error"]
    with Server(str(table_model), "--most-rows", "60", "--largest-job", "20") as server:
        job = begun(server, "model=load", ("x.csv", table(50)))
        assert "more than 20 MB" in ended(server, job)["error"]
    with Server(str(table_model), "--most-rows", "60") as server:
        job = begun(server, "model=load", ("x.csv", table(61)))
        assert "expected at most 60 rows" in ended(server, job)["error"]


@pytest.mark.full
def test_a_server_that_may_not_fit_says_so(table_model: Path) -> None:
    with Server(str(table_model), "--no-fit") as server:
        assert not server.ask("/page/jobs").json["trains"]
        refused = server.send_files("/page/jobs", ("x.csv", table(50)))
        assert (refused.status, refused.error) == (
            422, "this server fits no models; name one of its models",
        )  # fmt: skip
        assert ended(server, begun(server, "model=load", ("x.csv", table(50))))["rows"] == 50


@pytest.mark.full
def test_a_log_is_learned_from_and_its_rest_is_judged() -> None:
    lines = [one for n in range(120) for one in orders.session(10 * n, 10_000 + n)]
    lines.insert(4 * 100 + 2, orders.line(1_001.5, 10_100, b"disk full"))
    with Server() as server:
        process = psutil.Process(server.process.pid)
        job = begun(server, "epochs=2", ("shop.log", orders.joined(lines)))
        second = server.send_files("/page/jobs", ("x.csv", table(50)))
        assert (second.status, second.error) == (
            409, "another file is being judged or learned from; try again when it is done",
        )  # fmt: skip
        slowest = 0.0
        while server.ask(f"/page/jobs/{job}").json["state"] == "fitting":
            begin = time.perf_counter()
            server.ask("/v2/health/live")
            slowest = max(slowest, time.perf_counter() - begin)
        assert slowest < 1
        found = ended(server, job)
        assert found["state"] == "done", found
        assert any("sessions by" in text for text in found["said"])
        assert found["total"] == len(lines)
        rows = server.ask(f"/page/jobs/{job}/rows.jsonl").rows
        assert [row["session"] for row in rows if row["anomaly"]] == ["order-10100"]
        assert min(int(row["session"].partition("-")[2]) for row in rows) == 10_060
        assert found["facts"]["rate"] == pytest.approx(1 / (found["facts"]["sessions"] + 1))
        mapped = " ".join(one.path for one in process.memory_maps())
        assert "tensorflow" not in mapped
        job = begun(server, "epochs=2000", ("shop.log", orders.joined(lines)))
        (child,) = process.children()
        folder = Path(child.cwd()).parent
        assert folder.exists()
        assert stop(server, job).status == 200
        assert not child.is_running()
        assert not folder.exists()
        begun(server, "epochs=2000", ("shop.log", orders.joined(lines)))
        (child,) = process.children()
        folder = Path(child.cwd()).parent
        server.process.kill()
        server.process.wait()
        psutil.wait_procs([child], timeout=30)
        assert not child.is_running()
        assert not folder.exists()


def test_the_offer_names_the_models_that_judge(all_kinds: Server) -> None:
    offer = all_kinds.ask("/page/jobs").json
    assert offer["models"] == ["orders", "load"]
    assert json.dumps(offer).count("lenet5") == 0
