"""`/metrics` counts what was asked, and the access log has a line for each request."""

import json
from pathlib import Path

import pytest

from tests.anomaly.logs import test_stream as orders
from tests.serve.pictures import digits
from tests.serve.servers import Server


def measured(server: Server) -> dict[tuple[str, ...], float]:
    parser = pytest.importorskip("prometheus_client.parser")
    answer = server.ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in parser.text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


def test_requests_rows_and_alarms_are_counted(log_model: Path) -> None:
    with Server(str(log_model), "lenet5") as server:
        before = measured(server)
        assert before["recipes_alarms_total", "model=orders"] == 0
        server.ask("/predict/lenet5", digits(3).tolist())
        server.ask("/predict/lenet5", b"{", "application/json")
        odd = orders.joined([*orders.session(1, 1), orders.line(9, 2, b"kernel panic")])
        server.ask("/predict/orders", odd, "text/plain")
        server.ask("/predict/orders/streams/a", odd, "text/plain")
        found = measured(server)
    route = "route=/predict/{model}"
    assert found["recipes_requests_total", "model=lenet5", route, "status=200"] == 1
    assert found["recipes_requests_total", "model=lenet5", route, "status=400"] == 1
    assert found["recipes_request_seconds_count", "model=lenet5", route] == 2
    assert found["recipes_rows_total", "model=lenet5"] == 3
    assert found["recipes_rows_total", "model=orders"] == 4
    assert found["recipes_alarms_total", "model=orders"] == 2
    assert found["recipes_batch_rows_sum", "model=lenet5"] == 3
    assert found["recipes_streams_open", "model=orders"] == 0
    assert found["process_resident_memory_bytes",] > 1e6


def test_a_request_cannot_make_a_new_label(server: Server) -> None:
    for path in ("/predict/made-up-name", "/v2/models/made-up-name/infer", "/made-up-name"):
        server.ask(path, method="POST")
        server.ask(path, method="PATCH")
    assert b"made-up-name" not in server.ask("/metrics").body


def test_the_log_has_a_line_of_json_for_each_request() -> None:
    with Server("lenet5") as server:
        server.ask("/predict/lenet5?unsure_below=0.5", digits(1).tolist())
        server.ask("/predict/lenet5", b"secret content", "text/plain")
        server.ask("/nothing%0a%1b[31m")
        server.stop()
        lines = [json.loads(line) for line in server.log if line.startswith("{")]
    first, second, third = lines
    assert (first["method"], first["path"], first["status"]) == ("POST", "/predict/lenet5", 200)
    assert (first["client"], "error" in first) == ("127.0.0.1", False)
    assert 0 < first["ms"] < 60_000
    assert (second["status"], "Content-Type" in second["error"]) == (415, True)
    assert third["status"] == 404
    text = "".join(server.log)
    assert "secret" not in text
    assert "unsure_below" not in text
    assert "\x1b" not in text
