"""Streams over HTTP: rows come as they are certain, and no state older than a minute is lost."""

import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.anomaly.logs import test_stream as orders
from tests.command_line import Run
from tests.serve import conftest
from tests.serve.servers import Server

TEXT = "text/plain"
STOPPING = b"kernel panic: out of cheese"


class Live:
    """A connection whose body is sent piece by piece, and whose rows are read as they come."""

    def __init__(self, server: Server, path: str) -> None:
        host, port = server.host.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self._file = self.socket.makefile("rb")
        head = f"POST {path} HTTP/1.1\r\nHost: {server.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.socket.sendall(head.encode())
        self.status: int | None = None

    def send(self, content: bytes) -> None:
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(content), content))

    def end(self) -> None:
        self.socket.sendall(b"0\r\n\r\n")

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows as they come, until the answer ends."""
        if self.status is None:
            self.status = int(self._file.readline().split()[1])
            while self._file.readline().strip():
                pass
        text = b""
        while size := int(self._file.readline(), 16):
            text += self._file.read(size)
            self._file.readline()
            *whole, text = text.split(b"\n")
            yield from map(json.loads, whole)

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@pytest.fixture
def live() -> Iterator[Any]:
    made = []

    def connect(server: Server, path: str) -> Live:
        made.append(Live(server, path))
        return made[-1]

    yield connect
    for one in made:
        one.close()


def sessions(first: int, count: int) -> bytes:
    some = [one for n in range(first, first + count) for one in orders.session(10 * n, n)]
    return orders.joined(some)


def test_a_stream_gets_the_rows_of_the_command_line(
    all_kinds: Server, recipes: Run, log_model: Path
) -> None:
    text = sessions(800, 30) + orders.joined([orders.line(8_400, 7, STOPPING)])
    done = recipes("predict", str(log_model), "-", "--format", "jsonl", input=text)
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(expected) == 31
    answer = all_kinds.ask("/predict/orders/streams/a", text, TEXT)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.rows == expected


def test_a_row_comes_while_the_body_goes_on(all_kinds: Server, live: Any) -> None:
    stream = live(all_kinds, "/predict/orders/streams/b")
    stream.send(sessions(800, 2))
    stream.send(orders.joined([orders.line(8_100, 7, STOPPING)]))
    rows = stream.rows()
    row = next(rows)
    assert (stream.status, row["session"], row["anomaly"]) == (200, "order-7", 1)
    stream.end()
    assert {row["session"] for row in rows} == {"order-800", "order-801"}


def test_records_are_judged_as_they_come(all_kinds: Server, live: Any) -> None:
    stream = live(all_kinds, "/predict/load/streams/b?threshold=0.9")
    stream.send(b"t,load\n" + b"".join(conftest.record(n).encode() for n in range(300, 305)))
    rows = stream.rows()
    assert len(list(itertools.islice(rows, 5))) == 5
    stream.send(b"1700020000,500\n")
    assert next(rows)["value"] == 500
    stream.end()
    assert not list(rows)


def test_a_stream_with_a_folder_goes_on_where_it_ended(
    log_model: Path, recipes: Run, empty_folder: Path
) -> None:
    whole = sessions(800, 12)
    middle = whole.index(b"query database", len(whole) // 2)
    cut = whole.index(b"\n", middle) + 1
    parts = []
    with Server(str(log_model), "--state", "states") as server:
        for part in (whole[:cut], whole[cut:]):
            parts += server.ask("/predict/orders/streams/shop-1", part, TEXT).rows
        other = server.ask("/predict/orders/streams/shop-2", whole[:cut], TEXT).rows
    files = {str(path) for path in Path("states").rglob("*") if path.is_file()}
    assert files == {f"states/orders/shop-{number}.state" for number in (1, 2)}
    done = [
        recipes("predict", str(log_model), "-", *jsonl, "--set", "state=mine", input=part)
        for jsonl in [("--format", "jsonl")]
        for part in (whole[:cut], whole[cut:])
    ]
    expected = [json.loads(line) for one in done for line in one.stdout.splitlines()]
    assert parts == expected
    assert other == [row for row in expected if row in other]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_stopped_server_ends_its_streams_and_keeps_their_states(
    log_model: Path, empty_folder: Path, live: Any
) -> None:
    with Server(str(log_model), "--state", "states") as server:
        stream = live(server, "/predict/orders/streams/a")
        stream.send(sessions(800, 1) + orders.line(8_004, 7)[:20])
        # The row of an anomaly says that all lines before it were judged.
        stream.send(orders.line(8_004, 7)[20:] + b"\n")
        stream.send(orders.joined([orders.line(8_005, 8, STOPPING)]))
        rows = stream.rows()
        assert next(rows)["session"] == "order-8"
        stream.send(orders.line(8_006, 7, b"kernel pan"))  # half a line
        assert server.stop() == 128 + signal.SIGTERM
        assert not list(rows)
    with Server(str(log_model), "--state", "states") as server:
        more = orders.joined([orders.line(8_006, 7, text) for text in orders.STEPS[1:]])
        rows = server.ask("/predict/orders/streams/a", more + sessions(990, 1), TEXT).rows
    assert {"order-800", "order-7"} <= {row["session"] for row in rows}
    (seven,) = [row for row in rows if row["session"] == "order-7"]
    assert not seven["anomaly"], "half a line was judged, or a line was lost"


def test_a_client_that_goes_away_leaves_its_state(log_model: Path, live: Any) -> None:
    with Server(str(log_model), "--state", "states") as server:
        stream = live(server, "/predict/orders/streams/a")
        stream.send(sessions(800, 3))
        assert next(iter(server.ask("/v2/health/live").body), None) is None
        time.sleep(0.5)
        stream.close()
        until = time.monotonic() + 30
        while not (file := Path("states/orders/a.state")).exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        assert file.stat().st_size
        # The ID is free again.
        assert server.ask("/predict/orders/streams/a", sessions(803, 1), TEXT).status == 200


@pytest.mark.full
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_client_that_does_not_read_keeps_no_state_from_being_written(
    log_model: Path, live: Any
) -> None:
    with Server(str(log_model), "--state", "states") as server:
        stream = live(server, "/predict/orders/streams/a")
        stream.socket.settimeout(5)
        odd = orders.joined([orders.line(8_000 + n, n, STOPPING) for n in range(2_000)])
        with contextlib.suppress(TimeoutError):
            for _ in range(200):
                stream.send(odd)
        server.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 20
        while not Path("states/orders/a.state").exists():
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.mark.full
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_server_loses_less_than_a_minute(log_model: Path, live: Any) -> None:
    path = "/predict/orders/streams/a?timeout=600"  # by the clock it would be over in a minute
    with Server(str(log_model), "--state", "states") as server:
        stream = live(server, path)
        stream.send(sessions(800, 1)[:-20])
        until = time.monotonic() + 90
        while not Path("states/orders/a.state").exists():
            assert time.monotonic() < until
            time.sleep(1)
        server.process.kill()
        server.process.wait()
    with Server(str(log_model), "--state", "states") as server:
        rows = server.ask(path, sessions(990, 30), TEXT).rows
    assert rows[0]["session"] == "order-800"


def test_a_stream_has_one_connection_at_a_time(all_kinds: Server, live: Any) -> None:
    stream = live(all_kinds, "/predict/orders/streams/one")
    stream.send(orders.joined([orders.line(8_100, 7, STOPPING)]))
    rows = stream.rows()
    next(rows)
    answer = all_kinds.ask("/predict/orders/streams/one", sessions(1, 1), TEXT)
    assert answer.status == 409
    assert "open already" in answer.error
    stream.end()
    list(rows)


def test_more_streams_than_the_limit_are_refused(log_model: Path, live: Any) -> None:
    with Server(str(log_model), "--most-streams", "1") as server:
        stream = live(server, "/predict/orders/streams/one")
        stream.send(orders.joined([orders.line(8_100, 7, STOPPING)]))
        rows = stream.rows()
        next(rows)
        answer = server.ask("/predict/orders/streams/two", sessions(1, 1), TEXT)
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        stream.end()
        list(rows)
        assert server.ask("/predict/orders/streams/two", sessions(1, 1), TEXT).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/predict/orders/streams/..", 422),
        ("/predict/orders/streams/.hidden", 422),
        ("/predict/orders/streams/a%2Fb", 404),
        ("/predict/orders/streams/" + "a" * 65, 422),
        ("/predict/orders/streams/a?state=x", 422),
        ("/predict/orders/streams/a?timeout=-1", 422),
        ("/predict/orders/streams/a?idle_after=soon", 422),
        ("/predict/xor/streams/a", 404),
        ("/predict/nothing/streams/a", 404),
    ],
)
def test_what_is_no_stream_is_refused(all_kinds: Server, path: str, status: int) -> None:
    answer = all_kinds.ask(path, b"x\n", TEXT)
    assert (answer.status, bool(answer.error)) == (status, True)


def test_the_state_of_another_model_is_refused_without_its_place(
    log_model: Path, table_model: Path, empty_folder: Path
) -> None:
    with Server(str(log_model), str(table_model), "--state", "states") as server:
        server.ask("/predict/orders/streams/a", sessions(1, 1), TEXT)
        Path("states/load").mkdir()
        Path("states/orders/a.state").rename("states/load/a.state")
        answer = server.ask("/predict/load/streams/a", b"t,load\n1,1\n", TEXT)
        assert answer.status == 422
        assert answer.error.startswith("a.state: the state was kept with another model")
        Path("states/load/a.state").write_bytes(b"damaged")
        answer = server.ask("/predict/load/streams/a", b"t,load\n1,1\n", TEXT)
    assert answer.status == 500
    assert str(empty_folder) not in answer.error


def test_a_stream_may_hold_any_bytes(all_kinds: Server) -> None:
    junk = bytes(range(256)) * 5_000 + b"\n" + b"x" * 3_000_000 + b"\n"
    answer = all_kinds.ask("/predict/orders/streams/junk", junk + sessions(1, 1), TEXT)
    assert answer.status == 200
    assert [row["session"] for row in answer.rows] == ["order-1"]


def test_who_waits_for_100_continue_gets_it(all_kinds: Server) -> None:
    connection = all_kinds.connection()
    connection.putrequest("POST", "/predict/orders/streams/c")
    connection.putheader("Expect", "100-continue")
    text = sessions(1, 1)
    connection.putheader("Content-Length", str(len(text)))
    connection.endheaders()
    # Byte by byte, as the answer's own head may follow at once.
    interim = b""
    while not interim.endswith(b"\r\n\r\n"):
        byte = connection.sock.recv(1)
        assert byte, "The server closed the connection."
        interim += byte
    assert interim.startswith(b"HTTP/1.1 100 ")
    connection.send(text)
    response: http.client.HTTPResponse = connection.getresponse()
    assert json.loads(response.read())["session"] == "order-1"
    connection.close()
